import asyncio
import os
import resource
import signal
import time
import wave
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from engine.ports import SpeechFailed
from engine.sound.samples import Sound, to_wav
from engine.speech import audio
from engine.speech.null import Null
from engine.speech.pico import Pico
from engine.speech.service import SpeechService
from engine.speech.voice import LanguageUnknown, Spoken, Voice, VoiceUnavailable

Running = Callable[[Voice], AbstractAsyncContextManager[SpeechService]]


@pytest.fixture
def running(tmp_path: Path) -> Running:
    """A running service with this voice; its sounds are below tmp_path/sounds."""

    @asynccontextmanager
    async def run(voice: Voice) -> AsyncIterator[SpeechService]:
        service = SpeechService(voice, tmp_path / "sounds")
        async with asyncio.TaskGroup() as group:
            task = group.create_task(service.run())
            try:
                yield service
            finally:
                task.cancel()

    return run


class Counting(Null):
    """Counts what it speaks, and speaks only when `gate` is open; `asked` is set while somebody waits for it."""

    def __init__(self) -> None:
        self.spoken: list[str] = []
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self.stopped = False

    async def speak(self, text: Spoken, language: str) -> Sound:
        self.spoken.append(f"{language}:{''.join(map(str, text))}")
        self.asked.set()
        await self.gate.wait()
        return await super().speak(text, language)

    async def stop(self) -> None:
        self.stopped = True


class Missing(Null):
    """Not there until `there`."""

    there = False

    async def start(self) -> None:
        if not self.there:
            raise VoiceUnavailable("put it there")


async def test_a_text_becomes_sounds_of_three_formats_that_all_may_read(running: Running, tmp_path: Path) -> None:
    umask = os.umask(0o077)
    try:
        async with running(Null()) as speech:
            name = await speech.render("Hallo", "de")
    finally:
        os.umask(umask)
    path = speech.path(name)
    assert name.startswith("cache/") and path == tmp_path / "sounds" / f"{name}.wav"
    for suffix, rate in ((".wav", 8000), (".wav16", 16000)):
        with wave.open(str(path.with_suffix(suffix))) as file:
            assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (rate, 2, 1)
            seconds = file.getnframes() / rate
    assert path.with_suffix(".alaw").stat().st_size == pytest.approx(seconds * 8000, abs=2)
    assert sorted(p.suffix for p in path.parent.iterdir()) == [".alaw", ".wav", ".wav16"]
    assert all(p.stat().st_mode & 0o777 == 0o644 for p in path.parent.iterdir())
    assert path.parent.stat().st_mode & 0o755 == 0o755


async def test_the_same_text_is_rendered_once_also_when_asked_for_at_the_same_time(running: Running) -> None:
    voice = Counting()
    async with running(voice) as speech:
        names = await asyncio.gather(*(speech.render("Hallo", "de") for _ in range(20)))
        assert len(set(names)) == 1
        assert await speech.render("Hallo ", "de") == names[0]
    assert voice.spoken == ["de:Hallo"]


async def test_a_sound_outlives_the_service(running: Running) -> None:
    voice = Counting()
    async with running(voice) as speech:
        name = await speech.render("Hallo", "de")
    assert voice.stopped and not speech.ready
    async with running(voice) as speech:
        assert await speech.render("Hallo", "de") == name
    assert len(voice.spoken) == 1


async def test_language_text_voice_and_version_make_another_sound(running: Running) -> None:
    class Newer(Null):
        version = "2"

    class Other(Null):
        name = "other"

    async with running(Null()) as a, running(Newer()) as b, running(Other()) as c:
        names = [await a.render("Hallo", "de"), await a.render("Hallo", "en"), await a.render("Hello", "de"),
                 await b.render("Hallo", "de"), await c.render("Hallo", "de")]
    assert len(set(names)) == 5


