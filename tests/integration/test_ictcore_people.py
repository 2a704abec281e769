"""Contacts and groups of the ICTCore API, on a real Postgres over real HTTP. Named by the sections of its guide."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.directory_site import Client
from tests.ictcore_site import UNKNOWN, IctcoreSite, ictcore_site, says

ANNA = {"first_name": "Anna", "last_name": "Ärmel", "phone": "030 555-123", "email": "anna@example.org",
        "address": "Weg 1\nBerlin", "custom1": "a", "custom2": "b", "custom3": "c", "description": "d"}


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[IctcoreSite]:
    async with ictcore_site(database_url) as made:
        yield made


async def contact(client: Client, **fields: Any) -> int:
    answer = await client("POST", "/contacts", {"phone": "0301234567", **fields})
    assert answer.status == 200, answer
    return int(answer.body["contact_id"])


async def group(client: Client, name: str = "Nord") -> int:
    answer = await client("POST", "/groups", {"name": name})
    assert answer.status == 200, answer
    return int(answer.body["group_id"])


async def ids(client: Client, path: str, member: str, **query: Any) -> list[int]:
    answer = await client("GET", path, **query)
    assert answer.status == 200, answer
    return [it[member] for it in answer.body]


# --- Collection of Contacts [/contacts]

async def test_create_new_contact(site: IctcoreSite) -> None:
    made = await site.admin("POST", "/contacts", ANNA)
    assert made.status == 200 and made.body.keys() == {"contact_id"}
    contact_id = made.body["contact_id"]
    assert (await site.admin("GET", f"/api/contacts/{contact_id}")).body == {"contact_id": contact_id, **ANNA}
    in_directory = (await site.directory.api("GET", f"/contacts/{contact_id}")).body
    assert (in_directory["firstName"], in_directory["phone"]) == ("Anna", "030 555-123")
    assert await site.pool.fetchval("SELECT number FROM contacts WHERE id = $1", contact_id) == "+4930555123"


async def test_a_phone_is_kept_as_given(site: IctcoreSite) -> None:
    for given, stored in ((3001234567, "3001234567"), ("03001234567", "03001234567"),
                          (" +49 (30) 1234567", " +49 (30) 1234567")):
        contact_id = await contact(site.admin, phone=given)
        assert (await site.admin("GET", f"/contacts/{contact_id}")).body["phone"] == stored


async def test_what_is_wrong_with_a_contact_is_412(site: IctcoreSite) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "phone"), ({"first_name": "Anna"}, "phone"), ({"phone": "12"}, "phone"), ({"phone": "x"}, "phone"),
        ({"phone": 30.5}, "phone"), ({"phone": True}, "phone"), ({"email": "anna"}, "email"),
        ({"phone": "0301234567", "first_name": "a" * 65}, "first_name"),
        ({"phone": "0301234567", "custom1": "a\0"}, "custom1")]
    for body, names in wrong:
        code, message = says(await site.admin("POST", "/contacts", body))
        assert code == 412 and message.startswith(f"Data validation failed, for {names}"), body
    assert await ids(site.admin, "/contacts", "contact_id") == []


async def test_a_create_that_is_sent_again_makes_nothing_new(site: IctcoreSite) -> None:
    answers = [await site.admin("POST", path, {"phone": "0301234567", "name": "Nord"},
                                headers={"Idempotency-Key": path}) for path in ("/contacts", "/groups") * 2]
    assert answers[0].body == answers[2].body and answers[1].body == answers[3].body
    assert len(await ids(site.admin, "/contacts", "contact_id")) == 1


async def test_get_all_contacts_with_filters(site: IctcoreSite) -> None:
    anna = await contact(site.admin, first_name="Anna", last_name="Ärmel", phone="030 555123", email="a@example.org")
    bert = await contact(site.admin, first_name="Bert_", phone="030 555124")
    nord = await group(site.admin)
    await site.admin("PUT", f"/contacts/{bert}/link/{nord}")
    for query, expected in (
        ({}, [anna, bert]), ({"first_name": "nn"}, [anna]), ({"last_name": "RMEL"}, [anna]), ({"phone": "124"}, [bert]),
        ({"phone": "555"}, []), ({"email": "a@example.org"}, [anna]), ({"email": "example"}, []),
        ({"first_name": "_"}, [bert]), ({"contact_id": bert}, [bert]), ({"group_id": nord}, [bert]),
        ({"group_id": "x"}, []), ({"nonsense": 1}, [anna, bert]), ({"user_id": site.admin_id}, [anna, bert]),
        ({"user_id": UNKNOWN}, []), ({"after": 2_000_000_000_0}, []), ({"pagesize": 1, "pageindex": 1}, [bert]),
    ):
        assert await ids(site.admin, "/contacts", "contact_id", **query) == expected, query


# --- Single Contact [/contacts/{contact_id}]

async def test_update_contacts(site: IctcoreSite) -> None:
    contact_id = await contact(site.admin, **ANNA)
    path = f"/contacts/{contact_id}"
    changed = await site.admin("PUT", path, {"last_name": "Berg", "phone": "030 555124", "custom1": None})
    assert changed.body == {"contact_id": contact_id, **ANNA, "last_name": "Berg", "phone": "030 555124"}
    assert (await site.admin("GET", path)).body == changed.body
    assert await site.pool.fetchval("SELECT number FROM contacts WHERE id = $1", contact_id) == "+4930555124"
    assert (await site.admin("PUT", path, changed.body)).body == changed.body
    assert (await site.admin("PUT", path, {"phone": ""})).body["phone"] == ""
    assert await site.pool.fetchval("SELECT number FROM contacts WHERE id = $1", contact_id) is None
    assert says(await site.admin("PUT", path, {"email": ""}))[0] == 412
    assert says(await site.admin("PUT", path, {"phone": "1"}))[0] == 412
    assert says(await site.admin("PUT", f"/contacts/{UNKNOWN}", {"email": ""})) == (404, "Contact not found")


async def test_what_the_directory_alone_knows_of_a_contact_stays(site: IctcoreSite) -> None:
    made = await site.directory.api.made("/contacts", {
        "firstName": "Anna", "morePhones": ["+4930555124", "+4930555125"], "language": "pl"})
    assert (await site.admin("PUT", f"/contacts/{made['id']}", {"last_name": "Berg"})).body["last_name"] == "Berg"
    await site.admin("PUT", f"/contacts/{made['id']}", {"phone": "030 555124"})
    after = (await site.directory.api("GET", f"/contacts/{made['id']}")).body
    assert (after["lastName"], after["morePhones"], after["language"]) == ("Berg", ["+4930555125"], "pl")


async def test_delete_contact(site: IctcoreSite) -> None:
    contact_id, group_id = await contact(site.admin), await group(site.admin)
    await site.admin("PUT", f"/contacts/{contact_id}/link/{group_id}")
    deleted = await site.admin("DELETE", f"/contacts/{contact_id}")
    assert (deleted.status, deleted.body) == (200, None)
    assert [says(await site.admin(method, f"/contacts/{contact_id}"))[0] for method in ("GET", "PUT", "DELETE")] == [
        404, 404, 404]
    assert (await site.admin("GET", f"/groups/{group_id}")).body["contact_total"] == 0


# --- Contact association with group [/contacts/{contact_id}/link/{group_id}]

async def test_create_and_delete_association(site: IctcoreSite) -> None:
    contact_id, group_id = await contact(site.admin, first_name="Anna"), await group(site.admin)
    path = f"/contacts/{contact_id}/link/{group_id}"
    for _ in range(2):
        linked = await site.admin("PUT", path)
        assert linked.status == 200 and linked.body["contact_id"] == contact_id
    assert (await site.admin("GET", f"/groups/{group_id}")).body["contact_total"] == 1
    for _ in range(2):
        assert (await site.admin("DELETE", path)).body["contact_id"] == contact_id
    assert await ids(site.admin, f"/groups/{group_id}/contacts", "contact_id") == []
    assert says(await site.admin("PUT", f"/contacts/{UNKNOWN}/link/{group_id}")) == (404, "Contact not found")
    assert says(await site.admin("PUT", f"/contacts/{contact_id}/link/{UNKNOWN}")) == (404, "Group not found")


# --- Collection of Groups [/groups], Single Group [/groups/{group_id}]

async def test_groups(site: IctcoreSite) -> None:
    made = await site.admin("POST", "/groups", {"name": "Löschzug", "description": "Nord", "contact_total": 7})
    assert made.body.keys() == {"group_id"}
    group_id = made.body["group_id"]
    path = f"/groups/{group_id}"
    whole = {"id": group_id, "group_id": group_id, "name": "Löschzug", "description": "Nord", "contact_total": 0}
    assert (await site.admin("GET", path)).body == whole
    assert (await site.admin("PUT", path, {"name": "Süd"})).body == {**whole, "name": "Süd"}
    assert (await site.admin("PUT", path, {"description": ""})).body == {**whole, "name": "Süd", "description": ""}
    other = await group(site.admin, "West")
    assert await ids(site.admin, "/groups", "group_id") == [group_id, other]
    assert await ids(site.admin, "/groups", "id", name="üD") == [group_id]
    assert await ids(site.admin, "/groups", "id", group_id=other) == [other]
    for wrong in ({}, {"name": " "}, {"name": "n" * 129}):
        assert says(await site.admin("POST", "/groups", wrong))[0] == 412
    deleted = await site.admin("DELETE", path)
    assert (deleted.status, deleted.body) == (200, None)
    assert [says(await site.admin(method, path)) for method in ("GET", "PUT", "DELETE")] == [
        (404, "Group not found")] * 3


async def test_deleting_a_group_leaves_its_contacts(site: IctcoreSite) -> None:
    contact_id, group_id = await contact(site.admin), await group(site.admin)
    await site.admin("PUT", f"/contacts/{contact_id}/link/{group_id}")
    await site.admin("DELETE", f"/groups/{group_id}")
    assert await ids(site.admin, "/contacts", "contact_id") == [contact_id]


# --- Group's Contacts collection [/groups/{group_id}/contacts]

async def test_get_all_contacts_from_group(site: IctcoreSite) -> None:
    anna, bert, _ = [await contact(site.admin, first_name=name) for name in ("Anna", "Bert", "Zoe")]
    group_id = await group(site.admin)
    for one in (bert, anna):
        await site.admin("PUT", f"/contacts/{one}/link/{group_id}")
    await site.directory.api("POST", f"/contact-groups/{group_id}/members", {"userID": site.directory.org.users[0]})
    path = f"/groups/{group_id}/contacts"
    assert await ids(site.admin, path, "contact_id") == [anna, bert]
    assert await ids(site.admin, path, "contact_id", first_name="b", group_id=UNKNOWN) == [bert]
    assert (await site.admin("GET", f"/groups/{group_id}")).body["contact_total"] == 2
    assert says(await site.admin("GET", f"/groups/{UNKNOWN}/contacts"))[0] == 404


# --- who sees what

async def test_users_see_their_own_and_admins_everybodys(site: IctcoreSite) -> None:
    (_, one), (_, two) = await site.user(), await site.user()
    _, all_contacts = await site.holding("contact", "contact_admin", "group")
    mine, my_group = await contact(one), await group(one)
    theirs, their_group = await contact(two), await group(two)
    for client, seen in ((one, [mine]), (two, [theirs]), (all_contacts, [mine, theirs]), (site.admin, [mine, theirs])):
        assert await ids(client, "/contacts", "contact_id") == seen
    assert await ids(one, "/groups", "group_id") == [my_group]
    assert await ids(site.admin, "/groups", "group_id") == [my_group, their_group]
    for method, path in (
        ("GET", f"/contacts/{mine}"), ("PUT", f"/contacts/{mine}"), ("DELETE", f"/contacts/{mine}"),
        ("GET", f"/groups/{my_group}"), ("PUT", f"/groups/{my_group}"), ("DELETE", f"/groups/{my_group}"),
        ("GET", f"/groups/{my_group}/contacts"), ("GET", f"/groups/{my_group}/csv"),
        ("PUT", f"/contacts/{mine}/link/{their_group}"), ("PUT", f"/contacts/{theirs}/link/{my_group}"),
        ("DELETE", f"/contacts/{mine}/link/{their_group}"),
    ):
        assert says(await two(method, path))[0] == 404, (method, path)
    assert (await site.admin("PUT", f"/contacts/{theirs}/link/{my_group}")).status == 200
    assert await ids(one, f"/groups/{my_group}/contacts", "contact_id") == []


async def test_another_organisation_sees_nothing(site: IctcoreSite) -> None:
    contact_id, group_id = await contact(site.admin), await group(site.admin)
    other = (await site.other()).admin
    own, own_group = await contact(other), await group(other)
    assert await ids(other, "/contacts", "contact_id", group_id=group_id) == []
    for method, path in (
        ("GET", f"/contacts/{contact_id}"), ("PUT", f"/contacts/{contact_id}"), ("DELETE", f"/groups/{group_id}"),
        ("PUT", f"/contacts/{own}/link/{group_id}"), ("PUT", f"/contacts/{contact_id}/link/{own_group}"),
        ("GET", f"/groups/{group_id}/csv"),
    ):
        assert says(await other(method, path))[0] == 404, (method, path)


async def test_every_operation_needs_its_permission(site: IctcoreSite) -> None:
    contact_id, group_id = await contact(site.admin), await group(site.admin)
    _, reader = await site.holding("contact_read", "contact_list", "group_read", "group_list")
    _, nobody = await site.holding("api")
    for method, path in (
        ("GET", "/contacts"), ("GET", f"/contacts/{contact_id}"), ("GET", "/groups"), ("GET", f"/groups/{group_id}"),
        ("GET", f"/groups/{group_id}/contacts"), ("GET", f"/groups/{group_id}/csv"), ("GET", "/groups/sample/csv")):
        assert says(await nobody(method, path))[0] == 403, (method, path)
        assert (await reader(method, path)).status in (200, 404), (method, path)
    for method, path in (
        ("POST", "/contacts"), ("PUT", f"/contacts/{contact_id}"), ("DELETE", f"/contacts/{contact_id}"),
        ("PUT", f"/contacts/{contact_id}/link/{group_id}"), ("DELETE", f"/contacts/{contact_id}/link/{group_id}"),
        ("POST", "/groups"), ("PUT", f"/groups/{group_id}"), ("DELETE", f"/groups/{group_id}"),
        ("POST", f"/groups/{group_id}/csv")):
        assert says(await reader(method, path))[0] == 403, (method, path)
