"""What only Postgres can show of campaigns: who begins what is another's, and limits of an hour and a day."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from engine.ports import FencedOut
from engine.store import queries
from engine.store.calls import PLANNER
from engine.store.campaign_claims import PUT_RIGHT
from engine.store.pool import connect
from engine.vocabulary.commands import WriteSpool
from engine.vocabulary.program import SpoolStatus
from tests.campaign_stores import (
    OTHER,
    SWITCH,
    PostgresCampaignWorld,
    always,
    campaign_world,
    claimed,
    live,
    saving,
)

ANNA = "493055510"


@pytest.fixture
async def w(database_url: str) -> AsyncIterator[PostgresCampaignWorld]:
    async with campaign_world(database_url) as made:
        assert isinstance(made, PostgresCampaignWorld)
        yield made


def numbers(count: int) -> list[str]:
    return [f"493055510{n:02}" for n in range(count)]


async def test_whoever_begins_what_was_freed_is_fenced_out(w: PostgresCampaignWorld) -> None:
    calls = await w.calls()
    await w.start(ANNA)
    [attempt] = (await w.campaigns().claim(40, always)).attempts
    await w.campaigns().free_lost([])
    with pytest.raises(FencedOut):
        await calls.save(saving(live(attempt)))


async def test_whoever_begins_what_another_engine_took_is_fenced_out(w: PostgresCampaignWorld) -> None:
    calls = await w.calls()
    await w.calls(OTHER)
    await w.start(ANNA)
    [attempt] = (await w.campaigns(OTHER).claim(40, always)).attempts
    with pytest.raises(FencedOut):
        await calls.save(saving(live(attempt)))


async def test_a_call_that_goes_on_is_no_call_that_begins(w: PostgresCampaignWorld) -> None:
    calls = await w.calls()
    await w.start(ANNA)
    [attempt] = (await w.campaigns().claim(40, always)).attempts
    started = WriteSpool(attempt.spool_id, SpoolStatus.STARTED, number=ANNA, trunk="t", started_at=w.now())
    await calls.save(saving(live(attempt), started))
    await calls.save(saving(live(attempt, is_new=False), started))
    assert await w.spools() == [("started", None)]


@pytest.mark.parametrize("limit", ["calls_per_hour", "calls_per_day"])
async def test_limits_of_an_hour_and_a_day_hold_between_two_counts(w: PostgresCampaignWorld, limit: str) -> None:
    await w.calls()
    await w.pool.execute(f"UPDATE organisations SET {limit} = 5")  # noqa: S608
    await w.start(*numbers(9), cpm=60_000)
    campaigns, got = w.campaigns(), []
    for _ in range(8):
        await w.age(1)
        got += await claimed(campaigns, 3)
    assert len(got) == 5
    await w.age(1)
    assert await claimed(w.campaigns()) == []   # of another engine, that counts anew


async def test_two_engines_that_claim_at_once_wait_for_nobody_and_share_the_list(w: PostgresCampaignWorld) -> None:
    await w.calls()
    await w.calls(OTHER)
    for _ in range(4):
        await w.start(*numbers(5), cpm=60_000)
    engines = [w.campaigns(), w.campaigns(OTHER)]
    async with asyncio.timeout(20):
        for _ in range(12):
            await w.age(1)
            await asyncio.gather(*(one.claim(5, always) for one in engines))
    twice = await w.pool.fetch("SELECT campaign_id, contact_id FROM transmissions GROUP BY 1, 2 HAVING count(*) > 1")
    spools = await w.pool.fetch("SELECT transmission_id FROM spools GROUP BY 1 HAVING count(*) > 1")
    assert twice == spools == []
    assert await w.pool.fetchval("SELECT count(*) FROM spools") == 20


async def test_a_campaign_that_cannot_be_read_breaks_and_keeps_no_other_from_calling(w: PostgresCampaignWorld) -> None:
    await w.calls()
    broken = await w.start(ANNA)
    await w.start("493055520")
    await w.pool.execute("UPDATE campaigns SET call_window = '{\"from\": 7}' WHERE id = $1", broken)
    assert await claimed(w.campaigns()) == ["493055520"]
    row = await w.pool.fetchrow("SELECT status, problem FROM campaigns WHERE id = $1", broken)
    assert tuple(row) == ("broken", "its settings cannot be read")


async def test_an_attempt_whose_program_cannot_be_read_fails_alone(w: PostgresCampaignWorld) -> None:
    await w.calls()
    campaign = await w.start(ANNA)
    await w.start("493055520")
    await w.pool.execute("UPDATE campaigns SET retry = '[1]' WHERE id = $1", campaign)
    assert await claimed(w.campaigns()) == ["493055520"]
    assert await w.pool.fetchval("SELECT response FROM transmissions WHERE campaign_id = $1", campaign) == (
        "its program or campaign cannot be read")


LARGE = ("transmissions", "contact_group_members", "contacts", "spools", "dnc_numbers", "campaign_postponed")


async def plan_of(database_url: str, query: str) -> str:
    """The one that holds for whatever parameters, with the planner's settings of the engine's claims."""
    sql = queries.load("campaign_claims")[query]
    given = ", ".join(["NULL"] * max(map(int, re.findall(r"\$(\d)", re.sub(r"--.*", "", sql))), default=0))
    connection = await connect(database_url, settings={**PLANNER, "plan_cache_mode": "force_generic_plan"})
    try:
        await connection.execute(f"PREPARE asked AS {sql}")
        rows = await connection.fetch(f"EXPLAIN (COSTS OFF) EXECUTE asked{f'({given})' if given else ''}")
    finally:
        await connection.close()
    return "\n".join(row[0] for row in rows)


@pytest.mark.parametrize("query", [
    "take_sent", "take_due", "next_due", "due_again", "due_postponed", "new_members", "what_is_left", "attempts",
    "spool", "halted", "again", "put_back", "dialled", "dialled_long"])
async def test_no_claim_reads_a_large_table_from_end_to_end(database_url: str, query: str) -> None:
    plan = await plan_of(database_url, query)
    whole = [line for line in plan.splitlines() if "Seq Scan" in line]
    assert not [line for line in whole if any(f"on {table} " in f"{line} " for table in LARGE)], plan


@pytest.mark.parametrize("query", ["put_back", "take_due", "awake", "due_again", "due_postponed"])
async def test_what_is_not_due_yet_costs_a_claim_nothing(database_url: str, query: str) -> None:
    """Times bound the index scan; compared row by row everything that waits would be read."""
    plan = await plan_of(database_url, query)
    assert "_timestamp()" in plan
    assert not [line for line in plan.splitlines() if "Filter:" in line and "_timestamp()" in line], plan


async def test_an_engine_of_a_former_release_says_when_itself(w: PostgresCampaignWorld) -> None:
    """It goes on saving until its successor has taken over."""
    await w.calls()
    await w.start(ANNA, try_allowed=2)
    [attempt] = (await w.campaigns().claim(40, always)).attempts
    due_at = w.now() + timedelta(minutes=5)
    row = {"transmission_id": attempt.transmission_id, "status": "pending_retry", "response": "busy",
           "due_at": due_at.isoformat(), "is_withdrawn": False}
    assert await w.pool.fetchval("SELECT save_program_rows('asterisk', $1)", json.dumps({"transmissions": [row]}))
    assert await w.pool.fetchval("SELECT due_at FROM transmissions") == due_at


async def test_many_who_wait_are_put_right_a_part_at_a_time_and_once(w: PostgresCampaignWorld) -> None:
    await w.calls()
    await w.calls(OTHER)
    await w.start("493055520")
    await w.pool.execute(
        "INSERT INTO transmissions (organisation_id, contact_id, program_id, status, last_run, due_at) "
        "SELECT 1, n, 1, 'pending_retry', clock_timestamp() + interval '1 hour', "
        "clock_timestamp() + interval '1 hour 10 minutes' FROM generate_series(1, $1) n", 2 * PUT_RIGHT)
    ahead = "SELECT count(*) FROM transmissions WHERE last_run > clock_timestamp()"
    await w.campaigns().claim(40, always)
    assert await w.pool.fetchval(ahead) == PUT_RIGHT
    await asyncio.gather(*(w.campaigns(switch).claim(40, always) for switch in (SWITCH, OTHER)))
    await w.campaigns().claim(40, always)
    assert await w.pool.fetchval(ahead) == 0
    low, high = await w.pool.fetchrow(
        "SELECT min(due_at) - clock_timestamp(), max(due_at) - clock_timestamp() FROM transmissions "
        "WHERE due_at IS NOT NULL")
    assert timedelta(minutes=9) < low <= high <= timedelta(minutes=10)
