"""What 300 live calls cost the engine, against 10: how late its event loop is, and memory a call.

The calls are callers of hotlines who wait and hear music, all of it received and answered with voice; CHANGING of them
hang up and as many call anew while it is measured, so that the loop has more to do than to renew leases. The engine
measures its loop itself (engine/loop_lag.py: a timer every 50 ms, how late it comes), the bench reads by how much the
histogram at /metrics has grown. Memory is the resident set of an engine that was started for this run and has served
WARM_UP calls before, so that what an interpreter keeps for its first calls is not charged to the next.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from bench.conditions import conditions
from bench.leases import Leases
from bench.load_callers import LoadCallers
from bench.own_system import until
from bench.pairs import Goal, alone
from bench.processes import resident_bytes
from bench.results import Results
from bench.stage import LONG_WAITS, Stage, stage
from engine.runtime.supervisor import HEALTHY_S

BENCH = "live_calls"
FEW, MANY, WARM_UP, CHANGING = 10, 300, 30, 20
HOTLINES = 3            # of a hundred callers each
RUNS = 3
FOR_S = 12.0            # 240 timers
SETTLE_S = 2.5
LAG = "ringward_loop_lag_seconds"


@dataclass(frozen=True, slots=True)
class World:
    on: Stage
    callers: LoadCallers
    leases: Leases
    session: aiohttp.ClientSession

    async def one_run(self) -> Mapping[str, float]:
        await self._fresh_engine()
        await self._up(WARM_UP)
        await self._up(0)
        few, few_bytes = await self._measured(FEW)
        many, many_bytes = await self._measured(MANY)
        ended = (await self.callers.heard()).ended
        await self._up(0)
        self.on.forget()
        return {"few": 1000 * few, "many": 1000 * many, "kB": (many_bytes - few_bytes) / (MANY - FEW) / 1000,
                "MB": many_bytes / 1e6, "ended": ended}

    async def _measured(self, calls: int) -> tuple[float, int]:
        """The 99th percentile of the loop's lateness, and the engine's memory before anybody changes."""
        await self._up(calls)
        await asyncio.sleep(SETTLE_S)
        memory = resident_bytes(self.on.pid("engine"))
        before = await self._lag()
        changing = min(calls // 2, CHANGING)
        async with asyncio.timeout(FOR_S + 30):
            pause = asyncio.sleep(FOR_S)
            await self.callers.up(calls - changing)
            await self.callers.up(calls)
            await pause
        after = await self._lag()
        return quantile({le: count - before.get(le, 0) for le, count in after.items()}, 0.99), memory

    async def _up(self, calls: int) -> None:
        await self.callers.up(calls)
        await until(partial(self._wait, calls), 60, 0.3)

    async def _wait(self, calls: int) -> bool:
        return len(await self.leases.waiting()) == calls

    async def _fresh_engine(self) -> None:
        """Its predecessor has lived long enough for the supervisor to start it at once."""
        before = self.on.pid("engine")
        await asyncio.sleep(HEALTHY_S)
        os.kill(before, signal.SIGTERM)
        await until(partial(self.on.takes_calls, before), 40)

    async def _lag(self) -> Mapping[float, float]:
        """Timers that were at most so late, by the histogram's limits."""
        async with self.session.get(f"{self.on.system.api}/metrics") as answer:
            families = text_string_to_metric_families(await answer.text())
        return {float(sample.labels["le"]): sample.value for family in families if family.name == LAG
                for sample in family.samples if sample.name.endswith("_bucket")}


def quantile(at_most: Mapping[float, float], share: float) -> float:
    """Of a histogram, as Prometheus reckons it: evenly spread within a bucket."""
    below, count_below = 0.0, 0.0
    wanted = share * max(at_most.values())
    for limit, count in sorted(at_most.items()):
        if count >= wanted:
            return below if limit == float("inf") else below + (limit - below) * (wanted - count_below) / (
                count - count_below or 1)
        below, count_below = limit, count
    return below


async def run(results: Results) -> None:
    async with world() as it:
        results.begin(BENCH, await conditions(it.on.system.home, calls=f"{FEW} and {MANY}", **LONG_WAITS))
        lines = await alone(it.one_run, [
            Goal(f"event-loop lag, p99, {MANY} live calls", "many", "ours", "ms", at_most=20),
            Goal(f"event-loop lag, p99, {FEW} live calls", "few", "ours", "ms"),
            Goal("memory a call", "kB", "ours", "kB", at_most=20),
            Goal(f"memory of the engine with {MANY} live calls", "MB", "ours", "MB"),
            Goal("callers who lost their call", "ended", "ours", "calls", at_most=0),
        ], RUNS)
    results.add(BENCH, lines)


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        on = await stack.enter_async_context(stage(HOTLINES, {"channelsInbound": 100}, **LONG_WAITS))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        leases = await stack.enter_async_context(Leases.of(on.settings))
        callers = await stack.enter_async_context(
            LoadCallers.started(on.system.sip, [company.number for company in on.companies]))
        yield World(on, callers, leases, session)
