"""The engine is killed by SIGKILL while 200 callers wait; how long until its successor steers all of them again.

A waiting caller hears music under a lease, which the dialplan ends unless an engine renews it. That is the command that
each of the 200 calls gets from the new engine, and it is seen at Asterisk, not at the engine: a connection of the
bench's own asks every caller's channel for `TIMEOUT(absolute)`. What is asked after the kill is what the dead engine
has left; a lease that is longer than that was renewed by the new one. The figure of a run is the last caller's. Beside
it: when the row of `engines` said that everything was compared, and that an agent whose phone rang all the while could
answer, press 1 and talk with his caller. Nobody of the 200 may have missed a packet of music, or have been hung up.
"""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import psutil

from bench.conditions import conditions
from bench.leases import Leases
from bench.load_callers import LoadCallers
from bench.own_system import until
from bench.pairs import Goal, alone
from bench.results import Results
from bench.stage import LONG_WAITS, Stage, stage
from engine.demo.conversation import CALLER
from engine.runtime.supervisor import HEALTHY_S
from engine.softphone.audio import chirp

BENCH = "recovery"
CALLS = 200
HOTLINES = 2            # of a hundred callers each; one more has the agent
RUNS = 5
AT_MOST_S = 2.0
WITHIN_S, GREETED_S = 40.0, 60.0
ASK_EVERY_S = 0.05
DEAD_S = 0.1            # after the kill: what it had sent has arrived
VOICE, LISTEN_S = chirp(1, 0.25), 0.3
# a lease that outlives a slow start, so that the bench measures one that takes too long, instead of the dialplan's
# fallback
SETTINGS = {**LONG_WAITS, "RINGWARD_LEASE_S": "60"}


@dataclass(frozen=True, slots=True)
class World:
    on: Stage
    callers: LoadCallers
    leases: Leases
    database: "asyncpg.Connection[Any]"

    async def one_run(self) -> Mapping[str, float]:
        call = await self.on.carrier.call(CALLER, self.on.companies[HOTLINES].number, audio=VOICE, loop_audio=True)
        agent = self.on.carrier.phones[self.on.companies[HOTLINES].agents[0].number]
        await agent.rung(10, len(agent.calls) + 1)
        await self._has_lived()
        legs = await self._all_wait()
        await self.callers.heard()
        before = self.on.pid("engine")
        at = time.monotonic()
        os.kill(before, signal.SIGKILL)
        await asyncio.sleep(DEAD_S)
        left = await self.leases.ends(legs)
        renewed, compared = await asyncio.gather(self._renewed(left), self._compared(before))
        agent.play(VOICE, loop=True)
        agent.answer()
        await agent.heard(0.1, 5)
        pressed = agent.press("1")
        await agent.call.heard(agent.call.recording.sound_s + LISTEN_S, 5)
        await call.heard(call.recording.sound_s + LISTEN_S, 5)
        talks_s = time.monotonic() - pressed.at
        waited = await self.callers.heard()
        call.hang_up()
        await agent.call.ended(5)
        self.on.forget()
        return {"regained": max(renewed.values()) - at, "first": min(renewed.values()) - at,
                "compared": compared - at, "talks": talks_s, "ended": waited.ended, "music": waited.least}

    async def _has_lived(self) -> None:
        """So that the supervisor starts the next one at once, as after any engine that has worked for a while."""
        began = psutil.Process(self.on.pid("engine")).create_time()
        await asyncio.sleep(max(0.0, began + HEALTHY_S + 1 - time.time()))

    async def _all_wait(self) -> list[str]:
        """Their channels, once everybody has heard the greeting."""
        async def have_heard_it() -> bool:
            return len(await self.leases.waiting()) == CALLS + 1

        await until(have_heard_it, GREETED_S, 0.5)
        return await self.leases.waiting()

    async def _renewed(self, left: Mapping[str, float]) -> Mapping[str, float]:
        """By leg, when its lease was first seen to be longer than the dead engine had left it."""
        seen: dict[str, float] = {}
        async with asyncio.timeout(WITHIN_S):
            while len(seen) < len(left):
                await asyncio.sleep(ASK_EVERY_S)
                ends = await self.leases.ends([leg for leg in left if leg not in seen])
                now = time.monotonic()
                seen |= dict.fromkeys((leg for leg, end in ends.items() if end > left[leg] + 0.5), now)
        return seen

    async def _compared(self, before: int) -> float:
        """When another process than `before` had written that it is reconciled."""
        row = "SELECT pid <> $1 AND coalesce((state->>'reconciled')::boolean, false) FROM engines"
        await until(lambda: self.database.fetchval(row, before), WITHIN_S, ASK_EVERY_S)
        return time.monotonic()


async def run(results: Results) -> None:
    async with world() as it:
        results.begin(BENCH, await conditions(it.on.system.home, calls=CALLS, **SETTINGS))
        lines = await alone(it.one_run, [
            Goal(f"SIGKILL → every one of {CALLS} callers has a command of the new engine", "regained", "ours", "s",
                 at_most=AT_MOST_S),
            Goal("SIGKILL → the first of them", "first", "ours", "s"),
            Goal("SIGKILL → `engines` says reconciled", "compared", "ours", "s"),
            Goal("then: an agent's key 1 → both hear each other", "talks", "ours", "s"),
            Goal("callers who lost their call", "ended", "ours", "calls", at_most=0),
            Goal("music that came, of what is due, to the caller who heard least", "music", "ours", "share",
                 at_least=0.98),
        ], RUNS)
    results.add(BENCH, lines)


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        on = await stack.enter_async_context(stage(HOTLINES + 1, {"channelsInbound": 100}, **SETTINGS))
        database = await asyncpg.connect(on.settings.database_url)
        stack.push_async_callback(database.close)
        leases = await stack.enter_async_context(Leases.of(on.settings))
        numbers = [company.number for company in on.companies[:HOTLINES]]
        callers = await stack.enter_async_context(LoadCallers.started(on.system.sip, numbers))
        await callers.up(CALLS)
        yield World(on, callers, leases, database)
