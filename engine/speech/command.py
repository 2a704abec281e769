"""Voices that are programs of the machine: espeak-ng, and Piper with the user's own model.

The text goes to stdin, WAV comes from stdout; no shell. Both run with low priority and no environment of ours.
"""

import asyncio
import os
import shutil
from pathlib import Path

from engine.ports import SpeechFailed
from engine.sound.samples import Sound
from engine.speech.audio import from_wav
from engine.speech.voice import Spoken, VoiceUnavailable, plain

TIMEOUT_S = 30.0
_NICENESS = 10


class EspeakNg:
    name = "espeak-ng"
    parallel = 1

    def __init__(self) -> None:
        self.version = ""
        self._program = ""

    async def start(self) -> None:
        self._program = _program("espeak-ng", "install the Debian package espeak-ng")
        self.version = (await _run([self._program, "--version"], "")).decode(errors="replace").split("Data")[0].strip()

    async def speak(self, text: Spoken, language: str) -> Sound:
        return from_wav(await _run([self._program, "-v", language, "-s", "150", "--stdin", "--stdout"], plain(text)))

    async def stop(self) -> None: ...


class Piper:
    """Speaks the one language of its model."""

    name = "piper"
    parallel = 1

    def __init__(self, model: Path) -> None:
        self._model = model
        self._program = ""
        self.version = ""

    async def start(self) -> None:
        self._program = _program("piper", "install piper-tts, for example with pipx")
        try:
            state = self._model.stat()
        except OSError as error:
            raise VoiceUnavailable(f"the model {self._model} of the voice piper is not there: put it there or"
                                   " set `voice` to another path") from error
        self.version = f"{self._model.name} {state.st_size} {state.st_mtime_ns}"

    async def speak(self, text: Spoken, language: str) -> Sound:
        command = [self._program, "--model", str(self._model), "--output_file", "-"]
        return from_wav(await _run(command, plain(text) + "\n"))

    async def stop(self) -> None: ...


def _program(name: str, mend: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise VoiceUnavailable(f"the program {name} is not on the PATH: {mend}, or set `voice` to pico")
    return found


async def _run(command: list[str], text: str) -> bytes:
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    try:
        process = await asyncio.create_subprocess_exec(
            *command, env={**environment, "LC_ALL": "C.UTF-8"},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise VoiceUnavailable(f"{command[0]} does not start: {error.strerror}") from error
    try:
        _be_nice(process.pid)
        async with asyncio.timeout(TIMEOUT_S):
            out, err = await process.communicate(text.encode())
    except TimeoutError as error:
        raise SpeechFailed(f"{command[0]} did not end within {TIMEOUT_S:g} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        last = err.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
        raise SpeechFailed(f"{command[0]} failed with status {process.returncode}: {last[0]}")
    return out


def _be_nice(pid: int) -> None:
    try:
        os.setpriority(os.PRIO_PROCESS, pid, _NICENESS)
    except ProcessLookupError:
        pass
