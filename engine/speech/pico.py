"""The voice that comes with Ringward: SVOX Pico (`py-nanotts`), in an unprivileged process of its own.

The only caller of `worker.py`. One text at a time; a worker that dies is started again and the text tried once
more; one that does not answer in time is killed, and the text has failed.
"""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from importlib import metadata, util
from pathlib import Path

from engine.ports import SpeechFailed
from engine.sound.samples import Sound, from_pcm
from engine.speech.voice import LanguageUnknown, Phonemes, Spoken, VoiceUnavailable

WORKER = Path(__file__).parent / "worker.py"
RATE = 16000
VOICES = {"de": "de-DE", "en": "en-US", "es": "es-ES", "fr": "fr-FR", "it": "it-IT"}
START_TIMEOUT_S = 10.0
SPEAK_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 2.0
_MEND = "run `make setup`, which installs the package py-nanotts"


class _WorkerDied(Exception):
    pass


class Pico:
    """`state_dir` is a private folder of ours; it holds a readable copy of the voice files where one is needed."""

    name = "pico"
    parallel = 1

    def __init__(self, state_dir: Path, speak_timeout_s: float = SPEAK_TIMEOUT_S) -> None:
        self._state_dir = state_dir
        self._speak_timeout_s = speak_timeout_s
        self._worker: asyncio.subprocess.Process | None = None
        self.version = ""

    @property
    def pid(self) -> int | None:
        return self._worker.pid if self._worker else None

    async def start(self) -> None:
        package = util.find_spec("py_nanotts")
        if package is None or package.origin is None:
            raise VoiceUnavailable(f"the voice pico is not installed: {_MEND}")
        self.version = metadata.version("py-nanotts")
        lingware = Path(package.origin).parent / "lang"
        missing = [v for v in VOICES.values() if not list(lingware.glob(f"{v}_*_sg.bin"))]
        if missing:
            raise VoiceUnavailable(f"the voice pico lacks the files of {', '.join(missing)}: {_MEND}")
        if os.geteuid() == 0:
            lingware = await asyncio.to_thread(self._readable, lingware)
        await self._start_worker(lingware)

    async def speak(self, text: Spoken, language: str) -> Sound:
        if language not in VOICES:
            raise LanguageUnknown(f"the voice pico does not speak the language {language!r}")
        request = json.dumps({"text": markup(text), "voice": VOICES[language]}).encode() + b"\n"
        try:
            return await self._try(request)
        except _WorkerDied:
            pass
        try:
            return await self._try(request)
        except _WorkerDied as error:
            raise SpeechFailed("the voice pico died of this text, twice") from error

    async def stop(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        assert worker.stdin is not None     # noqa: S101 - started with a pipe
        worker.stdin.close()
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await worker.wait()
        except TimeoutError:
            pass                    # it is in the middle of a text
        finally:
            if worker.returncode is None:
                worker.kill()
                await worker.wait()

    async def _try(self, request: bytes) -> Sound:
        if self._worker is None or self._worker.returncode is not None:
            await self.start()
        try:
            async with asyncio.timeout(self._speak_timeout_s):
                return await self._exchange(request)
        except BaseException as error:      # cancelled too: what the worker would answer belongs to nobody
            if not isinstance(error, SpeechFailed):
                self._kill()
            if isinstance(error, TimeoutError):
                raise SpeechFailed(f"the voice pico did not end within {self._speak_timeout_s:g} s") from error
            raise

    async def _exchange(self, request: bytes) -> Sound:
        worker = self._worker
        assert worker is not None and worker.stdin is not None and worker.stdout is not None     # noqa: S101
        try:
            worker.stdin.write(request)
            await worker.stdin.drain()
            head = json.loads(await worker.stdout.readuntil(b"\n"))
            if "error" in head:
                raise SpeechFailed(f"the voice pico could not speak this text: {head['error']}")
            return from_pcm(await worker.stdout.readexactly(head["bytes"]), RATE)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise _WorkerDied from error

    async def _start_worker(self, lingware: Path) -> None:
        self._kill()
        # -I and an empty environment: the worker takes nothing from ours, which may hold secrets
        self._worker = await asyncio.create_subprocess_exec(
            sys.executable, "-I", str(WORKER), "--lingware", str(lingware), env={"LC_ALL": "C.UTF-8"},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )
        assert self._worker.stdout is not None      # noqa: S101
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                ready = json.loads(await self._worker.stdout.readuntil(b"\n"))
        except (asyncio.IncompleteReadError, TimeoutError) as error:
            self._kill()
            raise VoiceUnavailable(f"the process of the voice pico does not start: {_MEND}") from error
        if ready["ready"]["uid"] == 0:
            self._kill()
            raise VoiceUnavailable("the process of the voice pico could not give up root")

    def _kill(self) -> None:
        if self._worker is not None and self._worker.returncode is None:
            self._worker.kill()     # the event loop reaps it
        self._worker = None

    def _readable(self, lingware: Path) -> Path:
        """The voice files where nobody may read them: a root with umask 077 installs them for itself only."""
        if all(file.stat().st_mode & 0o004 for file in lingware.iterdir()) and lingware.stat().st_mode & 0o001:
            return lingware
        copy = self._state_dir / f"pico-{self.version}"
        if not copy.is_dir():
            self._state_dir.mkdir(parents=True, exist_ok=True)
            made = Path(tempfile.mkdtemp(dir=self._state_dir))
            for file in lingware.iterdir():
                shutil.copyfile(file, made / file.name)
                (made / file.name).chmod(0o444)
            made.chmod(0o755)
            made.rename(copy)
        return copy


def markup(text: Spoken) -> str:
    """Pico's input: the cleaned text, which holds no markup, and our own phonemes as tags."""
    return "".join(_tag(p) if isinstance(p, Phonemes) else p.replace("<", " ").replace(">", " ") for p in text)


def _tag(word: Phonemes) -> str:
    return '<phoneme alphabet="xsampa" ph="{}"/>'.format(word.xsampa.replace("\\", "\\\\").replace('"', '\\"'))
