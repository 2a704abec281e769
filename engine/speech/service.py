"""Speech (engine/ports.py): a text becomes a sound file, rendered once per voice, its version, text and language.

Used by the engine, which runs `run()` in its TaskGroup. Texts wait in one line by urgency, and whoever asks for a text
that is under way waits for the same rendering: a caller that gives up takes nothing from the others. Recordings wait
in a line of their own and need no voice. `files.py` says what a sound is on the disk.
"""

import asyncio
import hashlib
from collections.abc import Collection, Coroutine
from pathlib import Path
from typing import Any

import structlog

from engine.ports import SpeechFailed
from engine.sound import recording
from engine.sound.samples import Sound
from engine.speech.files import SoundFiles
from engine.speech.lexicon import lexicon
from engine.speech.line import Job, Line
from engine.speech.voice import LanguageUnknown, Phonemes, Spoken, Voice, VoiceUnavailable, clean, nearest

RENDER_TIMEOUT_S = 60.0
START_TIMEOUT_S = 60.0
PROBE_EVERY_S = 10.0
CACHE_DAYS = 30.0
_SHAPE = "1"                # changes with anything in audio.py or engine/sound that changes the files
_log = structlog.get_logger()

Text = tuple[Spoken, str]   # and its language


class SpeechService:
    """`sounds_dir` holds `cache/` and `rec/`, which this class makes; Asterisk must be able to read it."""

    def __init__(self, voice: Voice, sounds_dir: Path, cache_days: float = CACHE_DAYS) -> None:
        self._voice = voice
        self._files = SoundFiles(sounds_dir)
        self._cache_days = cache_days
        self._texts: Line[Text] = Line()
        self._recordings: Line[bytes] = Line()
        self._started = asyncio.Event()     # or stopped: there is nothing to wait for any more
        self.ready = False

    @property
    def version(self) -> str:
        return f"{self._voice.name} {self._voice.version}"

    async def run(self) -> None:
        """Make what is asked for until cancelled. A voice that is missing is looked for again and again."""
        self._texts.open()
        self._recordings.open()
        try:
            await asyncio.to_thread(self._files.sweep)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._convert_all())
                await self._probe()
                self._started.set()
                for _ in range(self._voice.parallel):
                    group.create_task(self._render_all())
        finally:
            self.ready = False
            self._texts.close("speech was stopped")
            self._recordings.close("speech was stopped")
            self._started.set()
            await self._voice.stop()

    async def render(self, text: str, language: str, *, urgency: int = 0) -> str:
        """The sound name (`cache/<hash>`) of a text; renders it first if it is new. Raises SpeechFailed.

        `urgency`: 0 what many people wait for, 1 one person's own, 2 ahead of time; the lower comes first. How long
        it waits for others is not limited: each of those is.
        """
        language = language.lower().partition("-")[0]       # de-AT is spoken as de
        words = lexicon(language, self._voice.name).apply(clean(text))
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await self._started.wait()      # before that the voice's version is unknown
        except TimeoutError as error:
            raise SpeechFailed(f"speech was not ready within {START_TIMEOUT_S:g} s") from error
        name = self._name(words, language)
        if not await asyncio.to_thread(self._files.use, name):
            await self._texts.ask(name, (words, language), urgency)
        return name

    async def convert(self, wav: bytes) -> str:
        """The sound name (`rec/<hash>`) of a recording; makes its files if they are not there. Raises SpeechFailed."""
        digest = await asyncio.to_thread(hashlib.sha256, _SHAPE.encode() + wav)
        name = f"rec/{digest.hexdigest()[:32]}"
        if not await asyncio.to_thread(self._files.use, name):
            await self._recordings.ask(name, wav, 0)
        return name

    async def prune(self, in_use: Collection[str]) -> None:
        """Remove sounds of ours that were asked for the last time long ago, but not those in use."""
        removed = await asyncio.to_thread(self._files.prune, in_use, self._cache_days)
        _log.info("speech.pruned", sounds=removed)

    def path(self, sound: str) -> Path:
        return self._files.path(sound)

    def _name(self, words: Spoken, language: str) -> str:
        said = "".join(f"\1{w.xsampa}\2" if isinstance(w, Phonemes) else w for w in words)
        key = "\0".join([_SHAPE, self._voice.name, self._voice.version, language, said])
        return f"cache/{hashlib.sha256(key.encode()).hexdigest()[:32]}"

    async def _convert_all(self) -> None:
        while True:
            job = await self._recordings.take()
            self._recordings.end(job, await self._failure(job.name, self._convert(job)))

    async def _convert(self, job: Job[bytes]) -> None:
        sound = await asyncio.to_thread(recording.read, job.order)
        await asyncio.to_thread(self._files.write, job.name, sound)

    async def _render_all(self) -> None:
        while True:
            try:
                async with asyncio.timeout(None if self.ready else PROBE_EVERY_S):
                    job = await self._texts.take()
            except TimeoutError:
                await self._probe()
                continue
            self._texts.end(job, await self._failure(job.name, self._render(job)))

    async def _render(self, job: Job[Text]) -> None:
        async with asyncio.timeout(RENDER_TIMEOUT_S):
            if not self.ready:
                await self._voice.start()
            await asyncio.to_thread(self._files.write, job.name, await self._speak(*job.order))
        self.ready = True

    async def _speak(self, words: Spoken, language: str) -> Sound:
        """An alarm in the wrong accent is better than none."""
        try:
            return await self._voice.speak(words, language)
        except LanguageUnknown:
            return await self._voice.speak(words, nearest(language))

    async def _failure(self, name: str, work: Coroutine[Any, Any, None]) -> SpeechFailed | None:
        """Do it; None when it is done."""
        try:
            await work
        except SpeechFailed as error:
            self.ready = self.ready and not isinstance(error, VoiceUnavailable)
            _log.warning("speech.failed", sound=name, voice=self._voice.name, error=str(error))
            return error
        except TimeoutError:
            return SpeechFailed(f"the voice did not speak within {RENDER_TIMEOUT_S:g} s")
        except Exception as error:      # one text must not end speech for all the others
            _log.exception("speech.crashed", sound=name, voice=self._voice.name)
            return SpeechFailed(f"speech failed: {type(error).__name__}")
        return None

    async def _probe(self) -> None:
        try:
            await self._voice.start()
            self.ready = True
        except VoiceUnavailable as error:
            _log.warning("speech.unavailable", voice=self._voice.name, error=str(error))
