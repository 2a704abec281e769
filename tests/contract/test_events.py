"""What rows say happened: each fact once in `events`, with what webhooks must be sent (migration 0007)."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from engine.ports import AckNote
from engine.store.directory import PostgresDirectory
from engine.store.pool import connect
from engine.vocabulary.commands import Finish, WriteAlarm, WriteNote, WriteRecipient
from engine.vocabulary.values import AlarmState, Disposition, EntryType, RecipientState
from tests.alarm_stores import PostgresAlarmWorld, alarm_world, dialled, live, person, saving
from tests.call_stores import batch, call, entry, record
from tests.directories import Org, World
from tests.playbook import at

ANNA, BEN = person("Anna", "49301", role="driver"), person("Ben", "49303")
ACKNOWLEDGED, DECLINED = RecipientState.ACKNOWLEDGED, RecipientState.DECLINED


@pytest.fixture
async def w(database_url: str) -> AsyncIterator[PostgresAlarmWorld]:
    async with alarm_world(database_url) as made:
        assert isinstance(made, PostgresAlarmWorld)
        yield made


async def told(w: PostgresAlarmWorld) -> list[tuple[str, dict[str, Any]]]:
    rows = await w.pool.fetch("SELECT type, data FROM events ORDER BY id")
    return [(row["type"], json.loads(row["data"])) for row in rows]


async def types(w: PostgresAlarmWorld) -> list[str]:
    return [kind for kind, _ in await told(w)]


async def webhook(w: PostgresAlarmWorld, *types: str, organisation_id: int = 1, is_active: bool = True) -> int:
    webhook_id: int = await w.pool.fetchval(
        "INSERT INTO webhooks (organisation_id, url, types, secrets, is_active) VALUES ($1, '', $2, '[]', $3) "
        "RETURNING id", organisation_id, list(types), is_active)
    return webhook_id


# --- hotline calls -----------------------------------------------------------------------------------------------


async def test_a_hotline_calls_entries_and_legs_are_told_in_their_order(w: PostgresAlarmWorld) -> None:
    calls = await w.calls()
    await calls.save(batch(call(), rows=[entry(EntryType.CALLER_CONNECTED), entry(EntryType.AGENT_CALLED)]))
    await calls.save(batch(call(is_new=False), rows=[record("leg-1"), entry(EntryType.CALL_ENDED)]))
    await calls.save(batch(call(is_new=False), rows=[record("leg-1"), Finish(at(9), "answered")]))
    events = await told(w)
    assert [kind for kind, _ in events] == [
        "call.callerConnected", "call.agentCalled", "call.callEnded", "call.finished"]
    log_id = await w.pool.fetchval("SELECT id FROM call_logs")
    assert events[1][1] == {
        "hotlineID": 7, "callLogID": log_id, "userID": 1, "phoneID": 2, "phone": "+4930123", "message": "Tür"}
    assert events[3][1] == {
        "legID": "leg-1", "direction": "outbound", "hotlineID": 7, "callLogID": log_id, "from": "+4930555",
        "to": "+4930123", "status": "busy", "cause": 17, "placedAt": iso(0), "answeredAt": None, "endedAt": iso(9)}
    assert await w.pool.fetchval("SELECT at FROM events ORDER BY id LIMIT 1") == at(0)


async def test_a_withheld_number_is_told_as_none(w: PostgresAlarmWorld) -> None:
    calls = await w.calls()
    await calls.save(batch(call(), rows=[replace(record("leg-1"), from_number="")]))
    assert (await told(w))[0][1]["from"] is None


# --- alarms ------------------------------------------------------------------------------------------------------


async def test_an_alarms_life_is_told_with_each_fact_once(w: PostgresAlarmWorld) -> None:
    calls, posted = await w.calls(), await w.post(ANNA, BEN)
    anna, ben = (one.recipient_id for one in posted.persons)
    await w.alarms().claim(1)
    await calls.save(saving(
        live(posted), WriteAlarm(at(0), AlarmState.RINGING), WriteNote(at(0), "ringing"),
        WriteRecipient(anna, RecipientState.RINGING), dialled(posted, "leg-1"), dialled(posted, "leg-2", place=1),
        WriteNote(at(1), "dialled", anna, "leg-1", "49301")))
    await calls.save(saving(
        live(posted, is_new=False), WriteRecipient(ben, DECLINED), WriteNote(at(3), "declined", ben, "leg-2", "49303"),
        dialled(posted, "leg-2", place=1, ended_at=at(3), disposition=Disposition.DECLINED, cause=16)))
    acknowledged = dialled(
        posted, "leg-1", answered_at=at(2), ended_at=at(5), disposition=Disposition.ACKNOWLEDGED, cause=16)
    await calls.save(saving(
        live(posted, is_new=False), WriteRecipient(anna, ACKNOWLEDGED, at(4)),
        WriteNote(at(4), "acknowledged", anna, "leg-1", "49301"), acknowledged, WriteNote(at(4), "quorumReached"),
        WriteAlarm(at(4), AlarmState.ACKNOWLEDGED)))
    await calls.save(saving(
        live(posted, is_new=False), acknowledged, WriteRecipient(anna, ACKNOWLEDGED, at(4)),
        WriteAlarm(at(4), AlarmState.ACKNOWLEDGED), WriteNote(at(6), "finished"), Finish(at(6), "acknowledged")))
    events = await told(w)
    assert [kind for kind, _ in events] == [
        "alarm.created", "recipient.dialled", "alarm.ringing", "recipient.declined", "call.finished",
        "recipient.acknowledged", "call.finished", "alarm.quorumReached", "alarm.acknowledged", "alarm.finished"]
    alarm_id = posted.plan.alarm_id
    assert events[0][1] == {"alarmID": alarm_id, "state": "queued", "needed": 1, "acknowledged": 0}
    assert events[1][1] == {
        "alarmID": alarm_id, "recipientID": anna, "legID": "leg-1", "phone": "+49301", "message": ""}
    assert events[5][1] == {
        "alarmID": alarm_id, "recipientID": anna, "userID": None, "contactID": None, "role": "driver",
        "state": "acknowledged", "acknowledgedAt": iso(4)}
    assert events[6][1] == {
        "legID": "leg-1", "direction": "outbound", "alarmID": alarm_id, "recipientID": anna, "phone": "+49301",
        "disposition": "acknowledged", "cause": 16, "placedAt": iso(1), "answeredAt": iso(2), "endedAt": iso(5)}
    assert events[9][1] == {"alarmID": alarm_id, "state": "acknowledged", "needed": 1, "acknowledged": 1}
    assert "0711" not in json.dumps(events)


async def test_states_that_follow_each_other_in_one_save_are_all_told(w: PostgresAlarmWorld) -> None:
    calls, posted = await w.calls(), await w.post(ANNA)
    await calls.save(saving(
        live(posted), WriteAlarm(at(0), AlarmState.RINGING), dialled(posted, "leg-1"),
        dialled(posted, "leg-1", ended_at=at(0)), WriteAlarm(at(0), AlarmState.FAILED), Finish(at(0), "failed")))
    assert await types(w) == ["alarm.created", "call.finished", "alarm.ringing", "alarm.failed", "alarm.finished"]


async def test_a_late_acknowledgement_is_told_once_and_its_leg_not_again(w: PostgresAlarmWorld) -> None:
    calls, posted = await w.calls(), await w.post(ANNA)
    await calls.save(saving(live(posted), dialled(posted, "leg-1", ended_at=at(5)), Finish(at(6), "failed")))
    for _ in range(2):
        await w.alarms().acknowledge_late(AckNote("leg-1", at(4)))
    assert (await types(w))[-2:] == ["alarm.finished", "recipient.acknowledged"]


# --- hotlines ----------------------------------------------------------------------------------------------------


async def test_what_becomes_of_a_hotline_is_told(w: PostgresAlarmWorld) -> None:
    world = World(PostgresDirectory(w.pool), None)  # type: ignore[arg-type]
    org: Org = await world.organisation()
    hotline = await org.hotline(agents=org.users[:1])
    await w.pool.execute("UPDATE hotlines SET status = 'active', ready_revision = revision")
    directory, key = world.directory, (org.id, hotline.hotline_id)
    await directory.replace_hotline(*key, org.data(agents=org.users[:1], name="Neu"))
    await directory.replace_hotline(*key, org.data(agents=org.users, name="Neu"))
    await directory.replace_hotline(*key, org.data(agents=(), name="Neu", is_active=False))
    await directory.delete_hotline(*key)
    events = await told(w)
    assert [kind for kind, _ in events] == [
        "hotline.created", "hotline.active", "hotline.changed", "hotline.changed", "hotline.changed", "hotline.paused",
        "hotline.deleted"]
    assert events[3][1] == {"hotlineID": hotline.hotline_id, "name": "Neu", "number": hotline.number,
                            "status": "active", "isActive": True}


# --- webhooks ----------------------------------------------------------------------------------------------------


async def test_each_active_webhook_that_wants_a_type_gets_one_message_of_it(w: PostgresAlarmWorld) -> None:
    await w.pool.execute("INSERT INTO organisations (name) VALUES ('another')")
    first, second = await webhook(w, "alarm.created", "call.finished"), await webhook(w, "alarm.created")
    await webhook(w, "alarm.finished")
    await webhook(w, "alarm.created", is_active=False)
    await webhook(w, "alarm.created", organisation_id=2)
    posted = await w.post(ANNA)
    event = await w.pool.fetchrow("SELECT id, at, data FROM events")
    rows = await w.pool.fetch("SELECT * FROM webhook_deliveries ORDER BY id")
    assert [(row["webhook_id"], row["message_id"], row["type"], row["state"]) for row in rows] == [
        (first, f"msg_{event['id']}", "alarm.created", "pending"),
        (second, f"msg_{event['id']}", "alarm.created", "pending")]
    body = json.loads(rows[0]["body"])
    assert list(body) == ["type", "timestamp", "data"]
    assert body["data"] == json.loads(event["data"]) and body["data"]["alarmID"] == posted.plan.alarm_id
    assert body["timestamp"] == event["at"].isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def test_what_was_rolled_back_never_happened(w: PostgresAlarmWorld) -> None:
    await webhook(w, "call.finished")
    calls = await w.calls()
    broken = replace(record("leg-2"), direction="sideways")  # type: ignore[arg-type]
    with pytest.raises(Exception, match="CheckViolation"):
        await calls.save(batch(call(), rows=[record("leg-1"), broken]))
    assert await types(w) == []
    assert await w.pool.fetchval("SELECT count(*) FROM webhook_deliveries") == 0


async def test_readers_and_senders_are_woken_once_by_a_transaction_and_not_without_events(
    w: PostgresAlarmWorld,
) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    calls = await w.calls()
    connection = await connect(w.url)
    for channel in ("ringward_event", "ringward_webhook", "mark"):
        await connection.add_listener(channel, lambda *args: heard.put_nowait(str(args[2])))

    async def until_mark() -> list[str]:
        await w.pool.execute("NOTIFY mark")
        found: list[str] = []
        async with asyncio.timeout(5):
            while (channel := await heard.get()) != "mark":
                found.append(channel)
        return sorted(found)

    await calls.save(batch(call(), beat=True))
    assert await until_mark() == []
    rows = [entry(EntryType.BRIDGED), entry(EntryType.AGENT_CALLED), record("leg-1")]
    await calls.save(batch(call(is_new=False), rows=rows))
    assert await until_mark() == ["ringward_event"]
    await webhook(w, "call.finished", "call.bridged")
    await calls.save(batch(call(is_new=False), rows=[entry(EntryType.AGENT_CALLED)]))
    assert await until_mark() == ["ringward_event"]
    await calls.save(batch(call(is_new=False), rows=[entry(EntryType.BRIDGED), record("leg-2")]))
    assert await until_mark() == ["ringward_event", "ringward_webhook"]
    connection.terminate()


def iso(seconds: float) -> str:
    return at(seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")
