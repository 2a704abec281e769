"""The operations of the Sensaphone.net contactgroup page as it prints them, in both modes. Named by its sections."""

from collections.abc import AsyncIterator

import pytest

from tests.sensaphone_site import UNKNOWN, SensaphoneSite, sensaphone_site


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[SensaphoneSite]:
    async with sensaphone_site(database_url) as made:
        yield made


# --- GET

async def test_get_receive_all_contact_group_information(site: SensaphoneSite) -> None:
    contact = await site.contact()
    night = await site.group("Night Crew", users=[{"user_id": site.user_id}], contacts=[{"contact_id": contact}])
    day = await site.group("Day Crew")
    whole = {"contactgroup": [
        {"group_id": night, "name": "Night Crew", "users": [{"user_id": site.user_id}],
         "contacts": [{"contact_id": contact}]},
        {"group_id": day, "name": "Day Crew", "users": [], "contacts": []}]}
    assert await site.uri("GET", "contactgroup") == whole
    printed = """ {
  "acctid": $ACCTID,
  "session": "$SESSION",
  "request_type": "read",
  "contactgroup": null
 }"""
    answer = await site.raw_json("contactgroup", printed)
    assert answer.body == {"result": {"success": True, "code": 0, "message": "OK"}, "response": whole}
    assert answer.headers["Content-Type"].startswith("application/json")


async def test_get_receive_all_contact_ids_in_a_given_contact_group(site: SensaphoneSite) -> None:
    contacts = [{"contact_id": await site.contact(f"030 55512{n}")} for n in range(3)]
    group = await site.group(users={"user_id": site.user_id}, contacts=contacts)
    told = {"contactgroup": [{"group_id": group, "contacts": contacts}]}
    assert await site.uri("GET", f"contactgroup/{group}/contacts/") == told
    assert await site.json("read", contactgroup=[{"group_id": group, "contacts": None}]) == told


async def test_get_by_the_grammar_of_paths(site: SensaphoneSite) -> None:
    group = await site.group(users=[{"user_id": site.user_id}])
    for path, asked, told in (
        ("", {}, {"name": "Night Crew", "users": [{"user_id": site.user_id}], "contacts": []}),
        ("/users", {"users": None}, {"users": [{"user_id": site.user_id}]}),
        ("/name", {"name": None}, {"name": "Night Crew"}),
    ):
        whole = {"contactgroup": [{"group_id": group, **told}]}
        assert await site.uri("GET", f"contactgroup/{group}{path}") == whole
        assert await site.json("read", contactgroup=[{"group_id": group, **asked}]) == whole


async def test_get_a_property_of_every_group(site: SensaphoneSite) -> None:
    night, day = await site.group("Night Crew"), await site.group("Day Crew")
    assert await site.json("read", contactgroup=[{"name": None}]) == {"contactgroup": [
        {"group_id": night, "name": "Night Crew"}, {"group_id": day, "name": "Day Crew"}]}
    assert await site.json("read", contactgroup=[{"group_id": day, "name": None}, {"group_id": night}]) == {
        "contactgroup": [{"group_id": day, "name": "Day Crew"},
                         {"group_id": night, "name": "Night Crew", "users": [], "contacts": []}]}


# --- PUT

async def test_put_edit_the_group_name(site: SensaphoneSite) -> None:
    group = await site.group(users=[{"user_id": site.user_id}])
    assert await site.uri("PUT", f"contactgroup/{group}/name/Day%20Crew") == {
        "contactgroup": [{"group_id": group, "name": "Day Crew"}]}
    assert [it["name"] for it in await site.groups()] == ["Day Crew"]
    assert await site.json("update", contactgroup=[{"group_id": group, "name": "Dusk Crew"}]) == {
        "contactgroup": [{"group_id": group, "name": "Dusk Crew"}]}
    assert await site.groups() == [
        {"group_id": group, "name": "Dusk Crew", "users": [{"user_id": site.user_id}], "contacts": []}]


async def test_put_edits_several_groups_or_none(site: SensaphoneSite) -> None:
    one, two = await site.group("one"), await site.group("two")
    names = [{"group_id": one, "name": "1"}, {"group_id": two, "name": "2"}]
    wrong = await site.asked("update", contactgroup=[*names, {"group_id": UNKNOWN, "name": "3"}])
    assert wrong.failure == (4, f"contactgroup[2].group_id: there is no group {UNKNOWN}")
    assert [it["name"] for it in await site.groups()] == ["one", "two"]
    await site.json("update", contactgroup=names)
    assert [it["name"] for it in await site.groups()] == ["1", "2"]


# --- POST

async def test_post_create_a_new_contact_group(site: SensaphoneSite) -> None:
    made = await site.uri("POST", "contactgroup/name/Night%20Crew")
    [one] = made["contactgroup"]
    assert one == {"group_id": one["group_id"], "name": "Night Crew", "users": [], "contacts": []}
    [two] = (await site.json("create", contactgroup=[{"name": "Night Crew"}]))["contactgroup"]
    assert two["group_id"] != one["group_id"], "names need not be unique"
    assert await site.groups() == [one, two]


async def test_post_creates_a_group_with_all_values_in_one_step(site: SensaphoneSite) -> None:
    contacts = [{"contact_id": await site.contact(f"030 55512{n}")} for n in range(2)]
    made = await site.json("create", contactgroup=[
        {"name": "Night Crew", "users": [{"user_id": site.user_id}], "contacts": contacts}, {"name": "Day Crew"}])
    assert made["contactgroup"] == await site.groups()
    assert made["contactgroup"][0]["contacts"] == contacts


