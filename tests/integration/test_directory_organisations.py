"""Organisations, and what a system token may do, below `/ringward/v1` on a real Postgres."""

import re
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.first_responder.routes import routes as first_responder
from api.ringward import frame
from tests.directories import NOON
from tests.directory_site import UNKNOWN, DirectorySite, directory_site, wav


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[DirectorySite]:
    async with directory_site(database_url) as made:
        yield made


async def test_a_system_token_makes_lists_changes_and_removes_organisations(site: DirectorySite) -> None:
    made = await site.system.made_with_token("/organisations", {"name": "Rettung"})
    token = made.pop("apiToken")
    assert made == {"id": made["id"], "name": "Rettung", "country": "DE", "language": "de", "countries": [],
                    "callsPerMinute": 2000, "callsPerHour": 10000, "callsPerDay": 50000}
    assert await site.system.all("/organisations", limit=1) == [
        (await site.api("GET", f"/organisations/{site.org.id}")).body, made]
    api, path = site.with_token(token), f"/organisations/{made['id']}"
    assert (await api("GET", "/organisations")).body == {"items": [made], "nextCursor": None}

    changed = await site.system("PUT", path, {**made, "callsPerDay": 5})
    assert changed.body == (await api("GET", path)).body == {**made, "callsPerDay": 5}
    assert (await site.system("DELETE", path)).status == 204
    assert (await api("GET", path)).status == 401
    assert [(await site.system(method, path, made if method == "PUT" else None)).status
            for method in ("GET", "PUT", "DELETE")] == [404, 404, 404]


async def test_an_organisation_reads_and_changes_its_own(site: DirectorySite) -> None:
    path = f"/organisations/{site.org.id}"
    own = (await site.api("GET", path)).body
    wanted = {**own, "name": "Wehr", "country": "AT", "language": "en", "countries": ["DE", "DE"],
              "callsPerMinute": 60, "callsPerHour": 600, "callsPerDay": 6000}
    assert (await site.api("PUT", path, wanted)).body == {**wanted, "countries": ["DE"]}
    _, person = await site.somebody()
    _, admin = await site.somebody(is_admin=True)
    assert (await person("GET", path)).body["name"] == "Wehr"
    assert [(await one("PUT", path, wanted)).status for one in (person, admin)] == [403, 200]
    other = await site.other()
    for method, body in (("GET", None), ("PUT", own), ("DELETE", None)):
        assert (await other.api(method, path, body)).status == 404
    for client in (site.api, admin, person):
        assert (await client("POST", "/organisations", {"name": "X"})).status == 403
        assert (await client("DELETE", path)).status == 403


@pytest.mark.parametrize(("more", "field"), [
    ({"countries": ["DE", "AT"]}, "countries"), ({"country": "AT"}, "country"),
    ({"callsPerMinute": 2001}, "callsPerMinute"),
    ({"callsPerHour": 10_001}, "callsPerHour"), ({"callsPerDay": 50_001}, "callsPerDay")])
async def test_its_own_token_does_not_widen_where_and_how_often_it_may_call(
        site: DirectorySite, more: dict[str, Any], field: str) -> None:
    path = f"/organisations/{site.org.id}"
    own = (await site.api("GET", path)).body
    refused = await site.api("PUT", path, {**own, **more})
    assert (refused.status, refused.fields) == (403, [field])
    assert (await site.api("GET", path)).body == own
    assert (await site.system("PUT", path, {**own, **more})).status == 200


async def test_hotlines_speak_the_organisations_new_language(site: DirectorySite) -> None:
    await site.org.hotline()
    [hotline] = await site.world.hotlines.unready()
    await site.world.hotlines.mark_ready(hotline, "cache/a", "cache/b", None)
    path = f"/organisations/{site.org.id}"
    own = (await site.api("GET", path)).body
    await site.api("PUT", path, {**own, "name": "Wehr"})
    assert await site.world.hotlines.unready() == []
    await site.api("PUT", path, {**own, "language": "fr"})
    assert [it.language for it in await site.world.hotlines.unready()] == ["fr"]


@pytest.mark.parametrize("wrong, field", [
    ({}, "name"), ({"name": "a" * 129}, "name"), ({"name": "a", "country": "XX"}, "country"),
    ({"name": "a", "country": "de"}, "country"), ({"name": "a", "language": "pl"}, "language"),
    ({"name": "a", "countries": ["DE", "XX"]}, "countries[1]"), ({"name": "a", "callsPerMinute": 0}, "callsPerMinute"),
    ({"name": "a", "callsPerDay": 2**31}, "callsPerDay"), ({"name": "a\0"}, "name"),
])
async def test_what_is_wrong_with_an_organisation_is_named(
        site: DirectorySite, wrong: dict[str, Any], field: str) -> None:
    for answer in (await site.system("POST", "/organisations", wrong),
                   await site.api("PUT", f"/organisations/{site.org.id}", wrong)):
        assert (answer.status, answer.fields) == (400, [field])


