"""What the latency benches play on: a system of a bench's own, the phones behind its trunk, and organisations.

Phones and callers are those of `engine/softphone`; an INVITE that comes counts from when the kernel got it. `static` is
the baseline: numbers that the same Asterisk serves by a few lines of dialplan, with no engine, added while it runs.
"""

import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bench.asterisk_console import console
from engine.demo.company import Company, active, found, own_number
from engine.demo.system import System, started
from engine.runtime.ports import Address
from engine.softphone import Carrier

STATIC = "498999998"  # Munich, and three digits more: numbers that Germany keeps for films
INBOUND = "rw-in"     # where the trunk's calls come in


@dataclass(frozen=True, slots=True)
class Stage:
    carrier: Carrier
    system: System
    companies: Sequence[Company]

    def pid(self, part: str) -> int:
        """Of engine, api, asterisk, postgres."""
        return int((self.system.home / "run" / f"{part}.pid").read_text())

    async def static(self, number: str, lines: Sequence[str], context: str = INBOUND) -> None:
        """Calls to this number run these lines of dialplan, `Application(arguments)` each."""
        for place, line in enumerate(lines, start=1):
            said = await console(
                self.pid("asterisk"), f"dialplan add extension {number},{place},{line} into {context} replace")
            assert "Extension " in said, said

    def forget(self) -> None:
        """Calls that are over: a run is not to cost more for the runs before it."""
        self.carrier.forget()


@contextlib.asynccontextmanager
async def stage(
    companies: int, hotline: Mapping[str, Any] | None = None, trunk: Address | None = None, **settings: str,
) -> AsyncIterator[Stage]:
    """`companies` organisations whose hotlines are active, each with a number for its alarms too and agents' phones
    that ring. `settings`: variables for the system alone. `trunk`: if it is not the carrier's."""
    async with AsyncExitStack() as stack:
        carrier = await stack.enter_async_context(Carrier())
        with _variables(settings):
            system = await stack.enter_async_context(started(trunk or Address(*carrier.address)))
        carrier.switch = system.sip.host, system.sip.port
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)))
        made = [await found(session, system, lane=lane, **(hotline or {})) for lane in range(companies)]
        for company in made:
            await own_number(system, company)
            assert await active(company) == "active"
            for agent in company.agents:
                carrier.phone(agent.number)
        try:
            yield Stage(carrier, system, made)
        except BaseException:
            _keep_logs(system.home)
            raise


def _keep_logs(home: Path) -> None:
    """A bench that failed says why."""
    if kept := os.environ.get("BENCH_LOGS"):
        shutil.copytree(home / "log", kept, dirs_exist_ok=True)


@contextlib.contextmanager
def _variables(settings: Mapping[str, str]) -> Iterator[None]:
    os.environ.update(settings)
    try:
        yield
    finally:
        for name in settings:
            del os.environ[name]
