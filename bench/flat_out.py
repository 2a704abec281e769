"""A hotline's callers while a campaign dials as fast as its trunk lets it, against the hotline alone.

One trunk takes both. The campaign's phones answer, hear a prompt of a second and
press a key (`bench/load_phones.py`); the agents' phones are of the same process and ring until the caller gives up.
Reach: the caller's INVITE until the first agent's. An INVITE is ignored when no answer at all came within half a second
and it had to be sent again; every such sending counts.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import aiohttp

from bench.campaign_system import CampaignSystem, Prompt, campaign_system, is_right
from bench.figures import percentile
from bench.load_phones import Journal
from bench.pairs import Goal, in_pairs
from bench.processes import cpu_s
from bench.results import Results
from engine.demo.company import MOBILE, Company, active, found
from engine.softphone import Carrier

LINES, CALLS = 2, 80        # hotlines, and calls to each in a run
EVERY_S = 0.36              # a call to each: three agents ring, so both hotlines dial 17 legs a second
SETTINGS = {"RINGWARD_TRUNK_CPS": "100"}    # the hotlines use a fifth of it, the campaign the rest
CONTACTS, PROMPT_S = 3000, 1.0
LOOK_EVERY_S = 0.03
WITHIN_S = 10.0
WARM_LIVE = 20              # calls of the campaign by which it dials evenly
MOST_GAP_S = 0.12
FIRST_CALLER = 4917604069042


@dataclass(frozen=True, slots=True)
class Reached:
    """One call of a caller, monotonic seconds: its INVITE, and when he gave up."""

    line: int
    invited_at: float
    ended_at: float


@dataclass(frozen=True, slots=True)
class Stage:
    campaigns: CampaignSystem
    carrier: Carrier
    companies: Sequence[Company]


async def run(results: Results) -> None:
    name = "hotline beside a campaign flat out"
    goals = [
        Goal(f"{name}: INVITE → agent's INVITE, p99", "p99", "ratio", "", at_most=1.5),
        Goal(f"{name}: INVITEs ignored", "ignored", "ours", "", at_most=0),
        Goal(f"{name}: p99", "p99", "ours", "ms"), Goal(f"{name}: p99 of the hotline alone", "p99", "baseline", "ms"),
        Goal(f"{name}: INVITE → agent's INVITE, p50", "p50", "ratio", ""),
        Goal(f"{name}: the campaign's calls", "rate", "ours", "calls/s"),
        Goal(f"{name}: of these heard and answered it all", "right", "ours", ""),
        Goal(f"{name}: CPU of the load phones", "phones", "ours", "cores")]
    async with AsyncExitStack() as stack:
        campaigns = await stack.enter_async_context(campaign_system(CONTACTS, PROMPT_S, SETTINGS))
        carrier = await stack.enter_async_context(Carrier())
        carrier.switch = campaigns.system.sip.host, campaigns.system.sip.port
        session = await stack.enter_async_context(aiohttp.ClientSession())
        companies = [await found(session, campaigns.system, lane=lane) for lane in range(LINES)]
        for company in companies:
            assert await active(company) == "active"
        on = Stage(campaigns, carrier, companies)
        results.add("flat_out", await in_pairs(lambda: _alone(on), lambda: _beside(on), goals))


async def _alone(on: Stage) -> Mapping[str, float]:
    await on.campaigns.phones.begin(on.campaigns.prompt.frames, rings=MOBILE)
    return await _calls(on)


async def _beside(on: Stage) -> Mapping[str, float]:
    campaigns, phones = on.campaigns, on.campaigns.phones
    await phones.begin(campaigns.prompt.frames, rings=MOBILE)
    campaign = await campaigns.start()
    async with asyncio.timeout(WITHIN_S):
        while (await phones.journal())[1] < WARM_LIVE:  # noqa: ASYNC110 -- another process
            await asyncio.sleep(LOOK_EVERY_S)
    cpu, began = cpu_s(phones.pid), time.monotonic()
    figures = await _calls(on)
    ended = time.monotonic()
    cpu = cpu_s(phones.pid) - cpu
    await campaigns.stop(campaign)
    calls, _ = await phones.journal()
    return {**figures, **campaigns_own(calls, campaigns.prompt, began, ended), "phones": cpu / (ended - began)}


def campaigns_own(calls: Sequence[Journal], prompt: Prompt, began: float, ended: float) -> Mapping[str, float]:
    """Its calls a second of those that ended between these moments, and the share of them that were right."""
    counted = [call for call in calls if began <= call.ended_at < ended]
    right = sum(1 for call in counted if is_right(call, prompt, MOST_GAP_S))
    return {"rate": len(counted) / (ended - began), "right": right / max(1, len(counted))}


async def _calls(on: Stage) -> Mapping[str, float]:
    on.carrier.forget()
    again = on.carrier.sent_again("INVITE")
    made: list[Reached] = []
    async with asyncio.TaskGroup() as tasks:
        for line in range(LINES):
            tasks.create_task(_line(on, line, made))
    rung, _ = await on.campaigns.phones.rung()
    agents = [{agent.number for agent in company.agents} for company in on.companies]
    took = [1000 * reach_s(agents[one.line], one, rung) for one in made]
    return {"p50": percentile(took, 0.5), "p99": percentile(took, 0.99),
            "ignored": on.carrier.sent_again("INVITE") - again}


async def _line(on: Stage, line: int, made: list[Reached]) -> None:
    """One caller after the other: each waits until all agents ring, and the next until none does."""
    company = on.companies[line]
    numbers = {agent.number for agent in company.agents}
    began = time.monotonic()
    for number in range(CALLS):
        await asyncio.sleep(began + (number + line / LINES) * EVERY_S - time.monotonic())
        call = await on.carrier.call(str(FIRST_CALLER + line), company.number)
        await _until(on, lambda ringing: numbers <= ringing)
        call.hang_up()
        await call.ended(WITHIN_S)
        made.append(Reached(line, call.invited_at, time.monotonic()))
        await _until(on, lambda ringing: not numbers & ringing)


async def _until(on: Stage, is_so: Callable[[set[str]], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not is_so(set((await on.campaigns.phones.rung())[1])):  # noqa: ASYNC110 -- another process
            await asyncio.sleep(LOOK_EVERY_S)


def reach_s(agents: Collection[str], one: Reached, rung: Sequence[tuple[str, float]]) -> float:
    """Until the first of these agents was called for it: `rung` has every call of every agent, and when it came."""
    return min(at for number, at in rung if number in agents and one.invited_at <= at <= one.ended_at) - one.invited_at