async def test_an_organisation_with_hotlines_or_history_stays(site: DirectorySite) -> None:
    path = f"/organisations/{site.org.id}"
    hotline = await site.org.hotline()
    await _alarm(site)
    refused = await site.system("DELETE", path)
    assert (refused.status, refused.fields) == (409, ["id"]) and "hotlines: 1, alarms: 1" in refused.body["detail"]
    await site.world.write_log(hotline, NOON)
    await site.world.directory.delete_hotline(site.org.id, hotline.hotline_id)
    await site.pool.execute("DELETE FROM alarms")
    refused = await site.system("DELETE", path)
    assert refused.status == 409 and refused.body["detail"].endswith("callLogs: 1")
    await site.pool.execute("DELETE FROM call_log_entries")
    await site.pool.execute("DELETE FROM call_logs")
    await site.pool.execute("INSERT INTO spools (organisation_id, transmission_id) VALUES ($1, 1)", site.org.id)
    refused = await site.system("DELETE", path)
    assert refused.status == 409 and refused.body["detail"].endswith("spools: 1")
    assert (await site.api("GET", path)).status == 200


async def test_a_removed_organisation_leaves_nothing_but_its_numbers(site: DirectorySite) -> None:
    """Also with a deleted hotline that nobody called, and without touching another organisation."""
    other = await site.other()
    await _one_of_everything(other)
    before = await _rows(site, other.org.id)
    await _one_of_everything(site)
    hotline = await site.org.hotline()
    await site.world.directory.delete_hotline(site.org.id, hotline.hotline_id)
    assert (await site.system("DELETE", f"/organisations/{site.org.id}")).status == 204
    assert set((await _rows(site, site.org.id)).values()) == {0}
    assert await _rows(site, other.org.id) == before and min(before.values()) > 0
    free = [it["number"] for it in await site.system.all("/numbers") if it["use"] == "free"]
    assert hotline.number in free and len(free) == len(set(free)) == 3


async def test_a_system_token_does_nothing_else(site: DirectorySite) -> None:
    tried = 0
    for operation in (*frame.routes.operations, *first_responder.operations):
        if operation.also_system:
            continue
        path = re.sub(r"\{\w+\}", str(site.org.users[0]), operation.path)
        answer = await site.system(operation.method, site.api.url.removesuffix(frame.PREFIX) + path)
        assert answer.status == 403, (operation.method, path)
        tried += 1
    assert tried > 30
    assert {it.path for it in frame.routes.operations if it.also_system} == {
        frame.PREFIX + path for path in ("/organisations", "/organisations/{id}", "/numbers", "/numbers/{number}")}


async def _alarm(site: DirectorySite) -> None:
    await site.pool.execute(
        "INSERT INTO alarms (organisation_id, needed, plan, request) VALUES ($1, 1, '{}', '{}')", site.org.id)


