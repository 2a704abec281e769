"""Log-ins and sessions of the Sensaphone.net API, on a real Postgres over real HTTP."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.ictcore_site import PASSWORD, says
from tests.sensaphone_site import Answer, SensaphoneSite, sensaphone_site

LOG_IN = {"request_type": "create", "resource": "login"}


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[SensaphoneSite]:
    async with sensaphone_site(database_url) as made:
        yield made


async def name_of(site: SensaphoneSite) -> str:
    return str(await site.pool.fetchval("SELECT name FROM users WHERE id = $1", site.user_id))


async def log_in(site: SensaphoneSite, **changes: Any) -> Answer:
    return await site.raw_json("login", {**LOG_IN, "user_name": await name_of(site), "password": PASSWORD, **changes})


async def code(site: SensaphoneSite) -> int:
    """Of a request with this session."""
    return (await site.asked("read", contactgroup=None)).code


async def test_a_log_in_in_json_mode_opens_a_session_for_24_hours(site: SensaphoneSite) -> None:
    answer = await log_in(site)
    assert answer.body["result"] == {"success": True, "code": 0, "message": "Success"}
    response = answer.response
    assert response == {
        "acctid": site.ictcore.directory.org.id, "session": response["session"], "session_expiration": 86400,
        "login_timestamp": response["login_timestamp"], "user_id": site.user_id}
    row = await site.pool.fetchrow(
        "SELECT * FROM sensaphone_sessions WHERE digest = $1", hashlib.sha256(response["session"].encode()).digest())
    assert (row["user_id"], row["organisation_id"]) == (site.user_id, site.acctid)
    assert (row["expires_at"] - row["created_at"]).total_seconds() == 86400
    assert int(row["created_at"].timestamp()) == response["login_timestamp"]
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_log_in_in_uri_mode(site: SensaphoneSite) -> None:
    name, password = await name_of(site), quote(PASSWORD)
    for method in ("POST", "GET"):
        for path in (f"login/{name}/{password}", f"login/%7B{name}%7D/%7B{password}%7D/",
                     f"login/{{{name}}}/{password}"):
            response = (await site.send(method, f"v1/{path}")).response
            assert (response["acctid"], response["user_id"]) == (site.acctid, site.user_id), path


async def test_a_log_in_by_e_mail_address(site: SensaphoneSite) -> None:
    await site.pool.execute("UPDATE users SET email = 'a@example.org' WHERE id = $1", site.user_id)
    assert (await log_in(site, user_name="A@example.org")).response["user_id"] == site.user_id
    assert (await site.send("POST", f"v1/login/a%40example.org/{quote(PASSWORD)}")).code == 0


async def test_when_the_session_began_and_how_long_it_lasts(site: SensaphoneSite) -> None:
    whole = await site.uri("GET", "login")
    assert whole["session"] == site.session and whole["session_expiration"] == 86400
    assert await site.json("read", login=None) == whole
    for name in ("login_timestamp", "session_expiration"):
        assert await site.uri("GET", f"login/{name}") == {name: whole[name]}
        assert await site.json("read", login={name: None}) == {name: whole[name]}


@pytest.mark.parametrize("wrong", [
    {"password": "wrong"}, {"password": ""}, {"user_name": "nobody"}, {"user_name": ""}, {"password": "p" * 200},
    {"user_name": "no\0body"}, {"user_name": "\ud800"}, {"password": "\ud800"}])
async def test_a_wrong_log_in_is_refused_and_is_not_a_lost_session(site: SensaphoneSite, wrong: dict[str, str]) -> None:
    assert (await log_in(site, **wrong)).failure == (3, "Invalid or missing username or password")


@pytest.mark.parametrize("wrong, field", [
    ({"user_name": None}, "user_name"), ({"password": 1}, "password"), ({"token": "x"}, "token"),
    ({"resource": "user"}, "resource"), ({"request_type": "update"}, "request_type")])
async def test_a_log_in_that_is_malformed_names_the_field(
    site: SensaphoneSite, wrong: dict[str, Any], field: str) -> None:
    found, message = (await log_in(site, **wrong)).failure
    assert found == 5 and message.startswith(f"{field}: ")


async def test_five_wrong_passwords_a_minute_are_counted_with_those_of_the_ictcore_api(site: SensaphoneSite) -> None:
    name = await name_of(site)
    answers = await asyncio.gather(*(log_in(site, password="wrong") for _ in range(9)))
    assert {it.failure[0] for it in answers} == {3}
    assert sorted("too many" in it.failure[1] for it in answers) == [False] * 5 + [True] * 4
    late = await log_in(site)
    assert late.failure[0] == 3 and 0 < int(late.headers["Retry-After"]) <= 60
    answer = await site.ictcore.client()("POST", "/authenticate", {"username": name, "password": PASSWORD})
    assert says(answer)[0] == 423
    other = await site.ictcore.somebody()
    assert (await log_in(site, user_name=other[1])).code == 0


# --- the end of a session

async def test_a_session_that_nobody_knows_is_code_2(site: SensaphoneSite) -> None:
    for session in ("0123-4567-8901", site.session + "0", site.session.upper() + " ", "", 1234, "%00", "\0", "\ud800",
                    "x" * 5000):
        answer = await site.raw_json("contactgroup", {
            "acctid": site.acctid, "session": session, "request_type": "read", "contactgroup": None})
        assert answer.failure == (2, "session: is unknown or has expired, log in again"), session
    for path in (f"{site.acctid}/0123-4567-8901/contactgroup", f"{site.acctid}/%7B0123%7D/contactgroup/1/name/x"):
        assert (await site.send("GET" if path.endswith("group") else "PUT", f"v1/{path}")).failure[0] == 2


async def test_a_session_ends_after_24_hours(site: SensaphoneSite) -> None:
    await site.pool.execute("UPDATE sensaphone_sessions SET expires_at = now() + interval '1 minute'")
    assert await code(site) == 0
    await site.pool.execute("UPDATE sensaphone_sessions SET expires_at = now()")
    assert await code(site) == 2
    assert (await log_in(site)).code == 0
    assert await site.pool.fetchval("SELECT count(*) FROM sensaphone_sessions") == 1, "the expired one is forgotten"


@pytest.mark.parametrize("mode", ["uri", "json"])
async def test_a_log_out_ends_this_session_alone(site: SensaphoneSite, mode: str) -> None:
    again = await site.log_in(await name_of(site))
    assert await (again.uri("DELETE", "login") if mode == "uri" else again.json("delete", login=None)) == {}
    assert (await code(again), await code(site)) == (2, 0)


@pytest.mark.parametrize("change", [
    "UPDATE users SET password_hash = 'another' WHERE id = $1", "UPDATE users SET active = false WHERE id = $1",
    "DELETE FROM users WHERE id = $1"])
async def test_a_session_ends_with_what_it_was_opened_for(site: SensaphoneSite, change: str) -> None:
    one = await site.somebody()
    await site.pool.execute(change, one.user_id)
    assert (await code(one), await code(site)) == (2, 0)


async def test_a_user_who_moved_to_another_organisation_logs_in_anew(site: SensaphoneSite) -> None:
    one, other = await site.somebody(), await site.other()
    await site.pool.execute("UPDATE users SET organisation_id = $2 WHERE id = $1", one.user_id, other.acctid)
    assert await code(one) == 2
    assert (await site.log_in(await name_of(one))).acctid == other.acctid


async def test_a_disabled_user_does_not_log_in(site: SensaphoneSite) -> None:
    one = await site.somebody()
    await site.pool.execute("UPDATE users SET active = false WHERE id = $1", one.user_id)
    assert (await log_in(one)).failure[0] == 3


async def test_sessions_go_with_their_organisation(site: SensaphoneSite) -> None:
    other = await site.other()
    await site.pool.execute("DELETE FROM hotline_agents; DELETE FROM accounts")
    assert (await site.ictcore.directory.system("DELETE", f"/organisations/{other.acctid}")).status == 204
    assert await code(other) == 2
    assert await site.pool.fetchval("SELECT count(DISTINCT organisation_id) FROM sensaphone_sessions") == 1


async def test_a_session_of_one_account_is_none_of_another(site: SensaphoneSite) -> None:
    other = await site.other()
    await site.group()
    foreign = SensaphoneSite(site.ictcore, site.root, acctid=other.acctid, session=site.session)
    assert (await foreign.raw_uri("GET", "contactgroup")).failure == (3, "acctid: the session is of another account")
