"""What the latency benches play on: a system of a bench's own, the phones behind its trunk, and organisations.

Phones and callers are those of `engine/softphone`; an INVITE that comes counts from when the kernel got it. `static` is
the baseline: numbers that the same Asterisk serves by a few lines of dialplan, with no engine, added while it runs.
"""

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import aiohttp

from bench.asterisk_console import console
from bench.own_system import NO_LIMIT, OwnSystem, own_system
from engine.demo.company import Company, active, found, own_number
from engine.runtime.ports import Address
from engine.softphone import Carrier

STATIC = "498999998"  # Munich, and three digits more: numbers that Germany keeps for films
INBOUND = "rw-in"     # where the trunk's calls come in
# phones may ring as long as a bench takes, and nobody who waits is told meanwhile that no agent comes
LONG_WAITS = {**NO_LIMIT, "RINGWARD_RING_TIMEOUT_S": "300", "RINGWARD_ROUNDS": "20"}


@dataclass(frozen=True, slots=True)
class Stage(OwnSystem):
    carrier: Carrier
    companies: Sequence[Company]

    async def static(self, number: str, lines: Sequence[str], context: str = INBOUND) -> None:
        """Calls to this number run these lines of dialplan, `Application(arguments)` each."""
        for order in extension(number, lines, context):
            said = await console(self.pid("asterisk"), order)
            assert "Extension " in said, said

    def forget(self) -> None:
        """Calls that are over: a run is not to cost more for the runs before it."""
        self.carrier.forget()


def extension(number: str, lines: Sequence[str], context: str) -> Iterator[str]:
    """The console's orders: a priority for each line, from 1 on."""
    for priority, line in enumerate(lines, start=1):
        yield f"dialplan add extension {number},{priority},{line} into {context} replace"


@contextlib.asynccontextmanager
async def stage(companies: int, hotline: Mapping[str, Any] | None = None, **settings: str) -> AsyncIterator[Stage]:
    """`companies` organisations whose hotlines are active, each with a number for its alarms too and agents' phones
    that ring. `settings`: variables for the system alone."""
    async with AsyncExitStack() as stack:
        carrier = await stack.enter_async_context(Carrier())
        own = await stack.enter_async_context(own_system(Address(*carrier.address), settings))
        carrier.switch = own.system.sip.host, own.system.sip.port
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)))
        made = [await found(session, own.system, lane=lane, **(hotline or {})) for lane in range(companies)]
        for company in made:
            await own_number(own.system, company)
            assert await active(company) == "active"
            for agent in company.agents:
                carrier.phone(agent.number)
        yield Stage(own.system, own.settings, carrier, made)
