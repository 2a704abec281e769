"""What is the same of every route of the ICTCore API, over real HTTP on a real Postgres."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.ictcore.frame import OPEN, PREFIX
from api.ictcore.routes import routes
from tests.ictcore_site import IctcoreSite, ictcore_site, says

ACCOUNT = {"username": "a", "first_name": "Ämilie"}


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[IctcoreSite]:
    async with ictcore_site(database_url) as made:
        yield made


async def count(site: IctcoreSite) -> int:
    return int(await site.pool.fetchval("SELECT count(*) FROM accounts"))


TYPES = [
    ("application/json", "/accounts", "application/json"),
    ("text/html, application/json;q=0.5", "/accounts", "application/json"),
    ("*/*", "/accounts", "text/plain; charset=utf-8"), ("*/*", "/accounts.json", "application/json"),
    ("*/*", "/accounts?format=json", "application/json"), ("*/*", "/nothing", "text/plain; charset=utf-8"),
    ("*/*", "/nothing.json", "application/json"),
]
MISSING = [
    ("GET", ""), ("GET", "/"), ("GET", "/api"), ("GET", "/nothing"), ("GET", "/apiaccounts"), ("PATCH", "/accounts"),
    ("DELETE", "/accounts"), ("POST", "/accounts/1"), ("GET", "/accounts/1/2"), ("GET", "/api/api/accounts"),
    ("OPTIONS", "/accounts"), ("GET", "/accounts/%00"), ("GET", "/accounts/1%2F"),
]


async def test_the_type_of_answers(site: IctcoreSite) -> None:
    for accept, path, content_type in TYPES:
        answer = await site.admin("GET", path, headers={"Accept": accept})
        assert answer.headers["Content-Type"] == content_type, (accept, path)


async def test_both_bases_are_the_same(site: IctcoreSite) -> None:
    made = (await site.admin("POST", "/api/accounts", ACCOUNT)).body["account_id"]
    assert (await site.admin("GET", f"/accounts/{made}")).body == (
        await site.admin("GET", f"/api/accounts/{made}.json")).body


async def test_what_is_not_there(site: IctcoreSite) -> None:
    for method, path in MISSING:
        assert says(await site.admin(method, path)) == (404, "API location not found"), (method, path)


@pytest.mark.parametrize("method, headers, query, done", [
    ("POST", {"X-HTTP-Method-Override": "DELETE"}, "", True), ("POST", {}, "?method=delete", True),
    ("GET", {}, "?method=DELETE", True), ("GET", {"X-HTTP-Method-Override": "DELETE"}, "", False),
    ("GET", {}, "", False), ("GET", {}, "?method=PUT", False),
])
async def test_method_override(
    site: IctcoreSite, method: str, headers: dict[str, str], query: str, done: bool) -> None:
    made = (await site.admin("POST", "/accounts", ACCOUNT)).body["account_id"]
    assert (await site.admin(method, f"/accounts/{made}{query}", headers=headers)).status == 200
    assert await count(site) == (0 if done else 1)


async def test_post_as_put(site: IctcoreSite) -> None:
    made = (await site.admin("POST", "/accounts", ACCOUNT)).body["account_id"]
    changed = await site.admin("POST", f"/accounts/{made}", {"phone": 30}, headers={"X-HTTP-Method-Override": "PUT"})
    assert changed.body["phone"] == "30"


async def test_bodies_that_are_no_object(site: IctcoreSite) -> None:
    for data in (b"[]", b"1", b"{", b'{"a": 1, "a": 2}', b"\xff", b"[" * 50_000, b'{"a": NaN}'):
        answer = await site.admin("POST", "/accounts", data=data, headers={"Content-Type": "application/json"})
        assert says(answer)[0] == 412, data[:20]


async def test_forms_and_unmarked_json(site: IctcoreSite) -> None:
    assert (await site.admin("POST", "/accounts", data={"username": "f", "active": "1"})).status == 200
    assert (await site.admin("POST", "/accounts", data=b'{"username": "g"}')).status == 200
    as_curl_sends_it = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await site.admin("POST", "/accounts", data=b' {"username": "h"}', headers=as_curl_sends_it)
    assert answer.status == 200, answer
    assert says(await site.admin("POST", "/accounts", data=b"x" * 70_000))[0] == 413


# --- Idempotency-Key

async def test_a_create_that_is_sent_again_makes_nothing_new(site: IctcoreSite) -> None:
    key = {"Idempotency-Key": "k"}
    answers = await asyncio.gather(*(site.admin("POST", "/accounts", ACCOUNT, headers=key) for _ in range(4)))
    assert len({str(it.body) for it in answers}) == 1 and {it.status for it in answers} == {200}
    assert sorted(it.headers.get("Idempotent-Replayed", "") for it in answers) == ["", "true", "true", "true"]
    assert await count(site) == 1
    for path, body in (("/accounts", {**ACCOUNT, "phone": "1"}), ("/extensions", ACCOUNT)):
        assert says(await site.admin("POST", path, body, headers=key))[0] == 412
    assert await count(site) == 1


async def test_a_create_that_was_refused_leaves_the_key_free(site: IctcoreSite) -> None:
    key = {"Idempotency-Key": "k"}
    await site.admin("POST", "/accounts", ACCOUNT)
    assert says(await site.admin("POST", "/accounts", ACCOUNT, headers=key))[0] == 412
    assert (await site.admin("POST", "/accounts", {"username": "b"}, headers=key)).status == 200


# --- permissions

async def test_every_route_needs_a_log_in_and_its_permission(site: IctcoreSite) -> None:
    _, nobody = await site.holding()
    for operation in routes.operations:
        for path in (operation.path, *operation.also):
            told = path.removeprefix(PREFIX).replace("{", "").replace("}", "")
            told = "/".join("1" if it.endswith("_id") else it for it in told.split("/"))
            if operation.permission == OPEN or told.startswith("/authenticate"):
                continue
            assert (await site.client()(operation.method, told)).status == 401, told
            code, text = says(await nobody(operation.method, told))
            assert (code, text) == (403, f"Permission denied: {operation.permission}"), told


async def test_every_permission_of_a_route_is_one_that_can_be_had(site: IctcoreSite) -> None:
    known = {it["name"] for it in (await site.admin("GET", "/permissions")).body}
    assert {it.permission for it in routes.operations} - known <= {OPEN, ""}


@pytest.mark.parametrize("held, wanted", [
    (["account"], {"create": 200, "list": 200, "read": 200}), (["account_list"], {"list": 200}),
    (["account_create", "account_read"], {"create": 200, "read": 200}), (["acc"], {}), (["user"], {}),
    (["account_admin"], {}),
])
async def test_permissions_over_http(site: IctcoreSite, held: list[str], wanted: dict[str, int]) -> None:
    user_id, client = await site.holding(*held)
    own = await site.pool.fetchval("INSERT INTO accounts (organisation_id, created_by, user_id, username) "
                                   "VALUES ($1, $2, $2, 'own') RETURNING id", site.directory.org.id, user_id)
    told: dict[str, Any] = {"create": await client("POST", "/accounts", ACCOUNT),
                            "list": await client("GET", "/accounts"), "read": await client("GET", f"/accounts/{own}")}
    assert {name: it.status for name, it in told.items()} == {"create": 403, "list": 403, "read": 403, **wanted}


async def test_admin_permission_sees_everybodys(site: IctcoreSite) -> None:
    made = (await site.admin("POST", "/accounts", ACCOUNT)).body["account_id"]
    for held, seen in ((("account",), []), (("account", "account_admin"), [made])):
        _, client = await site.holding(*held)
        assert [it["account_id"] for it in (await client("GET", "/accounts")).body] == seen


# --- CORS

async def test_no_page_of_another_site_may_call_unless_configured(site: IctcoreSite) -> None:
    answer = await site.admin("GET", "/accounts", headers={"Origin": "https://crm.example.org"})
    assert not [name for name in answer.headers if name.startswith("Access-Control")]
