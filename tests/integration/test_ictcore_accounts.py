"""The section "User account / Email / DID / Extension" of ICTCore's guide, on a real Postgres over real HTTP."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.directory_site import Client
from tests.ictcore_site import UNKNOWN, IctcoreSite, ictcore_site, says

BODY = {"username": "reception", "passwd": "secret", "passwd_pin": "1234", "first_name": "Anna", "last_name": "Berg",
        "phone": "03001234567", "email": "anna@example.org", "address": "Hauptstraße 1", "active": 1}


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[IctcoreSite]:
    async with ictcore_site(database_url) as made:
        yield made


async def made(client: Client, path: str = "/accounts", body: Any = BODY) -> int:
    answer = await client("POST", path, body)
    assert answer.status == 200 and answer.body.keys() == {"account_id"}, answer
    return int(answer.body["account_id"])


# --- Users Acounts [/accounts]

async def test_accounts_post_and_get(site: IctcoreSite) -> None:
    account_id = await made(site.admin)
    listed = {name: it for name, it in BODY.items() if not name.startswith("passwd")}
    assert (await site.admin("GET", "/accounts", username="recept")).body == [
        {"account_id": account_id, "type": "account", "user_id": site.admin_id, **listed}]
    for name, part in (("account_id", account_id), ("type", "acc"), ("phone", "0300"), ("email", "ANNA@"),
                       ("first_name", "nn"), ("last_name", "erg"), ("user_id", site.admin_id)):
        assert account_id in [it["account_id"] for it in (await site.admin("GET", "/accounts", **{name: part})).body]
    assert (await site.admin("GET", "/accounts", phone="%")).body == []     # what LIKE knows is only a sign here


async def test_names_are_unique_within_a_type(site: IctcoreSite) -> None:
    await made(site.admin)
    assert says(await site.admin("POST", "/accounts", BODY))[0] == 412
    assert await made(site.admin, "/extensions")
    for wrong in ({}, {"username": "a", "type": "fax"}, {"username": "a", "phone": "1" * 17}):
        assert says(await site.admin("POST", "/accounts", wrong))[0] == 412


@pytest.mark.parametrize("path, kind", [("/dids", "did"), ("/extensions", "extension")])
async def test_accounts_of_a_type(site: IctcoreSite, path: str, kind: str) -> None:
    account_id = await made(site.admin, path, {"username": 4930555, "type": "account"})
    assert [(it["account_id"], it["type"], it["username"]) for it in (await site.admin("GET", path)).body] == [
        (account_id, kind, "4930555")]


# --- Single Account Detail [/accounts/{account_id}]

async def test_single_account_get_put_delete(site: IctcoreSite) -> None:
    account_id = await made(site.admin)
    path = f"/accounts/{account_id}"
    whole = {"account_id": account_id, "type": "account", "user_id": site.admin_id, "settings": {}, "programs": [],
             **BODY}
    assert (await site.admin("GET", path)).body == whole
    changed = await site.admin("PUT", path, {"phone": 3001234567, "active": "0", "username": "x", "type": "did"})
    assert changed.body == {**whole, "phone": "3001234567", "active": 0}
    assert (await site.admin("PUT", path, changed.body)).body == changed.body
    answer = await site.admin("DELETE", path)
    assert (answer.status, answer.body) == (200, None)
    assert says(await site.admin("GET", path)) == (404, "Account not found")


async def test_minus_one_is_the_callers_own_account(site: IctcoreSite) -> None:
    assert says(await site.admin("GET", "/accounts/-1"))[0] == 404
    account_id = await made(site.admin)
    assert (await site.admin("GET", "/accounts/-1")).body["account_id"] == account_id


async def test_who_is_no_admin_sees_his_own(site: IctcoreSite) -> None:
    account_id = await made(site.admin)
    user_id, client = await site.holding("account")
    own = await made(client, body={"username": "own"})
    assert [it["account_id"] for it in (await client("GET", "/accounts")).body] == [own]
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("DELETE", "/users"), ("PUT", f"/users/{user_id}"),
                         ("GET", "/settings/x"), ("GET", "/provisioning")):
        answer = await client(method, f"/accounts/{account_id}{path}", {} if method == "PUT" else None)
        assert says(answer)[0] == 404, (method, path)


# --- Subscribe an account, Unsubscribe, Clear an account

async def program(client: Client, type_: str, account_id: int) -> int:
    answer = await client("POST", f"/programs/{type_}", {"name": type_, "account_id": account_id})
    assert answer.status == 200, answer
    return int(answer.body["program_id"])


async def test_programs_put_and_delete(site: IctcoreSite) -> None:
    account_id = await made(site.admin)
    path = f"/accounts/{account_id}/programs"
    fax, other, sms = [await program(site.admin, it, account_id) for it in ("faxtoemail", "faxtoemail", "receivesms")]
    for method, name, programs in (
            ("PUT", f"/{sms}", [sms]), ("PUT", f"/{sms}", [sms]), ("PUT", "/faxtoemail", [fax, sms]),
            ("PUT", f"/{other}", [fax, other, sms]), ("DELETE", f"/{sms}", [fax, other]),
            ("DELETE", f"/{sms}", [fax, other]), ("DELETE", "/faxtoemail", []), ("PUT", f"/{sms}", [sms]),
            ("DELETE", "", [])):
        answer = await site.admin(method, path + name)
        assert (answer.status, answer.body["programs"]) == (200, programs), (method, name)
        assert (await site.admin("GET", f"/accounts/{account_id}")).body == answer.body
    for method, name in (("PUT", "999999"), ("DELETE", "999999"), ("PUT", "sendfax"), ("PUT", "dance")):
        assert says(await site.admin(method, f"{path}/{name}")) == (404, "Program not found")


async def test_a_program_that_is_removed_is_used_no_more(site: IctcoreSite) -> None:
    account_id = await made(site.admin)
    program_id = await program(site.admin, "receivefax", account_id)
    await site.admin("PUT", f"/accounts/{account_id}/programs/{program_id}")
    assert (await site.admin("DELETE", f"/programs/{program_id}")).status == 200
    assert (await site.admin("GET", f"/accounts/{account_id}")).body["programs"] == []


async def test_another_owner_uses_no_program(site: IctcoreSite) -> None:
    account_id = await made(site.admin)
    program_id = await program(site.admin, "receivefax", account_id)
    user_id, _ = await site.user()
    for method, path, programs in (
            ("PUT", f"/users/{site.admin_id}", [program_id]), ("PUT", f"/users/{UNKNOWN}", [program_id]),
            ("PUT", f"/users/{user_id}", []), ("DELETE", "/users", [])):
        await site.admin("PUT", f"/accounts/{account_id}/programs/{program_id}")
        answer = await site.admin(method, f"/accounts/{account_id}{path}")
        told = (await site.admin("GET", f"/accounts/{account_id}")).body
        assert told["programs"] == programs and answer.body in (told, says_unknown(answer.body)), path


def says_unknown(body: Any) -> Any:
    return body if body == {"error": {"code": 404, "message": "User not found"}} else None


# --- Change account ownership, Dissociate a account

async def test_ownership_put_and_delete(site: IctcoreSite) -> None:
    account_id = await made(site.admin)
    user_id, client = await site.user()
    path = f"/accounts/{account_id}"
    assert says(await client("GET", path))[0] == 404
    assert (await site.admin("PUT", f"{path}/users/{user_id}")).body["user_id"] == user_id
    assert (await client("GET", path)).body["user_id"] == user_id
    assert (await site.admin("DELETE", f"{path}/users")).body["user_id"] is None
    assert says(await client("GET", path))[0] == 404


# --- Account Settings [/accounts/{account_id}/settings/{name}]

@pytest.mark.parametrize("sent, value", [
    ({"json": {"value": "body"}}, "body"), ({"json": {"data": [1, 2]}}, [1, 2]), ({"json": 7}, 7),
    ({"data": b"plain text"}, "plain text"), ({"data": {"value": "of a form"}}, "of a form"),
])
async def test_account_settings_put_get_delete(site: IctcoreSite, sent: dict[str, Any], value: Any) -> None:
    path = f"/accounts/{await made(site.admin)}/settings/emailtofax_coversheet"
    session, url, headers = site.admin.session, site.admin.url, site.admin.headers
    assert says(await site.admin("GET", path))[0] == 404
    async with session.put(url + path, headers=headers, **sent) as answer:
        assert answer.status == 200
    assert (await site.admin("GET", path)).body == {"value": value}
    assert (await site.admin("DELETE", path)).status == 200
    assert says(await site.admin("DELETE", path))[0] == 404


async def test_account_settings_without_a_value(site: IctcoreSite) -> None:
    path = f"/accounts/{await made(site.admin)}/settings/x"
    for sent in ({}, {"other": 1}, {"value": None}):
        assert says(await site.admin("PUT", path, sent))[0] == 417
    assert says(await site.admin("PUT", path, {"value": "x" * 20_000}))[0] == 412


async def test_provisioning(site: IctcoreSite) -> None:
    account_id = await made(site.admin, "/extensions")
    told = (await site.admin("GET", f"/accounts/{account_id}/provisioning")).body
    assert told.keys() == {"username", "password", "callerid", "host", "port", "wss", "dialplan", "account"}
    assert (told["username"], told["password"], told["callerid"]) == ("reception", "secret", "03001234567")


async def test_ids_of_another_organisation_do_not_exist(site: IctcoreSite) -> None:
    other = await site.other()
    theirs, own = await made(other.admin), await made(site.admin)
    their_user, _ = await other.user()
    path = f"/accounts/{theirs}"
    for method, it in (
            ("GET", path), ("PUT", path), ("DELETE", path), ("PUT", f"{path}/users/{site.admin_id}"),
            ("DELETE", f"{path}/users"), ("PUT", f"{path}/programs/1"), ("DELETE", f"{path}/programs/1"),
            ("DELETE", f"{path}/programs"), ("GET", f"{path}/settings/x"), ("PUT", f"{path}/settings/x"),
            ("DELETE", f"{path}/settings/x"), ("GET", f"{path}/provisioning"),
            ("PUT", f"/accounts/{own}/users/{their_user}"), ("GET", f"/accounts/{UNKNOWN}")):
        answer = await site.admin(method, it, {"value": 1} if method == "PUT" else None)
        assert says(answer)[0] == 404, (method, it)
