"""What a campaign call costs the engine: CPU at 50, 100 and 200 calls a second; AMI messages and bytes.

Every call is whole: answered, a prompt of a second heard, a key pressed and stored, hung up by Asterisk; only such
calls are counted, and all of the engine's CPU is charged to them. AMI is counted by a relay between engine and
Asterisk, in a run of its own. `python -m bench.engine_cost 100 [--profile FILE.svg]` measures one rate alone.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial

from rich.console import Console

from bench.ami_relay import relayed
from bench.campaign_system import CampaignSystem, campaign_system, is_right
from bench.own_system import NO_LIMIT
from bench.pairs import Goal, Result, alone
from bench.profile import PROFILES, profiled
from bench.results import Results
from bench.windows import Window, window

BENCH = "engine_cost"
MOST_MS = {50: 2.0, 100: 1.5, 200: 1.0}
MESSAGES, BYTES = 6, 2000
AMI_AT = 100
CONTACTS = 6000
PACE = 1.05     # the product grants a little less than it is told (engine/policy/capacity.py)
WARM_S, FOR_S = 2.5, 6.0
RUNS = 5
MOST_GAP_S = 0.12
NEAR = 0.95     # of the calls a second that were asked for


async def one_run(on: CampaignSystem, calls_a_second: int, profile: str = "") -> Mapping[str, float]:
    """A campaign of so many calls a second; milliseconds of CPU a right call, by part."""
    await on.phones.begin(on.prompt.frames)
    campaign = await on.start(calls_a_second=calls_a_second * PACE)
    await asyncio.sleep(WARM_S)
    async with profiled(on.pid("engine"), FOR_S, profile):
        seen = await window(FOR_S, on.parts())
    await on.stop(campaign)
    return await counted(on, campaign, seen)


async def counted(on: CampaignSystem, campaign: int, seen: Window) -> Mapping[str, float]:
    calls, _ = await on.phones.journal()
    keys = await on.keys_stored(campaign)
    ended = [call for call in calls if seen.holds(call.ended_at)]
    right = [call for call in ended if is_right(call, on.prompt, MOST_GAP_S) and keys.get(call.number) == call.key]
    seconds = seen.ended_s - seen.began_s
    return {"calls_a_second": len(right) / seconds, "right": len(right), "wrong": len(ended) - len(right),
            **{part: seen.ms_a_call(part, len(right)) for part in seen.cpu_s}}


async def one_ami_run(on: CampaignSystem) -> Mapping[str, float]:
    """AMI messages and bytes a right call of a whole campaign, both directions, pings included."""
    async with relayed(on) as relay:
        await on.phones.begin(on.prompt.frames)
        messages, octets, began_s = relay.messages, relay.octets, time.monotonic()
        campaign = await on.start(calls_a_second=AMI_AT * PACE)
        await asyncio.sleep(WARM_S + FOR_S)
        await on.stop(campaign)
        messages, octets = relay.messages - messages, relay.octets - octets
        right = (await counted(on, campaign, Window(began_s, time.monotonic(), {})))["right"]
    return {"messages": messages / right, "bytes": octets / right}


def goals(rate: int) -> list[Goal]:
    at = f"at {rate} calls/s"
    return [Goal(f"engine, CPU a call {at}", "engine", "ours", "ms", at_most=MOST_MS.get(rate)),
            Goal(f"calls a second {at}", "calls_a_second", "ours", "1/s", at_least=NEAR * rate),
            Goal(f"calls that were not right {at}", "wrong", "ours", "calls", at_most=0),
            *(Goal(f"{part}, CPU a call {at}", part, "ours", "ms") for part in ("postgres", "asterisk", "load phones"))]


async def run(results: Results) -> None:
    lines: list[Result] = []
    async with engine_system() as on:
        for rate in MOST_MS:
            measured = at_its_rate(await alone(partial(one_run, on, rate), goals(rate), RUNS))
            lines += measured if measured[0].held else await with_profile(on, rate, measured)
        lines += await alone(partial(one_ami_run, on), [
            Goal("AMI messages a call", "messages", "ours", "messages", at_most=MESSAGES),
            Goal("AMI bytes a call", "bytes", "ours", "bytes", at_most=BYTES)], runs=1)
    results.add(BENCH, lines)


def at_its_rate(measured: Sequence[Result]) -> Sequence[Result]:
    """What a call costs at a rate is known only if that rate was reached."""
    cost, rate, *others = measured
    if not rate.held:
        cost = replace(cost, held=False, why=f"at {rate.figure:.0f} calls/s; ")
    return [cost, rate, *others]


async def with_profile(on: CampaignSystem, rate: int, measured: Sequence[Result]) -> Sequence[Result]:
    """The engine's cost fell short: what limits it."""
    PROFILES.mkdir(exist_ok=True)
    file = PROFILES / f"engine-{rate}.svg"
    await one_run(on, rate, str(file))
    return [replace(measured[0], why=f"{measured[0].why}profile: bench/profiles/{file.name}"), *measured[1:]]


def engine_system() -> AbstractAsyncContextManager[CampaignSystem]:
    """Neither trunk nor organisation limits the calls."""
    return campaign_system(CONTACTS, 1.0, NO_LIMIT)


async def one_rate(rate: int, runs: int, profile: str) -> None:
    async with engine_system() as on:
        for _ in range(runs):
            figures = await one_run(on, rate, profile)
            Console().print({name: round(value, 2) for name, value in figures.items()})
        if not profile:
            Console().print({name: round(value, 1) for name, value in (await one_ami_run(on)).items()})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("rate", type=int)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--profile", default="", metavar="FILE.svg", help="of the engine, by py-spy")
    given = parser.parse_args()
    sys.exit(asyncio.run(one_rate(given.rate, given.runs, given.profile)))
