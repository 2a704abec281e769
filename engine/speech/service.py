"""Speech (engine/ports.py): a text becomes a sound file, rendered once per voice, its version, text and language.

Used by the engine, which runs `run()` in its TaskGroup. A sound that exists is complete in all three formats:
files are written beside their place, synced and renamed, `.wav` last. Texts wait in one queue, and whoever asks
for a text that is under way waits for the same rendering: a caller that gives up takes nothing from the others.
"""

import asyncio
import hashlib
import os
import re
from pathlib import Path

import structlog

from engine.ports import SpeechFailed
from engine.speech import audio
from engine.speech.lexicon import lexicon
from engine.speech.voice import Phonemes, Spoken, Voice, VoiceUnavailable, clean

RENDER_TIMEOUT_S = 60.0
PROBE_EVERY_S = 10.0
_SHAPE = "1"                # changes with anything in audio.py that changes the files
_NAME = re.compile(r"[a-z0-9_-]+(/[a-z0-9_-]+)*")
_log = structlog.get_logger()


class SpeechService:
    """`sounds_dir` holds `cache/`, which this class makes; Asterisk must be able to read it."""

    def __init__(self, voice: Voice, sounds_dir: Path) -> None:
        self._voice = voice
        self._sounds_dir = sounds_dir
        self._queue: asyncio.Queue[tuple[str, Spoken, str]] = asyncio.Queue()
        self._under_way: dict[str, asyncio.Future[None]] = {}
        self._started = asyncio.Event()     # or stopped: there is nothing to wait for any more
        self._stopped = False
        self.ready = False

    @property
    def version(self) -> str:
        return f"{self._voice.name} {self._voice.version}"

    async def run(self) -> None:
        """Render what is asked for until cancelled. A voice that is missing is looked for again and again."""
        self._stopped = False
        try:
            await asyncio.to_thread(self._sweep)
            await self._probe()
            self._started.set()
            async with asyncio.TaskGroup() as group:
                for _ in range(self._voice.parallel):
                    group.create_task(self._render_all())
        finally:
            self.ready = False
            self._stopped = True
            self._started.set()
            for waiting in self._under_way.values():
                waiting.set_exception(SpeechFailed("speech was stopped"))
                waiting.exception()     # seen, also when nobody waits any more
            self._under_way.clear()
            self._queue = asyncio.Queue()
            await self._voice.stop()

    async def render(self, text: str, language: str) -> str:
        """The sound name (`cache/<hash>`) of a text; renders it first if it is new. Raises SpeechFailed."""
        words = lexicon(language, self._voice.name).apply(clean(text))
        try:
            async with asyncio.timeout(RENDER_TIMEOUT_S):
                await self._started.wait()      # before that the voice's version is unknown
                name = self._name(words, language)
                if not await asyncio.to_thread(self._exists, name):
                    await asyncio.shield(self._ask(name, words, language))
        except TimeoutError as error:
            raise SpeechFailed(f"speech was not ready within {RENDER_TIMEOUT_S:g} s") from error
        return name

    def path(self, sound: str) -> Path:
        """The 8 kHz file of a sound; `.wav16` (16 kHz) and `.alaw` of rendered ones are beside it."""
        if not _NAME.fullmatch(sound):
            raise SpeechFailed(f"{sound!r} is not the name of a sound")
        return self._sounds_dir / f"{sound}.wav"

    def _name(self, words: Spoken, language: str) -> str:
        said = "".join(f"\1{w.xsampa}\2" if isinstance(w, Phonemes) else w for w in words)
        key = "\0".join([_SHAPE, self._voice.name, self._voice.version, language, said])
        return f"cache/{hashlib.sha256(key.encode()).hexdigest()[:32]}"

    def _exists(self, name: str) -> bool:
        return self.path(name).is_file()

    def _ask(self, name: str, words: Spoken, language: str) -> asyncio.Future[None]:
        if self._stopped:
            raise SpeechFailed("speech was stopped")
        if name not in self._under_way:
            self._under_way[name] = asyncio.get_running_loop().create_future()
            self._queue.put_nowait((name, words, language))
        return self._under_way[name]

    async def _render_all(self) -> None:
        while True:
            try:
                async with asyncio.timeout(None if self.ready else PROBE_EVERY_S):
                    name, words, language = await self._queue.get()
            except TimeoutError:
                await self._probe()
                continue
            await self._render_one(name, words, language)

    async def _render_one(self, name: str, words: Spoken, language: str) -> None:
        try:
            if not self.ready:
                await self._voice.start()
            sound = await self._voice.speak(words, language)
            await asyncio.to_thread(self._write, name, sound)
            self.ready = True
        except SpeechFailed as error:
            self.ready = self.ready and not isinstance(error, VoiceUnavailable)
            _log.warning("speech.failed", sound=name, voice=self._voice.name, error=str(error))
            self._end(name, error)
        except Exception as error:      # one text must not end speech for all the others
            _log.exception("speech.crashed", sound=name, voice=self._voice.name)
            self._end(name, SpeechFailed(f"speech failed: {type(error).__name__}"))
        else:
            self._end(name, None)

    def _end(self, name: str, error: SpeechFailed | None) -> None:
        waiting = self._under_way.pop(name)
        if error is None:
            waiting.set_result(None)
        else:
            waiting.set_exception(error)
            waiting.exception()     # seen, also when nobody waits any more

    async def _probe(self) -> None:
        try:
            await self._voice.start()
            self.ready = True
        except VoiceUnavailable as error:
            _log.warning("speech.unavailable", voice=self._voice.name, error=str(error))

    def _sweep(self) -> None:
        """What a killed engine left half written."""
        for left in (self._sounds_dir / "cache").glob(".*-*.*"):
            left.unlink(missing_ok=True)

    def _write(self, name: str, sound: audio.Sound) -> None:
        """All formats or nothing. Raises SpeechFailed."""
        wide = audio.shape(audio.resample(sound, 16000))
        narrow = audio.resample(wide, 8000)
        narrow = audio.Sound(audio.level(narrow.samples, 8000), 8000)
        files = {
            ".wav16": audio.to_wav(wide), ".alaw": audio.to_alaw(narrow.samples), ".wav": audio.to_wav(narrow),
        }
        place = self.path(name)
        made: list[Path] = []
        try:
            if not place.parent.is_dir():
                place.parent.mkdir(parents=True)
                place.parent.chmod(0o755)       # Asterisk may run as somebody else
            for suffix, data in files.items():
                made.append(place.with_name(f".{place.stem}-{os.getpid()}{suffix}"))
                _write_file(made[-1], data)
            for temporary, suffix in zip(made, files, strict=True):
                temporary.rename(place.with_suffix(suffix))
        except OSError as error:
            raise SpeechFailed(f"the sound could not be written: {error.strerror}") from error
        finally:
            for temporary in made:
                temporary.unlink(missing_ok=True)


def _write_file(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
