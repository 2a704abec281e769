"""Alarms below `/ringward/v1`, on a real Postgres over real HTTP; what an engine would write the test writes."""

import asyncio
import json
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import pytest

from engine.store.alarm_plan import load_plan
from tests.alarm_orders import AlarmSite, alarm_site, equipped
from tests.directory_site import UNKNOWN


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[AlarmSite]:
    async with alarm_site(database_url) as made:
        yield made


async def test_an_alarm_of_the_issue_is_posted_and_read(site: AlarmSite) -> None:
    contact = await site.contact("030 5551001", lastName="Ärmel", language="en")
    group = await site.group({"userID": site.users[1]}, {"contactID": contact})
    made = await site.posted(
        message={"de": "Brand in {place}, {name} bitte melden.", "en": "Fire in {place}."}, fields={"place": "Halle 3"},
        recipients=[{"userID": site.users[0], "role": "driver"}, {"contactID": contact}, {"groupID": group},
                    {"phone": "+4930555123", "language": "de", "name": "Wache"}],
        acknowledge={"needed": 2, "byRole": {"driver": 1}, "key": "1", "declineKey": "9", "pin": "4711"},
        strategy={"type": "waves", "waves": [{"afterS": 0, "groupIDs": [group]}, {"afterS": 120}]},
        retry={"rounds": 3, "pauseS": 60, "on": ["busy", "noAnswer", "mailbox", "failed"]}, ringTimeoutS=25,
        expiresS=1800, amd=False, closing={"de": "Danke. {acknowledged} von {needed} haben zugesagt."})
    assert (made["state"], made["needed"], made["organizationID"]) == ("queued", 2, site.site.org.id)
    assert made["counts"] == {"total": 4, "pending": 4, "ringing": 0, "acknowledged": 0, "declined": 0, "unreached": 0}
    assert [(it["userID"], it["contactID"], it["name"], it["role"], it["language"], it["phones"], it["state"])
            for it in made["recipients"]] == [
        (site.users[0], None, made["recipients"][0]["name"], "driver", "de", [site.phones[0]], "pending"),
        (None, contact, "Anna Ärmel", "", "en", ["+49305551001"], "pending"),
        (site.users[1], None, made["recipients"][2]["name"], "", "de", [site.phones[1]], "pending"),
        (None, None, "Wache", "", "de", ["+4930555123"], "pending")]
    assert [it["type"] for it in made["timeline"]] == ["created"]
    assert "4711" not in json.dumps(made) and made["request"]["acknowledge"]["needed"] == 2
    assert (await site.site.api("GET", f"/alarms/{made['id']}")).body == made

    row = await site.pool.fetchrow("SELECT plan, request FROM alarms WHERE id = $1", made["id"])
    plan = load_plan(row["plan"])
    assert "4711" not in row["request"]
    assert plan.message == (("de", "Brand in Halle 3, {name} bitte melden."), ("en", "Fire in Halle 3."))
    assert (plan.pin, plan.needed, plan.by_role, plan.caller_id) == (
        "4711", 2, (("driver", 1),), f"493066600{site.site.org.id:02}")
    assert [(wave.after_s, wave.group_ids) for wave in plan.waves] == [(0, (group,)), (120, ())]
    groups = await site.pool.fetch("SELECT group_ids FROM alarm_recipients WHERE alarm_id = $1 ORDER BY position",
                                   made["id"])
    assert [list(it[0]) for it in groups] == [[], [group], [group], []]


async def test_only_three_members_are_required(site: AlarmSite) -> None:
    made = await site.posted()
    plan = load_plan(await site.pool.fetchval("SELECT plan FROM alarms WHERE id = $1", made["id"]))
    assert (plan.needed, plan.by_role, plan.key, plan.decline_key, plan.pin, plan.strategy, plan.waves) == (
        1, (), "1", "9", "", "parallel", ())
    assert (plan.rounds, plan.pause_s, plan.retry_on, plan.ring_timeout_s, plan.expires_s, plan.amd) == (
        3, 60, ("busy", "noAnswer", "mailbox", "failed"), 25, 1800, False)
    assert dict(plan.closing)["de"] == "Danke. {acknowledged} von {needed} haben zugesagt."


