"""Alarms in the loop: what is saved of them, how fast they are dialled, what outlives the engine and the database."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from engine.flows import alarm as flow
from engine.ports import Batch, StoreFailed
from engine.store.memory_calls import MemoryCalls
from engine.switch.memory import Phone
from engine.vocabulary.commands import Dial, DialAlarm, Finish, HangUp, WriteAttempt, WritePinFailure
from engine.vocabulary.events import Answered, DialGranted
from engine.vocabulary.values import AlarmState, Cause, RecipientState
from tests.alarm_desk import alarm_desk, an_alarm
from tests.desk import turns, until

ACKNOWLEDGES = Phone(answers_s=1, keys="1")


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("engine.reconcile.SETTLED_S", 0.01)
    yield


class Watched(MemoryCalls):
    """Writes down which parts each save brought; may commit and not say so, or fail."""

    parts: list[list[int]]
    lies = 0

    async def save(self, batch: Batch) -> None:
        await super().save(batch)
        self.parts += [sorted(call.parts) for call in batch.calls.values() if call.flow == "alarm"]
        if self.lies and any(call.flow == "alarm" for call in batch.calls.values()):
            self.lies -= 1
            raise StoreFailed("no answer")


def watched(shelf: Any) -> Watched:
    store = Watched(shelf)
    store.parts = []
    return store


async def test_an_alarm_rings_until_enough_have_acknowledged_and_ends() -> None:
    async with alarm_desk(phones={"49301": ACKNOWLEDGES}) as at:
        alarm = an_alarm("49301", "49302")
        await at.posts(alarm)
        assert at.rung() == ["49301", "49302"]
        await at.desk.passes(10)
        assert at.state(alarm) is AlarmState.ACKNOWLEDGED
        assert [order.cause for order in at.desk.sent(HangUp)] == [Cause.ANSWERED_ELSEWHERE]
        assert len([*at.desk.book.said(Finish)]) == 1 and at.desk.calls.ids() == []


async def test_a_step_saves_the_recipient_that_it_changed_and_no_other() -> None:
    async with alarm_desk(store=watched) as at:
        alarm = an_alarm(*(f"49301{place}" for place in range(5)))
        await at.posts(alarm)
        store = at.desk.store
        assert isinstance(store, Watched) and store.parts[0] == [0, 1, 2, 3, 4, 5]
        store.parts.clear()
        leg = next(order.leg for order in at.desk.sent(DialAlarm) if order.number == "493013")
        at.desk.calls.mailbox.post(Answered(at.desk.switch.now(), leg))
        await at.settles()
        assert store.parts == [[4]]


async def test_after_a_restart_an_alarm_goes_on_where_it_was() -> None:
    async with alarm_desk(phones={"49302": Phone(answers_s=5, keys="1")}) as at:
        alarm = an_alarm("49301", "49302")
        await at.posts(alarm)
        await at.desk.passes(1)
        state = next(iter(at.desk.calls._calls.values())).state
    at.desk.shelf.owner_is_dead = True
    async with alarm_desk(shelf=at.desk.shelf, switch=lambda: at.desk.switch) as again:
        assert next(iter(again.desk.calls._calls.values())).state == state
        await again.desk.passes(15)
        assert again.state(alarm) is AlarmState.ACKNOWLEDGED and again.rung() == ["49301", "49302"]


async def test_a_save_that_committed_although_it_failed_begins_no_alarm_twice_and_rings_nobody_twice() -> None:
    async with alarm_desk(store=watched, phones={"49301": ACKNOWLEDGES}) as at:
        at.desk.store.lies = 2  # type: ignore[attr-defined]
        alarm = an_alarm("49301")
        await at.posts(alarm)
        await until(lambda: at.desk.reloads == 0 and not at.desk.store.lies)  # type: ignore[attr-defined]
        await until(lambda: at.desk.calls._is_open)
        await at.settles()
        await at.desk.passes(10)
        assert at.rung() == ["49301"] and at.notes().count("dialled") == 1
        assert at.state(alarm) is AlarmState.ACKNOWLEDGED


async def test_a_save_that_committed_although_it_failed_counts_for_limits_all_the_same() -> None:
    guesses = Phone(answers_s=1, keys="1", pins=("1", "2", "3"))
    async with alarm_desk(store=watched, phones={"49301": guesses}) as at:
        at.desk.store.lies = 2  # type: ignore[attr-defined]
        await at.posts(an_alarm("49301", pin="4711"))
        await until(lambda: at.rung() and at.desk.calls._is_open)
        for _ in range(10):
            at.desk.store.lies = 1  # type: ignore[attr-defined]
            await at.desk.passes(1)
            await until(lambda: at.desk.calls._is_open)
        known = at.desk.calls._restraint
        assert len([*at.desk.book.said(WritePinFailure)]) == 3 == len(known._pin_failures.of("49301"))
        assert len(at.rung()) == 1 == len(known._dials.of("49301"))


async def test_a_database_that_was_down_loses_no_acknowledgement() -> None:
    async with alarm_desk(phones={"49301": ACKNOWLEDGES}) as at:
        alarm = an_alarm("49301", "49302", needed=2)
        await at.posts(alarm)
        at.desk.shelf.is_down = True
        at.desk.switch.advance(2)
        await turns(50)
        at.desk.shelf.is_down = False
        await until(lambda: at.desk.book.recipient(alarm.call_id, 1) is RecipientState.ACKNOWLEDGED)
        assert at.rung() == ["49301", "49302"]


async def test_hotlines_have_right_of_way_and_alarms_are_spaced() -> None:
    async with alarm_desk(trunk_cps=10) as at:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await at.posts(an_alarm(*(f"49301{place}" for place in range(4))))
        await at.desk.arrives()
        assert len(at.desk.sent(Dial)) == 3, "the hotline's phones ring at once"
        await until(lambda: len(at.rung()) == 4)
        assert loop.time() - began >= 0.3 - 0.02


async def test_head_room_is_left_to_hotlines() -> None:
    async with alarm_desk(trunk_channels=10, headroom=0.4) as at:
        await at.posts(an_alarm(*(f"49301{place}" for place in range(9))))
        await at.settles()
        assert len(at.rung()) == 6
        await at.desk.arrives()
        assert len(at.desk.sent(Dial)) == 3


async def test_a_number_that_two_alarms_want_rings_for_one_after_the_other() -> None:
    async with alarm_desk() as at:
        first, second = an_alarm("49301"), an_alarm("49301")
        await at.posts(first, second)
        assert at.rung() == ["49301"]
        await at.orders(first, "cancel")
        assert at.rung() == ["49301", "49301"] and at.state(first) is AlarmState.CANCELLED


async def test_a_phone_that_a_hotline_rings_is_not_rung_for_an_alarm() -> None:
    async with alarm_desk() as at:
        caller = await at.desk.arrives()
        await at.posts(an_alarm("49300001"))
        assert at.rung() == []
        at.desk.switch.hang_up(caller)
        await at.settles()
        assert at.rung() == ["49300001"]


async def test_nobody_is_rung_for_an_alarm_while_the_switch_was_not_compared() -> None:
    async with alarm_desk() as at:
        at.desk.calls.open(False)
        at.reconcile.is_settled = True  # and nobody compares meanwhile
        alarm = an_alarm("49301")
        await at.posts(alarm)
        await at.settles()
        assert at.rung() == []
        at.desk.calls.open(True)
        await at.settles()
        assert at.rung() == ["49301"]


async def test_a_repeat_to_a_number_that_rang_often_is_delayed_and_told_in_the_timeline() -> None:
    async with alarm_desk(phones={"49301": Phone(486)}) as at:
        await at.posts(an_alarm("49301", rounds=5, pause_s=1))
        await at.desk.passes(30)
        assert at.rung() == ["49301"] * 3 and at.notes().count("delayed") == 1
        other = an_alarm("49301")
        await at.posts(other)
        await at.settles()
        assert len(at.rung()) == 4, "another alarm's first dial is exempt"


async def test_after_five_wrong_pins_no_pin_is_right_for_that_number() -> None:
    guesses = Phone(answers_s=1, keys="1", pins=("1", "2", "3"))
    async with alarm_desk(phones={"49301": guesses}) as at:
        await at.posts(an_alarm("49301", pin="4711", rounds=3, pause_s=1))
        await at.desk.passes(40)
        assert [order.ask.pin_tries for order in at.desk.sent(DialAlarm)] == [3, 2, 0]
        assert len([*at.desk.book.said(WritePinFailure)]) == 5, "a sixth is not possible"
        assert "pinRefused" in at.notes()


async def test_a_defect_in_one_alarm_ends_it_as_failed_and_harms_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    async with alarm_desk() as at:
        broken, other = an_alarm("49301"), an_alarm("49302")
        step = flow.step

        def crashing(state: Any, event: Any) -> Any:
            if isinstance(event, DialGranted) and event.number == "49301":
                raise ZeroDivisionError("a defect")
            return step(state, event)

        monkeypatch.setattr(flow, "step", crashing)
        with structlog.testing.capture_logs() as lines:
            await at.posts(broken, other)
        assert [line["event"] for line in lines].count("call.failed") == 1
        assert at.state(broken) is AlarmState.FAILED and at.rung() == ["49302"]


async def test_an_alarm_that_cannot_even_begin_is_recorded_as_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def crashing(*_: object) -> Any:
        raise ZeroDivisionError("a defect")

    async with alarm_desk() as at:
        monkeypatch.setattr(flow, "start", crashing)
        alarm = an_alarm("49301")
        await at.posts(alarm)
        assert at.state(alarm) is AlarmState.FAILED and at.desk.book.is_over(alarm.call_id)


async def test_a_lost_switch_stops_the_dialling_and_its_return_lets_it_go_on() -> None:
    async with alarm_desk() as at:
        at.desk.calls.open(False)
        await at.posts(an_alarm("49301"))
        at.desk.switch.cut()
        at.desk.switch.restore()
        await at.compares()
        assert at.rung() == ["49301"]


async def test_legs_that_were_up_when_the_switch_died_are_recorded_and_rung_again() -> None:
    async with alarm_desk() as at:
        alarm = an_alarm("49301")
        await at.posts(alarm)
        await at.desk.passes(2)
        at.desk.switch.restart()
        await at.compares()
        legs = {order.leg for order in at.desk.sent(DialAlarm)}
        assert at.rung() == ["49301", "49301"]
        assert {row.leg for _, row in at.desk.book.said(WriteAttempt)} == legs

