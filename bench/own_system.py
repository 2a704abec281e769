"""A system of a bench's own on free ports: what `campaign_system.py` and `stage.py` put their organisations on.

It runs as long as it is open, with settings that nothing else in the bench's process sees.
"""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.demo.system import System, started
from engine.runtime.heartbeat import Heartbeat
from engine.runtime.ports import Address
from engine.settings import Settings

# for whom it measures at a load of its own: the trunk's limits are never met
NO_LIMIT = {"RINGWARD_TRUNK_CPS": "1000", "RINGWARD_TRUNK_CHANNELS": "2000"}


@dataclass(frozen=True, slots=True)
class OwnSystem:
    """`settings`: by which its parts are reached."""

    system: System
    settings: Settings

    def pid(self, part: str) -> int:
        """Of engine, api, asterisk, postgres."""
        return int((self.system.home / "run" / f"{part}.pid").read_text())

    async def takes_calls(self, before: int) -> bool:
        """A new engine, not the one with the process id `before`."""
        try:
            pid = self.pid("engine")
        except FileNotFoundError:   # the supervisor is about to start it
            return False
        beat = Heartbeat(self.settings.database_url)
        try:
            return pid != before and (await beat.read(pid)).taking_calls
        finally:
            await beat.close()


@contextlib.asynccontextmanager
async def own_system(trunk: Address, settings: Mapping[str, str]) -> AsyncIterator[OwnSystem]:
    """`settings`: variables for the system alone. `trunk`: where the phones are."""
    async with contextlib.AsyncExitStack() as stack:
        with _variables(settings):
            system = await stack.enter_async_context(started(trunk))
        try:
            yield OwnSystem(system, Settings(home=system.home))
        except BaseException:
            _keep_logs(system.home)
            raise


async def until(condition: Callable[[], Awaitable[bool]], within_s: float = 120, every_s: float = 0.1) -> None:
    """Raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while not await condition():  # noqa: ASYNC110 -- other processes tell nobody
            await asyncio.sleep(every_s)


@contextlib.contextmanager
def _variables(settings: Mapping[str, str]) -> Iterator[None]:
    os.environ.update(settings)
    try:
        yield
    finally:
        for name in settings:
            del os.environ[name]


def _keep_logs(home: Path) -> None:
    """A bench that failed says why."""
    if kept := os.environ.get("BENCH_LOGS"):
        shutil.copytree(home / "log", kept, dirs_exist_ok=True)