async def test_fifty_equal_posts_make_one_alarm(site: AlarmSite) -> None:
    answers = await asyncio.gather(*[site.post("brand-1") for _ in range(50)])
    assert sorted(it.status for it in answers) == [200] * 49 + [201]
    assert [it.headers.get("Idempotent-Replayed") for it in answers if it.status == 200] == ["true"] * 49
    assert {it.body["id"] for it in answers} == {answers[0].body["id"]}
    assert await site.pool.fetchval("SELECT count(*) FROM alarms") == 1
    assert "Idempotent-Replayed" not in next(it for it in answers if it.status == 201).headers


async def test_a_key_is_answered_with_its_alarm_whatever_became_of_the_directory(site: AlarmSite) -> None:
    first = await site.post("k")
    await site.pool.execute("DELETE FROM numbers WHERE organisation_id = $1", site.site.org.id)
    again = await site.post("k")
    assert (again.status, again.body["id"]) == (200, first.body["id"])
    assert (again.headers["Location"], first.headers["Location"]) == (f"/ringward/v1/alarms/{first.body['id']}",) * 2


async def test_a_key_with_another_body_is_a_conflict(site: AlarmSite) -> None:
    assert (await site.post("k")).status == 201
    before = await site.stored()
    got = await site.post("k", amd=True)
    assert (got.status, got.fields) == (409, ["Idempotency-Key"])
    assert got.body["type"] == "urn:ringward:problem:idempotency-key-reused" and await site.stored() == before


async def test_a_key_is_new_after_24_hours_and_another_organisations_own(site: AlarmSite) -> None:
    first = await site.post("k")
    other = await equipped(await site.site.other())
    assert (await other.post("k")).status == 201
    await site.pool.execute("UPDATE idempotency_keys SET created_at = created_at - interval '25 hours'")
    second = await site.post("k", amd=True)
    assert second.status == 201 and second.body["id"] != first.body["id"]
    assert (await site.post("k", amd=True)).body["id"] == second.body["id"]


@pytest.mark.parametrize("key", ["", "x" * 256, "ä"])
async def test_a_bad_key_is_refused(site: AlarmSite, key: str) -> None:
    got = await site.post(key)
    assert (got.status, got.fields) == (400, ["Idempotency-Key"])


async def test_a_refused_post_leaves_nothing_and_its_key_is_free(site: AlarmSite) -> None:
    before = await site.stored()
    assert (await site.post("k", recipients=[{"phone": "112"}])).status == 422
    assert await site.stored() == before
    assert (await site.post("k")).status == 201


@pytest.mark.parametrize(("phone", "rule"), [
    ("112", "service-number"), ("110", "service-number"), ("+49 116117", "service-number"),
    ("+49 900 1234567", "premium-rate-number"), ("+49 900 12", "premium-rate-number"),
    ("0180 1234567", "shared-cost-number"),
    ("+881612345678", "satellite-number"), ("+43 664 1234567", "country-not-allowed")])
async def test_some_numbers_are_never_dialled(site: AlarmSite, phone: str, rule: str) -> None:
    got = await site.post(recipients=[{"userID": site.users[0]}, {"phone": phone}])
    assert (got.status, got.fields) == (422, ["recipients[1].phone"])
    assert got.body["type"] == f"urn:ringward:problem:{rule}"


async def test_the_directorys_numbers_are_checked_as_well(site: AlarmSite) -> None:
    contact = await site.contact("+43 664 1234567")
    group = await site.group({"contactID": contact})
    got = await site.post(recipients=[{"contactID": contact}])
    assert (got.status, got.fields) == (422, ["recipients[0].contactID"])
    got = await site.post(recipients=[{"userID": site.users[0]}, {"groupID": group}])
    assert (got.status, got.fields) == (422, ["recipients[1].groupID"]) and "Anna" in got.body["detail"]
    await site.pool.execute("UPDATE organisations SET countries = '{AT}' WHERE id = $1", site.site.org.id)
    assert (await site.post(recipients=[{"groupID": group}])).status == 201
    assert (await site.post()).body["type"] == "urn:ringward:problem:country-not-allowed"


