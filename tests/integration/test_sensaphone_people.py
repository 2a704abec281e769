"""Contacts and users of the Sensaphone.net API, and that its groups are those which alarms ring and campaigns dial."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.alarm_orders import equipped
from tests.ictcore_programs import Made
from tests.sensaphone_site import UNKNOWN, SensaphoneSite, sensaphone_site


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[SensaphoneSite]:
    async with sensaphone_site(database_url) as made:
        yield made


# --- contact

async def test_contacts_are_made_and_read_in_both_modes(site: SensaphoneSite) -> None:
    [first] = (await site.uri("POST", "contact/destination/%7B030%20555123%7D"))["contact"]
    [second, third] = (await site.json("create", contact=[
        {"destination": "anna@example.org", "description": "Anna"},
        {"destination": "+49 30 555124", "type": "voice", "description": "Bert", "enable": True,
         "schedule": None}]))["contact"]
    assert first.keys() == {"contact_id"}
    told = [
        {**first, "destination": "030 555123", "type": "voice", "description": "", "enable": True},
        {**second, "destination": "anna@example.org", "type": "email", "description": "Anna", "enable": True},
        {**third, "destination": "+49 30 555124", "type": "voice", "description": "Bert", "enable": True}]
    assert await site.uri("GET", "contact") == await site.json("read", contact=None) == {"contact": told}
    for it in told:
        assert await site.uri("GET", f"contact/{it['contact_id']}/") == {"contact": [it]}
        assert await site.json("read", contact={"contact_id": it["contact_id"]}) == {"contact": [it]}
    assert (await site.json("read", contact=[{"contact_id": third["contact_id"], "description": None}])) == {
        "contact": [{**third, "description": "Bert"}]}
    assert await site.pool.fetch("SELECT number, created_by FROM contacts ORDER BY id") == [
        ("+4930555123", site.user_id), (None, site.user_id), ("+4930555124", site.user_id)]


async def test_a_contact_of_another_api_is_described_by_its_name(site: SensaphoneSite) -> None:
    made = await site.ictcore.directory.api.made(
        "/contacts", {"firstName": "Anna", "lastName": "Ärmel", "phone": "030 1234567"})
    assert (await site.uri("GET", f"contact/{made['id']}"))["contact"] == [
        {"contact_id": made["id"], "destination": "030 1234567", "type": "voice", "description": "Anna Ärmel",
         "enable": True}]


@pytest.mark.parametrize("wrong, code, message", [
    ({}, 5, "contact[0].destination: is required"), ({"destination": ""}, 5, "contact[0].destination: "),
    ({"destination": "x" * 10_000}, 5, "contact[0].destination: must be a phone number or an e-mail address"),
    ({"destination": "030\n555"}, 5, "contact[0].destination: "),
    ({"destination": "12"}, 5, "contact[0].destination: "),
    ({"destination": "Anna"}, 5, "contact[0].destination: not a phone number"),
    ({"destination": "@x"}, 5, "contact[0].destination: must be an e-mail address"),
    ({"destination": "030 555123", "type": "email"}, 5, "contact[0].destination: must be an e-mail address"),
    ({"destination": "030 555123", "type": "fax"}, 5, "contact[0].type: must be voice or email"),
    ({"destination": "030 555123", "description": "d" * 256}, 5, "contact[0].description: "),
    ({"destination": "030 555123", "description": "\x7f"}, 5, "contact[0].description: "),
    ({"destination": "030 555123", "enable": False}, 5, "contact[0].enable: must be true"),
    ({"destination": "030 555123", "schedule": {}}, 5, "contact[0].schedule: is not supported"),
    ({"destination": "030 555123", "contact_id": 1}, 5, "contact[0].contact_id: is unknown here"),
])
async def test_what_is_wrong_with_a_contact_is_named_and_none_is_made(
    site: SensaphoneSite, wrong: dict[str, Any], code: int, message: str) -> None:
    answer = await site.asked("create", contact=[wrong])
    assert answer.failure[0] == code and answer.failure[1].startswith(message), answer.body
    two = await site.asked("create", contact=[{"destination": "030 555123"}, wrong])
    assert two.failure[1].startswith(message.replace("[0]", "[1]"))
    assert await site.uri("GET", "contact") == {"contact": []}


async def test_contacts_and_users_that_are_not_there_are_named(site: SensaphoneSite) -> None:
    contact = await site.contact()
    for asked, message in (
        ({"contact": [{"contact_id": contact}, {"contact_id": UNKNOWN}]}, "contact[1].contact_id: there is no contact"),
        ({"user": [{"user_id": UNKNOWN}]}, "user[0].user_id: there is no user"),
    ):
        code, told = (await site.asked("read", **asked)).failure
        assert code == 4 and told.startswith(message)
    for resource in ("contact", "user"):
        assert (await site.asked("delete", **{resource: []})).failure == (
            5, "request_type: must be read or create")


# --- user

async def test_users_are_made_and_read_in_both_modes(site: SensaphoneSite) -> None:
    [anna] = (await site.uri("POST", "user/name/anna"))["user"]
    [bert] = (await site.json("create", user={"name": "bert", "enable": False}))["user"]
    assert anna.keys() == {"user_id"}
    for one, name, enable in ((anna, "anna", True), (bert, "bert", False)):
        told = {"user": [{**one, "name": name, "enable": enable}]}
        assert await site.uri("GET", f"user/{one['user_id']}") == await site.json("read", user=[one]) == told
    everybody = await site.uri("GET", "user")
    assert await site.json("read", user=None) == everybody
    assert {it["user_id"] for it in everybody["user"]} >= {anna["user_id"], bert["user_id"], site.user_id}
    assert (await site.json("read", user=[{**anna, "name": None}])) == {"user": [{**anna, "name": "anna"}]}
    assert (await site.raw_json("login", {
        "request_type": "create", "user_name": "anna", "password": "correct horse"})).failure[0] == 3, "has no password"


async def test_a_name_that_is_taken_is_refused_and_nobody_is_made(site: SensaphoneSite) -> None:
    await site.uri("POST", "user/name/anna")
    before = await site.stored()
    answer = await site.asked("create", user=[{"name": "bert"}, {"name": "anna"}])
    assert answer.failure == (5, "user[1].name: is taken: names are unique in the system")
    for name in ("x" * 65, "a\nb", ""):
        assert (await site.asked("create", user=[{"name": name}])).failure[1].startswith("user[0].name: must be")
    assert await site.stored() == before


# --- one directory

async def test_a_group_made_here_is_the_same_row_in_every_api(site: SensaphoneSite) -> None:
    contact = await site.contact()
    group = await site.group(users=[{"user_id": site.user_id}], contacts=[{"contact_id": contact}])
    path = f"/contact-groups/{group}"
    assert (await site.ictcore.directory.api("GET", path)).body == {
        "id": group, "name": "Night Crew", "description": "", "memberCount": 2}
    members = await site.ictcore.directory.api.all(f"{path}/members")
    assert [(it["contactID"], it["userID"]) for it in members] == [(contact, None), (None, site.user_id)]
    told = (await site.ictcore.admin("GET", f"/groups/{group}/contacts")).body
    assert [it["contact_id"] for it in told] == [contact]
    await site.ictcore.directory.api("PUT", path, {"name": "Day Crew", "description": "d"})
    assert (await site.uri("PUT", f"contactgroup/{group}/name/Dusk"))["contactgroup"][0]["name"] == "Dusk"
    assert (await site.ictcore.directory.api("GET", path)).body["description"] == "d"


async def test_an_alarm_rings_the_members_of_a_group_made_here(site: SensaphoneSite) -> None:
    town = await equipped(site.ictcore.directory)
    contact, user = await site.contact("030 5556677"), town.users[0]
    group = await site.group(users=[{"user_id": user}], contacts=[{"contact_id": contact}])
    alarm = await town.posted(recipients=[{"groupID": group}])
    rows = await site.pool.fetch("SELECT user_id, contact_id, phones FROM alarm_recipients ORDER BY position")
    assert [tuple(row) for row in rows] == [
        (None, contact, ["+49305556677"]), (user, None, [town.phones[0]])]
    await site.uri("DELETE", f"contactgroup/{group}")
    assert await site.pool.fetch("SELECT user_id, contact_id, phones FROM alarm_recipients ORDER BY position") == rows
    assert (await town.site.api("GET", f"/alarms/{alarm['id']}")).body["state"] == "queued"
    gone = await town.post(recipients=[{"groupID": group}])
    assert (gone.status, gone.fields) == (400, ["recipients[0].groupID"])


async def test_a_wave_of_an_alarm_has_the_people_of_a_group_that_is_deleted_behind_it(site: SensaphoneSite) -> None:
    town = await equipped(site.ictcore.directory)
    group = await site.group(users=[{"user_id": town.users[0]}])
    alarm = await town.posted(strategy={"type": "waves", "waves": [{"afterS": 0, "groupIDs": [group]}, {"afterS": 60}]})
    await site.uri("DELETE", f"contactgroup/{group}")
    told = (await town.site.api("GET", f"/alarms/{alarm['id']}")).body
    assert told["request"]["strategy"]["waves"][0]["groupIDs"] == [group]
    stored = "SELECT group_ids FROM alarm_recipients WHERE user_id = $1"
    assert await site.pool.fetchval(stored, town.users[0]) == [group]


async def test_an_ictcore_campaign_dials_a_group_made_here(site: SensaphoneSite) -> None:
    admin = site.ictcore.admin
    made = await Made.all(site.ictcore, admin)
    await made.may_call()
    contacts = [{"contact_id": await site.contact(f"030 55566{n:02}")} for n in range(3)]
    group = await site.group(contacts=contacts, users=[{"user_id": site.user_id}])
    campaigns = [(await admin("POST", "/campaigns", {
        "program_id": await made.program(), "group_id": group})).body["campaign_id"] for _ in range(2)]
    assert (await admin("PUT", f"/campaigns/{campaigns[0]}/start")).body is True
    assert (await admin("GET", f"/campaigns/{campaigns[0]}")).body["contact_total"] == 3
    await site.json("delete", contactgroup=[{"group_id": group}])
    assert (await admin("GET", f"/campaigns/{campaigns[0]}")).body["status"] == "broken"
    refused = await admin("PUT", f"/campaigns/{campaigns[1]}/start")
    assert refused.status == 423 and "group" in refused.body["error"]["message"]
    told = (await site.ictcore.directory.api("GET", f"/campaigns/{campaigns[1]}")).body
    assert (told["status"], told["problem"]) == ("new", "its group was deleted")
