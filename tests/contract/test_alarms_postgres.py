"""Alarms in Postgres: what only a real database, several switches, or a big table can get wrong."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from engine.ports import AckNote, FencedOut
from engine.store import queries
from engine.vocabulary.commands import Finish, WriteAlarm, WriteNote, WritePinFailure, WriteRecipient
from engine.vocabulary.values import AlarmState, Disposition, RecipientState
from tests.alarm_stores import OWN_NUMBER, PostgresAlarmWorld, alarm_world, dialled, live, person, saving
from tests.playbook import at

ANNA, BEN, CLEO = person("Anna", "49301", "49302"), person("Ben", "49303"), person("Cleo", "49304")
ROWS = 50_000


@pytest.fixture
async def w(database_url: str) -> AsyncIterator[PostgresAlarmWorld]:
    async with alarm_world(database_url) as made:
        assert isinstance(made, PostgresAlarmWorld)
        yield made


# --- several switches --------------------------------------------------------------------------------------------


async def test_engines_of_two_switches_share_no_alarm(w: PostgresAlarmWorld) -> None:
    for switch in ("asterisk", "freeswitch"):
        await w.calls(switch)
    posted = [await w.post(ANNA) for _ in range(10)]
    stores = [w.alarms("asterisk"), w.alarms("freeswitch")]
    claimed: list[str] = []
    for _ in range(4):
        found = await asyncio.gather(*(store.claim(2) for store in stores))
        claimed += [alarm.call_id for some in found for alarm in some]
    assert sorted(claimed) == sorted(alarm.call_id for alarm in posted)


async def test_what_another_switchs_engine_claimed_is_free_when_it_is_gone(w: PostgresAlarmWorld) -> None:
    here, there = w.alarms("asterisk"), w.alarms("freeswitch")
    for switch in ("asterisk", "freeswitch"):
        await w.calls(switch)
    posted = await w.post(ANNA)
    assert await there.claim(1) == [posted]
    assert await here.claim(1) == []
    await w.pool.execute("UPDATE engines SET beat_at = now() - $1::interval WHERE switch = 'freeswitch'",
                         timedelta(seconds=29))
    assert await here.claim(1) == []
    await w.pool.execute("UPDATE engines SET beat_at = now() - $1::interval WHERE switch = 'freeswitch'",
                         timedelta(seconds=31))
    assert await here.claim(1) == [posted]
    await w.pool.execute("UPDATE engines SET beat_at = now() WHERE switch = 'freeswitch'")
    put_back = await w.post(CLEO)
    assert await there.claim(1) == [put_back]
    assert await here.claim(1) == []
    await w.pool.execute("UPDATE engines SET beat_at = now() + interval '1 hour' WHERE switch = 'freeswitch'")
    assert await here.claim(1) == [put_back]
    again = await w.post(BEN)
    await w.calls("freeswitch")
    assert await there.claim(1) == [again]
    await w.calls("freeswitch")  # replaced by another engine on its switch
    assert await here.claim(1) == [again]


async def test_a_lost_connection_frees_nothing_that_an_engine_claimed(w: PostgresAlarmWorld) -> None:
    await w.calls("asterisk")
    other = await w.calls("freeswitch")
    await w.post(ANNA)
    assert len(await w.alarms("freeswitch").claim(1)) == 1
    await other.close()
    await other.load_calls()  # on a new connection, with another fencing number
    assert await w.alarms("asterisk").claim(1) == []


@pytest.mark.parametrize("is_over", [False, True], ids=["it lives", "it is over"])
async def test_of_two_engines_that_begin_the_same_alarm_the_slower_is_stopped(
    w: PostgresAlarmWorld, is_over: bool,
) -> None:
    slow, fast = await w.calls("asterisk"), await w.calls("freeswitch")
    posted = await w.post(ANNA)
    assert await w.alarms("asterisk").claim(1) == [posted]
    await w.pool.execute("UPDATE engines SET beat_at = now() - interval '31 s' WHERE switch = 'asterisk'")
    assert await w.alarms("freeswitch").claim(1) == [posted]
    await fast.save(saving(live(posted)))
    if is_over:
        await fast.save(saving(live(posted, is_new=False), Finish(at(3), "failed")))
    with pytest.raises(FencedOut):
        await slow.save(saving(live(posted), dialled(posted, "leg-9")))
    assert await w.attempts(posted) == {}
    assert len(await fast.load_calls()) == (0 if is_over else 1)


async def test_an_alarm_that_cannot_be_read_has_failed_and_stops_no_other(w: PostgresAlarmWorld) -> None:
    await w.calls("asterisk")
    broken, whole = await w.post(ANNA), await w.post(BEN)
    await w.pool.execute("UPDATE alarms SET plan = '{}' WHERE call_id = $1", broken.call_id)
    assert await w.alarms("asterisk").claim(5) == [whole]
    told = await w.pool.fetchrow(
        "SELECT a.state, a.finished_at, n.type FROM alarms a JOIN alarm_notes n ON n.alarm_id = a.id "
        "WHERE a.call_id = $1 AND n.type = 'failed'", broken.call_id)
    assert told is not None and told["state"] == "failed" and told["finished_at"] is not None


async def test_orders_and_call_backs_are_for_the_switch_that_has_the_call(w: PostgresAlarmWorld) -> None:
    calls, posted = await w.calls("freeswitch"), await w.post(ANNA)
    await calls.save(saving(live(posted)))
    order_id = await w.order(posted, "cancel")
    assert await w.alarms("asterisk").orders() == []
    assert [one.order_id for one in await w.alarms("freeswitch").orders()] == [order_id]
    found = await w.alarms("asterisk").call_back(OWN_NUMBER, "49301")
    assert found is not None and found.call_id is None


# --- rows --------------------------------------------------------------------------------------------------------


async def test_every_fact_of_an_alarms_rows_arrives(w: PostgresAlarmWorld) -> None:
    calls, posted = await w.calls(), await w.post(ANNA, BEN)
    anna = posted.persons[0].recipient_id
    await calls.save(saving(
        live(posted), WriteAlarm(at(0), AlarmState.RINGING), dialled(posted, "leg-1", answered_at=at(2)),
        dialled(posted, "leg-1", answered_at=None, ended_at=at(4), disposition=Disposition.ACKNOWLEDGED, cause=16),
        WriteNote(at(3), "answered", anna, "leg-1", "49301", "Tür"),
        WriteRecipient(anna, RecipientState.ACKNOWLEDGED, at(3)),
        WriteAlarm(at(4), AlarmState.ACKNOWLEDGED), WritePinFailure(at(2), "49301")))
    await calls.save(saving(
        live(posted, is_new=False), WriteRecipient(anna, RecipientState.ACKNOWLEDGED), Finish(at(6), "acknowledged")))
    leg = dict(await w.pool.fetchrow("SELECT * FROM alarm_attempts"))
    assert leg.pop("counted_at") is not None
    assert leg == {
        "leg": "leg-1", "organisation_id": 1, "alarm_id": posted.plan.alarm_id, "recipient_id": anna,
        "direction": "outbound", "phone": "+49301", "trunk": "trunk", "placed_at": at(1), "answered_at": at(2),
        "ended_at": at(4), "disposition": "acknowledged", "cause": 16}
    note = await w.pool.fetchrow(
        "SELECT alarm_id, organisation_id, at, recipient_id, leg, phone, message FROM alarm_notes")
    assert tuple(note) == (posted.plan.alarm_id, 1, at(3), anna, "leg-1", "+49301", "Tür")
    alarm = await w.pool.fetchrow("SELECT state, decided_at, finished_at FROM alarms")
    assert tuple(alarm) == ("acknowledged", at(4), at(6))
    assert await w.pool.fetchval("SELECT acknowledged_at FROM alarm_recipients WHERE id = $1", anna) == at(3)
    assert [tuple(row) for row in await w.pool.fetch("SELECT number, at FROM pin_failures")] == [("+49301", at(2))]


async def test_a_call_that_failed_ends_its_alarm_and_keeps_its_parts(w: PostgresAlarmWorld) -> None:
    calls, posted = await w.calls(), await w.post(ANNA)
    await calls.save(saving(live(posted, parts={0: 1}), dialled(posted, "leg-1")))
    await calls.save(saving(live(posted, is_new=False, phase="failed"), WriteAlarm(at(4), AlarmState.FAILED)))
    assert await calls.load_calls() == []
    assert await w.pool.fetchval("SELECT state FROM alarms WHERE finished_at > decided_at") == "failed"
    assert await w.pool.fetchval("SELECT count(*) FROM call_parts") == 1
    await w.alarms().acknowledge_late(AckNote("leg-1", at(7)))
    assert await w.recipients(posted) == ["acknowledged"]


async def test_alarm_rows_of_one_alarm_never_touch_another(w: PostgresAlarmWorld) -> None:
    calls, first, second = await w.calls(), await w.post(ANNA), await w.post(ANNA)
    stranger = WriteRecipient(second.persons[0].recipient_id, RecipientState.DECLINED)
    await calls.save(saving(live(first), stranger))
    assert await w.recipients(second) == ["pending"]


# --- plans -------------------------------------------------------------------------------------------------------


async def test_no_plan_of_a_save_reads_a_big_table_from_end_to_end(w: PostgresAlarmWorld) -> None:
    await fill(w)
    calls = await w.calls()
    plans: list[str] = []
    connection = w.engines[0]._connection
    assert connection is not None
    connection.add_log_listener(lambda _, message: plans.append(message.message))
    for setting in ("log_min_duration = 0", "log_nested_statements = on"):
        await connection.execute(f"LOAD 'auto_explain'; SET auto_explain.{setting}")
    await connection.execute("SET client_min_messages = log")
    for number in range(7):  # the sixth execution may change to a generic plan
        alarm = await w.post(ANNA, BEN)
        anna = alarm.persons[0].recipient_id
        leg = f"leg {number}"
        await calls.save(saving(
            live(alarm, parts={0: 1, 1: 2}), WriteAlarm(at(0), AlarmState.RINGING), dialled(alarm, leg)))
        await calls.save(saving(
            live(alarm, is_new=False, parts={1: 3}), dialled(alarm, leg, ended_at=at(3)),
            WriteNote(at(3), "dialled", anna), WriteRecipient(anna, RecipientState.ACKNOWLEDGED, at(3)),
            WritePinFailure(at(3), "49301")))
        await calls.load_calls()
        await calls.save(saving(
            live(alarm, is_new=False), WriteAlarm(at(4), AlarmState.ACKNOWLEDGED), Finish(at(5), "acknowledged")))
    told = "\n".join(plans)
    for wanted in ("UPDATE alarm_recipients", "INSERT INTO alarm_attempts", "INSERT INTO alarm_notes", "UPDATE alarms",
                   "INSERT INTO call_parts", "DELETE FROM call_parts", "INSERT INTO events",
                   "FROM calls c JOIN call_parts", "INSERT INTO webhook_deliveries"):
        assert wanted in told, wanted
    assert not re.search(rf"Seq Scan on ({BIG})", told), told


async def test_no_question_about_alarms_reads_a_big_table_from_end_to_end(w: PostgresAlarmWorld) -> None:
    await fill(w)
    values = {
        "claim": ("asterisk", 10, [1, 2], timedelta(seconds=30)), "call_of_attempt": ("leg",),
        "acknowledge_late": ("leg", at(0)), "call_back": (f"+{OWN_NUMBER}", "+49170777", "asterisk"),
        "dials": (timedelta(hours=1),), "pin_failures": (timedelta(hours=1),), "orders": ("asterisk",),
        "forget_orders": ([1],), "unreadable": (1,),
    }
    statements = queries.load("alarms")
    assert set(statements) == set(values)
    for name, given in values.items():
        plan = "\n".join(row[0] for row in await w.pool.fetch(f"EXPLAIN {statements[name]}", *given))
        assert not re.search(rf"Seq Scan on ({BIG})", plan), f"{name}:\n{plan}"


BIG = "alarms|alarm_recipients|alarm_attempts|alarm_notes|calls|call_parts|events|pin_failures"
FILL = (
    "SET session_replication_role = replica",  # no triggers
    "INSERT INTO alarms (organisation_id, state, needed, plan, request, finished_at) "
    "SELECT 1, 'failed', 1, '{}', '{}', now() FROM generate_series(1, $1::int)",
    "INSERT INTO alarm_recipients (organisation_id, alarm_id, position, name, language, voice, phones) "
    "SELECT 1, id, 0, '', 'de', 'de', ARRAY['+49170' || id] FROM alarms LIMIT $1::int",
    "INSERT INTO alarm_attempts (leg, organisation_id, alarm_id, recipient_id, phone, trunk, placed_at, ended_at, "
    "counted_at) SELECT 'old ' || id, 1, alarm_id, id, phones[1], 'trunk', now(), now(), now() - interval '9 days' "
    "FROM alarm_recipients LIMIT $1::int",
    "INSERT INTO alarm_notes (organisation_id, alarm_id, at, type) "
    "SELECT 1, id, now(), 'ringing' FROM alarms LIMIT $1::int",
    "INSERT INTO calls (id, switch, organisation_id, flow, version, phase, state, started_at) "
    "SELECT gen_random_uuid(), 'other', 1, 'alarm', 1, 'ringing', '{}', now() FROM generate_series(1, $1::int)",
    "INSERT INTO call_parts (call_id, part, state) SELECT id, 0, '{}' FROM calls LIMIT $1::int",
    "INSERT INTO events (organisation_id, at, type, data) "
    "SELECT 1, now(), 'alarm.ringing', '{}' FROM generate_series(1, $1::int)",
    "INSERT INTO pin_failures (number, at, counted_at) SELECT '+4930', now(), now() - interval '9 days' "
    "FROM generate_series(1, $1::int)",
    "INSERT INTO webhooks (organisation_id, url, types, secrets) VALUES (1, '', '{alarm.ringing}', '[]')",
)


async def fill(w: PostgresAlarmWorld) -> None:
    async with w.pool.acquire() as connection:
        for statement in FILL:
            await connection.execute(statement, *((ROWS,) if "$1" in statement else ()))
        await connection.execute("RESET session_replication_role")
        await connection.execute(f"ANALYZE {BIG.replace('|', ', ')}")
