"""The system that a demonstration runs on: started as a child in a private home, or one that is running already.

Everything is done as a newcomer would: `ringward` commands as processes of their own, and the HTTP API.
"""

import asyncio
import contextlib
import json
import re
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.demo.checks import DemoFailed
from engine.runtime.child import command
from engine.runtime.ports import Address
from engine.settings import Settings

READY_TIMEOUT_S = 60
COMMAND_TIMEOUT_S = 30
END_TIMEOUT_S = 15
_READY = re.compile(r"ready api=(http://\S+) sip=(\S+) trunk=(\S+)")
RINGWARD = [sys.executable, "-m", "engine.cli.main"]


@dataclass(frozen=True, slots=True)
class System:
    """A running Ringward: where its API, its SIP and its trunk are, and the home its commands act on."""

    home: Path
    api: str
    sip: Address
    trunk: Address

    async def ringward(self, *arguments: str) -> dict[str, Any]:
        """Run a command with `--json`; its answer. Raises DemoFailed with what it said if it failed."""
        process = await asyncio.create_subprocess_exec(
            *RINGWARD, *arguments, "--home", str(self.home), "--json", stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
        try:
            async with asyncio.timeout(COMMAND_TIMEOUT_S):
                out, err = await process.communicate()
        except TimeoutError:
            process.kill()
            raise DemoFailed(f"`ringward {' '.join(arguments)}` took over {COMMAND_TIMEOUT_S} s") from None
        if process.returncode != 0:
            raise DemoFailed(f"`ringward {' '.join(arguments)}` failed: {err.decode().strip() or out.decode().strip()}")
        answer: dict[str, Any] = json.loads(out)
        return answer


def running(home: Path) -> System:
    """The system that runs in this home."""
    home = home.expanduser().absolute()
    settings = Settings(home=home)
    if not (home / "run" / "settings.json").exists():
        raise DemoFailed(f"no system is running in {home}: start one with `ringward up --home {home}`")
    return System(home, f"http://{settings.api}", Address.parse(settings.sip), Address.parse(settings.trunk))


@asynccontextmanager
async def started(trunk: Address, *options: str) -> AsyncIterator[System]:
    """A system of our own on free ports, whose trunk is at `trunk`. It and its home are gone afterwards."""
    folder = _Folder()
    process = await asyncio.create_subprocess_exec(
        *command([*RINGWARD, "up", "--home", str(folder.home), "--api", "127.0.0.1:0", "--sip", "127.0.0.1:0",
                  "--trunk", str(trunk), *options], death_signal=signal.SIGTERM),
        stdin=DEVNULL, stdout=PIPE, stderr=folder.log)
    try:
        api, sip = await _ready(process, folder)
        yield System(folder.home, api, Address.parse(sip), trunk)
    finally:
        await _end(process)
        folder.remove()


class _Folder:
    """A temporary home, and what its `up` says."""

    def __init__(self) -> None:
        self._path = Path(tempfile.mkdtemp(prefix="ringward-demo-"))
        self._path.chmod(0o755)  # the database's user must reach it
        self.home = self._path / "home"
        self.log = open(self._path / "up.log", "w+b")

    def said(self) -> str:
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def remove(self) -> None:
        """With the private folder, which lies elsewhere (engine/runtime/folders.py)."""
        self.log.close()
        private = self.home / "run" / "private"
        if private.exists():
            shutil.rmtree(private.read_text().strip(), ignore_errors=True)
        shutil.rmtree(self._path, ignore_errors=True)


async def _ready(process: Process, folder: _Folder) -> tuple[str, str]:
    """API and SIP address. The ready line is all that `up` writes to standard output."""
    assert process.stdout is not None  # noqa: S101  a pipe was asked for
    said = ""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(READY_TIMEOUT_S):
            async for line in process.stdout:
                said += line.decode(errors="replace")
                if match := _READY.search(said):
                    return match[1], match[2]
    raise DemoFailed(f"`ringward up` did not get ready. It said:\n{(said + folder.said()).strip()[-4000:]}")


async def _end(process: Process) -> None:
    """As two Ctrl-C would, then by force."""
    for ending in (signal.SIGINT, signal.SIGINT, signal.SIGKILL):
        if process.returncode is not None:
            return
        process.send_signal(ending)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_TIMEOUT_S):
                await process.wait()