async def test_without_an_own_number_no_alarm_goes_out(site: AlarmSite) -> None:
    await site.pool.execute("DELETE FROM numbers WHERE organisation_id = $1", site.site.org.id)
    got = await site.post()
    assert (got.status, got.fields) == (422, ["organizationID"]) and "POST /numbers" in got.body["detail"]


@pytest.mark.parametrize("cap", ["minute", "hour", "day"])
async def test_caps_hold_also_for_posts_at_once(site: AlarmSite, cap: str) -> None:
    await site.pool.execute(f"UPDATE organisations SET calls_per_{cap} = 10")  # noqa: S608
    got = await asyncio.gather(*[site.post() for _ in range(8)])
    assert sorted(it.status for it in got) == [201] * 3 + [422] * 5
    refused = next(it for it in got if it.status == 422)
    assert refused.body["type"] == f"urn:ringward:problem:calls-per-{cap}"
    assert refused.fields == ["recipients[1].userID"]
    assert await site.pool.fetchval("SELECT count(*) FROM alarms") == 3


@pytest.mark.parametrize("off", ["0", "1 hour", "-1 hour"])
async def test_a_call_counts_once_and_only_as_long_as_the_cap_is(site: AlarmSite, off: str) -> None:
    """Whatever the clock of the switch says."""
    await site.pool.execute("UPDATE organisations SET calls_per_minute = 3 WHERE id = $1", site.site.org.id)
    alarm = await site.posted()
    assert (await site.post()).status == 422
    for it in alarm["recipients"]:
        await _attempt(site, alarm, it)
    await site.pool.execute("UPDATE alarm_attempts SET placed_at = placed_at + $1::text::interval", off)
    assert (await site.post()).status == 422
    await site.pool.execute("UPDATE alarm_attempts SET counted_at = counted_at - interval '61 seconds'")
    assert (await site.post()).status == 201


async def test_a_large_alarm_that_is_half_rung_delays_no_other(site: AlarmSite) -> None:
    """Its calls are counted at every post; the planner has not looked at its rows yet."""
    alarm = await site.posted()
    await site.pool.execute(
        "INSERT INTO alarm_recipients (organisation_id, alarm_id, position, name, language, voice, phones) "
        "SELECT $1, $2, n, '', 'de', 'de', '{+4930555}' FROM generate_series(10, 10000) n",
        site.site.org.id, alarm["id"])
    await site.pool.execute(
        "INSERT INTO alarm_attempts "
        "(leg, organisation_id, alarm_id, recipient_id, phone, trunk, placed_at, counted_at) "
        "SELECT gen_random_uuid()::text, $1, $2, id, '+4930555', '', now(), now() - interval '2 minutes' "
        "FROM alarm_recipients WHERE position % 2 = 0", site.site.org.id, alarm["id"])
    await site.pool.execute("UPDATE organisations SET calls_per_minute = 9000 WHERE id = $1", site.site.org.id)
    began = monotonic()
    await site.posted()
    assert monotonic() - began < 0.5


async def test_ids_of_others_are_not_there(site: AlarmSite) -> None:
    other = await equipped(await site.site.other())
    contact, group = await other.contact("030 5551001"), await other.group({"userID": other.users[0]})
    got = await site.post(recipients=[{"userID": site.users[0]}, {"userID": other.users[0]}, {"contactID": contact},
                                      {"groupID": group}, {"userID": UNKNOWN}],
                          strategy={"type": "waves", "waves": [{"afterS": 0, "groupIDs": [group]}]})
    assert (got.status, got.fields) == (400, [
        "recipients[1].userID", "recipients[2].contactID", "recipients[3].groupID", "recipients[4].userID",
        "strategy.waves[0].groupIDs[0]"])
    assert (await site.post(message={"recordingID": UNKNOWN})).fields == ["message.recordingID"]
    alarm = await other.posted()
    paths = (f"/alarms/{alarm['id']}", f"/alarms/{UNKNOWN}")
    assert [(await site.site.api("GET", path)).status for path in paths] == [404, 404]
    assert [(await site.site.api("POST", path + "/cancel")).status for path in paths] == [404, 404]
    orders = [f"{path}/recipients/{alarm['recipients'][0]['id']}/acknowledge" for path in paths]
    assert [(await site.site.api("POST", path)).status for path in orders] == [404, 404]
    assert (await site.site.api("GET", "/alarms")).body == {"items": [], "nextCursor": None}
    assert (await site.site.api("POST", "/alarms", other.body())).fields == ["organizationID"]


