"""The sections from "Program" to "Voice TTS program" of ICTCore's guide, on a real Postgres over real HTTP."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.ictcore_programs import FIELDS, SCHEME, Made, created
from tests.ictcore_site import UNKNOWN, IctcoreSite, ictcore_site, says


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[IctcoreSite]:
    async with ictcore_site(database_url) as made:
        yield made


@pytest.fixture
async def made(site: IctcoreSite) -> Made:
    return await Made.all(site, site.admin)


# --- Programs of a type [/programs/emailtofax] … [/programs/voicetts]

@pytest.mark.parametrize("type_", FIELDS)
async def test_programs_of_a_type_post_get_put_delete(made: Made, type_: str) -> None:
    api, body = made.client, made.body(type_)
    program_id = await made.program(type_)
    path = f"/programs/{program_id}"
    data = {name: it for name, it in body.items() if name != "name"}
    whole = {"program_id": program_id, "name": body["name"], "type": type_, "parent_id": None,
             "user_id": made.site.admin_id, "data": data, **data}
    assert (await api("GET", path)).body == whole
    assert (await api("GET", f"/programs/{type_}")).body == [
        {name: whole[name] for name in ("program_id", "name", "type", "parent_id")}]
    changed = await api("PUT", path, {"name": "another", "type": "ivr", "parent_id": program_id})
    assert changed.body == {**whole, "name": "another", "parent_id": program_id}
    assert (await api("PUT", path, changed.body)).body == changed.body
    answer = await api("DELETE", path)
    assert (answer.status, answer.body) == (200, None)
    assert says(await api("GET", path)) == (404, "Program not found")


@pytest.mark.parametrize("type_", FIELDS)
async def test_fields_that_are_missing_or_refer_to_nothing(made: Made, type_: str) -> None:
    api = made.client
    name = FIELDS[type_][0]
    without = {key: it for key, it in made.body(type_).items() if key != name}
    assert says(await api("POST", f"/programs/{type_}", without)) == (
        412, f"Data validation failed, for {name}: is required")
    body = {key: it for key, it in made.body(type_).items() if key != "name"}
    assert says(await api("POST", f"/programs/{type_}", body))[0] == 412
    for field in (it for it in FIELDS[type_] if it.endswith("_id")):
        assert says(await api("POST", f"/programs/{type_}", made.body(type_, **{field: UNKNOWN})))[0] == 404, field
    assert says(await api("POST", f"/programs/{type_}", made.body(type_, parent_id=UNKNOWN)))[0] == 404
    assert says(await api("POST", f"/programs/{type_}", made.body(type_, name="\n")))[0] == 412


async def test_an_account_of_another_type_is_no_extension(made: Made) -> None:
    wrong = made.body("agent", extension_id=made.values["did_id"])
    assert says(await made.client("POST", "/programs/agent", wrong)) == (404, "extension_id: Extension not found")


# --- General program related function [/programs]

async def test_programs_post_with_a_type(made: Made) -> None:
    body = {**made.body("voicetts"), "type": "voicetts"}
    program_id = await created(made.client, "program_id", "/programs", body)
    assert (await made.client("GET", f"/programs/{program_id}")).body["type"] == "voicetts"
    for wrong in ({}, {"name": "x"}, {"name": "x", "type": "dance"}, {"name": "x", "type": "voicetts"}):
        assert says(await made.client("POST", "/programs", wrong))[0] == 412
    assert says(await made.client("POST", "/programs/dance", {"name": "x"}))[0] == 404


async def test_programs_get_with_filters(made: Made) -> None:
    one, two = await made.program("voicetts"), await made.program("sendsms")
    for query, ids in (({}, [one, two]), ({"program_id": two}, [two]), ({"name": "VOICE"}, [one]),
                       ({"type": "sms"}, [two]), ({"user_id": made.site.admin_id}, [one, two]),
                       ({"user_id": UNKNOWN}, []), ({"before": 1}, []), ({"pagesize": 1, "pageindex": 1}, [two])):
        assert [it["program_id"] for it in (await made.client("GET", "/programs", **query)).body] == ids, query


async def test_numbers_and_texts_may_be_written_as_the_other(made: Made) -> None:
    program_id = await made.program("voicemessage", recording_id=str(made.values["recording_id"]), name=112)
    program = (await made.client("GET", f"/programs/{program_id}")).body
    assert (program["name"], program["recording_id"]) == ("112", made.values["recording_id"])


async def test_a_program_is_made_once_for_an_idempotency_key(made: Made) -> None:
    key = {"Idempotency-Key": "k"}
    one = await made.client("POST", "/programs/voicetts", made.body("voicetts"), headers=key)
    two = await made.client("POST", "/programs/voicetts", made.body("voicetts"), headers=key)
    assert one.body == two.body and two.headers["Idempotent-Replayed"] == "true"
    assert len((await made.client("GET", "/programs")).body) == 1


# --- Single Program [/programs/{program_id}]: who is using it

@pytest.mark.parametrize(("status", "is_due", "code"), [
    ("processing", False, 423), ("pending", False, 200), ("pending", True, 423), ("pending_retry", True, 423),
    ("completed", False, 200), ("failed", False, 200)])
async def test_a_program_is_not_removed_while_a_transmission_is_open(
        made: Made, status: str, is_due: bool, code: int) -> None:
    transmission_id = await made.transmission()
    await made.site.pool.execute(
        "UPDATE transmissions SET status = $2, due_at = CASE WHEN $3 THEN now() END WHERE id = $1",
        transmission_id, status, is_due)
    program_id = (await made.client("GET", f"/transmissions/{transmission_id}")).body["program_id"]
    assert (await made.client("DELETE", f"/programs/{program_id}")).status == code


@pytest.mark.parametrize(("status", "code"), [
    ("new", 200), ("ready", 423), ("running", 423), ("paused", 423), ("completed", 200), ("broken", 200)])
async def test_a_program_is_not_removed_while_a_campaign_uses_it(made: Made, status: str, code: int) -> None:
    program_id = await made.program()
    await made.site.pool.execute(
        "INSERT INTO campaigns (organisation_id, program_id, group_id, status) VALUES ($1, $2, 1, $3)",
        made.site.directory.org.id, program_id, status)
    assert (await made.client("DELETE", f"/programs/{program_id}")).status == code


# --- ivr

async def test_a_scheme_may_be_text_or_a_list_and_is_told_as_an_object(made: Made) -> None:
    for given, told in ((json.dumps(SCHEME), SCHEME), (list(SCHEME.values()), list(SCHEME.values()))):
        program_id = await made.program("ivr", ivr_scheme=given)
        assert (await made.client("GET", f"/programs/{program_id}")).body["ivr_scheme"] == told


def say(text: Any) -> dict[str, Any]:
    return {"0": {"type": "say", "data": {"text": text}}}


@pytest.mark.parametrize(("scheme", "field"), [
    ("{", "ivr_scheme"), ("7", "ivr_scheme"), ({}, "ivr_scheme"), ([], "ivr_scheme"),
    (say(""), "ivr_scheme.nodes.0.data.text"), (say("x" * 1001), "ivr_scheme.nodes.0.data.text"),
    (say("a\0b"), "ivr_scheme"), ({"0": {"type": "amd", "color": "\ud800"}}, "ivr_scheme"),
    ({"0": {"type": "say_date"}}, "ivr_scheme.nodes.0.type"),
    ({"0": {"type": "say", "data": {"text": "a"}, "links": {"": 1}}}, "ivr_scheme.nodes.0.links."),
    ({"0": {"type": "transfer", "data": {"to": "110"}}}, "ivr_scheme.nodes.0.data.to"),
    ({"0": {"type": "transfer", "data": {"to": "0900 1234567"}}}, "ivr_scheme.nodes.0.data.to"),
    ({"0": {"type": "transfer", "data": {"to": "+33 1 42278186"}}}, "ivr_scheme.nodes.0.data.to"),
    ({"0": {"type": "transfer", "data": {"to": "reception"}}}, "ivr_scheme.nodes.0.data.to"),
])
async def test_what_is_wrong_with_a_scheme_is_named(made: Made, scheme: Any, field: str) -> None:
    code, message = says(await made.client("POST", "/programs/ivr", made.body("ivr", ivr_scheme=scheme)))
    assert code == 412 and message.startswith(f"Data validation failed, for {field}: "), message
    program_id = await made.program("ivr")
    assert says(await made.client("PUT", f"/programs/{program_id}", {"ivr_scheme": scheme})) == (code, message)


async def test_transfers_lead_to_hotlines_and_numbers_in_national_form(made: Made) -> None:
    hotline = await made.site.directory.org.hotline()
    scheme = {"0": {"type": "transfer", "data": {"to": "030 55520"}, "links": {"error": 1}},
              "1": {"type": "transfer", "data": {"hotline_id": hotline.hotline_id}}}
    program_id = await made.program("ivr", ivr_scheme=scheme)
    stored = json.loads(await made.site.pool.fetchval("SELECT data FROM programs WHERE id = $1", program_id))
    assert stored["numbers"] == {"0": "+493055520", "1": hotline.number}
    told = (await made.client("GET", f"/programs/{program_id}")).body
    assert told["ivr_scheme"] == scheme and "numbers" not in told and "numbers" not in told["data"]
    wrong = {"0": {"type": "transfer", "data": {"hotline_id": UNKNOWN}}}
    answer = await made.client("POST", "/programs/ivr", made.body("ivr", ivr_scheme=wrong))
    assert says(answer) == (404, "ivr_scheme.nodes.0.data.hotline_id: Hotline not found")


async def test_a_recording_of_a_scheme_must_be_there(made: Made) -> None:
    scheme = {"0": {"type": "play", "data": {"recording_id": UNKNOWN}}}
    assert says(await made.client("POST", "/programs/ivr", made.body("ivr", ivr_scheme=scheme)))[0] == 404


# --- Shortcut way to create new Transmissions [/programs/{program_id}/transmissions]

async def test_transmissions_of_a_program_put_and_get(made: Made) -> None:
    path = f"/programs/{await made.program()}/transmissions"
    assert (await made.client("GET", path)).body == []
    ids = [await created(made.client, "transmission_id", path, {"contact_id": made.contact_id}, "PUT")
           for _ in range(2)]
    await made.transmission()
    assert [it["transmission_id"] for it in (await made.client("GET", path)).body] == ids
    assert [it["transmission_id"] for it in (await made.client("GET", path, transmission_id=ids[1])).body] == ids[1:]
    assert says(await made.client("PUT", f"/programs/{UNKNOWN}/transmissions", {"phone": "030 1234"}))[0] == 404
    assert says(await made.client("GET", f"/programs/{UNKNOWN}/transmissions"))[0] == 404
    assert says(await made.client("PUT", path, {}))[0] == 412


@pytest.mark.parametrize("type_", FIELDS)
async def test_a_program_and_its_transmission_at_once(made: Made, type_: str) -> None:
    body = {"program_data": made.body(type_), "transmission_data": {"phone": "030 55511"}}
    transmission_id = await created(made.client, "transmission_id", f"/programs/{type_}/transmissions", body)
    one = (await made.client("GET", f"/transmissions/{transmission_id}")).body
    assert (one["origin"], one["title"], one["contact"]["phone"]) == (type_, f"my {type_}", "030 55511")


@pytest.mark.parametrize("wrong", [{}, {"transmission_data": {}}, {"program_data": {}}, {"transmission_data": 1}])
async def test_without_a_transmission_there_is_no_program_either(made: Made, wrong: Any) -> None:
    body = {"program_data": made.body("voicetts"), "transmission_data": {"phone": "030 55511"}, **wrong}
    if not wrong:
        body["transmission_data"] = {"contact_id": UNKNOWN}
    answer = await made.client("POST", "/programs/voicetts/transmissions", body)
    assert says(answer)[0] == (412 if wrong else 404)
    assert (await made.client("GET", "/programs")).body == []


# --- who may

async def test_who_is_no_admin_sees_his_own(made: Made) -> None:
    program_id = await made.program()
    _, client = await made.site.user()
    own = await created(client, "program_id", "/programs/voicetts", made.body("voicetts"))
    assert [it["program_id"] for it in (await client("GET", "/programs")).body] == [own]
    for method, path, body in (
            ("GET", "", None), ("PUT", "", {"name": "x"}), ("DELETE", "", None), ("GET", "/transmissions", None),
            ("PUT", "/transmissions", {"phone": "030 55511"})):
        assert says(await client(method, f"/programs/{program_id}{path}", body))[0] == 404, (method, path)
    for type_ in ("voicemessage", "sendfax", "sendemail", "sendsms", "receivefax", "agent"):
        assert says(await client("POST", f"/programs/{type_}", made.body(type_)))[0] == 404, type_


@pytest.mark.parametrize(("permission", "method", "path"), [
    ("program_list", "GET", "/programs"), ("program_list", "GET", "/programs/ivr"),
    ("program_read", "GET", "/programs/1"), ("program_create", "POST", "/programs"),
    ("program_create", "POST", "/programs/ivr"), ("program_update", "PUT", "/programs/1"),
    ("program_delete", "DELETE", "/programs/1"), ("transmission_list", "GET", "/programs/1/transmissions"),
    ("transmission_create", "PUT", "/programs/1/transmissions"),
    ("transmission_create", "POST", "/programs/ivr/transmissions")])
async def test_permissions(site: IctcoreSite, permission: str, method: str, path: str) -> None:
    _, client = await site.holding("contact")
    assert says(await client(method, path, {} if method != "GET" else None)) == (
        403, f"Permission denied: {permission}")


async def test_ids_of_another_organisation_do_not_exist(made: Made) -> None:
    other = await made.site.other()
    theirs = await Made.all(other, other.admin)
    path = f"/programs/{await theirs.program()}"
    for method, it, body in (("GET", path, None), ("PUT", path, {"name": "x"}), ("DELETE", path, None),
                             ("GET", f"{path}/transmissions", None),
                             ("PUT", f"{path}/transmissions", {"phone": "030 55511"})):
        assert says(await made.client(method, it, body))[0] == 404, (method, it)
    for type_, fields in FIELDS.items():
        for field in (it for it in fields if it.endswith("_id")):
            wrong = made.body(type_, **{field: theirs.values[field]})
            assert says(await made.client("POST", f"/programs/{type_}", wrong))[0] == 404, (type_, field)