async def test_who_gives_up_takes_nothing_from_the_others(running: Running) -> None:
    voice = Counting()
    voice.gate.clear()
    async with running(voice) as speech, asyncio.TaskGroup() as group:
        first = group.create_task(speech.render("Hallo", "de"))
        second = group.create_task(speech.render("Hallo", "de"))
        async with asyncio.timeout(5):
            await voice.asked.wait()
        first.cancel()
        voice.gate.set()
        name = await second
        assert speech.path(name).is_file()
    assert first.cancelled() and len(voice.spoken) == 1


async def test_what_many_wait_for_comes_before_what_is_one_persons_own(running: Running) -> None:
    voice = Counting()
    voice.parallel = 1
    voice.gate.clear()
    async with running(voice) as speech, asyncio.TaskGroup() as group:
        async def ask(text: str, urgency: int) -> None:
            group.create_task(speech.render(text, "de", urgency=urgency))
            while (text, urgency) not in waiting(speech):  # noqa: ASYNC110 -- a question tells nobody
                await asyncio.sleep(0)

        await ask("under way", 2)
        await voice.asked.wait()
        for text, urgency in (("early", 2), ("Ada", 1), ("Bruno", 1), ("all", 0)):
            await ask(text, urgency)
        await ask("Bruno", 0)
        voice.gate.set()
    assert [text[3:] for text in voice.spoken] == ["under way", "all", "Bruno", "Ada", "early"]


def waiting(speech: SpeechService) -> list[tuple[str, int]]:
    return [("".join(map(str, job.order[0])), job.urgency) for job in speech._texts._jobs.values()]


async def test_a_language_of_a_country_is_spoken_as_the_language(running: Running) -> None:
    voice = Counting()
    async with running(voice) as speech:
        assert await speech.render("Servus", "de-AT") == await speech.render("Servus", "de")
    assert voice.spoken == ["de:Servus"]


async def test_a_language_without_a_voice_is_spoken_by_the_nearest_one(running: Running) -> None:
    class German(Counting):
        async def speak(self, text: Spoken, language: str) -> Sound:
            if language not in ("de", "en"):
                raise LanguageUnknown(language)
            return await super().speak(text, language)

    voice = German()
    async with running(voice) as speech:
        await speech.render("Brand", "nl")
        await speech.render("Pozar", "pl")
    assert voice.spoken == ["de:Brand", "en:Pozar"]


async def test_a_recording_becomes_sounds_without_any_voice(running: Running, tmp_path: Path) -> None:
    wav = to_wav(Sound(0.05 * np.sin(np.arange(44100 * 2) * 0.05), 44100))
    async with running(Missing()) as speech:
        names = await asyncio.gather(*(speech.convert(wav) for _ in range(5)))
        assert len(set(names)) == 1 and names[0].startswith("rec/")
        sound = audio.from_wav(speech.path(names[0]).read_bytes())
        assert len(sound.samples) / sound.rate == pytest.approx(2, abs=0.1)
        assert sorted(p.suffix for p in (tmp_path / "sounds" / "rec").iterdir()) == [".alaw", ".wav", ".wav16"]
        with pytest.raises(SpeechFailed, match="no WAV file"):
            await speech.convert(b"MP3")


async def test_what_was_not_used_for_long_is_removed_but_not_what_is_in_use(running: Running) -> None:
    voice = Counting()
    async with running(voice) as speech:
        kept, used, new, old = [await speech.render(text, "de") for text in ("kept", "used", "new", "old")]
        for name in (kept, used, old):
            os.utime(speech.path(name), (0, 0))
        assert await speech.render("used", "de") == used
        await speech.prune({kept})
        assert [speech.path(name).is_file() for name in (kept, used, new, old)] == [True, True, True, False]
        assert not list(speech.path(old).parent.glob(f"{Path(old).name}*"))
        assert await speech.render("old", "de") == old
    assert len(voice.spoken) == 5


async def test_the_lexicon_is_applied(running: Running) -> None:
    voice = Counting()
    async with running(voice) as speech:
        await speech.render("Die Hotline", "de")
    assert voice.spoken == ["de:Die Hottlein"]