async def test_who_is_meant_twice_is_rung_once_and_so_is_a_number(site: AlarmSite) -> None:
    """Anna has user 0's number and another; Bert has only user 1's; nobody has any."""
    anna = await site.contact(site.phones[0], morePhones=["030 5559999"])
    bert = await site.contact(site.phones[1], firstName="Bert")
    nobody = await site.contact(email="n@example.org")
    group = await site.group({"userID": site.users[0]}, {"contactID": bert})
    made = await site.posted(recipients=[
        {"groupID": group, "role": "crew"}, {"userID": site.users[0], "role": "driver"}, {"userID": site.users[1]},
        {"contactID": anna}, {"contactID": nobody}, {"phone": site.phones[0]}, {"contactID": anna, "role": "medic"}],
        acknowledge={"needed": "all", "byRole": {"medic": 1, "driver": 1, "crew": 1}})
    people = made["recipients"]
    assert [(it["userID"] or it["contactID"], it["role"], it["phones"], it["state"]) for it in people] == [
        (site.users[0], "driver", [site.phones[0]], "pending"), (bert, "crew", [site.phones[1]], "pending"),
        (anna, "medic", ["+49305559999"], "pending"), (nobody, "", [], "unreached")]
    notes = [(it["type"], it["recipientID"], it["phone"]) for it in made["timeline"]]
    assert notes == [("created", None, None), ("duplicatePhone", people[1]["id"], site.phones[1]),
                     ("duplicatePhone", people[2]["id"], site.phones[0]), ("noPhone", people[3]["id"], None),
                     ("duplicatePhone", people[0]["id"], site.phones[0])]
    assert made["needed"] == 4 and made["counts"]["unreached"] == 1


async def test_a_persons_phones_come_in_order_and_only_active_ones(site: AlarmSite) -> None:
    user = site.users[0]
    late = await site.site.org.phone(user, "+4930555777")
    await site.site.org.phone(user, "+4930555888", is_active=False)
    await site.pool.execute("UPDATE phones SET position = CASE WHEN id = $1 THEN 0 ELSE 5 END", late)
    made = await site.posted(recipients=[{"userID": user}])
    assert made["recipients"][0]["phones"] == ["+4930555777", site.phones[0]]


async def test_nobody_with_a_phone_is_no_alarm(site: AlarmSite) -> None:
    nobody = await site.contact(email="n@example.org")
    got = await site.post(recipients=[{"contactID": nobody}, {"groupID": await site.group()}])
    assert (got.status, got.body["type"]) == (422, "urn:ringward:problem:no-phone")


@pytest.mark.parametrize(("acknowledge", "field"), [
    ({"needed": 4}, "acknowledge.needed"), ({"byRole": {"driver": 1}}, "acknowledge.byRole.driver"),
    ({"needed": 1, "byRole": {"medic": 2}}, "acknowledge.byRole.medic")])
async def test_a_quorum_that_cannot_be_is_refused(site: AlarmSite, acknowledge: Any, field: str) -> None:
    recipients = [{"userID": it} for it in site.users]
    got = await site.post(recipients=[{**recipients[0], "role": "medic"}, *recipients[1:]], acknowledge=acknowledge)
    assert (got.status, got.fields) == (400, [field])


