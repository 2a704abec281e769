"""What people do with campaigns, as rows: from one state to the next, with several of them at once."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest

from engine.store.campaigns import CampaignNotReady, PostgresCampaigns, ProgramNotRun
from engine.store.contact_import import ImportedContact, PostgresContactImport
from engine.store.filters import Wanted
from engine.store.ictcore_people import IctcorePeople
from engine.store.people import PostgresPeople
from tests.campaign_rows import ORG, CampaignRows, campaign_rows

UNKNOWN = 999_999


@pytest.fixture
async def w(database_url: str) -> AsyncIterator[CampaignRows]:
    async with campaign_rows(database_url) as made:
        yield made


# --- start

async def test_a_start_freezes_who_is_there(w: CampaignRows) -> None:
    campaign_id = await w.campaign(contacts=3)
    last = await w.pool.fetchval("SELECT max(id) FROM contact_group_members")
    assert await w.campaigns.start(ORG, campaign_id)
    row = await w.row("campaigns", campaign_id)
    await w.join(row["group_id"], 2)
    assert (row["status"], row["member_limit"], row["contact_total"], row["member_cursor"]) == ("ready", last, 3, 0)
    assert row["wakes_at"] == row["started_at"] and row["paced_at"] is None
    assert (await w.row("campaigns", campaign_id))["contact_total"] == 3


async def test_users_of_a_group_are_not_counted(w: CampaignRows) -> None:
    campaign_id = await w.campaign(contacts=1)
    await w.pool.execute("INSERT INTO users (organisation_id, name) VALUES (1, 'anna')")
    group_id = (await w.row("campaigns", campaign_id))["group_id"]
    assert await PostgresPeople(w.pool).add_member(ORG, group_id, None, 1)
    await w.campaigns.start(ORG, campaign_id)
    assert (await w.row("campaigns", campaign_id))["contact_total"] == 1


async def test_a_group_without_anybody_is_started_as_well(w: CampaignRows) -> None:
    campaign_id = await w.campaign()
    await w.campaigns.start(ORG, campaign_id)
    row = await w.row("campaigns", campaign_id)
    assert (row["status"], row["member_limit"], row["contact_total"]) == ("ready", 0, 0)


@pytest.mark.parametrize("status", ["ready", "running", "completed", "broken"])
async def test_what_was_started_does_not_start_again(w: CampaignRows, status: str) -> None:
    campaign_id = await w.campaign()
    await w.pool.execute("UPDATE campaigns SET status = $1", status)
    with pytest.raises(CampaignNotReady, match=status):
        await w.campaigns.start(ORG, campaign_id)
    assert await w.status(campaign_id) == status


@pytest.mark.parametrize("status", ["new", "paused"])
async def test_without_what_it_needs_it_does_not_start(w: CampaignRows, status: str) -> None:
    for gone in ("DELETE FROM programs", "DELETE FROM contact_groups", "DELETE FROM numbers"):
        campaign_id = await w.campaign()
        await w.pool.execute("UPDATE campaigns SET status = $1", status)
        await w.pool.execute(gone)
        with pytest.raises(CampaignNotReady):
            await w.campaigns.start(ORG, campaign_id)
        assert await w.status(campaign_id) == status


async def test_numbers_of_its_own_suffice(w: CampaignRows) -> None:
    await w.pool.execute("DELETE FROM numbers")
    campaign_id = await w.campaign()
    await w.campaigns.update(ORG, campaign_id, None, {"caller_ids": ["+4930555"]})
    assert await w.campaigns.start(ORG, campaign_id)


@pytest.mark.parametrize("type_", ["sendfax", "sendsms", "sendemail", "forward"])
async def test_a_program_that_the_engine_does_not_run_is_refused(w: CampaignRows, type_: str) -> None:
    with pytest.raises(ProgramNotRun, match=type_):
        await w.campaigns.start(ORG, await w.campaign(type_=type_))


async def test_of_many_starts_at_once_one_is_first(w: CampaignRows) -> None:
    campaign_id = await w.campaign(contacts=2)
    results = await asyncio.gather(*(w.campaigns.start(ORG, campaign_id) for _ in range(6)), return_exceptions=True)
    assert [it for it in results if it is True] == [True]
    assert sum(isinstance(it, CampaignNotReady) for it in results) == 5


async def test_start_and_those_who_join_meanwhile_never_disagree(w: CampaignRows) -> None:
    """Whoever has a member's id up to the limit was counted, whatever the moment."""
    imports, linking = PostgresContactImport(w.pool), IctcorePeople(w.pool)
    program_id = await w.program()
    for _ in range(8):
        group_id = await w.group(2)
        alone = await w.pool.fetchval("INSERT INTO contacts (organisation_id, phone) VALUES (1, '030') RETURNING id")
        campaign_id = await w.campaigns.create(ORG, 7, {"program_id": program_id, "group_id": group_id})
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(imports.load(ORG, group_id, 7, lambda: people(300)))
            tasks.create_task(linking.link(ORG, group_id, alone))
            tasks.create_task(w.campaigns.start(ORG, campaign_id))
        row = await w.row("campaigns", campaign_id)
        counted = await w.pool.fetchval(
            "SELECT count(*) FROM contact_group_members WHERE group_id = $1 AND id <= $2", group_id,
            row["member_limit"])
        assert row["contact_total"] == counted
        assert counted in (2, 3, 302, 303)


