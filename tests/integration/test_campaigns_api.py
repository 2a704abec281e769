"""`/ringward/v1/campaigns/{id}` over real HTTP on a real Postgres."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.directory_site import UNKNOWN, Client, DirectorySite, directory_site

SETTINGS = {
    "cpm": 120, "callsPerSecond": 2.5, "channels": 30,
    "window": {"from": "09:00", "to": "20:00", "weekdays": [1, 2, 3, 4, 5], "country": "DE", "holidays": True},
    "retry": {"busyS": 60, "noAnswerS": 120, "failedS": 180}, "dncListIDs": [], "optOutKey": "9",
    "callerIDs": ["+4930100"]}
DEFAULTS = {"cpm": 2, "callsPerSecond": None, "channels": None, "window": None,
            "retry": {"busyS": 300, "noAnswerS": 1800, "failedS": 600}, "dncListIDs": [], "optOutKey": "",
            "callerIDs": []}


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[DirectorySite]:
    async with directory_site(database_url) as made:
        await made.pool.execute("INSERT INTO numbers (number, organisation_id) VALUES ('+4930100', $1)", made.org.id)
        yield made


async def campaign(site: DirectorySite, contacts: int = 0, status: str = "new", type_: str = "voicemessage",
                   created_by: int = 7) -> int:
    group_id = await site.pool.fetchval(
        "INSERT INTO contact_groups (organisation_id, name) VALUES ($1, 'g') RETURNING id", site.org.id)
    await site.pool.execute(
        "WITH made AS (INSERT INTO contacts (organisation_id, first_name, last_name, phone, number) "
        "SELECT $1, 'Anna' || n, '=Muster', '030' || n, '+4930' || n FROM generate_series(1000, 999 + $3) n "
        "RETURNING id) INSERT INTO contact_group_members (organisation_id, group_id, contact_id) "
        "SELECT $1, $2, id FROM made ORDER BY id",
        site.org.id, group_id, contacts)
    program_id = await site.pool.fetchval(
        "INSERT INTO programs (organisation_id, name, type) VALUES ($1, 'p', $2) RETURNING id", site.org.id, type_)
    campaign_id: int = await site.pool.fetchval(
        "INSERT INTO campaigns (organisation_id, created_by, program_id, group_id, status) "
        "VALUES ($1, $2, $3, $4, $5) RETURNING id", site.org.id, created_by, program_id, group_id, status)
    return campaign_id


async def attempt(site: DirectorySite, campaign_id: int, contact_id: int, status: str, disposition: str | None = None,
                  **results: str) -> int:
    """A transmission with one attempt that has ended, or none."""
    transmission_id: int = await site.pool.fetchval(
        "INSERT INTO transmissions (organisation_id, contact_id, program_id, campaign_id, status, try_done) "
        "VALUES ($1, $2, 1, $3, $4, $5) RETURNING id", site.org.id, contact_id, campaign_id, status,
        int(disposition is not None))
    if disposition is not None:
        await again(site, transmission_id, disposition, **results)
    return transmission_id


async def again(site: DirectorySite, transmission_id: int, disposition: str, **results: str) -> None:
    spool_id = await site.pool.fetchval(
        "INSERT INTO spools (organisation_id, transmission_id, campaign_id, number, disposition, time_start, time_end) "
        "SELECT organisation_id, id, campaign_id, '+4930' || contact_id, $2, now(), now() FROM transmissions "
        "WHERE id = $1 RETURNING id", transmission_id, disposition)
    for name, data in results.items():
        await site.pool.execute(
            "INSERT INTO results (organisation_id, spool_id, type, name, data) VALUES ($1, $2, 'info', $3, $4)",
            site.org.id, spool_id, name, data)


def settings(told: dict[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in DEFAULTS}


# --- settings

async def test_a_campaign_has_defaults_and_what_stands_beside_them(site: DirectorySite) -> None:
    campaign_id = await campaign(site)
    told = (await site.api("GET", f"/campaigns/{campaign_id}")).body
    assert settings(told) == DEFAULTS
    assert {name: told[name] for name in told.keys() - DEFAULTS.keys() - {"createdAt", "programID", "groupID"}} == {
        "id": campaign_id, "name": "", "status": "new", "problem": "", "programType": "voicemessage", "tryAllowed": 1,
        "contactTotal": 0, "transmissions": 0, "startedAt": None, "finishedAt": None}


async def test_settings_are_changed_as_a_whole(site: DirectorySite) -> None:
    campaign_id = await campaign(site)
    put = await site.api("PUT", f"/campaigns/{campaign_id}", SETTINGS)
    assert put.status == 200 and settings(put.body) == SETTINGS
    assert (await site.api("GET", f"/campaigns/{campaign_id}")).body == put.body
    again = await site.api("PUT", f"/campaigns/{campaign_id}", put.body)
    assert again.body == put.body
    emptied = await site.api("PUT", f"/campaigns/{campaign_id}", {"cpm": 60})
    assert settings(emptied.body) == {**DEFAULTS, "cpm": 60}


async def test_while_it_runs_a_change_takes_effect_at_once(site: DirectorySite) -> None:
    campaign_id = await campaign(site, status="running")
    await site.pool.execute("UPDATE campaigns SET wakes_at = 'infinity'")
    assert (await site.api("PUT", f"/campaigns/{campaign_id}", SETTINGS)).status == 200
    assert await site.pool.fetchval("SELECT wakes_at <= now() FROM campaigns")
    window = json.loads(await site.pool.fetchval("SELECT call_window FROM campaigns"))
    assert window == SETTINGS["window"]


async def test_national_forms_and_what_is_left_out_are_of_the_country(site: DirectorySite) -> None:
    campaign_id = await campaign(site)
    put = await site.api("PUT", f"/campaigns/{campaign_id}", {
        "window": {"from": "22:00", "to": "06:00", "weekdays": [7, 1, 7]}, "callerIDs": ["030 100", "+4930100"]})
    assert put.body["callerIDs"] == ["+4930100"]
    assert put.body["window"] == {
        "from": "22:00", "to": "06:00", "weekdays": [1, 7], "country": "DE", "holidays": False}


async def test_a_hotlines_number_may_be_shown(site: DirectorySite) -> None:
    number = (await site.org.hotline()).number
    put = await site.api("PUT", f"/campaigns/{await campaign(site)}", {"callerIDs": [number]})
    assert (put.status, put.body["callerIDs"]) == (200, [number])


@pytest.mark.parametrize("change, field", [
    ({"cpm": 0}, "cpm"), ({"cpm": "2"}, "cpm"), ({"callsPerSecond": 0}, "callsPerSecond"),
    ({"callsPerSecond": 1001}, "callsPerSecond"), ({"channels": 0}, "channels"), ({"optOutKey": "99"}, "optOutKey"),
    ({"optOutKey": "a"}, "optOutKey"), ({"retry": {"busyS": 0}}, "retry.busyS"),
    ({"retry": {"busy": 5}}, "retry.busy"), ({"window": {"from": "9:00", "to": "20:00"}}, "window.from"),
    ({"window": {"from": "09:00", "to": "24:00"}}, "window.to"), ({"window": {"to": "20:00"}}, "window.from"),
    ({"window": {"from": "09:00", "to": "20:00", "weekdays": [0]}}, "window.weekdays[0]"),
    ({"window": {"from": "09:00", "to": "20:00", "weekdays": []}}, "window.weekdays"),
    ({"window": {"from": "09:00", "to": "20:00", "country": "Germany"}}, "window.country"),
    ({"window": {"from": "09:00", "to": "20:00", "country": "XX"}}, "window.country"),
    ({"window": {"from": "09:00", "to": "20:00", "country": "DE-ZZ", "holidays": True}}, "window.country"),
    ({"window": {"from": "09:00", "to": "20:00", "holidays": "yes"}}, "window.holidays"),
    ({"dncListIDs": [UNKNOWN]}, "dncListIDs[0]"), ({"callerIDs": ["+4930999"]}, "callerIDs[0]"),
    ({"callerIDs": ["+4930100", "x"]}, "callerIDs[1]"), ({"colour": "red"}, "colour")])
async def test_what_is_wrong_is_named(site: DirectorySite, change: Any, field: str) -> None:
    campaign_id = await campaign(site)
    wrong = await site.api("PUT", f"/campaigns/{campaign_id}", {**SETTINGS, **change})
    assert wrong.status == 400 and wrong.fields == [field]
    assert settings((await site.api("GET", f"/campaigns/{campaign_id}")).body) == DEFAULTS


# --- start, pause, resume, stop

async def test_from_start_to_stop(site: DirectorySite) -> None:
    campaign_id = await campaign(site, contacts=3)
    for action, status in (("start", "ready"), ("pause", "paused"), ("resume", "running"), ("pause", "paused"),
                           ("start", "running"), ("stop", "completed")):
        acted = await site.api("POST", f"/campaigns/{campaign_id}/{action}")
        assert (acted.status, acted.body["status"], acted.body["contactTotal"]) == (200, status, 3), action
    assert acted.body["startedAt"] <= acted.body["finishedAt"]


@pytest.mark.parametrize("status, action", [
    ("new", "pause"), ("new", "resume"), ("new", "stop"), ("running", "start"), ("running", "resume"),
    ("completed", "start"), ("completed", "resume"), ("completed", "stop"), ("broken", "start")])
async def test_what_does_not_fit_its_state_is_a_conflict(site: DirectorySite, status: str, action: str) -> None:
    campaign_id = await campaign(site, status=status)
    refused = await site.api("POST", f"/campaigns/{campaign_id}/{action}")
    assert (refused.status, refused.fields) == (409, ["status"])
    assert refused.body["type"].endswith("campaign-not-ready") and status in refused.body["detail"]


async def test_a_program_that_cannot_be_run_is_refused(site: DirectorySite) -> None:
    refused = await site.api("POST", f"/campaigns/{await campaign(site, type_='sendfax')}/start")
    assert (refused.status, refused.fields) == (422, ["programID"])


# --- progress

async def test_progress_tells_how_far_it_is(site: DirectorySite) -> None:
    campaign_id = await campaign(site, contacts=100, status="running")
    await site.pool.execute(
        "UPDATE campaigns SET contact_total = 100, member_limit = 1000000, transmissions = 40, cpm = 600")
    for n, status in enumerate(("pending", "pending", "pending_retry", "processing")):
        await attempt(site, campaign_id, n, status)
    await site.pool.execute(
        "INSERT INTO spools (organisation_id, transmission_id, campaign_id, status, time_start) "
        "SELECT $1, 1, $2, status, now() FROM unnest('{started,queued}'::text[]) status", site.org.id, campaign_id)
    for figure, count in (("answered", 24), ("busy", 6), ("transmission completed", 20), ("transmission failed", 10),
                          ("transmission invalid", 5)):
        await site.pool.execute(
            "INSERT INTO campaign_figures VALUES ($1, 'asterisk', $2, $3)", campaign_id, figure, count)
    told = (await site.api("GET", f"/campaigns/{campaign_id}/progress")).body
    assert told.pop("estimatedEnd") is not None
    assert told == {
        "state": "running", "contacts": 100, "transmissions": {
            "made": 40, "pending": 2, "retry": 1, "processing": 2, "completed": 20, "failed": 10, "invalid": 5},
        "dispositions": {"answered": 24, "mailbox": 0, "busy": 6, "noAnswer": 0, "declined": 0, "invalidNumber": 0,
                         "failed": 0, "lost": 0},
        "postponed": 0, "live": 1, "callsPerSecond": 0.2, "answerRate": 0.8}


async def test_before_anything_happened_progress_says_so(site: DirectorySite) -> None:
    told = (await site.api("GET", f"/campaigns/{await campaign(site)}/progress")).body
    assert (told["state"], told["answerRate"], told["estimatedEnd"], told["callsPerSecond"]) == ("new", None, None, 0)


# --- events

async def test_the_events_of_one_campaign(site: DirectorySite) -> None:
    first, second = await campaign(site, contacts=1), await campaign(site, contacts=1)
    url = f"{site.api.url}/campaigns/{second}/events"
    for it in (first, second):
        await site.api("POST", f"/campaigns/{it}/start")
        await attempt(site, it, 5, "invalid")
    headers = {**site.api.headers, "Last-Event-ID": "0-0"}
    for query, expected in (({}, ["campaign.created", "campaign.ready", "transmission.finished"]),
                            ({"types": "transmission.*"}, ["transmission.finished"])):
        async with site.api.session.get(url, headers=headers, params=query) as response, asyncio.timeout(10):
            told: list[dict[str, Any]] = []
            async for raw in response.content:
                if raw.startswith(b"data: "):
                    told.append(json.loads(raw[6:]))
                if len(told) == len(expected):
                    break
        assert [it["type"] for it in told] == expected
        assert {it["data"]["campaignID"] for it in told} == {second}


# --- results

async def test_results_as_a_table(site: DirectorySite) -> None:
    campaign_id = await campaign(site, contacts=3)
    ids = [it["id"] for it in await site.pool.fetch("SELECT id FROM contacts ORDER BY id")]
    first = await attempt(site, campaign_id, ids[0], "completed", "busy")
    await again(site, first, "answered", age="22", dtmf="=1")
    await attempt(site, campaign_id, ids[1], "invalid")
    await attempt(site, campaign_id, UNKNOWN, "failed", "noAnswer")
    answer = await site.api("GET", f"/campaigns/{campaign_id}/results.csv")
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.body.decode())))
    assert rows == [
        ["contact_id", "phone", "first_name", "last_name", "status", "tries", "disposition", "age", "dtmf"],
        [str(ids[0]), f"+4930{ids[0]}", "Anna1000", "'=Muster", "completed", "1", "answered", "22", "'=1"],
        [str(ids[1]), "+49301001", "Anna1001", "'=Muster", "invalid", "0", "", "", ""],
        [str(UNKNOWN), f"+4930{UNKNOWN}", "", "", "failed", "1", "noAnswer", "", ""]]


async def test_results_of_many_come_in_pages(site: DirectorySite) -> None:
    campaign_id = await campaign(site)
    await site.pool.execute(
        "INSERT INTO transmissions (organisation_id, contact_id, program_id, campaign_id) "
        "SELECT $1, n, 1, $2 FROM generate_series(1, 2500) n", site.org.id, campaign_id)
    answer = await site.api("GET", f"/campaigns/{campaign_id}/results.csv")
    assert [line.split(",")[0] for line in answer.body.decode().splitlines()[1:]] == [
        f'"{n}"' for n in range(1, 2501)]


# --- who

async def who_sees(site: DirectorySite) -> list[tuple[str, Client, int]]:
    user_id, person = await site.somebody()
    other = await site.other()
    return [("user", person, user_id), ("other", other.api, 0)]


async def test_others_see_nothing_of_it_and_users_their_own(site: DirectorySite) -> None:
    campaign_id = await campaign(site)
    (_, person, user_id), (_, other, _) = await who_sees(site)
    for client in (person, other):
        for path in ("", "/progress", "/events"):
            assert (await client("GET", f"/campaigns/{campaign_id}{path}")).status == 404
    for action in ("start", "pause", "resume", "stop"):
        assert (await other("POST", f"/campaigns/{campaign_id}/{action}")).status == 404
        assert (await person("POST", f"/campaigns/{campaign_id}/{action}")).status == 403
    for client, status in ((person, 403), (other, 404)):
        assert (await client("PUT", f"/campaigns/{campaign_id}", SETTINGS)).status == status
        assert (await client("GET", f"/campaigns/{campaign_id}/results.csv")).status == status
    own = await campaign(site, created_by=user_id)
    assert (await person("GET", f"/campaigns/{own}")).status == 200
    assert (await site.api("GET", f"/campaigns/{UNKNOWN}")).status == 404