async def test_a_person_is_told_in_a_language_of_the_message(site: AlarmSite) -> None:
    await site.pool.execute("UPDATE users SET language = 'fr-CH' WHERE id = $1", site.users[0])
    async def languages(**message: str) -> list[str]:
        return [it["language"] for it in (await site.posted(message=message))["recipients"]][:2]
    assert await languages(en="Fire", de="Feuer", fr="Feu") == ["fr", "de"]
    assert await languages(en="Fire", it="Fuoco") == ["en", "en"]


async def test_ten_thousand_people_are_posted_and_one_more_is_refused(site: AlarmSite) -> None:
    await site.pool.execute("UPDATE organisations SET calls_per_minute = 20000 WHERE id = $1", site.site.org.id)
    phones = [{"phone": f"+4930{n}", "name": f"n{n}"} for n in range(5_000_000, 5_010_000)]
    made = await site.posted(recipients=phones)
    assert made["counts"]["pending"] == 10_000
    group = await site.group({"userID": site.users[0]})
    got = await site.post(recipients=[*phones[1:], {"groupID": group}, {"userID": site.users[1]}])
    assert got.status == 400 and got.fields == ["recipients"]
    group = await site.group(*[{"userID": it} for it in site.users])
    got = await site.post(recipients=[*phones[1:], {"groupID": group}])
    assert (got.status, got.body["type"]) == (422, "urn:ringward:problem:too-many-recipients")


async def test_alarms_are_listed_newest_first_by_state_and_time(site: AlarmSite) -> None:
    made = [await site.posted() for _ in range(5)]
    await site.pool.execute("UPDATE alarms SET state = 'failed' WHERE id = ANY($1)", [made[1]["id"], made[3]["id"]])
    ids = [it["id"] for it in made]
    assert [it["id"] for it in await site.site.api.all("/alarms", limit=2)] == ids[::-1]
    assert [it["id"] for it in await site.site.api.all("/alarms", state="failed", limit=1)] == [ids[3], ids[1]]
    since = await site.site.api.all("/alarms", since=made[3]["createdAt"])
    assert [it["id"] for it in since] == ids[:2:-1]
    [newest, *_] = since
    assert newest["counts"]["pending"] == 3 and "recipients" not in newest
    for wrong in ({"state": "done"}, {"since": "yesterday"}, {"since": "0"}, {"limit": 0}, {"cursor": "x"}):
        assert (await site.site.api("GET", "/alarms", **wrong)).fields == list(wrong)


async def test_what_the_engine_wrote_is_read(site: AlarmSite) -> None:
    made = await site.posted()
    first = made["recipients"][0]
    await _attempt(site, made, first, disposition="acknowledged", cause=16)
    await site.pool.execute("UPDATE alarm_recipients SET state = 'acknowledged', acknowledged_at = now() WHERE id = $1",
                            first["id"])
    await site.pool.execute(
        "INSERT INTO alarm_notes (organisation_id, alarm_id, at, type, recipient_id, leg, phone) "
        "VALUES ($1, $2, now(), 'dialled', $3, 'leg', '+4930')", site.site.org.id, made["id"], first["id"])
    got = (await site.site.api("GET", f"/alarms/{made['id']}")).body
    person = got["recipients"][0]
    assert person["state"] == "acknowledged" and person["acknowledgedAt"].endswith("Z")
    [attempt] = person["attempts"]
    assert {name: attempt[name] for name in ("phone", "disposition", "cause", "direction")} == {
        "phone": first["phones"][0], "disposition": "acknowledged", "cause": 16, "direction": "outbound"}
    assert got["counts"]["acknowledged"] == 1 and got["timeline"][-1]["type"] == "dialled"


async def test_others_are_answered_while_a_large_alarm_is_read(site: AlarmSite) -> None:
    alarm = await site.posted()
    await site.pool.execute(
        "INSERT INTO alarm_notes (organisation_id, alarm_id, at, type, phone) "
        "SELECT $1, $2, now(), 'dialled', '+4930555' FROM generate_series(1, 60000)", site.site.org.id, alarm["id"])
    gaps, began = [0.0], monotonic()
    async with asyncio.TaskGroup() as tasks:
        read = tasks.create_task(site.site.api.session.get(
            f"{site.site.api.url}/alarms/{alarm['id']}", headers=site.site.api.headers))
        while not read.done():
            before = monotonic()
            await asyncio.sleep(0.005)
            gaps.append(monotonic() - before)
    assert read.result().status == 200
    read.result().close()
    assert max(gaps) < (monotonic() - began) / 2