async def test_a_full_disk_is_an_error_and_leaves_nothing(running: Running, tmp_path: Path) -> None:
    (tmp_path / "sounds").mkdir()
    cache = tmp_path / "sounds" / "cache"
    cache.symlink_to("/dev/full")       # not a folder: nothing can be written into it
    async with running(Null()) as speech:
        with pytest.raises(SpeechFailed, match="could not be written"):
            await speech.render("Hallo", "de")
        cache.unlink()
        assert speech.path(await speech.render("Hallo", "de")).is_file()


async def test_a_write_that_breaks_off_leaves_nothing(running: Running, tmp_path: Path, file_size_limit: None) -> None:
    async with running(Null()) as speech:
        with pytest.raises(SpeechFailed, match="could not be written"):
            await speech.render("Hallo", "de")
    assert list((tmp_path / "sounds" / "cache").iterdir()) == []


@pytest.fixture
def file_size_limit() -> Iterator[None]:
    """No file of this process grows over 4,000 bytes: what a full disk does, in the middle of a write."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


async def test_half_written_files_of_a_killed_engine_are_swept(running: Running, tmp_path: Path) -> None:
    cache = tmp_path / "sounds" / "cache"
    cache.mkdir(parents=True)
    left, just_now = cache / ".0123-99.wav16", cache / ".4567-98.wav16"
    for path in (left, just_now):
        path.write_bytes(b"half")
    os.utime(left, (time.time() - 3600, time.time() - 3600))
    async with running(Null()) as speech:
        await speech.render("Hallo", "de")
    assert not left.exists()
    assert just_now.exists(), "another engine may be writing it"


async def test_a_missing_voice_is_not_ready_and_found_when_it_is_there(running: Running) -> None:
    voice = Missing()
    async with running(voice) as speech:
        with pytest.raises(SpeechFailed, match="put it there"):
            await speech.render("Hallo", "de")
        assert not speech.ready
        voice.there = True
        await speech.render("Hallo", "de")
        assert speech.ready


async def test_a_crash_in_one_text_leaves_the_others_alone(running: Running) -> None:
    class Crashing(Null):
        async def speak(self, text: Spoken, language: str) -> Sound:
            if text == ["boom"]:
                raise ZeroDivisionError
            return await super().speak(text, language)

    async with running(Crashing()) as speech:
        with pytest.raises(SpeechFailed, match="ZeroDivisionError"):
            await speech.render("boom", "de")
        assert await speech.render("Hallo", "de")


async def test_stopping_fails_those_who_wait(tmp_path: Path) -> None:
    voice = Counting()
    voice.gate.clear()
    speech = SpeechService(voice, tmp_path)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(speech.run())
        waiting = [group.create_task(_failure(speech, text)) for text in "ab"]
        async with asyncio.timeout(5):
            await voice.asked.wait()
        running.cancel()
    assert [task.result() for task in waiting] == ["speech was stopped"] * 2


async def test_stopping_before_the_voice_is_there_fails_those_who_wait(tmp_path: Path) -> None:
    class Slow(Null):
        starting = asyncio.Event()

        async def start(self) -> None:
            self.starting.set()
            await asyncio.Event().wait()

    speech = SpeechService(Slow(), tmp_path)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(speech.run())
        waiting = group.create_task(_failure(speech, "a"))
        await asyncio.wait_for(Slow.starting.wait(), 5)
        running.cancel()
    assert waiting.result() == "speech was stopped"


async def _failure(speech: SpeechService, text: str) -> str:
    with pytest.raises(SpeechFailed) as failure:
        await speech.render(text, "de")
    return str(failure.value)


@pytest.mark.parametrize("sound", ["../x", "/etc/passwd", "a/../b", "", "A", "a.wav", "a//b", "a\n"])
def test_no_name_from_outside_reaches_the_file_system(tmp_path: Path, sound: str) -> None:
    with pytest.raises(SpeechFailed):
        SpeechService(Null(), tmp_path).path(sound)


async def test_pico_renders_what_a_hotline_says(running: Running, tmp_path: Path) -> None:
    async with running(Pico(tmp_path / "voice")) as speech:
        name = await speech.render("Willkommen zur Hotline.", "de")
        assert speech.ready and speech.version.startswith("pico ")
        assert speech.path(name).stat().st_size > 8000
