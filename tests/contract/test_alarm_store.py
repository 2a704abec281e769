"""Alarms as the engine needs them (`ports.AlarmStore`) and as it saves them, in memory and in Postgres alike."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine.ports import AckNote, AlarmStore, CallStore, QueuedAlarm
from engine.vocabulary.commands import (
    Finish,
    WriteAlarm,
    WriteNote,
    WritePinFailure,
    WriteRecipient,
)
from engine.vocabulary.values import AlarmState, Direction, Disposition, RecipientState
from tests.alarm_stores import OWN_NUMBER, AlarmWorld, alarm_world, dialled, live, person, saving
from tests.playbook import at

ACKNOWLEDGED, DECLINED = RecipientState.ACKNOWLEDGED, RecipientState.DECLINED
ANNA, BEN = person("Anna", "49301", "49302", role="driver", groups=(3, 4)), person("Ben", "49303")


@pytest.fixture
async def w(url: str | None) -> AsyncIterator[AlarmWorld]:
    async with alarm_world(url) as made:
        yield made


async def begun(w: AlarmWorld) -> tuple[CallStore, AlarmStore, QueuedAlarm]:
    """An alarm to Anna and Ben that rings Anna by leg-1."""
    calls, alarms = await w.calls(), w.alarms()
    await w.post(ANNA, BEN)
    [alarm] = await alarms.claim(10)
    ringing = WriteRecipient(alarm.persons[0].recipient_id, RecipientState.RINGING)
    await calls.save(saving(live(alarm), WriteAlarm(at(0), AlarmState.RINGING), ringing, dialled(alarm, "leg-1")))
    return calls, alarms, alarm


# --- whose an alarm is -------------------------------------------------------------------------------------------


async def test_a_posted_alarm_is_claimed_once_with_everything_that_was_frozen(w: AlarmWorld) -> None:
    await w.calls()
    alarms = w.alarms()
    assert await alarms.claim(10) == []
    posted = await w.post(ANNA, BEN)
    assert await alarms.claim(10) == [posted]
    assert await alarms.claim(10) == []


async def test_how_old_an_alarm_is_the_clock_of_the_store_says(w: AlarmWorld) -> None:
    await w.calls()
    await w.post(ANNA)
    [alarm] = await w.alarms().claim(10)
    assert 0 <= alarm.age_s < 10


async def test_alarms_are_claimed_oldest_first_and_no_more_than_asked_for(w: AlarmWorld) -> None:
    await w.calls()
    alarms, posted = w.alarms(), [await w.post(ANNA) for _ in range(5)]
    assert await alarms.claim(2) == posted[:2]
    assert await alarms.claim(2) == posted[2:4]
    assert await alarms.claim(2) == posted[4:]


async def test_what_is_claimed_several_times_at_once_is_got_once(w: AlarmWorld) -> None:
    await w.calls()
    posted = [await w.post(ANNA) for _ in range(8)]
    alarms = w.alarms()
    found = await asyncio.gather(*(alarms.claim(3) for _ in range(4)))
    claimed = [alarm.call_id for some in found for alarm in some]
    assert sorted(claimed) == sorted(alarm.call_id for alarm in posted)


async def test_what_an_engine_claimed_and_never_began_is_the_next_engines(w: AlarmWorld) -> None:
    await w.calls()
    posted = await w.post(ANNA)
    assert await w.alarms().claim(10) == [posted]
    await w.calls()
    assert await w.alarms().claim(10) == [posted]


async def test_an_alarm_with_a_live_call_is_nobodys_to_begin(w: AlarmWorld) -> None:
    calls = await w.calls()
    posted = await w.post(ANNA)
    await w.alarms().claim(10)
    await calls.save(saving(live(posted, phase="rendering")))
    await w.calls()
    assert await w.alarms().claim(10) == []


async def test_an_alarm_that_is_over_is_nobodys_to_begin(w: AlarmWorld) -> None:
    calls, _, alarm = await begun(w)
    await calls.save(saving(live(alarm, is_new=False), WriteAlarm(at(5), AlarmState.FAILED), Finish(at(6), "failed")))
    assert await w.alarms().claim(10) == []
    assert await w.state(alarm) == "failed"


# --- what is saved -----------------------------------------------------------------------------------------------


async def test_a_call_without_a_caller_is_loaded_with_all_its_parts(w: AlarmWorld) -> None:
    calls, posted = await w.calls(), await w.post(ANNA, BEN)
    first = live(posted, parts={0: {"plan": "ü"}, 1: ["Anna"], 2: ["Ben"]}, outbox=[["DialAlarm", {"leg": "leg-1"}]])
    await calls.save(saving(first))
    await calls.save(saving(live(posted, is_new=False, state={"wave": 1}, parts={2: ["Ben", "ringing"]})))
    await calls.save(saving(live(posted, is_new=False, state={"wave": 2})))
    [loaded] = await calls.load_calls()
    assert loaded.parts == {0: {"plan": "ü"}, 1: ["Anna"], 2: ["Ben", "ringing"]}
    assert (loaded.state, loaded.hotline_id, loaded.caller_leg) == ({"wave": 2}, None, "")
    assert (loaded.flow, loaded.phase, loaded.organisation_id, loaded.started_at) == ("alarm", "ringing", 1, at(0))


async def test_a_finished_alarm_leaves_no_call_and_no_parts(w: AlarmWorld) -> None:
    calls, _, alarm = await begun(w)
    await calls.save(saving(live(alarm, is_new=False, parts={0: 1, 1: 2})))
    await calls.save(saving(live(alarm, is_new=False, parts={1: 3}), Finish(at(9), "acknowledged")))
    assert await calls.load_calls() == []
    other = replace(alarm, call_id=alarm.call_id)
    await calls.save(saving(live(other, is_new=False)))     # whatever comes back under that id begins with nothing
    assert [one.parts for one in await calls.load_calls()] == [{}]


async def test_the_last_word_counts_and_none_is_lost(w: AlarmWorld) -> None:
    calls, _, alarm = await begun(w)
    assert await w.attempts(alarm) == {"leg-1": None}
    answered = dialled(alarm, "leg-1", answered_at=at(3))
    ended = dialled(alarm, "leg-1", ended_at=at(5), disposition=Disposition.ANSWERED, cause=16)
    late = dialled(alarm, "leg-1", disposition=Disposition.ACKNOWLEDGED)
    await calls.save(saving(live(alarm, is_new=False), answered, ended))        # one leg twice in one save
    await calls.save(saving(live(alarm, is_new=False), late))
    assert await w.attempts(alarm) == {"leg-1": "acknowledged"}


async def test_states_of_recipients_and_of_the_alarm_are_saved_with_the_call(w: AlarmWorld) -> None:
    calls, _, alarm = await begun(w)
    anna, ben = (one.recipient_id for one in alarm.persons)
    assert (await w.state(alarm), await w.recipients(alarm)) == ("ringing", ["ringing", "pending"])
    await calls.save(saving(
        live(alarm, is_new=False), WriteNote(at(4), "answered", anna, "leg-1", "49301"),
        WriteRecipient(anna, ACKNOWLEDGED, at(5)), WriteNote(at(5), "acknowledged", anna, "leg-1", "49301"),
        WriteRecipient(ben, DECLINED), WriteNote(at(5), "quorumReached"), WriteAlarm(at(5), AlarmState.ACKNOWLEDGED)))
    assert (await w.state(alarm), await w.recipients(alarm)) == ("acknowledged", ["acknowledged", "declined"])
    assert await w.notes(alarm) == ["answered", "acknowledged", "quorumReached"]


# --- what people order -------------------------------------------------------------------------------------------


async def test_orders_wait_until_the_alarm_has_begun_and_stay_until_they_are_forgotten(w: AlarmWorld) -> None:
    calls, alarms, posted = await w.calls(), w.alarms(), await w.post(ANNA)
    anna = posted.persons[0].recipient_id
    first, second = await w.order(posted, "acknowledge", anna), await w.order(posted, "cancel")
    assert await alarms.orders() == []
    await calls.save(saving(live(posted)))
    found = await alarms.orders()
    assert [(one.order_id, one.call_id, one.kind, one.recipient_id, one.by) for one in found] == [
        (first, posted.call_id, "acknowledge", anna, "operator"), (second, posted.call_id, "cancel", None, "operator")]
    await alarms.forget_orders([first])
    assert [one.order_id for one in await alarms.orders()] == [second]


async def test_an_order_for_an_alarm_that_is_over_can_be_forgotten(w: AlarmWorld) -> None:
    calls, alarms, alarm = await begun(w)
    await calls.save(saving(live(alarm, is_new=False), Finish(at(9), "failed")))
    late = await w.order(alarm, "cancel")
    assert [one.order_id for one in await alarms.orders()] == [late]
    await alarms.forget_orders([late])
    assert await alarms.orders() == []


# --- acknowledgements that were found later ----------------------------------------------------------------------


async def test_the_call_of_a_leg_is_known_while_its_alarm_lives(w: AlarmWorld) -> None:
    calls, alarms, alarm = await begun(w)
    assert await alarms.call_of_attempt("leg-1") == alarm.call_id
    assert await alarms.call_of_attempt("leg-9") is None
    await calls.save(saving(live(alarm, is_new=False), Finish(at(9), "failed")))
    assert await alarms.call_of_attempt("leg-1") is None


async def test_who_acknowledged_an_alarm_that_is_over_has_acknowledged_once(w: AlarmWorld) -> None:
    calls, alarms, alarm = await begun(w)
    await calls.save(saving(
        live(alarm, is_new=False), dialled(alarm, "leg-1", ended_at=at(8), disposition=Disposition.FAILED),
        WriteRecipient(alarm.persons[0].recipient_id, RecipientState.UNREACHED), Finish(at(9), "failed")))
    for leg in ("leg-1", "leg-1", "leg-9"):
        await alarms.acknowledge_late(AckNote(leg, at(7)))
    assert await w.recipients(alarm) == ["acknowledged", "pending"]
    assert await w.attempts(alarm) == {"leg-1": "acknowledged"}
    assert await w.notes(alarm) == ["acknowledged"]


async def test_while_an_alarm_lives_its_flow_alone_says_who_acknowledged(w: AlarmWorld) -> None:
    _, alarms, alarm = await begun(w)
    await alarms.acknowledge_late(AckNote("leg-1", at(7)))
    assert await w.recipients(alarm) == ["ringing", "pending"]


# --- call-backs --------------------------------------------------------------------------------------------------


async def test_a_caller_is_told_apart_by_the_newest_open_alarm_that_wants_his_phone(w: AlarmWorld) -> None:
    calls, alarms, first = await begun(w)
    await w.post(ANNA, BEN)
    [second] = await alarms.claim(10)
    await calls.save(saving(live(second)))

    async def wanted(caller: str) -> str | None:
        found = await alarms.call_back(OWN_NUMBER, caller)
        assert found is not None
        assert (found.organisation_id, found.voice) == (1, "de")
        return found.call_id

    anna, ben = (one.recipient_id for one in second.persons)
    assert await wanted("49302") == second.call_id == await wanted("49303")
    assert await wanted("49309") is None and await wanted("") is None
    await calls.save(saving(
        live(second, is_new=False), WriteRecipient(anna, ACKNOWLEDGED, at(5)), WriteRecipient(ben, DECLINED)))
    assert await wanted("49302") == first.call_id == await wanted("49303")
    await calls.save(saving(live(first, is_new=False), Finish(at(9), "failed")))
    assert await wanted("49302") is None
    assert await alarms.call_back("4930999", "49302") is None


async def test_a_caller_hears_the_alarm_that_still_rings_not_a_newer_one_that_is_decided(w: AlarmWorld) -> None:
    calls, alarms, first = await begun(w)
    await w.post(ANNA, BEN)
    [second] = await alarms.claim(10)
    await calls.save(saving(live(second), WriteAlarm(at(5), AlarmState.ACKNOWLEDGED)))
    found = await alarms.call_back(OWN_NUMBER, "49302")
    assert found is not None and found.call_id == first.call_id
    await calls.save(saving(live(first, is_new=False), Finish(at(9), "failed")))
    found = await alarms.call_back(OWN_NUMBER, "49302")
    assert found is not None and found.call_id == second.call_id  # who tells why nobody is rung any more


# --- limits, recordings, wakes -----------------------------------------------------------------------------------


def about(number: str, age_s: float) -> tuple[str, Any]:
    return number, pytest.approx(age_s, abs=3)


async def test_how_long_ago_dials_and_wrong_pins_were_is_remembered_whatever_the_switch_says(w: AlarmWorld) -> None:
    """They count from when they were saved; what is said of a leg later makes it no younger."""
    calls, alarms, alarm = await begun(w)
    await calls.save(saving(live(alarm, is_new=False), WritePinFailure(at(3), "49303")))
    await w.age(40)
    await calls.save(saving(
        live(alarm, is_new=False), dialled(alarm, "leg-2", place=1, placed_at=at(7200)),
        dialled(alarm, "leg-3", placed_at=at(30), direction=Direction.INBOUND),
        dialled(alarm, "leg-1", answered_at=at(9)),
        WritePinFailure(at(11), "49301"), WritePinFailure(at(12), "49301")))
    await w.age(10)
    found = await alarms.restraints(timedelta(seconds=60))
    assert list(found.dials) == [about("49301", 50), about("49303", 10)]
    assert list(found.pin_failures) == [about("49303", 50), about("49301", 10), about("49301", 10)]
    found = await alarms.restraints(timedelta(seconds=30))
    assert list(found.dials) == [about("49303", 10)]
    assert list(found.pin_failures) == [about("49301", 10), about("49301", 10)]


async def test_a_recording_belongs_to_its_organisation(w: AlarmWorld) -> None:
    recording_id = await w.upload(b"RIFF\x00")
    alarms = w.alarms()
    assert await alarms.recording(1, recording_id) == b"RIFF\x00"
    assert await alarms.recording(2, recording_id) is None
    assert await alarms.recording(1, recording_id + 1) is None


async def test_changes_wake_now_and_then_and_when_something_was_posted(w: AlarmWorld) -> None:
    changes = w.alarms().changes()
    async with asyncio.timeout(10):
        for _ in range(3):
            await anext(changes)
        posted = await w.post(ANNA)
        await anext(changes)
        await w.order(posted, "cancel")
        await anext(changes)
    await changes.aclose()  # type: ignore[attr-defined]
