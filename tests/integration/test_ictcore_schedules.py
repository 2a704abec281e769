"""Schedules of the ICTCore API, on a real Postgres over real HTTP. The body is that of contract 3.9."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.schedules import Schedules
from engine.store.schedules import PostgresSchedules
from tests.ictcore_site import UNKNOWN, IctcoreSite, ictcore_site, says


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[IctcoreSite]:
    async with ictcore_site(database_url) as made:
        org = made.directory.org.id
        await made.pool.execute("INSERT INTO numbers (number, organisation_id) VALUES ('+4930100', $1)", org)
        await made.pool.execute(
            "INSERT INTO programs (organisation_id, created_by, name, type) VALUES ($1, $2, 'p', 'voicemessage')",
            org, made.admin_id)
        yield made


async def campaign(site: IctcoreSite) -> int:
    group_id = (await site.admin("POST", "/groups", {"name": "Nord"})).body["group_id"]
    program_id = await site.pool.fetchval("SELECT id FROM programs")
    answer = await site.admin("POST", "/campaigns", {"program_id": program_id, "group_id": group_id})
    return int(answer.body["campaign_id"])


async def transmission(site: IctcoreSite, account_id: int | None = None) -> int:
    transmission_id: int = await site.pool.fetchval(
        "WITH c AS (INSERT INTO contacts (organisation_id, phone, number) VALUES ($1, '030555001', '+4930555001') "
        "RETURNING id) INSERT INTO transmissions (organisation_id, created_by, contact_id, program_id, account_id) "
        "SELECT $1, $2, c.id, p.id, $3 FROM programs p, c RETURNING id",
        site.directory.org.id, site.admin_id, account_id)
    return transmission_id


async def scheduled(site: IctcoreSite, body: Any = None, **headers: str) -> dict[str, Any]:
    """The row of one that is made for a transmission."""
    path = f"/transmissions/{await transmission(site)}/schedule"
    made = await site.admin("PUT", path, body, headers=headers)
    assert made.status == 200 and made.body.keys() == {"schedule_id"}, made
    listed = (await site.admin("GET", path)).body
    assert [it["schedule_id"] for it in listed] == [made.body["schedule_id"]]
    return dict(listed[0])


def at(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp())  # type: ignore[arg-type, misc]


# --- Campaign schedule

@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_start_and_stop_campaign_schedule(site: IctcoreSite, method: str) -> None:
    campaign_id = await campaign(site)
    for action in ("start", "stop"):
        made = await site.admin(method, f"/campaigns/{campaign_id}/{action}/schedule", {"delay": 30})
        assert made.status == 200 and made.body.keys() == {"schedule_id"}
    rows = (await site.admin("GET", f"/campaigns/{campaign_id}/schedule")).body
    assert [(it["type"], it["action"], it["data"], it["status"]) for it in rows] == [
        ("campaign", "start", campaign_id, 0), ("campaign", "stop", campaign_id, 0)]
    later = datetime.now(UTC) + timedelta(seconds=35)
    assert await Schedules(PostgresSchedules(site.pool)).apply(later) == 2
    assert (await site.admin("GET", f"/campaigns/{campaign_id}")).body["status"] == "paused"
    assert [it["status"] for it in (await site.admin("GET", f"/campaigns/{campaign_id}/schedule")).body] == [2, 2]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_delete_campaign_schedule(site: IctcoreSite, method: str) -> None:
    campaign_id, other = await campaign(site), await campaign(site)
    for it in (campaign_id, other):
        await site.admin("POST", f"/campaigns/{it}/start/schedule", {})
    assert (await site.admin(method, f"/campaigns/{campaign_id}/schedule")).status == 200
    assert (await site.admin("GET", f"/campaigns/{campaign_id}/schedule")).body == []
    assert len((await site.admin("GET", f"/campaigns/{other}/schedule")).body) == 1


async def test_what_was_missed_says_so(site: IctcoreSite) -> None:
    campaign_id = await campaign(site)
    await site.admin("POST", f"/campaigns/{campaign_id}/start/schedule", {"delay": 0, "expiry": 10})
    await Schedules(PostgresSchedules(site.pool)).apply(datetime.now(UTC) + timedelta(hours=1))
    row = (await site.admin("GET", f"/campaigns/{campaign_id}/schedule")).body[0]
    assert row["status"] == 3 and row["problem"].startswith("missed: it was due at") and row["due_at"] is None


# --- Transmission Schedule

async def test_schedule_and_unschedule_transmission(site: IctcoreSite) -> None:
    transmission_id = await transmission(site)
    path = f"/transmissions/{transmission_id}/schedule"
    for _ in range(2):
        await site.admin("PUT", path, {"delay": 10})
    assert (await site.admin("DELETE", path)).status == 200
    assert (await site.admin("GET", path)).body == []
    await site.admin("PUT", path, {"delay": 10})
    await Schedules(PostgresSchedules(site.pool)).apply(datetime.now(UTC) + timedelta(seconds=11))
    sent = await site.pool.fetchrow("SELECT status, try_done FROM transmissions")
    assert tuple(sent) == ("processing", 1) and await site.pool.fetchval("SELECT count(*) FROM spools") == 1


async def test_what_is_not_there_is_404(site: IctcoreSite) -> None:
    for method, path in (("PUT", "/transmissions/{}/schedule"), ("DELETE", "/transmissions/{}/schedule"),
                         ("POST", "/campaigns/{}/start/schedule"), ("PUT", "/campaigns/{}/stop/schedule"),
                         ("POST", "/campaigns/{}/schedule")):
        assert says(await site.admin(method, path.format(UNKNOWN)))[0] == 404, path
    other = await site.other()
    assert says(await other.admin("PUT", f"/transmissions/{await transmission(site)}/schedule"))[0] == 404


# --- the body

@pytest.mark.parametrize("body, after_s", [(None, 60), ({}, 60), ({"expiry": 9}, 60), ({"delay": 5}, 5),
                                           ({"delay": "7"}, 7), ({"delay": 0}, 0)])
async def test_a_delay_is_from_now_and_a_minute_when_nothing_is_said(
    site: IctcoreSite, body: Any, after_s: int) -> None:
    before = datetime.now(UTC).timestamp()
    row = await scheduled(site, body)
    assert before - 1 <= row["due_at"] - after_s <= datetime.now(UTC).timestamp()
    assert row["status"] == 0


@pytest.mark.parametrize("body, due_at", [
    ({"timestamp": at(2100, 7, 1, 9)}, at(2100, 7, 1, 9)),
    ({"timestamp": str(at(2100, 7, 1, 9))}, at(2100, 7, 1, 9)),
    ({"datetime": "2100-07-01 09:00"}, at(2100, 7, 1, 7)),
    ({"datetime": "2100-12-01T09:00:30"}, at(2100, 12, 1, 8, 0, 30)),
    ({"datetime": "2100-07-01T09:00Z"}, at(2100, 7, 1, 9)),
    ({"datetime": "2100-07-01T09:00+05:00"}, at(2100, 7, 1, 4)),
    ({"year": 2100, "month": "7", "day": 1, "hour": "9", "minute": 0}, at(2100, 7, 1, 7)),
    ({"year": "2100", "month": 1, "weekday": "1", "hour": 0, "minute": "*/15"}, at(2100, 1, 2, 23, 15)),
])
async def test_moments_are_read_by_the_clock_of_the_account(site: IctcoreSite, body: Any, due_at: int) -> None:
    row = await scheduled(site, body)
    assert (row["due_at"], row["time_zone"]) == (due_at, "Europe/Berlin")


async def test_the_clock_is_that_of_the_accounts_user(site: IctcoreSite) -> None:
    await site.pool.execute("UPDATE users SET timezone_id = 'America/New_York' WHERE id = $1", site.admin_id)
    account_id = (await site.admin("POST", "/accounts", {"username": "a"})).body["account_id"]
    transmission_id = await transmission(site, account_id)
    await site.admin("PUT", f"/transmissions/{transmission_id}/schedule", {"datetime": "2100-07-01 09:00"})
    row = (await site.admin("GET", f"/transmissions/{transmission_id}/schedule")).body[0]
    assert (row["due_at"], row["time_zone"], row["account_id"]) == (
        at(2100, 7, 1, 13), "America/New_York", account_id)


async def test_extras_are_kept(site: IctcoreSite) -> None:
    row = await scheduled(site, {"minute": "*/20", "is_recurring": "1", "expiry": "30", "weight": 4})
    assert (row["is_recurring"], row["expiry"], row["weight"], row["fields"]) == (1, 30, 4, {"minute": "*/20"})
    assert row["task_id"] == row["schedule_id"]
    minute = datetime.fromtimestamp(row["due_at"], UTC).minute
    assert minute in (20, 40)
    row = await scheduled(site, {})
    assert (row["is_recurring"], row["expiry"], row["weight"], row["fields"]) == (0, 300, 0, {})


@pytest.mark.parametrize("body, names", [
    ({"delay": -1}, "delay"), ({"delay": "soon"}, "delay"), ({"delay": 10**12}, "delay"),
    ({"timestamp": 1}, "timestamp"), ({"timestamp": 10**15}, "timestamp"), ({"datetime": "tomorrow"}, "datetime"),
    ({"datetime": "2020-01-01 09:00"}, "datetime"), ({"datetime": "2100-02-30 09:00"}, "datetime"),
    ({"datetime": "0001-01-01T00:00"}, "datetime"), ({"minute": "60"}, "minute"), ({"hour": "a"}, "hour"),
    ({"weekday": "0"}, "weekday"), ({"month": "2", "day": "30"}, "month"), ({"year": "2001"}, "year"),
    ({"delay": 5, "timestamp": 5}, "timestamp"), ({"delay": 5, "minute": "*"}, "minute"),
    ({"delay": 5, "is_recurring": 1}, "is_recurring"), ({"is_recurring": 2, "minute": "5"}, "is_recurring"),
    ({"expiry": 0}, "expiry"), ({"weight": "x"}, "weight")])
async def test_what_says_no_moment_is_412(site: IctcoreSite, body: Any, names: str) -> None:
    path = f"/transmissions/{await transmission(site)}/schedule"
    code, message = says(await site.admin("PUT", path, body))
    assert code == 412 and message.startswith(f"Data validation failed, for {names}"), message
    assert (await site.admin("GET", path)).body == []


async def test_a_schedule_that_is_sent_again_is_the_same(site: IctcoreSite) -> None:
    campaign_id = await campaign(site)
    answers = [await site.admin("POST", f"/campaigns/{campaign_id}/start/schedule", {"delay": 60},
                                headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert answers[0].body == answers[1].body
    assert len((await site.admin("GET", f"/campaigns/{campaign_id}/schedule")).body) == 1


async def test_who_may_not_start_may_not_schedule_a_start(site: IctcoreSite) -> None:
    campaign_id, transmission_id = await campaign(site), await transmission(site)
    _, client = await site.holding("schedule", "campaign_admin", "transmission_admin")
    for path, permission in ((f"/campaigns/{campaign_id}/start/schedule", "campaign_start"),
                             (f"/campaigns/{campaign_id}/stop/schedule", "campaign_stop"),
                             (f"/transmissions/{transmission_id}/schedule", "transmission_send")):
        assert says(await client("PUT", path)) == (403, f"Permission denied: {permission}")
