"""Users and their phones below `/ringward/v1`, on a real Postgres over real HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from argon2 import PasswordHasher

from tests.directories import NOON
from tests.directory_site import UNKNOWN, DirectorySite, directory_site

FIRST_RESPONDER = "/api/v1/first-responder"


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[DirectorySite]:
    async with directory_site(database_url) as made:
        yield made


async def test_a_user_is_made_read_changed_and_deleted(site: DirectorySite) -> None:
    made = await site.api.made("/users", {"name": "anna", "language": "en", "password": "correct horse"})
    assert made == {"id": made["id"], "name": "anna", "language": "en", "isAdmin": False, "allowAdmins": False}
    path = f"/users/{made['id']}"
    stored = await _hash(site, made["id"])
    assert stored.startswith("$argon2id$") and PasswordHasher().verify(stored, "correct horse")

    changed = await site.api("PUT", path, {**made, "name": "anne", "isAdmin": True})
    assert changed.body == (await site.api("GET", path)).body == {**made, "name": "anne", "isAdmin": True}
    assert await _hash(site, made["id"]) == stored
    await site.api("PUT", path, {"name": "anne", "password": "battery staple"})
    assert PasswordHasher().verify(await _hash(site, made["id"]), "battery staple")

    assert [it["name"] for it in await site.api.all("/users", limit=2)][-1] == "anne"
    assert (await site.api("DELETE", path)).status == 204
    assert [(await site.api(method, path, made if method == "PUT" else None)).status
            for method in ("GET", "PUT", "DELETE")] == [404, 404, 404]


async def test_names_are_unique_in_the_system(site: DirectorySite) -> None:
    other = await site.other()
    anna = await site.api.made("/users", {"name": "anna"})
    bert = await other.api.made("/users", {"name": "bert"})
    for answer in (await other.api("POST", "/users", {"name": "anna"}),
                   await other.api("PUT", f"/users/{bert['id']}", {"name": "anna"})):
        assert (answer.status, answer.fields) == (409, ["name"])
    assert (await site.api("PUT", f"/users/{anna['id']}", {"name": "anna", "language": "fr"})).status == 200


@pytest.mark.parametrize("wrong, field", [
    ({}, "name"), ({"name": " "}, "name"), ({"name": "a\0"}, "name"), ({"name": "a" * 65}, "name"),
    ({"name": "a", "language": "pl"}, "language"), ({"name": "a", "isAdmin": 1}, "isAdmin"),
    ({"name": "a", "password": "short"}, "password"), ({"name": "a", "password": "p" * 129}, "password"),
    ({"name": "a", "passwordHash": "x"}, "passwordHash"),
])
async def test_what_is_wrong_with_a_user_is_named(site: DirectorySite, wrong: dict[str, Any], field: str) -> None:
    answer = await site.api("POST", "/users", wrong)
    assert (answer.status, answer.fields) == (400, [field])
    assert "short" not in str(answer.body)       # what was typed as a password is not said again


async def test_a_deleted_user_leaves_phones_tokens_groups_and_hotlines_but_stays_in_the_logs(
        site: DirectorySite, database_url: str) -> None:
    d, user = site.world.directory, site.org.users[0]
    person = await site.person(user)
    await site.org.phone(user, "+4930111")
    await site.org.phone(site.org.users[1], "+4930222")
    hotline = await site.org.hotline()
    log_id = await site.world.write_log(hotline, NOON, entries=1)
    await site.pool.execute("UPDATE call_log_entries SET user_id = $1", user)
    group = await site.api.made("/contact-groups", {"name": "Nord"})
    await site.api.made(f"/contact-groups/{group['id']}/members", {"userID": user})

    heard: list[Any] = []
    listener = await asyncpg.connect(database_url)
    try:
        await listener.add_listener("ringward_hotline", lambda *it: heard.append(it[3]))
        assert (await site.api("DELETE", f"/users/{user}")).status == 204
        await listener.execute("SELECT 1")
    finally:
        await listener.close()
    assert "0" in heard

    assert (await person("GET", f"/users/{user}")).status == 401
    assert (await site.api("GET", f"/contact-groups/{group['id']}")).body["memberCount"] == 0
    after = await d.hotline(site.org.id, hotline.hotline_id)
    assert after and after.data.agents == tuple(site.org.users[1:])
    seen = await site.world.hotlines.by_number(hotline.number[1:])
    assert seen and [phone.number for phone in seen.phones] == ["4930222"]
    found = await d.call_log(site.org.id, hotline.hotline_id, log_id)
    assert found and found[1][0].user_id == user


async def test_phones_are_made_in_order_changed_and_deleted(site: DirectorySite) -> None:
    user, person = await site.somebody()
    path = f"/users/{user}/phones"
    mobile = await person.made(path, {"name": "Handy", "number": "0049 170 1234567"})
    assert mobile == {"id": mobile["id"], "name": "Handy", "number": "+491701234567", "isActive": True, "position": 0}
    office = await person.made(path, {"name": "Büro", "number": "030 555123", "isActive": False})
    first = await person.made(path, {"name": "Wache", "number": "+4930555124", "position": 0})
    assert (await person("GET", path)).body == {"items": [mobile, first, office], "nextCursor": None}

    moved = await person("PUT", f"{path}/{mobile['id']}", {**mobile, "position": 7})
    assert moved.body == {**mobile, "position": 7}
    kept = await person("PUT", f"{path}/{mobile['id']}", {"name": "Mobil", "number": "+491701234568"})
    assert kept.body == {**moved.body, "name": "Mobil", "number": "+491701234568"}
    assert [it["id"] for it in await person.all(path)] == [first["id"], office["id"], mobile["id"]]
    last = await person.made(path, {"name": "Neu", "number": "+4930555125"})
    assert last["position"] == 8

    assert (await person("DELETE", f"{path}/{office['id']}")).status == 204
    assert (await person("GET", f"{path}/{office['id']}")).status == 404


async def test_first_responder_has_the_same_phones_in_the_same_order(site: DirectorySite) -> None:
    user, person = await site.somebody()
    path = f"/users/{user}/phones"
    one = await person.made(path, {"name": "A", "number": "+4930555123"})
    agents = site.api.url.replace("/ringward/v1", FIRST_RESPONDER) + "/agents"
    two = (await person("POST", agents, {"isActive": True, "name": "B", "phone": "030555124", "userID": user})).body
    await person("PUT", f"{path}/{one['id']}", {**one, "position": 5})
    assert [it["id"] for it in (await person("GET", agents, owner_id=user)).body] == [two["id"], one["id"]]
    changed = {"isActive": True, "name": "A", "phone": "+4930555123", "userID": user}
    await person("PUT", f"{agents}/{one['id']}", changed)
    assert [it["id"] for it in await person.all(path)] == [two["id"], one["id"]]


@pytest.mark.parametrize("wrong, field", [
    ({"name": "A", "number": "12"}, "number"), ({"name": "A", "number": "+49 30 x"}, "number"),
    ({"name": "A"}, "number"), ({"number": "+4930555123"}, "name"),
    ({"name": "A", "number": "+4930555123", "position": -1}, "position"),
    ({"name": "A", "number": "+4930555123", "position": 2**40}, "position"),
])
async def test_what_is_wrong_with_a_phone_is_named(site: DirectorySite, wrong: dict[str, Any], field: str) -> None:
    user, person = await site.somebody()
    answer = await person("POST", f"/users/{user}/phones", wrong)
    assert (answer.status, answer.fields) == (400, [field])


async def test_national_numbers_are_read_in_the_organisations_country(site: DirectorySite) -> None:
    made = await site.system.made_with_token("/organisations", {"name": "Pompiers", "country": "FR"})
    api = site.with_token(made["apiToken"])
    user = await api.made("/users", {"name": "zoe", "allowAdmins": True})
    phone = await api.made(f"/users/{user['id']}/phones", {"name": "A", "number": "01 42 34 56 78"})
    assert phone["number"] == "+33142345678"


async def test_admins_manage_phones_only_of_users_who_allow_it(site: DirectorySite) -> None:
    user, person = await site.somebody()
    _, admin = await site.somebody(is_admin=True)
    path, body = f"/users/{user}/phones", {"name": "A", "number": "+4930555123"}
    phone = await person.made(path, body)
    for client in (site.api, admin):
        for method, at in (("GET", path), ("POST", path), ("PUT", f"{path}/{phone['id']}"),
                           ("DELETE", f"{path}/{phone['id']}")):
            assert (await client(method, at, body if method in ("POST", "PUT") else None)).status == 403
        refused = await client("PUT", f"/users/{user}", {"name": "p", "allowAdmins": True})
        assert (refused.status, refused.fields) == (403, ["allowAdmins"])

    own = (await person("GET", f"/users/{user}")).body
    assert (await person("PUT", f"/users/{user}", {**own, "allowAdmins": True})).status == 200
    assert (await admin("GET", path)).body["items"] == [phone]
    assert (await site.api("POST", path, body)).status == 201
    assert (await site.api("PUT", f"/users/{user}", {**own, "allowAdmins": False})).status == 200
    assert (await admin("GET", path)).status == 403


async def test_who_is_no_admin_has_himself_alone(site: DirectorySite) -> None:
    user, person = await site.somebody()
    own = (await person("GET", f"/users/{user}")).body
    for change in ({"name": "boss"}, {"isAdmin": True}):
        refused = await person("PUT", f"/users/{user}", {**own, **change})
        assert (refused.status, refused.fields) == (403, list(change))
    assert (await person("PUT", f"/users/{user}", {**own, "language": "it"})).status == 200
    for method, path, body in (("GET", "/users", None), ("POST", "/users", {"name": "x"}),
                               ("GET", f"/users/{site.org.users[0]}", None),
                               ("PUT", f"/users/{site.org.users[0]}", {"name": "x"}),
                               ("DELETE", f"/users/{user}", None), ("GET", f"/users/{UNKNOWN}/phones", None),
                               ("GET", f"/users/{site.org.users[0]}/phones", None)):
        assert (await person(method, path, body)).status == 403, (method, path)


async def test_users_and_phones_of_another_organisation_are_not_there(site: DirectorySite) -> None:
    other = await site.other()
    user, person = await site.somebody(allow_admins=True)
    second, _ = await site.somebody(allow_admins=True)
    phone = await person.made(f"/users/{user}/phones", {"name": "A", "number": "+4930555123"})
    theirs = (await other.somebody(allow_admins=True))[0]
    body = {"name": "x", "number": "+4930555123"}
    for method, path, given in (
        ("GET", f"/users/{user}", None), ("PUT", f"/users/{user}", {"name": "x"}), ("DELETE", f"/users/{user}", None),
        ("GET", f"/users/{user}/phones", None), ("POST", f"/users/{user}/phones", body),
        ("GET", f"/users/{theirs}/phones/{phone['id']}", None), ("PUT", f"/users/{theirs}/phones/{phone['id']}", body),
        ("DELETE", f"/users/{theirs}/phones/{phone['id']}", None),
    ):
        assert (await other.api(method, path, given)).status == 404, (method, path)
    assert (await site.api("DELETE", f"/users/{second}/phones/{phone['id']}")).status == 404
    assert await person.all(f"/users/{user}/phones") == [phone]


async def _hash(site: DirectorySite, user_id: int) -> str:
    return str(await site.pool.fetchval("SELECT password_hash FROM users WHERE id = $1", user_id))
