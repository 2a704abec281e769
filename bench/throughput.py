"""Campaign calls a second, against the same Asterisk driven by a bare AMI loop and by call files (`bare_loop.py`).

A call: answered at once, a prompt of a second, one digit, hung up; for ours its outcome and digit stored in Postgres
with fsync. All arms keep as many calls alive as they may: 10, 50, 100, 200, and as many as saturate Asterisk, which has
one core, and all else the others. A call counts when its phone saw all of it and, of ours, its row holds the digit that
this phone pressed. Both AMI connections, the engine's and the loop's, stay up in every arm, so that each arm's Hangup
events are written twice.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from rich.console import Console

from bench.bare_loop import AmiLoop, CallFiles, Campaign, Driver, prepare
from bench.campaign_system import CampaignSystem, campaign_system, is_right
from bench.pairs import Goal, Result, in_rounds
from bench.plots import lines
from bench.processes import core_kept_free, pin
from bench.results import Results
from bench.windows import a_second, window

BENCH = "throughput"
LIVE = (10, 50, 100, 200)
REACH, REACH_SATURATED = 0.98, 0.90
SATURATE_FROM, SATURATE_STEP, SATURATE_TO = 250, 50, 600
GROWS = 1.03            # by a step, or it does not grow
CONTACTS = 6000
WARM_S, FOR_S = 1.0, 5.0
MOST_GAP_S = 0.12


class Stage:
    """A system whose trunk has `live` channels, and the arms on it."""

    def __init__(self, on: CampaignSystem, live: int) -> None:
        self._on, self._live = on, live
        about = on.settings
        self._campaign = Campaign(on)
        self._loop = AmiLoop((about.ami_host, about.ami_port), about.ami_secret, on.channel)
        self._files = CallFiles(on.private / "home" / "asterisk" / "spool", on.channel)

    async def ours(self) -> Mapping[str, float]:
        return await self._run(self._campaign, self._live)

    async def ami_loop(self, live: int = 0) -> Mapping[str, float]:
        return await self._run(self._loop, live or self._live)

    async def call_files(self) -> Mapping[str, float]:
        return await self._run(self._files, self._live)

    def shut(self) -> None:
        self._loop.shut()
        self._files.shut()

    async def _run(self, driver: Driver, live: int) -> Mapping[str, float]:
        on = self._on
        await on.phones.begin(on.prompt.frames)
        await driver.start(live)
        await asyncio.sleep(WARM_S)
        seen = await window(FOR_S, on.parts())
        await driver.stop()
        await on.quiet()
        keys = await on.keys_stored(driver.campaign) if isinstance(driver, Campaign) else None
        calls, _ = await on.phones.journal()
        ended = [call for call in calls if seen.holds(call.ended_at)]
        right = [call for call in ended if is_right(call, on.prompt, MOST_GAP_S)
                 and (keys is None or keys.get(call.number) == call.key)]
        return {"rate": a_second([call.ended_at for call in right], live), "wrong": len(ended) - len(right),
                **{part: seen.ms_a_call(part, len(right)) for part in seen.cpu_s}}


@asynccontextmanager
async def staged(live: int) -> AsyncIterator[Stage]:
    settings = {"RINGWARD_TRUNK_CPS": "1000", "RINGWARD_TRUNK_CHANNELS": str(live), "RINGWARD_HEADROOM": "0"}
    with core_kept_free() as core:
        async with campaign_system(CONTACTS, 1.0, settings) as on:
            pin(on.pid("asterisk"), core)
            await prepare(on)
            stage = Stage(on, live)
            yield stage
            stage.shut()


async def saturation(stage: Stage) -> int:
    """Live calls from which on the bare loop's rate grows no more."""
    best, at = 0.0, SATURATE_FROM
    for live in range(SATURATE_FROM, SATURATE_TO + 1, SATURATE_STEP):
        rate = (await stage.ami_loop(live))["rate"]
        if rate < best * GROWS:
            break
        best, at = rate, live
    return at


def goals(live: int, name: str, at_least: float, baseline: str) -> Iterator[Goal]:
    yield Goal(f"{name}: ours / {baseline}", "rate", "ratio", "", at_least=at_least)
    yield Goal(f"{name}: {baseline}", "rate", "baseline", "calls/s")
    yield Goal(f"{name}: {baseline}, not right", "wrong", "baseline", "calls")
    if baseline == "AMI loop":
        yield Goal(f"{name}: ours", "rate", "ours", "calls/s")
        yield Goal(f"{name}: ours, not right", "wrong", "ours", "calls")
        for part in ("asterisk", "engine", "postgres", "load phones"):
            yield Goal(f"{name}: {part}", part, "ours", "ms CPU a call")
        yield Goal(f"{name}: asterisk, {baseline}", "asterisk", "baseline", "ms CPU a call")


async def compared(live: int, name: str, at_least: float) -> list[Result]:
    async with staged(live) as stage:
        return await in_rounds([
            (stage.ami_loop, list(goals(live, name, at_least, "AMI loop"))),
            (stage.call_files, list(goals(live, name, at_least, "call files")))], stage.ours)


def plotted(measured: Sequence[Result], levels: Sequence[str]) -> Path:
    """Calls a second of every arm over the live calls."""
    rates = {result.name: result.figure for result in measured}
    arms = ("ours", "AMI loop", "call files")
    return lines(BENCH, "Campaign calls a second, Asterisk on one core", "calls/s", levels,
                 {arm: [rates.get(f"{level}: {arm}") for level in levels] for arm in arms})


async def run(results: Results) -> None:
    measured: list[Result] = []
    for live in LIVE:
        measured += await compared(live, f"{live} live calls", REACH)
    async with staged(SATURATE_FROM) as stage:
        most = await saturation(stage)
    saturated = f"saturation, {most} live calls"
    measured += await compared(most, saturated, REACH_SATURATED)
    plotted(measured, [*(f"{live} live calls" for live in LIVE), saturated])
    results.add(BENCH, measured)


async def one_round(live: int) -> None:
    async with staged(live) as stage:
        for arm in (stage.ami_loop, stage.call_files, stage.ours):
            figures = await arm()
            Console().print(arm.__name__, {name: round(value, 2) for name, value in figures.items()})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="one round of the three arms, shown and not kept")
    parser.add_argument("live", type=int)
    sys.exit(asyncio.run(one_round(parser.parse_args().live)))
