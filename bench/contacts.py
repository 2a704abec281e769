"""A campaign to 1,000,000 people against one to 1,000: what a call costs, how soon a pause is obeyed, how long its
progress takes to ask for; and how fast such a list comes in as CSV.

Both campaigns call the same numbers first (the long list begins with the short one), at the same pace, and every call
is whole: answered, a prompt of a second, a key stored, hung up by Asterisk. A call's cost is the CPU of engine and
Postgres. A pause lasts from its request to its answer, or to the last INVITE if that leaves later. The million runs
beside no other load and in pairs with the thousand, so that both see the same machine.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from functools import partial

from bench.campaign_system import FIRST_NUMBER, CampaignSystem, campaign_system, is_right
from bench.conditions import conditions
from bench.own_system import NO_LIMIT
from bench.pairs import Goal, Result, in_pairs
from bench.results import Results
from bench.windows import window

BENCH = "contacts"
FEW, MANY = 1_000, 1_000_000
ROWS_A_SECOND, MOST = 20_000, 1.2
CALLS_A_SECOND = 50
WARM_S, FOR_S = 1.5, 4.0
PROGRESS, PAUSES, IMPORTS = 60, 4, 5
BETWEEN_S = 0.3
MOST_GAP_S = 0.12


async def one_run(on: CampaignSystem, group: int) -> Mapping[str, float]:
    """A campaign to this group, stopped at the end."""
    await on.phones.begin(on.prompt.frames)
    campaign = await _start(on, group)
    await asyncio.sleep(WARM_S)
    seen = await window(FOR_S, on.parts())
    progress_ms = statistics.median([await _took_ms(on.v1.get(f"/campaigns/{campaign}/progress"))
                                     for _ in range(PROGRESS)])
    pauses_ms = [await _pause_ms(on, campaign) for _ in range(PAUSES)]
    await on.stop(campaign)
    calls, _ = await on.phones.journal()
    keys = await on.keys_stored(campaign)
    right = [call for call in calls if seen.holds(call.ended_at)
             and is_right(call, on.prompt, MOST_GAP_S) and keys.get(call.number) == call.key]
    if not right:
        raise RuntimeError(f"none of {len(calls)} calls was right")
    return {"cost": seen.ms_a_call("engine", len(right)) + seen.ms_a_call("postgres", len(right)),
            "pause": statistics.median(pauses_ms), "progress": progress_ms,
            "calls": len(right) / (seen.ended_s - seen.began_s)}


async def _start(on: CampaignSystem, group: int) -> int:
    made = (await on.ictcore.post("/campaigns", {
        "program_id": on.program, "group_id": group, "cpm": 60 * CALLS_A_SECOND, "try_allowed": 1}))["campaign_id"]
    await on.v1.put(f"/campaigns/{made}", {"cpm": 60 * CALLS_A_SECOND, "callsPerSecond": CALLS_A_SECOND})
    await on.ictcore.put(f"/campaigns/{made}/start")
    return int(made)


async def _pause_ms(on: CampaignSystem, campaign: int) -> float:
    """Then it goes on. Waits until every call is over: only then the phones tell of it."""
    before = time.monotonic()
    await on.v1.post(f"/campaigns/{campaign}/pause")
    answered = time.monotonic()
    await asyncio.sleep(BETWEEN_S)
    await on.quiet()
    calls, _ = await on.phones.journal()
    await on.v1.post(f"/campaigns/{campaign}/resume")
    await asyncio.sleep(BETWEEN_S)
    return 1000 * (max(answered, *(call.invited_at for call in calls)) - before)


async def _took_ms(request: Awaitable[object]) -> float:
    before = time.monotonic()
    await request
    return 1000 * (time.monotonic() - before)


async def imported(on: CampaignSystem, contacts: int) -> tuple[int, float]:
    """A group of so many, and the rows a second of its import."""
    group = (await on.ictcore.post("/groups", {"name": f"{contacts}"}))["group_id"]
    before = time.monotonic()
    await on.ictcore.post_csv(f"/groups/{group}/csv", "".join(_rows(contacts)))
    return int(group), contacts / (time.monotonic() - before)


def _rows(count: int) -> Iterator[str]:
    return (f"+{FIRST_NUMBER + place},Anna,Muster\n" for place in range(count))


def imports(few_s: Sequence[float], many_s: float) -> list[Result]:
    """Rows a second of the short lists and of the one long list, which takes too long for pairs."""
    costs = [few / many_s for few in few_s]
    cost = statistics.median(costs)
    return [
        Result(f"import of {MANY:,} contacts", many_s, "rows/s", many_s, many_s, f"≥ {ROWS_A_SECOND:,}",
               many_s >= ROWS_A_SECOND),
        Result(f"import, time a row, {MANY:,} contacts against {FEW:,}", cost, "x", min(costs), max(costs),
               f"≤ {MOST:g}", cost <= MOST)]


async def run(results: Results) -> None:
    async with campaign_system(FEW, 1.0, NO_LIMIT) as on:
        results.begin(BENCH, await conditions(on.system.home, few=FEW, many=MANY, calls_a_second=CALLS_A_SECOND,
                                              **NO_LIMIT))
        few_s = [rows_s for _ in range(IMPORTS) for _, rows_s in [await imported(on, FEW)]]
        many, many_s = await imported(on, MANY)
        lines = imports(few_s, many_s)
        for group in (on.group, many):
            await one_run(on, group)    # warms both
        lines += await in_pairs(partial(one_run, on, on.group), partial(one_run, on, many), [
            *(Goal(f"{what}, {MANY:,} contacts against {FEW:,}", of, "ratio", "x", at_most=MOST) for what, of in (
                ("CPU a call", "cost"), ("pause", "pause"), ("progress query", "progress"))),
            Goal("CPU a call of engine and Postgres", "cost", "ours", "ms"),
            Goal("pause → last INVITE", "pause", "ours", "ms"), Goal("progress query", "progress", "ours", "ms"),
            Goal("calls a second", "calls", "ours", "1/s"),
        ])
    results.add(BENCH, lines)
