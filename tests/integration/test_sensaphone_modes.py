"""What is the same of every operation of the Sensaphone.net API: its modes, its mounts, and what is wrong."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.sensaphone_site import UNKNOWN, SensaphoneSite, sensaphone_site

LONG = "n" * 10_000
NAME = "must be one line of text, of 1 to 64 characters"


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[SensaphoneSite]:
    async with sensaphone_site(database_url) as made:
        yield made


# --- where it is

async def test_three_versions_are_the_same(site: SensaphoneSite) -> None:
    group = await site.group()
    for site.version in ("v1", "v2", "v3"):
        assert (await site.uri("GET", f"contactgroup/{group}"))["contactgroup"][0]["name"] == "Night Crew"
        assert len(await site.groups()) == 1


async def test_first_responder_is_not_disturbed(site: SensaphoneSite) -> None:
    token = site.ictcore.directory.api.headers["API-TOKEN"]
    path = f"v1/first-responder/hotlines?organization_id={site.acctid}"
    answer = await site.send("GET", path, **{"API-TOKEN": token})
    assert answer.status == 200 and answer.body["totalHotlines"] == 0, answer.body
    for method, path, status in (("GET", "hotlines", 401), ("GET", "nothing", 404), ("PATCH", "hotlines", 405),
                                 ("GET", "", 404)):
        answer = await site.send(method, f"v1/first-responder/{path}")
        assert answer.status == status and answer.body.keys() == {"success", "message", "error"}, path
    assert (await site.send("GET", "v1/first-responder")).body.keys() == {"success", "message", "error"}


@pytest.mark.parametrize("method, path", [
    ("GET", ""), ("GET", "nothing"), ("GET", "contactgroup"), ("PUT", "contactgroup"), ("POST", "devicegroup"),
    ("GET", "$/nothing"), ("GET", "$/contactgroup/1/2"), ("PATCH", "$/contactgroup"), ("OPTIONS", "contactgroup"),
    ("PUT", "$/contactgroup/1"), ("DELETE", "$/contactgroup"), ("DELETE", "$/contactgroup/1/users"),
    ("GET", "$//contactgroup"), ("POST", "$/contactgroup/1/name/x"), ("GET", "$"), ("GET", "login/a"),
    ("PUT", "login/a/b"),
    ("GET", "$/contactgroup/1/contacts/contact_id/1"), ("GET", "first-responders"), ("DELETE", "$/user/1"),
])
async def test_a_path_that_leads_nowhere_is_a_404(site: SensaphoneSite, method: str, path: str) -> None:
    answer = await site.send(method, f"v1/{path.replace('$', f'{site.acctid}/{site.session}')}")
    assert (answer.status, answer.code) == (404, 4)


async def test_head_is_a_get_without_a_body(site: SensaphoneSite) -> None:
    answer = await site.send("HEAD", f"v1/{site.acctid}/{site.session}/contactgroup")
    assert answer.status == 200 and int(answer.headers["Content-Length"]) > 2


async def test_what_is_logged_and_counted_of_a_path_has_no_session(site: SensaphoneSite) -> None:
    await site.uri("GET", "contactgroup")
    async with site.ictcore.directory.api.session.get(f"{site.root}/metrics") as got:
        figures = await got.text()
    assert 'route="/api/v1/{acctid}/{session}/contactgroup"' in figures and site.session not in figures


# --- URI mode

@pytest.mark.parametrize("written, name", [
    ("Night%20Crew", "Night Crew"), ("%7BNight%20Crew%7D", "Night Crew"), ("{Night%20Crew}", "Night Crew"),
    ("Night%20Crew/", "Night Crew"), ("%7BNight%20Crew%7D/", "Night Crew"), ("Night+Crew", "Night+Crew"),
    ("L%C3%B6schzug", "Löschzug"), ("a%2Fb", "a/b"), ("%7B%7Bx%7D%7D", "{x}"), ("100%25", "100%"), ("%7Bx", "{x"),
    ("name", "name"), ("contactgroup", "contactgroup"), ("a%3Fb%23c", "a?b#c"), ("x" * 64, "x" * 64),
    ("users", "users"),
])
async def test_values_of_a_path(site: SensaphoneSite, written: str, name: str) -> None:
    made = await site.uri("POST", f"contactgroup/name/{written}")
    assert made["contactgroup"][0]["name"] == name
    group = made["contactgroup"][0]["group_id"]
    assert (await site.uri("PUT", f"contactgroup/%7B{group}%7D/name/{written}"))["contactgroup"] == [
        {"group_id": group, "name": name}]


async def test_account_and_session_in_braces(site: SensaphoneSite) -> None:
    for path in (f"{{{site.acctid}}}/{{{site.session}}}/contactgroup",
                 f"%7B{site.acctid}%7D/%7B{site.session}%7D/contactgroup/"):
        assert (await site.send("GET", f"v1/{path}")).response == {"contactgroup": []}


async def test_a_body_says_nothing_in_uri_mode(site: SensaphoneSite) -> None:
    path = f"v1/{site.acctid}/{site.session}/contactgroup/name/Night"
    for data in (b"{}", b"nonsense", b"\0" * 100):
        assert (await site.send("POST", path, data)).response["contactgroup"][0]["name"] == "Night"


# --- JSON mode

@pytest.mark.parametrize("content_type", [
    "application/json", "text/plain", "text/plain; charset=utf-8", "application/json;charset=UTF-8",
    "application/x-www-form-urlencoded", "application/octet-stream"])
async def test_json_whatever_it_calls_itself(site: SensaphoneSite, content_type: str) -> None:
    body = ('{"acctid": $ACCTID, "session": "$SESSION", "request_type": "create", '
            '"contactgroup": [{"name": "Löschzug"}]}')
    answer = await site.raw_json("contactgroup", body, content_type)
    assert answer.response["contactgroup"][0]["name"] == "Löschzug"


async def test_the_vendors_oddities_are_taken_and_never_told(site: SensaphoneSite) -> None:
    """A single object for an array, numbers as text, `sessionid`, `devicegroup` in a delete, a resource said twice."""
    head = {"acctid": str(site.acctid), "sessionid": site.session, "resource": "contactgroup"}
    made = await site.raw_json("contactgroup", {
        **head, "request_type": "create", "contactgroup": {"name": "Night", "users": {"user_id": str(site.user_id)}}})
    [group] = made.response["contactgroup"]
    assert group["users"] == [{"user_id": site.user_id}]
    for asked in ({"group_id": str(group["group_id"])}, {"group_id": None}, {}):
        read = await site.raw_json("contactgroup", {**head, "request_type": "read", "contactgroup": asked})
        assert read.response == {"contactgroup": [group]}
    gone = await site.raw_json("contactgroup", {
        **head, "request_type": "delete", "devicegroup": {"group_id": group["group_id"]}})
    assert gone.response == {"contactgroup": []}


async def test_what_the_path_says_as_well_must_be_the_same(site: SensaphoneSite) -> None:
    body = {"acctid": site.acctid, "session": site.session, "request_type": "read", "contactgroup": None}
    assert (await site.raw_json(f"{site.acctid}/{site.session}/contactgroup", body)).code == 0
    for name, wrong in (("acctid", {"acctid": site.acctid + 1}), ("session", {"session": "0123"})):
        answer = await site.raw_json(f"{site.acctid}/{site.session}/contactgroup", {**body, **wrong})
        assert answer.failure == (5, f"{name}: is another one than in the path")


# --- what is wrong

MALFORMED = [
    (b"", 1, "body: is empty"), (b"   ", 1, "body: is empty"), (b"{", 1, "body: not valid JSON"),
    (b"[]", 1, "body: must be a JSON object"), (b"null", 1, "body: must be"), (b'"x"', 1, "body: must be"),
    (b"\xff{}", 1, "body: not valid JSON"), (b'{"acctid": 1, "acctid": 2}', 1, "body: member 'acctid'"),
    (b'{"acctid": NaN}', 1, "body: NaN"), (b"[" * 100_000, 1, "body: "),
    (b'{"acctid": ' + b"9" * 5000 + b"}", 1, "body: "),
    (b" " * 1_048_575 + b"{}", 1, "Request Entity Too Large"), (b"{}", 5, "request_type: must be "),
    (b'{"request_type": "read"}', 5, "acctid: is required; session: is required"),
    (b'{"request_type": ["read"]}', 5, "request_type: must be read or create or update or delete"),
    (b'{"request_type": "drop"}', 5, "request_type: must be "),
    (b'{"request_type": "read", "acctid": 1.5, "session": "x"}', 5, "acctid: must be a whole number"),
    (b'{"request_type": "read", "acctid": true, "session": "x"}', 5, "acctid: must be a whole number"),
    (b'{"request_type": "read", "acctid": 1, "session": {}}', 5, "session: must be a string"),
    (b'{"request_type": "read", "acctid": 99999999999999999999, "session": ""}', 5, "acctid: "),
]


@pytest.mark.parametrize("data, code, message", MALFORMED)
async def test_a_malformed_request_says_what_is_wrong(
    site: SensaphoneSite, data: bytes, code: int, message: str,
) -> None:
    before = await site.stored()
    failure = (await site.send("POST", "v1/contactgroup", data, **{"Content-Type": "application/json"})).failure
    assert failure[0] == code and failure[1].startswith(message), failure
    assert await site.stored() == before


def crew(**members: Any) -> list[dict[str, Any]]:
    return [{"name": "Night Crew", **members}]


REFUSED: list[tuple[str, Any, int, str]] = [
    ("create", [{"name": LONG}], 5, f"contactgroup[0].name: {NAME}"),
    ("create", [{"name": "x" * 65}], 5, f"contactgroup[0].name: {NAME}"),
    ("create", [{"name": "Night\nCrew"}], 5, f"contactgroup[0].name: {NAME}"),
    ("create", [{"name": "Night\0"}], 5, f"contactgroup[0].name: {NAME}"),
    ("create", [{"name": "\x85"}], 5, f"contactgroup[0].name: {NAME}"),
    ("create", [{"name": ""}], 5, f"contactgroup[0].name: {NAME}"),
    ("create", [{"name": "  "}], 5, f"contactgroup[0].name: {NAME}"),
    ("create", [{"name": 7}], 5, f"contactgroup[0].name: {NAME}"),
    ("create", [{"name": "\ud800"}], 5, f"contactgroup[0].name: {NAME}"),
    ("create", [{}], 5, "contactgroup[0].name: is required for a new group"),
    ("create", [{"users": [{"user_id": "$USER"}]}], 5, "contactgroup[0].name: is required"),
    ("create", [], 5, "contactgroup: too few: 1 at least"), ("create", None, 5, "contactgroup: must be a list"),
    ("create", "Night Crew", 5, "contactgroup: must be a list"),
    ("create", ["x"], 5, "contactgroup[0]: must be an object"),
    ("create", [{"name": "x"}] * 1001, 5, "contactgroup: too many: 1000 at most"),
    ("create", crew(colour="red"), 5, "contactgroup[0].colour: is unknown here"),
    ("create", crew(contact=[]), 5, "contactgroup[0].contact: is unknown here"),
    ("create", crew(users=[{"user_id": UNKNOWN}]), 4, "contactgroup[0].users[0].user_id: there is no user"),
    ("create", crew(users=[{"user_id": "$FOREIGN"}]), 4, "contactgroup[0].users[0].user_id: there is no user"),
    ("create", crew(users=[{}]), 5, "contactgroup[0].users[0].user_id: is required"),
    ("create", crew(users=[{"user_id": "x"}]), 5, "contactgroup[0].users[0].user_id: must be a whole number"),
    ("create", crew(users=[{"user_id": 1, "name": "x"}]), 5, "contactgroup[0].users[0].name: is unknown here"),
    ("create", crew(contacts=[{"contact_id": UNKNOWN}]), 4,
     "contactgroup[0].contacts[0].contact_id: there is no contact"),
    ("create", [{"name": "x"}, *crew(contacts=[{"contact_id": 0}])], 4, "contactgroup[1].contacts[0].contact_id:"),
    ("create", [{"group_id": "$GROUP", "name": "x"}], 5, "contactgroup[0].name: does not go with group_id"),
    ("create", [{"group_id": "$GROUP"}], 5, "contactgroup[0].contacts: or users:"),
    ("create", [{"group_id": "$GROUP", "users": []}], 5, "contactgroup[0].contacts: or users:"),
    ("create", [{"group_id": "$FOREIGN_GROUP", "users": [{"user_id": "$USER"}]}], 4,
     "contactgroup[0].group_id: there is no"),
    ("create", [{"group_id": 2**63, "users": [{"user_id": "$USER"}]}], 5, "contactgroup[0].group_id: "),
    ("update", [{"group_id": "$GROUP", "name": LONG}], 5, f"contactgroup[0].name: {NAME}"),
    ("update", [{"group_id": "$GROUP"}], 5, "contactgroup[0].name: is required"),
    ("update", [{"name": "x"}], 5, "contactgroup[0].group_id: is required"),
    ("update", [{"group_id": "$GROUP", "name": "x", "users": []}], 5,
     "contactgroup[0].users: is not changed by update"),
    ("update", [{"group_id": "$FOREIGN_GROUP", "name": "x"}], 4, "contactgroup[0].group_id: there is no group"),
    ("update", [{"group_id": -1, "name": "x"}], 4, "contactgroup[0].group_id: there is no group"),
    ("delete", [{"group_id": UNKNOWN}], 4, "contactgroup[0].group_id: there is no group"),
    ("delete", [{"group_id": "$FOREIGN_GROUP"}], 4, "contactgroup[0].group_id: there is no group"),
    ("delete", [{"group_id": "$FOREIGN_GROUP", "users": [{"user_id": "$FOREIGN"}]}], 4, "contactgroup[0].group_id: "),
    ("delete", [{"group_id": "$GROUP", "users": [{"user_id": "$FOREIGN"}]}], 4, "contactgroup[0].users[0].user_id: "),
    ("delete", [{"name": "Night Crew"}], 5, "contactgroup[0].group_id: is required"),
    ("delete", None, 5, "contactgroup: must be a list"),
    ("read", [{"group_id": "$FOREIGN_GROUP"}], 4, "contactgroup[0].group_id: there is no group"),
    ("read", [{"group_id": "$GROUP", "name": "x"}], 5, "contactgroup[0].name: must be null in a read"),
    ("read", [{"group_id": "$GROUP", "colour": None}], 5, "contactgroup[0].colour: is unknown here"),
    ("read", [], 5, "contactgroup: too few"),
]


@pytest.mark.parametrize("request_type, asked, code, message", REFUSED)
async def test_what_is_wrong_is_named_and_nothing_changed(
    site: SensaphoneSite, request_type: str, asked: Any, code: int, message: str) -> None:
    other = await site.other()
    ids = {"$USER": site.user_id, "$GROUP": await site.group(), "$FOREIGN": other.user_id,
           "$FOREIGN_GROUP": await other.group()}
    text = json.dumps(asked)
    for name in sorted(ids, key=len, reverse=True):
        text = text.replace(f'"{name}"', str(ids[name]))
    before = await site.stored()
    answer = await site.raw_json("contactgroup", (
        f'{{"acctid": $ACCTID, "session": "$SESSION", "request_type": "{request_type}", "contactgroup": {text}}}'))
    assert answer.failure[0] == code and answer.failure[1].startswith(message), answer.body
    assert await site.stored() == before


@pytest.mark.parametrize("extra", [{"colour": 1}, {"devicegroup": []}, {"contact": None}, {"Session": "x"}])
async def test_an_unknown_member_beside_the_resource_is_named(site: SensaphoneSite, extra: dict[str, Any]) -> None:
    answer = await site.raw_json("contactgroup", {
        "acctid": site.acctid, "session": site.session, "request_type": "read", "contactgroup": None, **extra})
    [name] = extra
    assert answer.failure == (5, f"{name}: is unknown here; is it spelled right?")


@pytest.mark.parametrize("method, path, code, field", [
    ("POST", f"contactgroup/name/{LONG[:5000]}", 5, "contactgroup[0].name"),
    ("POST", "contactgroup/name/%00", 5, "name"),
    ("POST", "contactgroup/name/a%0Ab", 5, "contactgroup[0].name"), ("POST", "contactgroup/name/%7B%7D", 5, "name"),
    ("POST", "contactgroup/name/%FF", 5, "contactgroup[0].name"), ("POST", "contactgroup/name/%20", 5, "name"),
    ("PUT", "contactgroup/x/name/y", 5, "contactgroup[0].group_id"),
    ("PUT", "contactgroup/%31%00/name/y", 5, "group_id"),
    ("PUT", f"contactgroup/{UNKNOWN}/name/y", 4, "contactgroup[0].group_id"),
    ("GET", f"contactgroup/{UNKNOWN}", 4, "contactgroup[0].group_id"), ("GET", "contactgroup/-5", 4, "group_id"),
    ("GET", "contactgroup/1.5/users", 5, "contactgroup[0].group_id"),
    ("GET", f"contactgroup/{'9' * 30}", 5, "group_id"),
    ("DELETE", f"contactgroup/{UNKNOWN}", 4, "group_id"), ("DELETE", "contactgroup/%F0%9F%98%80", 5, "group_id"),
    ("DELETE", f"contactgroup/{UNKNOWN}/users/user_id/1", 4, "group_id"),
    ("POST", f"contactgroup/{UNKNOWN}/users/user_id/x", 5, "contactgroup[0].users[0].user_id"),
    ("POST", f"contactgroup/1/contacts/contact_id/{UNKNOWN}", 4, "contactgroup[0].contacts[0].contact_id"),
])
async def test_what_is_wrong_in_a_path_is_named_and_nothing_changed(
    site: SensaphoneSite, method: str, path: str, code: int, field: str) -> None:
    before = await site.stored()
    failure = (await site.raw_uri(method, path)).failure
    assert failure[0] == code and field in failure[1].partition(": ")[0], failure
    assert await site.stored() == before


async def test_an_account_that_is_no_number(site: SensaphoneSite) -> None:
    answer = await site.send("GET", f"v1/x/{site.session}/contactgroup")
    assert answer.failure == (5, "acctid: must be a whole number")


# --- whose, and who may

async def test_groups_of_another_organisation_are_not_there(site: SensaphoneSite) -> None:
    other = await site.other()
    group, contact = await site.group(), await site.contact()
    mine = await other.group("mine")
    assert [it["group_id"] for it in await other.groups()] == [mine]
    before = await site.stored()
    for method, path in (
        ("GET", f"contactgroup/{group}"), ("PUT", f"contactgroup/{group}/name/x"), ("DELETE", f"contactgroup/{group}"),
        ("POST", f"contactgroup/{group}/users/user_id/{other.user_id}"), ("GET", f"contact/{contact}"),
        ("POST", f"contactgroup/{mine}/users/user_id/{site.user_id}"), ("GET", f"user/{site.user_id}"),
        ("POST", f"contactgroup/{mine}/contacts/contact_id/{contact}"),
    ):
        assert (await other.raw_uri(method, path)).failure[0] == 4, path
    assert await site.stored() == before


async def test_a_user_has_the_rights_that_he_has_in_the_ictcore_api(site: SensaphoneSite) -> None:
    group, contact = await site.group(), await site.contact()
    one = await site.somebody()
    own, mine = await one.group("own"), await one.contact()
    assert [it["group_id"] for it in await one.groups()] == [own]
    assert [it["group_id"] for it in await site.groups()] == [group, own]
    await one.uri("POST", f"contactgroup/{own}/users/user_id/{one.user_id}")
    await one.uri("POST", f"contactgroup/{own}/contacts/contact_id/{mine}")
    before = await site.stored()
    for method, path, code in (
        ("DELETE", f"contactgroup/{group}", 4), ("POST", f"contactgroup/{own}/contacts/contact_id/{contact}", 4),
        ("POST", f"contactgroup/{own}/users/user_id/{site.user_id}", 4), ("POST", "user/name/somebody", 3),
        ("GET", f"user/{site.user_id}", 4), ("GET", f"contact/{contact}", 4),
    ):
        assert (await one.raw_uri(method, path)).failure[0] == code, path
    assert [it["user_id"] for it in (await one.uri("GET", "user"))["user"]] == [one.user_id]
    assert await site.stored() == before


async def test_without_a_permission_it_is_code_3_and_the_permission_is_named(site: SensaphoneSite) -> None:
    one = await site.somebody()
    await site.pool.execute("DELETE FROM user_roles WHERE user_id = $1", one.user_id)
    for method, path, permission in (
        ("GET", "contactgroup", "group_list"), ("GET", "contactgroup/1", "group_read"),
        ("POST", "contactgroup/name/x", "group_create"), ("PUT", "contactgroup/1/name/x", "group_update"),
        ("POST", "contactgroup/1/users/user_id/1", "group_update"), ("DELETE", "contactgroup/1", "group_delete"),
        ("DELETE", "contactgroup/1/users/user_id/1", "group_update"), ("GET", "contact", "contact_list"),
        ("GET", "contact/1", "contact_read"), ("POST", "contact/destination/030555123", "contact_create"),
        ("GET", "user", "user_read"), ("POST", "user/name/x", "user_create"),
    ):
        assert (await one.raw_uri(method, path)).failure == (3, f"Permission denied: {permission}"), path
