"""Contacts and groups below `/ringward/v1`, on a real Postgres over real HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.directory_site import UNKNOWN, DirectorySite, directory_site


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[DirectorySite]:
    async with directory_site(database_url) as made:
        yield made


async def test_a_contact_is_made_read_changed_and_deleted(site: DirectorySite) -> None:
    body = {"firstName": "Anna", "lastName": "Ärmel", "phone": "030 555-123", "morePhones": ["0049 170 1234567"],
            "email": "anna@example.org", "address": "Weg 1\n10115 Berlin", "custom1": "a", "custom2": "b",
            "custom3": "c", "description": "hört\tschlecht", "language": "pl", "timeZone": "Europe/Berlin"}
    made = await site.api.made("/contacts", body)
    assert made == {**body, "id": made["id"], "morePhones": ["+491701234567"]}
    assert await site.pool.fetchval("SELECT number FROM contacts WHERE id = $1", made["id"]) == "+4930555123"

    path = f"/contacts/{made['id']}"
    changed = await site.api("PUT", path, {**made, "phone": "", "morePhones": []})
    assert changed.status == 200 and (await site.api("GET", path)).body == changed.body == {
        **made, "phone": "", "morePhones": []}
    emptied = await site.api("PUT", path, {"email": "anna@example.org"})
    assert emptied.body["firstName"] == "" and emptied.body["language"] is None

    assert (await site.api("DELETE", path)).status == 204
    assert [(await site.api(method, path, body if method == "PUT" else None)).status
            for method in ("GET", "PUT", "DELETE")] == [404, 404, 404]


async def test_numbers_of_a_contact_are_kept_once(site: DirectorySite) -> None:
    phones = ["+49 30 555123", "030 555124", "+4930555124"]
    made = await site.api.made("/contacts", {"phone": "030/555123", "morePhones": phones})
    assert (made["phone"], made["morePhones"]) == ("030/555123", ["+4930555124"])


async def test_lists_have_pages(site: DirectorySite) -> None:
    other = await site.other()
    await other.api.made("/contacts", {"firstName": "elsewhere"})
    for n in range(5):
        await site.api.made("/contacts", {"firstName": f"n{n}"})
        await site.api.made("/contact-groups", {"name": f"g{n}"})
    for path, field in (("/contacts", "firstName"), ("/contact-groups", "name")):
        first = (await site.api("GET", path, limit=2)).body
        assert len(first["items"]) == 2 and first["nextCursor"]
        assert [it[field][1:] for it in await site.api.all(path, limit=2)] == list("01234")
    assert (await site.api("GET", "/contacts", cursor="x!")).fields == ["cursor"]


@pytest.mark.parametrize("wrong, field", [
    ({"phone": "12"}, "phone"), ({"phone": "030 555x123"}, "phone"), ({"phone": "+49" + "1" * 30}, "phone"),
    ({"phone": "030 555123", "morePhones": ["030 555124", "1"]}, "morePhones[1]"),
    ({"morePhones": ["030 5551234"] * 11, "firstName": "a"}, "morePhones"),
    ({"firstName": "a" * 65}, "firstName"), ({"firstName": "a\nb"}, "firstName"), ({"lastName": "a\0b"}, "lastName"),
    ({"firstName": 1}, "firstName"), ({"firstName": None}, "firstName"), ({"email": "anna"}, "email"),
    ({"email": f"{'a' * 60}@b.de"}, "email"), ({"firstName": "a", "address": "a\0"}, "address"),
    ({"firstName": "a", "description": "d" * 256}, "description"),
    ({"firstName": "a", "custom3": "c" * 129}, "custom3"),
    ({"firstName": "a", "language": "deu"}, "language"), ({"firstName": "a", "timeZone": "Berlin"}, "timeZone"),
    ({"firstName": "a", "timeZone": "../etc/passwd"}, "timeZone"), ({"firstName": "a", "nickname": "b"}, "nickname"),
    ({}, "body"), ({"firstName": " ", "phone": " "}, "body"), ({"firstName": "\ud800"}, "firstName"),
])
async def test_what_is_wrong_with_a_contact_is_named(site: DirectorySite, wrong: dict[str, Any], field: str) -> None:
    answer = await site.api("POST", "/contacts", wrong)
    assert answer.status == 400 and field in answer.fields
    assert await site.api.all("/contacts") == []


async def test_a_group_has_contacts_and_users(site: DirectorySite) -> None:
    anna = await site.api.made("/contacts", {"firstName": "Anna", "lastName": "Ärmel"})
    bert = await site.api.made("/contacts", {"email": "bert@example.org"})
    group = await site.api.made("/contact-groups", {"name": "Löschzug", "description": "Nord"})
    assert group["memberCount"] == 0
    path = f"/contact-groups/{group['id']}"
    user = site.org.users[0]

    members = [await site.api.made(f"{path}/members", one)
               for one in ({"contactID": anna["id"]}, {"userID": user}, {"contactID": bert["id"]})]
    assert [(it["contactID"], it["userID"], it["name"]) for it in members] == [
        (anna["id"], None, "Anna Ärmel"), (None, user, f"user0.{site.org.id}"), (bert["id"], None, "")]
    again = await site.api("POST", f"{path}/members", {"userID": user})
    assert (again.status, again.body) == (200, members[1])
    assert await site.api.all(f"{path}/members", limit=2) == members
    assert await site.api.all("/contacts", groupID=group["id"], limit=1) == [anna, bert]
    assert (await site.api("GET", path)).body["memberCount"] == 3

    renamed = await site.api("PUT", path, {**group, "name": "Löschzug 2"})
    assert renamed.body == {**group, "name": "Löschzug 2", "memberCount": 3}
    assert (await site.api("DELETE", f"{path}/members/{members[0]['id']}")).status == 204
    assert (await site.api("DELETE", f"{path}/members/{members[0]['id']}")).status == 404
    assert (await site.api("DELETE", f"/contacts/{bert['id']}")).status == 204
    assert await site.api.all(f"{path}/members") == [members[1]]

    assert (await site.api("DELETE", path)).status == 204
    assert (await site.api("GET", f"{path}/members")).status == 404
    assert await site.api.all("/contacts") == [anna]
    assert await site.world.directory.user(site.org.id, user)


async def test_a_member_is_one_person_of_the_organisation(site: DirectorySite) -> None:
    other = await site.other()
    foreign = await other.api.made("/contacts", {"firstName": "Zoe"})
    group = await site.api.made("/contact-groups", {"name": "Nord"})
    path = f"/contact-groups/{group['id']}/members"
    for wrong, field in (({}, "body"), ({"contactID": 1, "userID": 1}, "body"), ({"contactID": "1"}, "contactID"),
                         ({"contactID": foreign["id"]}, "contactID"), ({"userID": other.org.users[0]}, "userID"),
                         ({"contactID": UNKNOWN}, "contactID")):
        answer = await site.api("POST", path, wrong)
        assert (answer.status, answer.fields) == (400, [field]), wrong
    assert await site.api.all(path) == []


async def test_people_of_another_organisation_are_not_there(site: DirectorySite) -> None:
    other = await site.other()
    contact = await site.api.made("/contacts", {"firstName": "Anna"})
    group = await site.api.made("/contact-groups", {"name": "Nord"})
    member = await site.api.made(f"/contact-groups/{group['id']}/members", {"contactID": contact["id"]})
    mine = await other.api.made("/contacts", {"firstName": "Zoe"})
    own_group = await other.api.made("/contact-groups", {"name": "Süd"})
    in_group = f"/contact-groups/{group['id']}/members"
    for method, path, body in (
        ("GET", f"/contacts/{contact['id']}", None), ("PUT", f"/contacts/{contact['id']}", {"firstName": "X"}),
        ("DELETE", f"/contacts/{contact['id']}", None), ("GET", f"/contact-groups/{group['id']}", None),
        ("PUT", f"/contact-groups/{group['id']}", {"name": "X"}), ("DELETE", f"/contact-groups/{group['id']}", None),
        ("GET", in_group, None), ("POST", in_group, {"contactID": mine["id"]}),
        ("GET", f"{in_group}/{member['id']}", None), ("DELETE", f"{in_group}/{member['id']}", None),
        ("DELETE", f"/contact-groups/{own_group['id']}/members/{member['id']}", None),
    ):
        assert (await other.api(method, path, body)).status == 404, (method, path)
    assert await other.api.all("/contacts", groupID=group["id"]) == []
    assert await site.api.all("/contacts") == [contact]
    assert (await site.api("GET", f"/contact-groups/{group['id']}")).body == {**group, "memberCount": 1}


async def test_only_admins_see_and_keep_people(site: DirectorySite) -> None:
    contact = await site.api.made("/contacts", {"firstName": "Anna"})
    _, user = await site.somebody()
    _, admin = await site.somebody(is_admin=True)
    for path in ("/contacts", "/contact-groups", f"/contacts/{contact['id']}"):
        assert [(await one("GET", path)).status for one in (user, site.system, admin)][:2] == [403, 403]
    assert (await user("POST", "/contacts", {"firstName": "X"})).status == 403
    assert (await user("DELETE", f"/contacts/{contact['id']}")).status == 403
    assert (await admin("GET", f"/contacts/{contact['id']}")).body == contact
