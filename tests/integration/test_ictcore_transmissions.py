"""The section "Transmission - the actual call or action" of ICTCore's guide, on a real Postgres over real HTTP."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from tests.directory_site import Answer
from tests.ictcore_programs import FIELDS, Made, created
from tests.ictcore_site import UNKNOWN, IctcoreSite, ictcore_site, says

STATUSES = ("pending", "pending_retry", "initializing", "processing", "done", "completed", "failed", "invalid")
SENDABLE = ("pending", "pending_retry", "failed")


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[IctcoreSite]:
    async with ictcore_site(database_url) as made:
        yield made


@pytest.fixture
async def made(site: IctcoreSite) -> Made:
    found = await Made.all(site, site.admin)
    await found.may_call()
    return found


async def one(made: Made, transmission_id: int) -> Any:
    answer = await made.client("GET", f"/transmissions/{transmission_id}")
    assert answer.status == 200, answer
    return answer.body


async def send(made: Made, transmission_id: int, verb: str = "send", **headers: str) -> Answer:
    return await made.client("POST", f"/transmissions/{transmission_id}/{verb}", headers=headers)


async def set_status(made: Made, transmission_id: int, status: str) -> None:
    await made.site.pool.execute("UPDATE transmissions SET status = $2 WHERE id = $1", transmission_id, status)


async def spools(made: Made) -> int:
    count: int = await made.site.pool.fetchval("SELECT count(*) FROM spools")
    return count


# --- Collection of Transmission [/transmissions]

async def test_transmissions_post_and_get(made: Made) -> None:
    program_id = await made.program("voicemessage")
    body = {"title": "Alarm", "origin": "shop", "contact_id": made.contact_id, "account_id": made.values["account_id"],
            "service_flag": 2, "program_id": program_id, "direction": "inbound", "try_allowed": 3}
    transmission_id = await created(made.client, "transmission_id", "/transmissions", body)
    account = {"first_name": "", "last_name": "", "phone": "", "email": ""}
    contact = {"first_name": "Anna", "last_name": "", "phone": "030 55510", "email": ""}
    whole = {
        **body, "transmission_id": transmission_id, "status": "pending", "response": "", "try_done": 0,
        "last_run": None, "is_deleted": 0, "campaign_id": None, "user_id": made.site.admin_id,
        "account_phone": "", "account_email": "", "contact_phone": "030 55510", "contact_email": "",
        "account": {"account_id": made.values["account_id"], "username": f"a{made.values['recording_id']}", **account},
        "contact": {"contact_id": made.contact_id, **contact}}
    told = await one(made, transmission_id)
    assert told == {**whole, "username": told["username"]}
    assert (await made.client("GET", "/transmissions")).body == [told]


@pytest.mark.parametrize(("type_", "flag"), [
    (it, 8 if "email" in it and it != "faxtoemail" else 4 if "sms" in it else 2 if "fax" in it else 1)
    for it in FIELDS if it != "emailtofax"] + [("emailtofax", 8)])
async def test_defaults_are_those_of_the_program_and_the_callers_account(made: Made, type_: str, flag: int) -> None:
    told = await one(made, await made.transmission(type_))
    assert (told["service_flag"], told["origin"], told["title"], told["direction"], told["try_allowed"]) == (
        flag, type_, f"my {type_}", "outbound", 1)
    assert told["account_id"] == made.values["account_id"]      # his first one


async def test_without_a_contact_one_is_made_of_phone_or_email(made: Made) -> None:
    program_id = await made.program()
    for given in ({"phone": "030 55511"}, {"phone": 4930555}, {"email": "anna@example.org"}):
        told = await one(made, await created(
            made.client, "transmission_id", "/transmissions", {"program_id": program_id, **given}))
        contact = (await made.client("GET", f"/contacts/{told['contact_id']}")).body
        assert (contact["phone"], contact["email"]) == (str(given.get("phone", "")), given.get("email", ""))
    before = len((await made.client("GET", "/contacts")).body)
    wrong = {"program_id": program_id, "phone": "030 55511", "account_id": UNKNOWN}
    assert says(await made.client("POST", "/transmissions", wrong)) == (404, "account_id: Account not found")
    assert len((await made.client("GET", "/contacts")).body) == before


@pytest.mark.parametrize(("wrong", "code"), [
    ({"program_id": None}, 412), ({"program_id": "x"}, 412), ({"program_id": UNKNOWN}, 404),
    ({"contact_id": None}, 412), ({"contact_id": 0}, 412), ({"contact_id": UNKNOWN}, 404),
    ({"contact_id": None, "phone": "call me"}, 412), ({"contact_id": None, "phone": "0"}, 412),
    ({"contact_id": None, "email": "no address"}, 412),
    ({"account_id": UNKNOWN}, 404), ({"account_id": -2}, 412),
    ({"service_flag": 3}, 412), ({"direction": "sideways"}, 412), ({"title": "x" * 256}, 412),
    ({"try_allowed": 0}, 412), ({"origin": "\0"}, 412)])
async def test_what_is_wrong_with_a_transmission(made: Made, wrong: dict[str, Any], code: int) -> None:
    body = {"program_id": await made.program(), "contact_id": made.contact_id, **wrong}
    assert says(await made.client("POST", "/transmissions", body))[0] == code
    assert (await made.client("GET", "/transmissions")).body == []


async def test_a_transmission_is_made_once_for_an_idempotency_key(made: Made) -> None:
    body = {"program_id": await made.program(), "phone": "030 55511"}
    key = {"Idempotency-Key": "k"}
    answers = [await made.client("POST", "/transmissions", body, headers=key) for _ in range(2)]
    assert answers[0].body == answers[1].body
    assert len((await made.client("GET", "/transmissions")).body) == 1
    assert len((await made.client("GET", "/contacts")).body) == 2
    assert says(await made.client("POST", "/transmissions", {**body, "title": "x"}, headers=key))[0] == 412


async def test_list_filters(made: Made) -> None:
    a = await made.transmission("voicetts", title="Alarm 100%", origin="shop")
    b = await made.transmission("sendfax", direction="inbound", is_deleted=1)
    await set_status(made, b, "pending_retry")
    await made.site.pool.execute("UPDATE transmissions SET response = 'busy', campaign_id = 5 WHERE id = $1", b)
    first = await one(made, a)
    for query, ids in (
            ({"transmission_id": a}, [a]), ({"program_id": first["program_id"]}, [a]),
            ({"account_id": made.values["account_id"]}, [a, b]), ({"contact_id": made.contact_id}, [a, b]),
            ({"campaign_id": 5}, [b]), ({"is_deleted": 1}, [b]), ({"is_deleted": 0}, [a]),
            ({"service_flag": 2}, [b]), ({"service_flag": 3}, [a, b]), ({"service_flag": 4}, []),
            ({"title": "0%"}, [a]), ({"title": "a%m"}, []), ({"origin": "SHOP"}, [a]), ({"direction": "in"}, [b]),
            ({"status": "pending"}, [a, b]), ({"status": "retry"}, [b]), ({"response": "bus"}, [b]),
            ({"phone": "5551"}, [a, b]), ({"phone": "nobody"}, []), ({"contact_phone": "030"}, [a, b]),
            ({"account_phone": "030"}, []), ({"contact_first_name": "nn"}, [a, b]), ({"email": "@"}, []),
            ({"username": first["username"]}, [a, b]), ({"user_id": made.site.admin_id}, [a, b]),
            ({"user_id": UNKNOWN}, []), ({"before": 1}, []), ({"after": 1}, [a, b]), ({"unknown": 1}, [a, b]),
            ({"program_id": "x"}, []), ({"pagesize": 1, "pageindex": 1}, [b])):
        got = await made.client("GET", "/transmissions", **query)
        assert [it["transmission_id"] for it in got.body] == ids, query


@pytest.mark.parametrize(("path", "type_"), [
    ("/calls", "voicetts"), ("/faxes", "sendfax"), ("/smses", "sendsms"), ("/emails", "sendemail")])
async def test_lists_by_service(made: Made, path: str, type_: str) -> None:
    ids = {it: await made.transmission(it) for it in ("voicetts", "sendfax", "sendsms", "sendemail")}
    for query in ({}, {"service_flag": 15}):
        assert [it["transmission_id"] for it in (await made.client("GET", path, **query)).body] == [ids[type_]]


# --- single Transmission [/transmissions/{transmission_id}]

async def test_single_transmission_put(made: Made) -> None:
    transmission_id = await made.transmission()
    contact_id = await created(made.client, "contact_id", "/contacts", {"phone": "030 55512"})
    fields = {"title": "x", "origin": "y", "contact_id": contact_id, "service_flag": 4, "direction": "inbound",
              "try_allowed": 2, "is_deleted": 1, "program_id": await made.program("sendsms")}
    changed = await made.client("PUT", f"/transmissions/{transmission_id}", {**fields, "status": "completed"})
    assert {name: changed.body[name] for name in fields} == fields
    assert changed.body["status"] == "pending" and changed.body["contact"]["phone"] == "030 55512"
    again = await made.client("PUT", f"/transmissions/{transmission_id}", changed.body)
    assert again.body == changed.body
    for wrong, code in (({"contact_id": UNKNOWN}, 404), ({"program_id": UNKNOWN}, 404), ({"account_id": UNKNOWN}, 404),
                        ({"try_allowed": "x"}, 412)):
        assert says(await made.client("PUT", f"/transmissions/{transmission_id}", wrong))[0] == code, wrong
    assert says(await made.client("PUT", f"/transmissions/{UNKNOWN}", {"title": "x"}))[0] == 404


@pytest.mark.parametrize("made_so", ["status = 'processing'", "campaign_id = 5"])
async def test_whom_a_call_or_a_campaign_is_about_stays(made: Made, made_so: str) -> None:
    transmission_id = await made.transmission()
    path = f"/transmissions/{transmission_id}"
    await made.site.pool.execute(f"UPDATE transmissions SET {made_so}")     # noqa: S608 - of this test
    contact_id = await created(made.client, "contact_id", "/contacts", {"phone": "030 55512"})
    assert says(await made.client("PUT", path, {"contact_id": contact_id}))[0] == 423
    assert says(await made.client("PUT", path, {"program_id": await made.program()}))[0] == 423
    assert (await made.client("PUT", path, {**await one(made, transmission_id), "title": "x"})).body["title"] == "x"


async def test_single_transmission_delete_leaves_its_spools_and_results(made: Made) -> None:
    transmission_id = await made.transmission()
    spool_id = (await send(made, transmission_id)).body["spool_id"]
    await made.site.pool.execute(
        "INSERT INTO schedules (organisation_id, type, action, data) VALUES ($1, 'transmission', 'send', $2)",
        made.site.directory.org.id, transmission_id)
    answer = await made.client("DELETE", f"/transmissions/{transmission_id}")
    assert (answer.status, answer.body) == (200, None)
    assert says(await made.client("GET", f"/transmissions/{transmission_id}")) == (404, "Transmission not found")
    assert says(await made.client("DELETE", f"/transmissions/{transmission_id}"))[0] == 404
    assert (await made.client("GET", f"/spools/{spool_id}/status")).body == {"status": "initiated"}
    assert await made.site.pool.fetchval("SELECT count(*) FROM schedules") == 0


async def test_a_contact_that_is_gone_leaves_its_transmissions(made: Made) -> None:
    transmission_id = await made.transmission()
    await made.client("DELETE", f"/contacts/{made.contact_id}")
    told = await one(made, transmission_id)
    assert (told["contact_id"], told["contact"], told["contact_phone"]) == (made.contact_id, None, None)
    assert says(await send(made, transmission_id)) == (404, "Contact not found")


# --- Transmition Send, Transmition Retry [/transmissions/{transmission_id}/send], […/retry]

@pytest.mark.parametrize("verb", ["send", "retry"])
async def test_send_queues_one_spool_for_an_engine(made: Made, database_url: str, verb: str) -> None:
    transmission_id = await made.transmission()
    woken: asyncio.Queue[str] = asyncio.Queue()
    listener = await asyncpg.connect(database_url)
    await listener.add_listener("ringward_campaign", lambda *said: woken.put_nowait(str(said[2])))
    try:
        answer = await send(made, transmission_id, verb)
        await asyncio.wait_for(woken.get(), 5)
    finally:
        await listener.close()
    spool = await made.site.pool.fetchrow("SELECT * FROM spools")
    assert answer.body == {"spool_id": spool["id"]}
    assert (spool["transmission_id"], spool["status"], spool["number"], spool["claimed_switch"], spool["service_flag"],
            spool["account_id"]) == (transmission_id, "queued", "+493055510", None, 1, made.values["account_id"])
    told = await one(made, transmission_id)
    assert (told["status"], told["try_done"]) == ("processing", 1)
    assert abs(told["last_run"] - spool["time_spool"].timestamp()) < 2


@pytest.mark.parametrize("status", STATUSES)
async def test_what_can_be_sent(made: Made, status: str) -> None:
    transmission_id = await made.transmission()
    await set_status(made, transmission_id, status)
    answer = await send(made, transmission_id)
    if status in SENDABLE:
        assert answer.status == 200 and await spools(made) == 1
    else:
        assert says(answer) == (423, f"the transmission is {status}") and await spools(made) == 0


async def test_what_is_deleted_is_not_sent(made: Made) -> None:
    assert says(await send(made, await made.transmission(is_deleted=1)))[0] == 423
    assert says(await send(made, UNKNOWN)) == (404, "Transmission not found")


async def test_two_sends_at_once_are_one(made: Made) -> None:
    transmission_id = await made.transmission()
    answers = await asyncio.gather(*(send(made, transmission_id) for _ in range(4)))
    assert sorted(it.status for it in answers) == [200, 423, 423, 423]
    assert await spools(made) == 1


@pytest.mark.parametrize("verb", ["send", "retry"])
async def test_a_send_is_done_once_for_an_idempotency_key(made: Made, verb: str) -> None:
    one_, two = await made.transmission(), await made.transmission()
    key = {"Idempotency-Key": "k"}
    first, again = await send(made, one_, verb, **key), await send(made, one_, verb, **key)
    assert (first.status, first.body, again.headers.get("Idempotent-Replayed")) == (200, again.body, "true")
    assert says(await send(made, two, verb, **key))[0] == 412       # the key is of another transmission
    assert await spools(made) == 1
    assert (await one(made, one_))["try_done"] == 1


@pytest.mark.parametrize("type_", [it for it, fields in FIELDS.items() if it not in (
    "voicemessage", "voicetts", "ivr", "agent", "forward")])
async def test_what_is_no_call_is_not_sent_yet(made: Made, type_: str) -> None:
    for fields in ({}, {"service_flag": 1}):
        code, message = says(await send(made, await made.transmission(type_, **fields)))
        assert code == 501 and "not there yet" in message


@pytest.mark.parametrize("type_", ["voicemessage", "voicetts", "ivr", "agent", "forward"])
async def test_every_type_by_voice_is_sent(made: Made, type_: str) -> None:
    assert (await send(made, await made.transmission(type_))).status == 200


@pytest.mark.parametrize(("phone", "rule"), [
    ("030 112", "service-number"), ("0900 1234567", "premium-rate-number"),
    ("+33 1 42278186", "country-not-allowed"), ("+881 612345678", "satellite-number")])
async def test_numbers_that_are_never_dialled(made: Made, phone: str, rule: str) -> None:
    contact_id = await created(made.client, "contact_id", "/contacts", {"phone": phone})
    code, message = says(await send(made, await made.transmission(contact_id=contact_id)))
    assert code == 412 and f"({rule})" in message, message
    assert await spools(made) == 0


async def test_a_contact_without_a_phone_is_not_called(made: Made) -> None:
    contact_id = await created(made.client, "contact_id", "/contacts", {"email": "anna@example.org"})
    assert says(await send(made, await made.transmission(contact_id=contact_id)))[0] == 412


async def test_who_opted_out_is_not_called(made: Made) -> None:
    org = made.site.directory.org.id
    for is_opt_out, code in ((False, 200), (True, 412)):
        list_id = await made.site.pool.fetchval(
            "INSERT INTO dnc_lists (organisation_id, name, is_opt_out) VALUES ($1, 'x', $2) RETURNING id",
            org, is_opt_out)
        await made.site.pool.execute("INSERT INTO dnc_numbers VALUES ($1, '+493055510')", list_id)
        answer = await send(made, await made.transmission())
        assert answer.status == code, answer
    assert "do-not-call" in says(answer)[1]


async def test_without_a_number_of_its_own_an_organisation_does_not_call(site: IctcoreSite) -> None:
    made = await Made.all(site, site.admin)
    code, message = says(await send(made, await made.transmission()))
    assert code == 412 and "(no-number)" in message


@pytest.mark.parametrize("rule", ["minute", "hour", "day"])
async def test_the_organisations_calls_are_counted(made: Made, rule: str) -> None:
    await made.site.pool.execute(f"UPDATE organisations SET calls_per_{rule} = 2")      # noqa: S608 - of this test
    ids = [await made.transmission() for _ in range(4)]
    assert [(await send(made, it)).status for it in ids[:3]] == [200, 200, 412]
    assert f"(calls-per-{rule})" in says(await send(made, ids[3]))[1]
    await made.site.pool.execute(
        "UPDATE spools SET status = 'failed', counted_at = now() - interval '25 hours', time_end = now()")
    assert (await send(made, ids[3])).status == 200


async def test_a_program_that_cannot_be_run_any_more_is_not_sent(made: Made) -> None:
    silent = await created(made.client, "recording_id", "/recordings", {"name": "silent"})
    for type_, fields in (
            ("voicemessage", {"recording_id": silent}),
            ("ivr", {"ivr_scheme": {"0": {"type": "play", "data": {"recording_id": silent}}}})):
        program_id = await made.program(type_, **fields)
        code, message = says(await send(made, await made.transmission(program_id=program_id)))
        assert (code, "no file" in message) == (412, True)
    extension_id = await created(made.client, "account_id", "/extensions", {"username": "mute"})
    program_id = await made.program("agent", extension_id=extension_id)
    assert says(await send(made, await made.transmission(program_id=program_id)))[0] == 412
    gone = await made.transmission()
    await made.client("DELETE", f"/programs/{(await one(made, gone))['program_id']}")
    assert says(await send(made, gone)) == (404, "Program not found")


async def test_nobody_is_joined_with_a_number_that_is_never_dialled(made: Made) -> None:
    extension_id = await created(made.client, "account_id", "/extensions", {"username": "p", "phone": "0900 1234567"})
    for type_ in ("agent", "forward"):
        program_id = await made.program(type_, extension_id=extension_id)
        code, message = says(await send(made, await made.transmission(program_id=program_id)))
        assert code == 412 and "(premium-rate-number)" in message
    scheme = {"0": {"type": "transfer", "data": {"to": "+33 1 42278186"}}}
    await made.site.pool.execute("UPDATE organisations SET countries = '{DE,FR}'")
    transmission_id = await made.transmission(program_id=await made.program("ivr", ivr_scheme=scheme))
    await made.site.pool.execute("UPDATE organisations SET countries = '{DE}'")
    assert "(country-not-allowed)" in says(await send(made, transmission_id))[1]
    hotline = await made.site.directory.org.hotline()
    scheme = {"0": {"type": "transfer", "data": {"hotline_id": hotline.hotline_id}}}
    program_id = await made.program("ivr", ivr_scheme=scheme)
    assert (await send(made, await made.transmission(program_id=program_id))).status == 200


async def test_an_inbound_transmission_is_not_sent(made: Made) -> None:
    assert says(await send(made, await made.transmission(direction="inbound")))[0] == 412


# --- Transmission Clone [/transmissions/{transmission_id}/clone]

async def test_clone_is_pending_again(made: Made) -> None:
    transmission_id = await made.transmission("ivr", title="x", try_allowed=2)
    await send(made, transmission_id)
    await made.site.pool.execute("UPDATE transmissions SET status = 'completed', response = 'x', campaign_id = 5")
    clone_id = (await made.client("GET", f"/transmissions/{transmission_id}/clone")).body["transmission_id"]
    assert await one(made, clone_id) == {
        **await one(made, transmission_id), "transmission_id": clone_id, "status": "pending", "response": "",
        "try_done": 0, "last_run": None, "campaign_id": None}
    key = {"Idempotency-Key": "k"}
    path = f"/transmissions/{transmission_id}/clone"
    assert (await made.client("GET", path, headers=key)).body == (await made.client("GET", path, headers=key)).body
    assert len((await made.client("GET", "/transmissions")).body) == 3
    assert says(await made.client("GET", f"/transmissions/{UNKNOWN}/clone"))[0] == 404


# --- who may

async def test_who_is_no_admin_sees_his_own(made: Made) -> None:
    transmission_id = await made.transmission()
    _, client = await made.site.user()
    assert (await client("GET", "/transmissions")).body == []
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/send"), ("POST", "/retry"),
                         ("GET", "/clone"), ("GET", "/status"), ("GET", "/detail"), ("GET", "/result")):
        answer = await client(method, f"/transmissions/{transmission_id}{path}", {} if method == "PUT" else None)
        assert says(answer)[0] == 404, (method, path)
    own = await created(client, "program_id", "/programs/voicetts", made.body("voicetts"))
    foreign = {"program_id": own, "contact_id": made.contact_id}
    assert says(await client("POST", "/transmissions", foreign)) == (404, "contact_id: Contact not found")


@pytest.mark.parametrize(("permission", "method", "path"), [
    ("transmission_create", "POST", ""), ("transmission_list", "GET", ""), ("transmission_read", "GET", "/1"),
    ("transmission_update", "PUT", "/1"), ("transmission_delete", "DELETE", "/1"),
    ("transmission_send", "POST", "/1/send"), ("transmission_send", "POST", "/1/retry"),
    ("transmission_create", "GET", "/1/clone"), ("transmission_read", "GET", "/1/status"),
    ("spool_read", "GET", "/1/detail"), ("result_read", "GET", "/1/result")])
async def test_permissions(site: IctcoreSite, permission: str, method: str, path: str) -> None:
    _, client = await site.holding("contact")
    assert says(await client(method, f"/transmissions{path}", {} if method == "PUT" else None)) == (
        403, f"Permission denied: {permission}")


async def test_making_a_contact_needs_its_own_permission(made: Made) -> None:
    _, client = await made.site.holding("transmission", "program")
    program_id = await created(client, "program_id", "/programs/voicetts", made.body("voicetts"))
    body = {"program_id": program_id, "phone": "030 55511"}
    assert says(await client("POST", "/transmissions", body)) == (403, "Permission denied: contact_create")


async def test_ids_of_another_organisation_do_not_exist(made: Made) -> None:
    other = await made.site.other()
    theirs = await Made.all(other, other.admin)
    path = f"/transmissions/{await theirs.transmission()}"
    for method, it in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/send"), ("POST", "/retry"),
                       ("GET", "/clone"), ("GET", "/status"), ("GET", "/detail"), ("GET", "/result")):
        assert says(await made.client(method, path + it, {} if method == "PUT" else None))[0] == 404, (method, it)
    program_id = await made.program()
    for wrong in ({"program_id": await theirs.program(), "contact_id": made.contact_id},
                  {"program_id": program_id, "contact_id": theirs.contact_id},
                  {"program_id": program_id, "contact_id": made.contact_id, "account_id": theirs.values["account_id"]}):
        assert says(await made.client("POST", "/transmissions", wrong))[0] == 404, wrong
