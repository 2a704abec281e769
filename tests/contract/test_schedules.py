"""Schedules that are due: each is done once, in time or not at all, whoever looks and whenever."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine import schedules
from engine.ports import StoreFailed
from engine.schedules import Schedules
from engine.store.schedules import NewSchedule, PostgresSchedules, Status
from engine.vocabulary.program import VOICE_TYPES
from engine.vocabulary.schedules import ScheduleDone
from tests.campaign_rows import ORG, CampaignRows, campaign_rows

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
UNKNOWN = 999_999
A_SECOND, A_MINUTE, AN_HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
BERLIN = "Europe/Berlin"


@pytest.fixture
async def w(database_url: str) -> AsyncIterator[CampaignRows]:
    async with campaign_rows(database_url) as made:
        yield made


def runner(w: CampaignRows) -> Schedules:
    return Schedules(PostgresSchedules(w.pool))


async def schedule(w: CampaignRows, row_id: int, action: str = "start", due_at: datetime = NOON,
                   type_: str = "campaign", **changes: Any) -> int:
    facts: dict[str, Any] = {"fields": {}, "time_zone": "UTC", "is_recurring": False, "expiry_s": 300, "weight": 0}
    made = await PostgresSchedules(w.pool).create(
        ORG, 7, type_, row_id, None, NewSchedule(action, due_at, **{**facts, **changes}))
    assert made is not None
    return made


async def state(w: CampaignRows, schedule_id: int) -> tuple[int, datetime | None, str]:
    row = await w.row("schedules", schedule_id)
    return row["status"], row["due_at"], row["problem"]


# --- one moment

async def test_a_new_one_is_on_hold_until_it_is_due(w: CampaignRows) -> None:
    campaign_id = await w.campaign(contacts=2)
    schedule_id = await schedule(w, campaign_id)
    assert await runner(w).apply(NOON - A_SECOND) == 0
    assert await state(w, schedule_id) == (Status.ON_HOLD, NOON, "") and await w.status(campaign_id) == "new"
    assert await runner(w).apply(NOON) == 1
    assert await state(w, schedule_id) == (Status.PROCESSED, None, "")
    row = await w.row("campaigns", campaign_id)
    assert (row["status"], row["contact_total"]) == ("ready", 2)
    assert (await w.row("schedules", schedule_id))["last_run"] == NOON


async def test_it_fires_once_also_after_a_restart(w: CampaignRows) -> None:
    campaign_id = await w.running()
    await schedule(w, campaign_id, "stop")
    assert await runner(w).apply(NOON + A_SECOND) == 1
    assert await w.status(campaign_id) == "paused"
    await w.campaigns.start(ORG, campaign_id)
    for later in (A_SECOND, A_MINUTE, AN_HOUR):
        assert await runner(w).apply(NOON + later) == 0
    assert await w.status(campaign_id) == "running"


async def test_of_many_runners_at_once_one_does_it(w: CampaignRows) -> None:
    sent = [await w.transmission(contact_id=await w.contact()) for _ in range(10)]
    for it in sent:
        await schedule(w, it, "send", type_="transmission")
    done = await asyncio.gather(*(runner(w).apply(NOON) for _ in range(4)))
    assert sum(done) == 10
    assert await w.pool.fetchval("SELECT count(*) FROM spools") == 10
    assert await w.pool.fetchval("SELECT max(try_done) FROM transmissions") == 1


async def test_what_is_due_the_longest_comes_first_and_of_one_moment_the_lighter(w: CampaignRows) -> None:
    campaign_id = await w.campaign()
    await schedule(w, campaign_id, "stop", NOON, weight=2)
    await schedule(w, campaign_id, "start", NOON, weight=1)
    assert await runner(w).apply(NOON) == 2
    assert await w.status(campaign_id) == "paused"


@pytest.mark.parametrize("type_", sorted(VOICE_TYPES))
async def test_a_transmission_is_sent_and_its_schedule_gone(w: CampaignRows, type_: str) -> None:
    transmission_id = await w.transmission(contact_id=await w.contact(), program_id=await w.program(type_))
    schedule_id = await schedule(w, transmission_id, "send", type_="transmission")
    await runner(w).apply(NOON)
    sent, spool = await w.row("transmissions", transmission_id), await w.pool.fetchrow("SELECT * FROM spools")
    assert (sent["status"], sent["try_done"]) == ("processing", 1)
    assert (spool["transmission_id"], spool["status"], spool["claimed_switch"]) == (transmission_id, "queued", None)
    assert await w.row("schedules", schedule_id) is None


@pytest.mark.parametrize("status", ["completed", "invalid", "processing"])
async def test_what_is_under_way_or_over_is_not_sent(w: CampaignRows, status: str) -> None:
    await schedule(w, await w.transmission(status=status, contact_id=await w.contact()), "send", type_="transmission")
    assert await runner(w).apply(NOON) == 1
    assert await w.pool.fetchval("SELECT count(*) FROM spools") == 0
    assert await w.pool.fetchval("SELECT count(*) FROM schedules") == 0


async def test_what_post_send_would_refuse_is_not_sent_either_and_says_why(w: CampaignRows) -> None:
    opted_out = await w.contact("+4930555009")
    await w.pool.execute("WITH l AS (INSERT INTO dnc_lists (organisation_id, name, is_opt_out) VALUES (1, 'o', true) "
                         "RETURNING id) INSERT INTO dnc_numbers SELECT id, '+4930555009' FROM l")
    for columns, why in (
            ({"program_id": await w.program("sendfax")}, "sendfax"), ({"program_id": UNKNOWN}, "program is gone"),
            ({"service_flag": 2}, "fax"), ({"direction": "inbound"}, "inbound"),
            ({"contact_id": UNKNOWN}, "contact is gone"),
            ({"contact_id": opted_out}, "do-not-call"), ({"contact_id": await w.contact("+49900123456")}, "premium"),
            ({"contact_id": await w.contact("+33142685300")}, "country-not-allowed")):
        transmission_id = await w.transmission(**{"contact_id": await w.contact(), **columns})
        await schedule(w, transmission_id, "send", type_="transmission")
        assert await runner(w).apply(NOON) == 1
        row = await w.row("transmissions", transmission_id)
        assert row["status"] == "pending" and why in row["response"], (columns, row["response"])
    assert await w.pool.fetchval("SELECT count(*) FROM spools") == 0


async def test_the_organisations_caps_hold_for_what_is_scheduled(w: CampaignRows) -> None:
    await w.pool.execute("UPDATE organisations SET calls_per_minute = 1")
    for _ in range(2):
        await schedule(w, await w.transmission(contact_id=await w.contact()), "send", type_="transmission")
    await runner(w).apply(NOON)
    assert [it["response"] for it in await w.pool.fetch("SELECT response FROM transmissions ORDER BY id")] == [
        "", "all 1 calls are placed (calls-per-minute)"]


# --- too late, or not possible

async def test_later_than_its_expiry_it_is_missed_and_said_so(w: CampaignRows) -> None:
    campaign_id = await w.campaign()
    schedule_id = await schedule(w, campaign_id, expiry_s=60)
    assert await runner(w).apply(NOON + timedelta(seconds=61)) == 1
    assert await state(w, schedule_id) == (Status.EXPIRED, None, "missed: it was due at 2026-11-25 12:00:00 UTC")
    assert await w.status(campaign_id) == "new"
    event = await w.pool.fetchrow("SELECT type, data FROM events ORDER BY id DESC LIMIT 1")
    assert event["type"] == "schedule.missed" and json.loads(event["data"]) == {
        "scheduleID": schedule_id, "campaignID": campaign_id, "action": "start",
        "problem": "missed: it was due at 2026-11-25 12:00:00 UTC"}
    assert await runner(w).apply(NOON + AN_HOUR) == 0


async def test_within_its_expiry_it_is_done_late(w: CampaignRows) -> None:
    campaign_id = await w.campaign()
    await schedule(w, campaign_id, expiry_s=60)
    await runner(w).apply(NOON + timedelta(seconds=60))
    assert await w.status(campaign_id) == "ready"


async def test_a_missed_transmission_stays_pending_and_its_schedule_says_why(w: CampaignRows) -> None:
    transmission_id = await w.transmission()
    schedule_id = await schedule(w, transmission_id, "send", type_="transmission")
    await runner(w).apply(NOON + AN_HOUR)
    assert (await w.row("transmissions", transmission_id))["status"] == "pending"
    assert (await state(w, schedule_id))[0] == Status.EXPIRED
    assert "schedule.missed" in await w.told()


async def test_one_that_cannot_do_what_it_says_says_why(w: CampaignRows) -> None:
    running, fax = await w.running(), await w.campaign(type_="sendfax")
    for campaign_id, problem in ((running, "it is running already"), (fax, "programs of the type sendfax cannot")):
        schedule_id = await schedule(w, campaign_id)
        await runner(w).apply(NOON)
        status, _, said = await state(w, schedule_id)
        assert status == Status.PROCESSED and said.startswith(f"the campaign could not start: {problem}")


async def test_one_of_a_campaign_that_is_gone_says_so(w: CampaignRows) -> None:
    campaign_id = await w.campaign()
    schedule_id = await schedule(w, campaign_id)
    await w.pool.execute("DELETE FROM campaigns")
    await runner(w).apply(NOON)
    assert (await state(w, schedule_id))[2] == "the campaign is gone"


async def test_what_the_database_does_not_let_it_do_is_put_off_and_holds_nobody_up(w: CampaignRows) -> None:
    blocked, free = await w.campaign(), await w.campaign()
    first, second = await schedule(w, blocked), await schedule(w, free)
    await w.pool.execute("ALTER TABLE campaigns ADD CONSTRAINT no CHECK (id <> $1 OR status = 'new')".replace(
        "$1", str(blocked)))
    assert await runner(w).apply(NOON) == 2
    assert await state(w, first) == (Status.ON_HOLD, NOON, "")
    assert await state(w, second) == (Status.PROCESSED, None, "") and await w.status(free) == "ready"
    await w.pool.execute("ALTER TABLE campaigns DROP CONSTRAINT no")
    assert await runner(w).apply(NOON + A_SECOND) == 1
    assert await w.status(blocked) == "ready"


async def test_cancelled_ones_do_nothing(w: CampaignRows) -> None:
    campaign_id, other = await w.campaign(), await w.campaign()
    for it in (campaign_id, campaign_id, other):
        await schedule(w, it)
    await PostgresSchedules(w.pool).cancel(ORG, "campaign", campaign_id)
    assert await runner(w).apply(NOON) == 1
    assert (await w.status(campaign_id), await w.status(other)) == ("new", "ready")


async def test_of_another_organisation_nothing_is_scheduled(w: CampaignRows) -> None:
    new = NewSchedule("start", NOON, {}, "UTC", False, 300, 0)
    campaign_id, transmission_id = await w.campaign(), await w.transmission()
    store = PostgresSchedules(w.pool)
    await w.pool.execute("INSERT INTO organisations (name) VALUES ('another')")
    assert await store.create(2, 7, "campaign", campaign_id, None, new) is None
    assert await store.create(2, 7, "transmission", transmission_id, None, new) is None
    await schedule(w, campaign_id)
    await store.cancel(2, "campaign", campaign_id)
    assert await store.of(2, "campaign", campaign_id) == [] and len(await store.of(ORG, "campaign", campaign_id)) == 1


# --- again and again

def daily(time_zone: str = BERLIN, hour: str = "2", minute: str = "30") -> dict[str, Any]:
    return {"fields": {"hour": hour, "minute": minute}, "time_zone": time_zone, "is_recurring": True}


async def fired(w: CampaignRows, schedule_id: int, until: datetime) -> list[datetime]:
    """Looks whenever something is due, with an engine that has just started; when it was done."""
    times = []
    while (due_at := (await w.row("schedules", schedule_id))["due_at"]) and due_at <= until:
        assert await runner(w).apply(due_at - A_SECOND) == 0
        assert await runner(w).apply(due_at + A_SECOND) == 1
        times.append(due_at)
    return times


async def test_a_recurring_one_is_due_again_at_its_next_time(w: CampaignRows) -> None:
    campaign_id = await w.running()
    schedule_id = await schedule(w, campaign_id, "stop", datetime(2026, 11, 25, 19, tzinfo=UTC),
                                 **daily(hour="20", minute="0"))
    times = await fired(w, schedule_id, datetime(2026, 11, 27, 23, tzinfo=UTC))
    assert times == [datetime(2026, 11, day, 19, tzinfo=UTC) for day in (25, 26, 27)]
    assert (await state(w, schedule_id))[0] == Status.ON_HOLD


async def test_where_an_hour_is_skipped_it_is_due_at_the_change_once(w: CampaignRows) -> None:
    schedule_id = await schedule(w, await w.running(), "stop", datetime(2026, 3, 28, 1, 30, tzinfo=UTC), **daily())
    assert await fired(w, schedule_id, datetime(2026, 3, 30, 12, tzinfo=UTC)) == [
        datetime(2026, 3, 28, 1, 30, tzinfo=UTC), datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
        datetime(2026, 3, 30, 0, 30, tzinfo=UTC)]


async def test_where_an_hour_comes_twice_it_is_due_once(w: CampaignRows) -> None:
    schedule_id = await schedule(w, await w.running(), "stop", datetime(2026, 10, 24, 0, 30, tzinfo=UTC), **daily())
    assert await fired(w, schedule_id, datetime(2026, 10, 26, 12, tzinfo=UTC)) == [
        datetime(2026, 10, 24, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 26, 1, 30, tzinfo=UTC)]


async def test_of_a_long_absence_one_time_is_missed_and_the_next_one_done(w: CampaignRows) -> None:
    campaign_id = await w.campaign()
    schedule_id = await schedule(w, campaign_id, "start", NOON, **daily("UTC", "12", "0"))
    assert await runner(w).apply(NOON + timedelta(days=3, hours=1)) == 1
    next_due = NOON + timedelta(days=4)
    assert await state(w, schedule_id) == (Status.ON_HOLD, next_due, "missed: it was due at 2026-11-25 12:00:00 UTC")
    assert await w.status(campaign_id) == "new" and (await w.told())[-1] == "schedule.missed"
    await runner(w).apply(next_due)
    assert (await state(w, schedule_id))[2] == "" and await w.status(campaign_id) == "ready"
    assert (await w.told()).count("schedule.missed") == 1


async def test_one_without_another_time_is_over(w: CampaignRows) -> None:
    campaign_id = await w.campaign()
    fields = {"year": "2026", "month": "11", "day": "25", "hour": "12", "minute": "0"}
    schedule_id = await schedule(w, campaign_id, fields=fields, is_recurring=True)
    await runner(w).apply(NOON)
    assert await state(w, schedule_id) == (Status.PROCESSED, None, "")


async def test_cron_fields_alone_are_due_once(w: CampaignRows) -> None:
    schedule_id = await schedule(w, await w.campaign(), **{**daily("UTC", "12", "0"), "is_recurring": False})
    await runner(w).apply(NOON)
    assert await state(w, schedule_id) == (Status.PROCESSED, None, "")


# --- whose clock

@pytest.mark.parametrize("timezone_id, country, name", [
    ("America/New_York", "DE", "America/New_York"), ("", "DE", "Europe/Berlin"), ("27", "DE", "Europe/Berlin"),
    ("", "US", "UTC"), ("../etc", "US", "UTC"), ("Nowhere/City", "AT", "Europe/Vienna")])
async def test_times_are_of_the_accounts_user_else_of_the_country(
    w: CampaignRows, timezone_id: str, country: str, name: str) -> None:
    await w.pool.execute("INSERT INTO users (organisation_id, name, timezone_id) VALUES (1, 'anna', $1)", timezone_id)
    await w.pool.execute("UPDATE organisations SET country = $1", country)
    await w.pool.execute("INSERT INTO accounts (organisation_id, user_id, username) VALUES (1, 1, 'anna')")
    store = PostgresSchedules(w.pool)
    assert (await store.zone_of(ORG, 1)).key == name
    assert (await store.zone_of(ORG, None)).key == (await store.zone_of(ORG, 99)).key


# --- as the engine runs it

class Watched(PostgresSchedules):
    """Tells when the database was away."""

    def __init__(self, pool: Any) -> None:
        super().__init__(pool)
        self.has_failed = asyncio.Event()

    async def do_next(self, *args: Any) -> ScheduleDone | None:
        try:
            return await super().do_next(*args)
        except StoreFailed:
            self.has_failed.set()
            raise


async def test_it_looks_again_and_again_and_a_database_that_is_away_does_not_end_it(
    w: CampaignRows, monkeypatch: pytest.MonkeyPatch) -> None:
    assert schedules.AGAIN_S == 1.0
    monkeypatch.setattr(schedules, "AGAIN_S", 0.01)
    campaign_id, store = await w.campaign(), Watched(w.pool)
    await w.pool.execute("ALTER TABLE schedules RENAME TO away")
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(10):
        running = tasks.create_task(Schedules(store, lambda: NOON).run())
        await store.has_failed.wait()
        await w.pool.execute("ALTER TABLE away RENAME TO schedules")
        await schedule(w, campaign_id)
        while await w.status(campaign_id) != "ready":  # noqa: ASYNC110 -- nobody is told
            await asyncio.sleep(0.01)
        running.cancel()