async def test_post_with_account_and_session_in_the_path_as_printed(site: SensaphoneSite) -> None:
    body = {"acctid": site.acctid, "session": site.session, "request_type": "create",
            "contactgroup": [{"name": "Night Crew"}]}
    for given in (body, {name: it for name, it in body.items() if name not in ("acctid", "session")}):
        answer = await site.raw_json(f"{site.acctid}/{site.session}/contactgroup", given)
        assert answer.response["contactgroup"][0]["name"] == "Night Crew"
    assert len(await site.groups()) == 2


async def test_post_add_an_existing_user_to_a_contact_group(site: SensaphoneSite) -> None:
    group, other = await site.group(), await site.somebody()
    assert await site.uri("POST", f"contactgroup/{group}/users/user_id/{site.user_id}") == {
        "contactgroup": [{"group_id": group, "users": [{"user_id": site.user_id}]}]}
    assert await site.json("create", contactgroup=[{"group_id": group, "users": [{"user_id": other.user_id}]}]) == {
        "contactgroup": [{"group_id": group, "users": [{"user_id": other.user_id}]}]}
    assert (await site.groups())[0]["users"] == [{"user_id": site.user_id}, {"user_id": other.user_id}]


async def test_post_add_an_existing_contact_to_contact_group(site: SensaphoneSite) -> None:
    group, anna, bert = await site.group(), await site.contact(), await site.contact("030 555124")
    assert await site.uri("POST", f"contactgroup/{group}/contacts/contact_id/{anna}") == {
        "contactgroup": [{"group_id": group, "contacts": [{"contact_id": anna}]}]}
    assert await site.json("create", contactgroup=[{"group_id": group, "contacts": [{"contact_id": bert}]}]) == {
        "contactgroup": [{"group_id": group, "contacts": [{"contact_id": bert}]}]}
    assert (await site.groups())[0]["contacts"] == [{"contact_id": anna}, {"contact_id": bert}]


async def test_post_who_is_in_it_stays_in_it(site: SensaphoneSite) -> None:
    contact = await site.contact()
    group = await site.group(contacts=[{"contact_id": contact}, {"contact_id": contact}])
    await site.uri("POST", f"contactgroup/{group}/contacts/contact_id/{contact}")
    assert (await site.groups())[0]["contacts"] == [{"contact_id": contact}]


# --- DELETE

async def test_delete_a_contact_group(site: SensaphoneSite) -> None:
    contact = await site.contact()
    one, two, three = [await site.group(contacts=[{"contact_id": contact}]) for _ in range(3)]
    assert await site.uri("DELETE", f"contactgroup/{one}") == {"contactgroup": []}
    assert await site.json("delete", contactgroup=[{"group_id": two}]) == {"contactgroup": []}
    assert [it["group_id"] for it in await site.groups()] == [three]
    assert (await site.asked("read", contactgroup=[{"group_id": one}])).failure == (
        4, f"contactgroup[0].group_id: there is no group {one}")
    assert await site.json("read", contact=[{"contact_id": contact}])


async def test_delete_with_the_container_as_printed(site: SensaphoneSite) -> None:
    group = await site.group(users=[{"user_id": site.user_id}])
    assert await site.json("delete", devicegroup=[{"group_id": group, "users": [{"user_id": site.user_id}]}])
    assert (await site.groups())[0]["users"] == []
    assert await site.json("delete", devicegroup=[{"group_id": group}]) == {"contactgroup": []}
    assert await site.groups() == []


async def test_delete_a_user_from_a_contact_group(site: SensaphoneSite) -> None:
    other = await site.somebody()
    group = await site.group(users=[{"user_id": site.user_id}, {"user_id": other.user_id}])
    assert await site.uri("DELETE", f"contactgroup/{group}/users/user_id/{site.user_id}") == {"contactgroup": []}
    assert (await site.groups())[0]["users"] == [{"user_id": other.user_id}]
    await site.json("delete", contactgroup=[{"group_id": group, "users": [{"user_id": other.user_id}]}])
    assert (await site.groups())[0]["users"] == []


async def test_delete_a_contact_from_a_contact_group(site: SensaphoneSite) -> None:
    contacts = [{"contact_id": await site.contact(f"030 55512{n}")} for n in range(3)]
    group = await site.group(contacts=contacts)
    path = f"contactgroup/{group}/contacts/contact_id/{contacts[0]['contact_id']}"
    assert await site.uri("DELETE", path) == {"contactgroup": []}
    await site.json("delete", contactgroup=[{"group_id": group, "contacts": contacts[1:2]}])
    assert (await site.groups())[0]["contacts"] == contacts[2:]
    code, message = (await site.raw_uri("DELETE", path)).failure
    assert code == 4 and message.startswith("contactgroup[0].contacts[0].contact_id:") and "not in group" in message


async def test_delete_is_all_or_nothing(site: SensaphoneSite) -> None:
    contact = await site.contact()
    one, two = await site.group("one", contacts={"contact_id": contact}), await site.group("two")
    before = await site.stored()
    for wrong in ([{"group_id": one}, {"group_id": UNKNOWN}], [{"group_id": two}, {
            "group_id": one, "contacts": [{"contact_id": contact}, {"contact_id": UNKNOWN}]}]):
        assert (await site.asked("delete", contactgroup=wrong)).failure[0] == 4
        assert await site.stored() == before
    await site.json("delete", contactgroup=[{"group_id": two}, {
        "group_id": one, "contacts": {"contact_id": contact}}])
    assert await site.groups() == [{"group_id": one, "name": "one", "users": [], "contacts": []}]