async def test_an_order_is_taken_up_by_an_engine(site: AlarmSite) -> None:
    made = await site.posted()

    async def engine(kind: str, statement: str, row_id: int) -> None:
        async with asyncio.timeout(5):
            while not await site.pool.fetchval("SELECT true FROM alarm_orders WHERE kind = $1", kind):  # noqa: ASYNC110
                await asyncio.sleep(0)
        async with site.pool.acquire() as connection, connection.transaction():     # nobody sees one without the other
            await connection.execute(statement, row_id)
            await connection.execute("DELETE FROM alarm_orders")

    rid = made["recipients"][1]["id"]
    path = f"/alarms/{made['id']}"
    got, _ = await asyncio.gather(
        site.site.api("POST", f"{path}/recipients/{rid}/acknowledge"),
        engine("acknowledge", "UPDATE alarm_recipients SET state = 'acknowledged' WHERE id = $1", rid))
    assert (got.status, got.body["recipients"][1]["state"], got.body["orders"]) == (200, "acknowledged", [])
    got, _ = await asyncio.gather(
        site.site.api("POST", f"{path}/cancel"),
        engine("cancel", "UPDATE alarms SET state = 'cancelled', finished_at = now() WHERE id = $1", made["id"]))
    assert (got.status, got.body["state"]) == (200, "cancelled")

    before = await site.stored()
    assert (await site.site.api("POST", f"{path}/cancel")).status == 200
    assert (await site.site.api("POST", f"{path}/recipients/{rid}/acknowledge")).status == 200
    other = made["recipients"][0]["id"]
    assert (await site.site.api("POST", f"{path}/recipients/{other}/acknowledge")).status == 409
    assert (await site.site.api("POST", f"{path}/recipients/{UNKNOWN}/acknowledge")).status == 404
    assert await site.stored() == before and not await site.pool.fetchval("SELECT count(*) FROM alarm_orders")


async def test_an_order_without_an_engine_stands(site: AlarmSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.ringward.alarms.ORDER_WAIT_S", 0.05)
    made = await site.posted()
    path = f"/alarms/{made['id']}/cancel"
    got = [await site.site.api("POST", path) for _ in range(2)]
    assert [it.status for it in got] == [202, 202]
    assert [(it["kind"], it["recipientID"]) for it in got[1].body["orders"]] == [("cancel", None)]
    assert await site.pool.fetchval("SELECT by FROM alarm_orders") == "API token"


async def test_a_user_reads_and_acknowledges_for_himself_only(
        site: AlarmSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.ringward.alarms.ORDER_WAIT_S", 0.05)
    made = await site.posted()
    path = f"/alarms/{made['id']}"
    own, others = (it["id"] for it in made["recipients"][:2])
    person = await site.site.person(site.users[0])
    assert (await person("GET", path)).body == made
    not_his = (("/alarms", site.body()), (f"{path}/cancel", None), (f"{path}/recipients/{others}/acknowledge", None))
    assert [(await person("POST", it, body)).status for it, body in not_his] == [403] * 3
    assert (await person("POST", f"{path}/recipients/{own}/acknowledge")).status == 202
    assert await site.pool.fetchval("SELECT by FROM alarm_orders") == f"user {site.users[0]}"


async def _attempt(site: AlarmSite, alarm: Any, recipient: Any, **ended: Any) -> None:
    await site.pool.execute(
        "INSERT INTO alarm_attempts (leg, organisation_id, alarm_id, recipient_id, phone, trunk, placed_at, "
        "disposition, cause) VALUES (gen_random_uuid()::text, $1, $2, $3, $4, 'trunk', now(), $5, $6)",
        site.site.org.id, alarm["id"], recipient["id"], recipient["phones"][0], ended.get("disposition"),
        ended.get("cause"))
