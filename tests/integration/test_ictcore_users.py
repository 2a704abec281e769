"""The section "User Management" of ICTCore's guide, its extra routes, roles and permissions; on a real Postgres."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from argon2 import PasswordHasher

from tests.directory_site import Client
from tests.ictcore_site import PASSWORD, UNKNOWN, IctcoreSite, ictcore_site, says

BODY = {"username": "anna", "passwd": PASSWORD, "first_name": "Anna", "last_name": "Berg", "phone": "03001234567",
        "email": "anna@example.org", "address": "Hauptstraße 1", "company": "Feuerwehr", "country_id": 1,
        "timezone_id": "2", "active": 1}
READ = {**{name: it for name, it in BODY.items() if name != "passwd"}, "country_id": "1"}


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[IctcoreSite]:
    async with ictcore_site(database_url) as made:
        yield made


async def made(client: Client, body: Any = BODY) -> int:
    answer = await client("POST", "/users", body)
    assert answer.status == 200 and answer.body.keys() == {"user_id"}, answer
    return int(answer.body["user_id"])


async def id_of(site: IctcoreSite, kind: str, name: str) -> int:
    rows = (await site.admin("GET", f"/{kind}s", name=name)).body
    return next(int(it[f"{kind}_id"]) for it in rows if it["name"] == name)


# --- User Collection [/users]

async def test_user_collection_post_makes_a_user_with_role_and_account(site: IctcoreSite) -> None:
    user_id = await made(site.admin)
    hashed = await site.pool.fetchval("SELECT password_hash FROM users WHERE id = $1", user_id)
    assert hashed.startswith("$argon2id$") and PasswordHasher().verify(hashed, PASSWORD)
    assert [it["name"] for it in (await site.admin("GET", f"/users/{user_id}/roles")).body] == ["user"]
    accounts = (await site.admin("GET", f"/users/{user_id}/accounts")).body
    assert [(it["username"], it["type"], it["user_id"]) for it in accounts] == [("anna", "account", user_id)]
    anna = await site.log_in("anna@example.org")
    assert (await anna("GET", f"/users/{user_id}")).body == {"user_id": user_id, **READ}
    # the same row as elsewhere
    assert (await site.directory.api("GET", f"/users/{user_id}")).body["name"] == "anna"


async def test_user_collection_get_lists_and_filters(site: IctcoreSite) -> None:
    user_id = await made(site.admin)
    every = (await site.admin("GET", "/users")).body
    assert len(every) == await site.pool.fetchval("SELECT count(*) FROM users") and "passwd" not in str(every)
    for name in ("username", "phone", "email", "first_name", "last_name"):
        assert [it["user_id"] for it in (await site.admin("GET", "/users", **{name: BODY[name]})).body] == [user_id]
    assert [it["user_id"] for it in (await site.admin("GET", "/users", user_id=user_id, unknown=1)).body] == [user_id]
    for nothing in ({"user_id": "x"}, {"username": "ann"}, {"before": 1}, {"after": 10**10}):
        assert (await site.admin("GET", "/users", **nothing)).body == []
    assert [it["user_id"] for it in (await site.admin("GET", "/users", pagesize=1, pageindex=1)).body] == [
        every[1]["user_id"]]


async def test_names_and_addresses_are_unique_in_the_system(site: IctcoreSite) -> None:
    await made(site.admin)
    other = await site.other()
    for taken in ({**BODY, "email": ""}, {**BODY, "username": "bert", "email": "ANNA@example.org"}):
        assert says(await other.admin("POST", "/users", taken))[0] == 412
    bert = await made(other.admin, {"username": "bert"})
    assert says(await other.admin("PUT", f"/users/{bert}", {"username": "anna"}))[0] == 412
    assert await made(other.admin, {"username": "carl"})        # no address is not the same address


WRONG: list[tuple[Any, str]] = [
    ({}, "username"), ({"username": ""}, "username"), ({"username": "a" * 65}, "username"),
    ({"username": "a\x00"}, "username"), ({"username": "a", "passwd": "short"}, "passwd"),
    ({"username": "a", "phone": "1" * 17}, "phone"), ({"username": "a", "email": "no address"}, "email"),
    ({"username": "a", "active": 2}, "active"), ({"username": ["a"]}, "username"),
]


async def test_what_is_wrong_with_a_user_is_named(site: IctcoreSite) -> None:
    for wrong, field in WRONG:
        code, text = says(await site.admin("POST", "/users", wrong))
        assert code == 412 and text.startswith(f"Data validation failed, for {field}:"), text
        assert "short" not in text


# --- Single User Detail [/users/{user_id}]

async def test_single_user_get_put_delete(site: IctcoreSite) -> None:
    user_id = await made(site.admin)
    path = f"/users/{user_id}"
    changed = await site.admin("PUT", path, {"last_name": "Tal", "phone": 3001234567, "active": "1", "email": None})
    assert changed.body == {"user_id": user_id, **READ, "last_name": "Tal", "phone": "3001234567"}
    assert (await site.admin("PUT", path, changed.body)).body == changed.body       # what was read can be sent back
    assert (await site.log_in("anna")) is not None
    deleted = await site.admin("DELETE", path)
    assert (deleted.status, deleted.body) == (200, None)
    for method in ("GET", "PUT", "DELETE"):
        assert says(await site.admin(method, path, {} if method == "PUT" else None)) == (404, "User not found")


async def test_a_disabled_user_is_out_at_once(site: IctcoreSite) -> None:
    user_id = await made(site.admin)
    anna, token = await site.log_in("anna"), await site.directory.person(user_id)
    assert (await site.admin("PUT", f"/users/{user_id}", {"active": 0})).body["active"] == 0
    assert says(await anna("GET", f"/users/{user_id}"))[0] == 401
    assert (await token("GET", f"/users/{user_id}")).status == 401
    answer = await site.client()("POST", "/authenticate", {"username": "anna", "password": PASSWORD})
    assert says(answer)[0] == 401


# --- User Password [/users/{user_id}/password]

async def test_user_password_put_ends_older_tokens(site: IctcoreSite) -> None:
    user_id = await made(site.admin)
    anna = await site.log_in("anna")
    answer = await anna("PUT", f"/users/{user_id}/password", {"password": "battery staple"})
    assert answer.body == {"user_id": user_id, **READ}
    assert says(await anna("GET", f"/users/{user_id}"))[0] == 401
    assert (await (await site.log_in("anna", "battery staple"))("GET", f"/users/{user_id}")).status == 200
    for wrong in ({}, {"password": "short"}):
        assert says(await site.admin("PUT", f"/users/{user_id}/password", wrong))[0] == 412


# --- User Role Define, User permissions Define

async def test_user_role_put_and_delete(site: IctcoreSite) -> None:
    user_id = await made(site.admin)
    role = await id_of(site, "role", "admin")
    anna = await site.log_in("anna")
    assert says(await anna("GET", "/users"))[0] == 403
    for _ in range(2):
        assert (await site.admin("PUT", f"/users/{user_id}/roles/{role}")).body["username"] == "anna"
    assert (await anna("GET", "/users")).status == 200
    answer = await site.admin("DELETE", f"/users/{user_id}/roles/{role}")
    assert (answer.status, answer.body) == (200, None)
    assert says(await anna("GET", "/users"))[0] == 403


async def test_user_permission_put_and_delete(site: IctcoreSite) -> None:
    user_id = await made(site.admin)
    permission = await id_of(site, "permission", "user_list")
    anna = await site.log_in("anna")
    assert (await site.admin("PUT", f"/users/{user_id}/permissions/{permission}")).body["user_id"] == user_id
    assert [it["user_id"] for it in (await anna("GET", "/users")).body] == [user_id]      # oneself, not everybody
    assert [it["name"] for it in (await anna("GET", f"/users/{user_id}/permissions")).body] == ["user_list"]
    assert (await site.admin("DELETE", f"/users/{user_id}/permissions/{permission}")).status == 200
    assert says(await anna("GET", "/users"))[0] == 403


async def test_nobody_hands_out_or_rules_what_is_above_him(site: IctcoreSite) -> None:
    _, keeper = await site.holding("user", "user_admin", "role", "permission", "contact_read")
    anna = await made(site.admin)
    await site.pool.execute("DELETE FROM user_roles WHERE user_id = $1", anna)
    path = f"/users/{anna}"
    read, everything = [await id_of(site, "permission", name) for name in ("contact_read", "contact")]
    assert (await keeper("PUT", f"{path}/permissions/{read}")).status == 200
    assert says(await keeper("PUT", f"{path}/permissions/{everything}"))[0] == 403
    assert says(await keeper("PUT", f"{path}/roles/{await id_of(site, 'role', 'admin')}"))[0] == 403
    role = (await keeper("POST", "/roles", {"name": "helpers"})).body["role_id"]
    assert says(await keeper("PUT", f"/roles/{role}/permissions/{everything}"))[0] == 403
    assert (await keeper("PUT", f"{path}/password", {"password": PASSWORD})).status == 200
    await site.admin("PUT", f"{path}/permissions/{everything}")
    for method, what in (("PUT", f"{path}/password"), ("PUT", path), ("DELETE", path),
                         ("DELETE", f"{path}/permissions/{everything}"), ("DELETE", f"/users/{site.admin_id}"),
                         ("PUT", f"/users/{site.admin_id}/password")):
        answer = await keeper(method, what, {"password": PASSWORD} if method == "PUT" else None)
        assert says(answer)[0] == 403, what


async def test_config_of_a_user(site: IctcoreSite) -> None:
    user_id, client = await site.holding("configuration", "user_read")
    path = f"/users/{user_id}/config/theme"
    assert says(await client("GET", path))[0] == 404
    assert (await client("PUT", path, {"value": {"dark": True}})).status == 200
    assert (await client("GET", path)).body == {"value": {"dark": True}}
    assert says(await client("PUT", path, {}))[0] == 417


# --- roles and permissions (extra routes)

async def test_roles_are_made_read_changed_and_deleted(site: IctcoreSite) -> None:
    role = (await site.admin("POST", "/roles", {"name": "callers", "description": "ring"})).body["role_id"]
    permission = await id_of(site, "permission", "campaign_start")
    told = {"role_id": role, "name": "callers", "description": "ring"}
    assert (await site.admin("GET", "/roles", role_id=role)).body == [told]
    assert (await site.admin("PUT", f"/roles/{role}", {"name": "ringers"})).body == {
        **told, "name": "ringers", "permissions": []}
    answer = await site.admin("PUT", f"/roles/{role}/permissions/{permission}")
    assert [it["name"] for it in answer.body["permissions"]] == ["campaign_start"]
    assert (await site.admin("GET", f"/roles/{role}/permissions")).body == answer.body["permissions"]
    assert (await site.admin("DELETE", f"/roles/{role}/permissions/{permission}")).body["permissions"] == []
    assert (await site.admin("DELETE", f"/roles/{role}")).status == 200
    assert says(await site.admin("GET", f"/roles/{role}")) == (404, "Role not found")


async def test_common_roles_never_change_and_their_names_are_taken(site: IctcoreSite) -> None:
    role = await id_of(site, "role", "user")
    permission = await id_of(site, "permission", "user")
    for method, path in (("PUT", ""), ("DELETE", ""), ("PUT", f"/permissions/{permission}"),
                         ("DELETE", f"/permissions/{permission}")):
        assert says(await site.admin(method, f"/roles/{role}{path}", {} if method == "PUT" else None))[0] == 403
    own = (await site.admin("POST", "/roles", {"name": "own"})).body["role_id"]
    assert says(await site.admin("POST", "/roles", {"name": "user"}))[0] == 412
    assert says(await site.admin("PUT", f"/roles/{own}", {"name": "user"}))[0] == 412
    assert says(await site.admin("POST", "/permissions", {"name": "contact"}))[0] == 412


async def test_permissions_of_an_organisation_are_its_own(site: IctcoreSite) -> None:
    made_id = (await site.admin("POST", "/permissions", {"name": "crm_read"})).body["permission_id"]
    other = await site.other()
    assert [it["permission_id"] for it in (await site.admin("GET", "/permissions", name="crm")).body] == [made_id]
    assert (await other.admin("GET", "/permissions", name="crm")).body == []
    assert (await other.admin("POST", "/permissions", {"name": "crm_read"})).status == 200
    assert says(await site.admin("POST", "/permissions", {"name": "Crm Read"}))[0] == 412


async def test_default_roles_follow_the_admin_of_the_organisation(site: IctcoreSite) -> None:
    user_id = (await site.directory.api.made("/users", {"name": "dora", "isAdmin": True}))["id"]

    async def names() -> list[str]:
        return [it["name"] for it in (await site.admin("GET", f"/users/{user_id}/roles")).body]
    assert await names() == ["admin", "user"]
    await site.directory.api("PUT", f"/users/{user_id}", {"name": "dora", "isAdmin": False})
    assert await names() == ["user"]


async def test_ids_of_another_organisation_do_not_exist(site: IctcoreSite) -> None:
    other = await site.other()
    user_id, _ = await other.user()
    role = (await other.admin("POST", "/roles", {"name": "theirs"})).body["role_id"]
    permission = (await other.admin("POST", "/permissions", {"name": "theirs"})).body["permission_id"]
    own = (await site.admin("POST", "/roles", {"name": "ours"})).body["role_id"]
    me = site.admin_id
    for method, path in (
            ("GET", f"/users/{user_id}"), ("PUT", f"/users/{user_id}"), ("DELETE", f"/users/{user_id}"),
            ("PUT", f"/users/{user_id}/password"), ("PUT", f"/users/{user_id}/roles/{own}"),
            ("DELETE", f"/users/{user_id}/roles/{own}"), ("GET", f"/users/{user_id}/roles"),
            ("GET", f"/users/{user_id}/permissions"), ("GET", f"/users/{user_id}/accounts"),
            ("GET", f"/users/{user_id}/config/x"), ("PUT", f"/users/{user_id}/config/x"),
            ("PUT", f"/users/{me}/roles/{role}"), ("DELETE", f"/users/{me}/roles/{role}"),
            ("PUT", f"/users/{me}/permissions/{permission}"), ("DELETE", f"/users/{me}/permissions/{permission}"),
            ("GET", f"/roles/{role}"), ("PUT", f"/roles/{role}"), ("DELETE", f"/roles/{role}"),
            ("GET", f"/roles/{role}/permissions"), ("PUT", f"/roles/{own}/permissions/{permission}"),
            ("DELETE", f"/roles/{own}/permissions/{permission}"), ("GET", f"/users/{UNKNOWN}"),
            ("GET", "/users/abc"), ("GET", f"/users/{10**17}"), ("GET", f"/users/{10**30}")):
        answer = await site.admin(method, path, {"password": PASSWORD, "value": 1} if method == "PUT" else None)
        assert says(answer)[0] == 404, (method, path)