async def test_a_start_waits_for_who_is_joining(w: CampaignRows) -> None:
    campaign_id = await w.campaign(contacts=1)
    group_id = (await w.row("campaigns", campaign_id))["group_id"]
    async with w.pool.acquire() as other, asyncio.TaskGroup() as tasks:
        joining = other.transaction()
        await joining.start()
        await other.execute("SELECT FROM contact_groups WHERE id = $1 FOR NO KEY UPDATE", group_id)
        started = tasks.create_task(w.campaigns.start(ORG, campaign_id))
        async with asyncio.timeout(10):
            while not await w.pool.fetchval(  # noqa: ASYNC110 -- nobody is told
                    "SELECT count(*) FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
        await other.execute(
            "WITH one AS (INSERT INTO contacts (organisation_id, phone) VALUES (1, '030') RETURNING id) "
            "INSERT INTO contact_group_members (organisation_id, group_id, contact_id) SELECT 1, $1, id FROM one",
            group_id)
        await joining.commit()
    assert await started
    assert (await w.row("campaigns", campaign_id))["contact_total"] == 2


def people(count: int) -> Iterator[ImportedContact]:
    return ((n, f"030{n}", f"+4930{n}", "", "", "", "", "", "", "", "") for n in range(1000, 1000 + count))


# --- pause, resume, stop, delete

async def test_one_that_is_paused_goes_on_where_it_was(w: CampaignRows) -> None:
    campaign_id = await w.running(contacts=3)
    await w.pool.execute("UPDATE campaigns SET member_cursor = 2, transmissions = 2")
    waiting = await w.transmission(campaign_id)
    assert await w.campaigns.pause(ORG, campaign_id)
    row = await w.row("campaigns", campaign_id)
    assert (row["status"], row["wakes_at"]) == ("paused", None)
    assert await w.campaigns.pause(ORG, campaign_id)
    assert await w.campaigns.start(ORG, campaign_id)
    row = await w.row("campaigns", campaign_id)
    assert (row["status"], row["member_cursor"], row["contact_total"]) == ("running", 2, 3)
    assert row["wakes_at"] is not None
    assert (await w.row("transmissions", waiting))["status"] == "pending"


async def test_only_one_that_is_paused_is_resumed(w: CampaignRows) -> None:
    campaign_id = await w.running()
    with pytest.raises(CampaignNotReady, match="running"):
        await w.campaigns.resume(ORG, campaign_id)
    await w.campaigns.pause(ORG, campaign_id)
    assert await w.campaigns.resume(ORG, campaign_id)
    assert await w.status(campaign_id) == "running"


@pytest.mark.parametrize("status", ["new", "completed"])
async def test_what_does_not_run_is_not_stopped(w: CampaignRows, status: str) -> None:
    campaign_id = await w.campaign()
    await w.pool.execute("UPDATE campaigns SET status = $1", status)
    for stop in (w.campaigns.pause, w.campaigns.finish):
        with pytest.raises(CampaignNotReady, match=status):
            await stop(ORG, campaign_id)


async def test_stopped_for_good_what_waits_has_failed_and_the_rest_stays(w: CampaignRows) -> None:
    campaign_id, other = await w.running(), await w.running()
    pending, retry = await w.transmission(campaign_id), await w.transmission(campaign_id, "pending_retry")
    kept = [await w.transmission(campaign_id, status) for status in ("processing", "completed", "invalid")]
    elsewhere, single = await w.transmission(other), await w.transmission()
    await w.pool.execute("INSERT INTO campaign_postponed VALUES ($1, 5, 5, now())", campaign_id)
    assert await w.campaigns.finish(ORG, campaign_id)
    row = await w.row("campaigns", campaign_id)
    assert (row["status"], row["wakes_at"], row["finished_at"] is None) == ("completed", None, False)
    for it in (pending, retry):
        stopped = await w.row("transmissions", it)
        assert (stopped["status"], stopped["response"], stopped["due_at"]) == ("failed", "campaign stopped", None)
    assert [(await w.row("transmissions", it))["status"] for it in (*kept, elsewhere, single)] == [
        "processing", "completed", "invalid", "pending", "pending"]
    figures = await w.campaigns.figures(ORG, campaign_id)
    assert figures is not None and (figures.figures, figures.postponed) == ({"transmission failed": 2}, 0)
    with pytest.raises(CampaignNotReady):
        await w.campaigns.start(ORG, campaign_id)


@pytest.mark.parametrize(("end", "why"), [("finish", "campaign stopped"), ("delete", "campaign deleted")])
@pytest.mark.parametrize("status", ["pending", "pending_retry"])
async def test_an_attempt_that_ends_behind_its_campaign_is_the_last(
    w: CampaignRows, end: str, why: str, status: str) -> None:
    campaign_id = await w.running()
    lives = await w.transmission(campaign_id, "processing")
    await getattr(w.campaigns, end)(ORG, campaign_id)
    assert (await w.row("transmissions", lives))["status"] == "processing"
    await w.pool.execute("UPDATE transmissions SET status = $1, response = 'busy', due_at = now()", status)
    row = await w.row("transmissions", lives)
    assert (row["status"], row["response"], row["due_at"]) == ("failed", why, None)
    assert (await w.told())[-1] == "transmission.finished"


async def test_while_it_is_paused_attempts_may_wait(w: CampaignRows) -> None:
    campaign_id = await w.running()
    lives = await w.transmission(campaign_id, "processing")
    await w.campaigns.pause(ORG, campaign_id)
    await w.pool.execute("UPDATE transmissions SET status = 'pending_retry', due_at = now()")
    assert (await w.row("transmissions", lives))["status"] == "pending_retry"


@pytest.mark.parametrize("status", ["new", "ready", "running", "paused", "completed", "broken"])
async def test_it_is_deleted_at_any_moment_and_its_calls_stay(w: CampaignRows, status: str) -> None:
    campaign_id = await w.running(contacts=1)
    await w.pool.execute("UPDATE campaigns SET status = $1", status)
    pending, done = await w.transmission(campaign_id), await w.transmission(campaign_id, "completed")
    await w.pool.execute("INSERT INTO spools (organisation_id, transmission_id, campaign_id) VALUES (1, $1, $2)",
                         done, campaign_id)
    await w.pool.execute("INSERT INTO campaign_figures VALUES ($1, 'asterisk', 'busy', 1)", campaign_id)
    for data in (campaign_id, campaign_id + 1):
        await w.pool.execute("INSERT INTO schedules (organisation_id, type, action, data, due_at) "
                             "VALUES (1, 'campaign', 'stop', $1, now())", data)
    assert await w.campaigns.delete(ORG, campaign_id)
    assert await w.row("campaigns", campaign_id) is None
    gone = await w.row("transmissions", pending)
    assert (gone["status"], gone["response"], gone["campaign_id"]) == ("failed", "campaign deleted", campaign_id)
    assert (await w.row("transmissions", done))["status"] == "completed"
    assert await w.pool.fetchval("SELECT campaign_id FROM spools") == campaign_id
    assert await w.pool.fetchval("SELECT count(*) FROM campaign_figures") == 0
    assert await w.pool.fetch("SELECT data FROM schedules") == [(campaign_id + 1,)]
    assert not await w.campaigns.delete(ORG, campaign_id)


async def test_who_saves_what_became_of_its_calls_neither_waits_for_a_removal_nor_fails(w: CampaignRows) -> None:
    campaign_id = await w.running()
    counted = "INSERT INTO campaign_figures VALUES ($1, $2, 'busy', 1)"
    async with w.pool.acquire() as saver, saver.transaction(), asyncio.timeout(5):
        await saver.execute(counted, campaign_id, "a")
        await w.campaigns.delete(ORG, campaign_id)
        await saver.execute(counted, campaign_id, "b")
    assert await w.row("campaigns", campaign_id) is None


async def test_what_is_not_seen_does_not_exist(w: CampaignRows) -> None:
    campaign_id = await w.campaign()
    for organisation_id, seen_by in ((ORG + 1, None), (ORG, 8)):
        assert await w.campaigns.campaign(organisation_id, campaign_id, seen_by) is None
        assert not await w.campaigns.update(organisation_id, campaign_id, seen_by, {"cpm": 3})
        for change in (w.campaigns.start, w.campaigns.pause, w.campaigns.resume, w.campaigns.finish,
                       w.campaigns.delete):
            assert not await change(organisation_id, campaign_id, seen_by)
    assert await w.campaigns.campaign(ORG, campaign_id, 7) is not None
    assert not await w.campaigns.start(ORG, UNKNOWN)


# --- changes

async def test_a_change_takes_effect_at_once(w: CampaignRows) -> None:
    campaign_id = await w.running()
    await w.pool.execute("UPDATE campaigns SET wakes_at = now() + interval '1 hour', "
                         "paced_at = now() + interval '1 hour', cpm = 1")
    await w.campaigns.update(ORG, campaign_id, None, {"cpm": 600})
    row = await w.row("campaigns", campaign_id)
    assert row["cpm"] == 600 and row["wakes_at"] <= datetime.now(UTC)
    assert (row["paced_at"] - row["wakes_at"]).total_seconds() == pytest.approx(0.1)


async def test_whoever_waits_for_the_window_is_asked_about_again_when_it_changes(w: CampaignRows) -> None:
    campaign_id = await w.running()
    await w.pool.execute("INSERT INTO campaign_postponed VALUES ($1, 5, 5, 'infinity')", campaign_id)
    await w.campaigns.update(ORG, campaign_id, None, {"cpm": 3})
    assert await w.pool.fetchval("SELECT due_at > now() FROM campaign_postponed")
    await w.campaigns.update(ORG, campaign_id, None, {"call_window": {"from": "09:00", "to": "20:00"}})
    assert await w.pool.fetchval("SELECT due_at <= now() FROM campaign_postponed")


async def test_whom_it_calls_with_what_stays_once_it_was_started(w: CampaignRows) -> None:
    campaign_id, program_id, group_id = await w.campaign(), await w.program(), await w.group()
    assert await w.campaigns.update(ORG, campaign_id, None, {"program_id": program_id, "group_id": group_id})
    await w.campaigns.start(ORG, campaign_id)
    for change in ({"program_id": program_id + 1}, {"group_id": group_id + 1, "cpm": 9}):
        with pytest.raises(CampaignNotReady):
            await w.campaigns.update(ORG, campaign_id, None, change)
    assert await w.campaigns.update(ORG, campaign_id, None, {"program_id": program_id, "group_id": group_id, "cpm": 7})
    assert (await w.row("campaigns", campaign_id))["cpm"] == 7


async def test_settings_are_kept_as_given_and_can_be_taken_away(w: CampaignRows) -> None:
    campaign_id = await w.campaign()
    given = {"calls_per_second": 0.1, "channels": 4, "call_window": {"from": "09:00"}, "retry": {"busyS": 5},
             "dnc_list_ids": [3, 4], "opt_out_key": "9", "caller_ids": ["+4930100"]}
    await w.campaigns.update(ORG, campaign_id, None, given)
    stored = await w.campaigns.campaign(ORG, campaign_id)
    assert stored is not None
    assert (stored.calls_per_second, stored.channels, stored.window, stored.retry, stored.dnc_list_ids,
            stored.opt_out_key, stored.caller_ids) == (0.1, 4, {"from": "09:00"}, {"busyS": 5}, (3, 4), "9",
                                                       ("+4930100",))
    await w.campaigns.update(ORG, campaign_id, None, {"calls_per_second": None, "channels": None, "call_window": None})
    stored = await w.campaigns.campaign(ORG, campaign_id)
    assert stored is not None and (stored.calls_per_second, stored.channels, stored.window) == (None, None, None)


async def test_lists_are_filtered(w: CampaignRows) -> None:
    first, second = await w.campaign(), await w.running()
    rows = {it.campaign_id: it for it in await w.campaigns.page(ORG, Wanted())}
    assert rows.keys() == {first, second}
    for filters, found in (({"campaign_id": str(first)}, {first}), ({"status": "run"}, {second}),
                           ({"group_id": str(rows[second].group_id)}, {second}),
                           ({"program_id": str(rows[first].program_id)}, {first}), ({"user_id": "8"}, set())):
        assert {it.campaign_id for it in await w.campaigns.page(ORG, Wanted(filters))} == found, filters


# --- what is counted, and told

async def test_figures_hold_while_rows_come_and_go(w: CampaignRows) -> None:
    campaign_id = await w.running(contacts=9)
    for status in ("pending", "pending_retry", "processing"):
        await w.transmission(campaign_id, status)
    removed = [await w.transmission(campaign_id, status) for status in ("pending_retry", "completed")]
    await w.pool.execute("DELETE FROM transmissions WHERE id = ANY($1)", removed)
    await w.pool.execute(
        "INSERT INTO spools (organisation_id, transmission_id, campaign_id, status, time_start, time_end) "
        "SELECT 1, 1, $1, status, now() - age, ended FROM (VALUES ('queued', NULL::interval, NULL::timestamptz), "
        "('started', interval '1 s', NULL), ('connected', '20 s', NULL), ('completed', '5 s', now())"
        ") v(status, age, ended)", campaign_id)
    await w.pool.execute(
        "INSERT INTO campaign_figures SELECT $1, switch, 'busy', 2 FROM unnest('{a,b}'::text[]) switch", campaign_id)
    await w.pool.execute("INSERT INTO campaign_postponed VALUES ($1, 5, 5, now())", campaign_id)
    found = await w.campaigns.figures(ORG, campaign_id)
    assert found is not None
    assert (found.contact_total, found.pending, found.postponed, found.processing, found.live, found.started) == (
        9, 1, 1, 3, 2, 2)
    assert found.figures == {"busy": 4, "transmission removed": 1} and found.has_more


async def test_what_becomes_of_a_campaign_is_told(w: CampaignRows) -> None:
    campaign_id = await w.running(contacts=2)
    await w.transmission(campaign_id)
    await w.transmission(campaign_id, "invalid", response="do-not-call")
    await w.transmission()
    await w.campaigns.pause(ORG, campaign_id)
    await w.campaigns.update(ORG, campaign_id, None, {"cpm": 4})
    await w.campaigns.finish(ORG, campaign_id)
    await w.campaigns.delete(ORG, campaign_id)
    assert await w.told() == [
        "campaign.created", "campaign.ready", "campaign.running", "transmission.finished", "campaign.paused",
        "campaign.completed", "transmission.finished", "campaign.deleted"]
    data = [json.loads(it["data"]) for it in await w.pool.fetch("SELECT data FROM events ORDER BY id")]
    assert data[1] == {"campaignID": campaign_id, "name": "", "status": "ready", "problem": "", "contactTotal": 2}
    assert (data[3]["status"], data[3]["response"], data[3]["campaignID"]) == ("invalid", "do-not-call", campaign_id)
    assert (data[6]["status"], data[6]["response"], data[6]["tries"]) == ("failed", "campaign stopped", 0)


# --- a single attempt by hand

async def send(w: CampaignRows, transmission_id: int) -> int | None:
    spool_id: int | None = await w.pool.fetchval("SELECT send_transmission($1)", transmission_id)
    return spool_id


@pytest.mark.parametrize("status", ["pending", "pending_retry", "failed"])
async def test_a_send_queues_one_attempt(w: CampaignRows, status: str) -> None:
    transmission_id = await w.transmission(status=status, response="busy")
    spool = await w.row("spools", await send(w, transmission_id) or 0)
    sent = await w.row("transmissions", transmission_id)
    assert (sent["status"], sent["try_done"], sent["due_at"], sent["response"]) == ("processing", 1, None, "")
    assert (spool["status"], spool["transmission_id"], spool["claimed_switch"]) == ("queued", transmission_id, None)
    assert await send(w, transmission_id) is None


@pytest.mark.parametrize("status", ["processing", "completed", "invalid"])
async def test_what_is_under_way_or_over_is_not_sent(w: CampaignRows, status: str) -> None:
    assert await send(w, await w.transmission(status=status)) is None
    assert await send(w, UNKNOWN) is None
    assert await w.pool.fetchval("SELECT count(*) FROM spools") == 0


async def test_of_many_sends_at_once_one_makes_an_attempt(w: CampaignRows) -> None:
    transmission_id = await w.transmission()
    spools = await asyncio.gather(*(send(w, transmission_id) for _ in range(6)))
    assert sum(it is not None for it in spools) == 1


async def test_one_that_had_failed_counts_as_failed_no_more(w: CampaignRows) -> None:
    campaign_id = await w.running()
    await w.transmission(campaign_id)
    await w.campaigns.finish(ORG, campaign_id)
    assert await send(w, await w.pool.fetchval("SELECT id FROM transmissions"))
    figures = await PostgresCampaigns(w.pool).figures(ORG, campaign_id)
    assert figures is not None and figures.figures == {"transmission failed": 0}
