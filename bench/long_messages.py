"""ICTCore's published shape: messages of 24 s; it has 26 calls a second and 600 live calls on 4 cores.

A campaign of so many calls a second, for as long as its calls take to fill the trunk, and then WINDOWS windows one
after the other; on the two lowest cores of this machine, all of it with its database, and the load phones beside it. A
call counts when its phone heard every packet of the message and its row says so. Live calls are the fewest at any
moment. Sustained is what every call was right at: if some were not, the next of RATES is tried.
"""

import asyncio
import os
from collections.abc import Collection, Sequence
from dataclasses import replace

from bench.campaign_system import CampaignSystem, campaign_system, is_right
from bench.load_phones import Journal
from bench.own_system import NO_LIMIT
from bench.pairs import Goal, Result, of_runs
from bench.results import Results
from bench.windows import Window, window

BENCH = "long_messages"
WRONG = "calls that were not right"
SECONDS, PACE = 24.0, 1.05
RATES = (28, 27, 23, 19, 15)
ICTCORE_CPS, ICTCORE_LIVE = 26, 600
CORES = 2
FILL_S, WINDOWS, WINDOW_S = SECONDS + 4, 5, 8.0
CONTACTS = 3000
MOST_GAP_S = 0.12
LOOK_EVERY_S = 0.25


def fewest_live(calls: Collection[Journal], seen: Window) -> int:
    """Of the moments at which it is looked."""
    moments = range(int((seen.ended_s - seen.began_s) / LOOK_EVERY_S))
    times = [seen.began_s + LOOK_EVERY_S * moment for moment in moments]
    return min(sum(1 for call in calls if call.invited_at <= at < call.ended_at) for at in times)


def judged(calls: Collection[Journal], wrong: Collection[Journal], windows: Sequence[Window]) -> list[Result]:
    def ended(among: Collection[Journal], seen: Window) -> int:
        return sum(1 for call in among if seen.holds(call.ended_at))

    shape = f"messages of {SECONDS:g} s"
    lines = [
        of_runs(Goal(f"{shape}: calls a second", "", "ours", "calls/s", above=ICTCORE_CPS),
                [ended(calls, seen) / (seen.ended_s - seen.began_s) for seen in windows]),
        of_runs(Goal(f"{shape}: live calls", "", "ours", "calls", above=ICTCORE_LIVE),
                [fewest_live(calls, seen) for seen in windows]),
        of_runs(Goal(f"{shape}: {WRONG}", "", "ours", "calls", at_most=0),
                [ended(wrong, seen) for seen in windows])]
    for part in windows[0].cpu_s:
        lines.append(of_runs(Goal(f"{shape}: {part}", "", "ours", "% of a core"),
                             [100 * seen.cpu_s[part] / (seen.ended_s - seen.began_s) for seen in windows]))
    return lines


async def run(results: Results) -> None:
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(cores)[:CORES])
    try:
        async with campaign_system(CONTACTS, SECONDS, NO_LIMIT, presses=False) as on:
            results.add(BENCH, await _sustained(on))
    finally:
        os.sched_setaffinity(0, cores)


async def _sustained(on: CampaignSystem) -> list[Result]:
    missed: list[str] = []
    for rate in RATES:
        lines = await _measured(on, rate)
        right = next(line for line in lines if line.name.endswith(WRONG))
        if right.held:
            break
        missed.append(f"at {rate} calls/s {right.figure:.0f} of {rate * WINDOW_S:.0f} were not right")
    return [replace(line, why="; ".join(missed)) if line.goal else line for line in lines]


async def _measured(on: CampaignSystem, rate: float) -> list[Result]:
    await on.phones.begin(on.prompt.frames, presses=False)
    campaign = await on.start(calls_a_second=rate * PACE)
    await asyncio.sleep(FILL_S)
    windows = [await window(WINDOW_S, on.parts()) for _ in range(WINDOWS)]
    await on.stop(campaign)
    calls, _ = await on.phones.journal()
    stored = await on.keys_stored(campaign)
    right = {call for call in calls if is_right(call, on.prompt, MOST_GAP_S, presses=False)
             and call.number in stored}
    return judged(right, set(calls) - right, windows)
