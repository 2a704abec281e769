"""Providers below `/ictcore`, on a real Postgres over real HTTP. Named by the sections of ICTCore's guide; what becomes
of them on the switch is in `test_providers_on_asterisk.py`."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.store.listening import heard
from engine.store.providers import CHANNEL, PostgresProviders
from engine.vocabulary.values import Provider
from tests.directory_site import Client
from tests.ictcore_site import UNKNOWN, IctcoreSite, ictcore_site, says

MADE = {"name": "Alpine", "host": "sip.example.org", "username": "joe", "password": "s3cr?t &%"}
FILLED = {"description": "", "type": "sip", "gateway_flag": 8, "service_flag": 3, "node_id": 1, "port": 5060,
          "dialstring": "", "prefix": "", "settings": "", "register": 0, "weight": 10, "active": 1, "channels": 0,
          "cps": 0.0}
LISTED = ("provider_id", "name", "host", "service_flag", "node_id", "type")


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[IctcoreSite]:
    async with ictcore_site(database_url) as made:
        yield made


async def create(client: Client, **changes: Any) -> int:
    answer = await client("POST", "/providers", {**MADE, **changes})
    assert answer.status == 200 and answer.body == {"provider_id": answer.body["provider_id"]}, answer
    made: int = answer.body["provider_id"]
    return made


async def active(site: IctcoreSite, database_url: str) -> list[Provider]:
    """What the engine reads."""
    return list(await PostgresProviders(database_url, site.pool).active())


async def test_trunk_termination_collection_and_item(site: IctcoreSite) -> None:
    """Create, Get All, View, Update, Delete. The password is told to nobody."""
    made = await create(site.admin)
    expected = {**MADE, **FILLED, "provider_id": made, "user_id": site.admin_id}
    del expected["password"]
    assert (await site.admin("GET", f"/providers/{made}")).body == expected
    assert (await site.admin("GET", "/api/providers")).body == [{name: expected[name] for name in LISTED}]
    changed = await site.admin("PUT", f"/providers/{made}", {"host": "192.0.2.7", "register": "1", "weight": "3"})
    expected |= {"host": "192.0.2.7", "register": 1, "weight": 3}
    assert changed.body == expected == (await site.admin("GET", f"/providers/{made}")).body
    back = await site.admin("PUT", f"/providers/{made}", expected)        # what was read is sent back as a whole
    assert back.body == expected
    gone = await site.admin("DELETE", f"/providers/{made}")
    assert (gone.status, gone.body) == (200, None)
    for method in ("GET", "PUT", "DELETE"):
        answer = await site.admin(method, f"/providers/{made}", {} if method == "PUT" else None)
        assert says(answer) == (404, "Provider not found")


async def test_create_provider_with_the_fields_of_the_guide(site: IctcoreSite) -> None:
    """As its structure prints them: prefix is a number there."""
    given = {"name": "name", "gateway_flag": 1, "service_flag": 1, "node_id": 1, "host": "192.0.2.1", "port": 8080,
             "username": "username", "password": "password", "dialstring": "dailstring", "prefix": 12,
             "settings": "settings", "register": 1, "weight": 10, "type": "sip", "active": 1}
    made = (await site.admin("POST", "/providers", given)).body["provider_id"]
    body = (await site.admin("GET", f"/providers/{made}")).body
    del given["password"]
    assert {name: body[name] for name in given} == {**given, "prefix": "12"}


async def test_every_type_has_its_port_and_keeps_it_and_its_type(site: IctcoreSite) -> None:
    for kind, port in (("sip", 5060), ("smpp", 2775), ("http", 80), ("smtp", 25), ("emailcmd", 0)):
        made = await create(site.admin, type=kind)
        body = (await site.admin("PUT", f"/providers/{made}", {"type": "http"})).body
        assert (body["type"], body["port"]) == (kind, port)
    assert (await create(site.admin, type="emailcmd", host="")) > 0


@pytest.mark.parametrize("name", ["host", "username", "password", "prefix"])
@pytest.mark.parametrize("evil", [
    "a\r\nb", "a\nendpoint=x", "a\0", "a;b", "a[b", "a]b", "a,b", "\x7f", "\x85", "x" * 256,
])
async def test_what_reaches_the_switch_is_refused_when_it_could_be_more_than_a_value(
    site: IctcoreSite, database_url: str, name: str, evil: str,
) -> None:
    answer = await site.admin("POST", "/providers", {**MADE, name: evil})
    assert says(answer)[0] == 412 and f"for {name}" in answer.body["error"]["message"], answer
    made = await create(site.admin)
    answer = await site.admin("PUT", f"/providers/{made}", {name: evil})
    assert says(answer)[0] == 412 and f"for {name}" in answer.body["error"]["message"], answer
    (kept,) = await active(site, database_url)
    assert (kept.host, kept.username, kept.password, kept.prefix) == (
        MADE["host"], MADE["username"], MADE["password"], "")


async def test_providers_that_are_not_valid(site: IctcoreSite) -> None:
    """412 names the field; nothing is made."""
    for name, value in (
        ("name", None), ("name", ""), ("name", "n" * 129), ("username", None), ("username", ""), ("username", 'a"b'),
        ("username", "a\\"), ("host", ""),
        ("host", "a b"), ("host", "a/8"), ("host", "sip:a@b"), ("host", "-a"), ("host", "a" * 129), ("host", "::1"),
        ("port", 0), ("port", 65536), ("port", "x"), ("type", "fax"), ("service_flag", -1), ("register", 2),
        ("active", "yes please"), ("weight", "light"), ("prefix", "49|0, 43|"), ("prefix", "+49|0"), ("prefix", "|"),
        ("prefix", "1|2|3"), ("prefix", "1" * 17), ("channels", -1), ("cps", -1), ("cps", "nan"),
        ("description", "d" * 256), ("dialstring", "d" * 256),
    ):
        answer = await site.admin("POST", "/providers", {**MADE, name: value})
        assert says(answer)[0] == 412 and f"for {name}" in answer.body["error"]["message"], (name, value, answer)
    assert (await site.admin("GET", "/providers")).body == []


async def test_no_answer_and_no_list_tells_a_password(site: IctcoreSite) -> None:
    made = await create(site.admin, password="hunter22")
    for method, path, body in (("GET", "/providers", None), ("GET", f"/providers/{made}", None),
                               ("PUT", f"/providers/{made}", {"password": "hunter22"}),
                               ("PUT", f"/providers/{made}", {"password": "hunter22;"}),
                               ("POST", "/providers", {**MADE, "password": "hunter22]"})):
        assert "hunter22" not in str(await site.admin(method, path, body))


async def test_what_the_engine_reads(site: IctcoreSite, database_url: str) -> None:
    """Active ones of the type sip with the voice bit, of every organisation."""
    other = await site.other()
    one = await create(site.admin, prefix="49|0", channels=3, cps=1.5, register=1, weight=-2)
    await create(site.admin, active=0)
    await create(site.admin, type="http")
    await create(site.admin, service_flag=2)
    theirs = await create(other.admin, password="")
    org, others = site.directory.org.id, other.directory.org.id
    assert await active(site, database_url) == [
        Provider(one, org, "sip.example.org", 5060, "joe", "s3cr?t &%", "49|0", True, -2, 3, 1.5),
        Provider(theirs, others, "sip.example.org", 5060, "joe", "", "", False, 10)]
    assert "s3cr" not in repr(await active(site, database_url))


async def test_every_change_wakes_the_engine(site: IctcoreSite, database_url: str) -> None:
    wakes = heard(database_url, CHANNEL, 5)
    await anext(wakes)
    made = await create(site.admin)
    await anext(wakes)
    await site.admin("PUT", f"/providers/{made}", {"active": 0})
    await anext(wakes)
    await site.admin("DELETE", f"/providers/{made}")
    await anext(wakes)
    await wakes.aclose()


async def test_providers_list_filters(site: IctcoreSite) -> None:
    """Contract 3.14: provider_id, name, node_id, host, type, active exact; service_flag by bit."""
    first = await create(site.admin, name="Eins", node_id=2, service_flag=1)
    second = await create(site.admin, name="Zwei", host="192.0.2.9", type="smtp", service_flag=8, active=0)
    for query, found in (
        ({"provider_id": second}, [second]), ({"name": "Eins"}, [first]), ({"name": "Ein"}, []),
        ({"node_id": 2}, [first]), ({"host": "192.0.2.9"}, [second]), ({"type": "sip"}, [first]),
        ({"active": 1}, [first]), ({"active": 0}, [second]),
        ({"active": "x"}, []), ({"service_flag": 9}, [first, second]), ({"service_flag": 8}, [second]),
        ({"service_flag": 2}, []), ({"user_id": site.admin_id}, [first, second]), ({"user_id": UNKNOWN}, []),
        ({"password": "x"}, [first, second]), ({"before": 1}, []), ({"pagesize": 1, "pageindex": 1}, [second]),
    ):
        listed = (await site.admin("GET", "/providers", **query)).body
        assert [it["provider_id"] for it in listed] == found, query


async def test_providers_permissions(site: IctcoreSite) -> None:
    needed = {"create": ("POST", ""), "list": ("GET", ""), "read": ("GET", "/1"), "update": ("PUT", "/1"),
              "delete": ("DELETE", "/1")}
    for held in needed:
        _, client = await site.holding(f"provider_{held}")
        for permission, (method, tail) in needed.items():
            answer = await client(method, f"/providers{tail}", MADE if method in ("POST", "PUT") else None)
            assert (answer.status == 403) == (permission != held), (held, method, tail, answer)
    assert says(await site.client()("GET", "/providers"))[0] == 401


async def test_providers_of_other_users_and_organisations(site: IctcoreSite) -> None:
    other = await site.other()
    _, owner = await site.holding("provider")
    _, somebody = await site.holding("provider")
    _, keeper = await site.holding("provider", "provider_admin")
    made = await create(owner)
    for stranger in (somebody, other.admin):
        for method in ("GET", "PUT", "DELETE"):
            assert says(await stranger(method, f"/providers/{made}", {} if method == "PUT" else None))[0] == 404
        assert (await stranger("GET", "/providers")).body == []
    for reader in (owner, keeper, site.admin):
        assert (await reader("GET", f"/providers/{made}")).status == 200
    assert (await keeper("DELETE", f"/providers/{made}")).status == 200


async def test_a_provider_created_twice_with_one_idempotency_key(site: IctcoreSite) -> None:
    key = {"Idempotency-Key": "one"}
    answers = [await site.admin("POST", "/providers", MADE, headers=key) for _ in range(2)]
    assert answers[0].status == 200 and answers[0].body == answers[1].body
    assert says(await site.admin("POST", "/providers", {**MADE, "name": "X"}, headers=key))[0] == 412
    assert len((await site.admin("GET", "/providers")).body) == 1


async def test_providers_of_a_deleted_organisation_are_gone(site: IctcoreSite, database_url: str) -> None:
    other = await site.other()
    await create(other.admin)
    assert (await other.directory.system("DELETE", f"/organisations/{other.directory.org.id}")).status == 204
    assert await active(site, database_url) == []