async def _one_of_everything(site: DirectorySite) -> None:
    org = site.org.id
    user, person = await site.somebody(allow_admins=True)
    await person.made(f"/users/{user}/phones", {"name": "A", "number": "+4930555123"})
    contact = await site.api.made("/contacts", {"firstName": "Anna"})
    group = await site.api.made("/contact-groups", {"name": "Nord"})
    for member in ({"userID": user}, {"contactID": contact["id"]}):
        await site.api.made(f"/contact-groups/{group['id']}/members", member)
    assert (await site.api("POST", "/recordings", data=wav(), headers={"Content-Type": "audio/wav"},
                           name="A")).status == 201
    await site.api.made("/numbers", {})
    hook = await site.pool.fetchval(
        "INSERT INTO webhooks (organisation_id, url, types, secrets) VALUES ($1, 'https://a.de', '{}', '[]') "
        "RETURNING id", org)
    await site.pool.execute("INSERT INTO webhook_deliveries (organisation_id, webhook_id, message_id, type, body) "
                            "VALUES ($1, $2, $3, 'a', 'b')", org, hook, str(uuid.uuid4()))
    await site.pool.execute("INSERT INTO idempotency_keys (organisation_id, key, request_digest) "
                            "VALUES ($1, 'k', 'd')", org)
    await site.pool.execute("INSERT INTO events (organisation_id, at, type, data) VALUES ($1, now(), 'a', '{}')", org)
    # of the ICTCore API
    for made in (
        "INSERT INTO accounts (organisation_id, username) VALUES ($1, 'desk')",
        "INSERT INTO roles (organisation_id, name) VALUES ($1, 'clerk')",
        "INSERT INTO permissions (organisation_id, name) VALUES ($1, 'clerk')",
        "INSERT INTO documents (organisation_id, name) VALUES ($1, 'letter')",
        "INSERT INTO templates (organisation_id, name, subject, body) VALUES ($1, 'mail', 'subject', 'body')",
        "INSERT INTO texts (organisation_id, name, data) VALUES ($1, 'text', 'data')",
        "INSERT INTO programs (organisation_id, name, type) VALUES ($1, 'p', 'voicemessage')",
        "INSERT INTO campaigns (organisation_id, program_id, group_id, status) VALUES ($1, 1, 1, 'running')",
        "INSERT INTO transmissions (organisation_id, contact_id, program_id, campaign_id) "
        "SELECT $1, 1, program_id, id FROM campaigns WHERE organisation_id = $1",
        "WITH l AS (INSERT INTO dnc_lists (organisation_id, name) VALUES ($1, 'd') RETURNING id) "
        "INSERT INTO dnc_numbers (list_id, number) SELECT id, '+4930555' FROM l",
        "INSERT INTO schedules (organisation_id, type, action, data) VALUES ($1, 'campaign', 'start', 1)",
        "INSERT INTO sensaphone_sessions (digest, organisation_id, user_id, token_version, expires_at) "
        "SELECT sha256(name::bytea), organisation_id, id, 1, now() FROM users WHERE organisation_id = $1 LIMIT 1",
        "INSERT INTO providers (organisation_id, name, type, gateway_flag, service_flag, node_id, host, port, "
        "username, password, dialstring, prefix, settings, register, weight, active, channels, cps) "
        "VALUES ($1, 'p', 'sip', 1, 3, 1, 'sip.example.org', 5060, 'joe', '', '', '', '', false, 0, false, 0, 0)",
    ):
        await site.pool.execute(made, org)


async def _rows(site: DirectorySite, organisation_id: int) -> dict[str, int]:
    """How many rows of each table are the organisation's; of those that hold no calls."""
    tables = [row["table_name"] for row in await site.pool.fetch(
        "SELECT table_name FROM information_schema.columns JOIN information_schema.tables USING (table_name) "
        "WHERE column_name = 'organisation_id' AND table_type = 'BASE TABLE' AND columns.table_schema = 'public'")]
    calls = {"hotlines", "calls", "call_logs", "call_log_entries", "telephone_records", "alarms", "alarm_recipients",
             "alarm_attempts", "alarm_notes", "alarm_orders", "spools", "results"}
    return {table: await site.pool.fetchval(
        f"SELECT count(*) FROM {table} WHERE organisation_id = $1", organisation_id)  # noqa: S608 - names of ours
        for table in tables if table not in calls}


async def test_a_removed_organisation_is_unknown(site: DirectorySite) -> None:
    assert (await site.system("DELETE", f"/organisations/{UNKNOWN}")).status == 404


async def test_an_address_abroad_opens_no_country(site: DirectorySite) -> None:
    """An admin writes the address himself; where may be called only a system token widens."""
    abroad, url = "+37120123456", site.root + "/api/v1/first-responder"
    moved = await site.api("POST", url + "/sip-customer", {
        "city": "Riga", "country": "LV", "cityCode": "1010", "name": "x", "street": "x", "streetHousenumber": 1,
        "organizationID": site.org.id})
    assert moved.status == 200
    await site.pool.execute("INSERT INTO numbers (number, organisation_id) VALUES ('+4930100', $1)", site.org.id)
    alarm = await site.api("POST", "/alarms", {
        "organizationID": site.org.id, "message": {"de": "Brand."}, "recipients": [{"phone": abroad}]})
    assert (alarm.status, alarm.body["type"]) == (422, "urn:ringward:problem:country-not-allowed")


@pytest.mark.parametrize("number", ["+4990012345678", "+881612345678", "+49112"])
async def test_no_phone_becomes_an_agents_that_no_alarm_would_dial(site: DirectorySite, number: str) -> None:
    user = site.org.users[0]
    await site.pool.execute("UPDATE users SET allow_admins = true WHERE id = $1", user)
    phones, agents = f"/users/{user}/phones", f"{site.root}/api/v1/first-responder/agents?organization_id={site.org.id}"
    new = {"isActive": True, "name": "x", "phone": number, "userID": user}
    assert (await site.api("POST", phones, {"name": "x", "number": number})).status in (400, 422)
    assert (await site.api("POST", agents, new)).status == 400
    old = await site.org.phone(user, number)        # of before this was checked: what is not its number may change
    for wanted, status in (({"name": "x", "number": number, "isActive": False}, 200),
                           ({"name": "x", "number": "+881612345679"}, 422)):
        if number != "+49112":
            assert (await site.api("PUT", f"{phones}/{old}", wanted)).status == status
