"""Queued alarms begin once and only when they may; people's orders reach them, and are forgotten then."""

from collections.abc import Iterator, Sequence

import pytest

from engine.store.memory_alarms import MemoryAlarms
from engine.vocabulary.commands import HangUp, WriteNote
from engine.vocabulary.values import AlarmState, RecipientState
from tests.alarm_desk import alarm_desk, an_alarm
from tests.desk import turns, until


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("engine.reconcile.SETTLED_S", 0.01)
    yield


async def test_every_queued_alarm_begins_once_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.dispatcher.CLAIMED_AT_ONCE", 3)
    async with alarm_desk() as at:
        alarms = [an_alarm(f"49301{place}") for place in range(7)]
        await at.posts(*alarms)
        assert sorted(at.rung()) == sorted(f"49301{place}" for place in range(7))
        assert sorted(at.desk.calls.ids()) == sorted(alarm.call_id for alarm in alarms)


async def test_nothing_begins_while_it_may_not() -> None:
    async with alarm_desk() as at:
        at.may_begin = False
        alarm = an_alarm("49301")
        at.desk.book.post(alarm)
        await turns(50)
        assert not at.has_begun(alarm) and not at.desk.alarms._claimed
        at.may_begin = True
        await at.posts(alarm)
        assert at.rung() == ["49301"]


async def test_a_cancel_and_an_acknowledgement_reach_their_alarm() -> None:
    async with alarm_desk() as at:
        cancelled, noted = an_alarm("49301"), an_alarm("49302", "49303")
        await at.posts(cancelled, noted)
        await at.orders(cancelled, "cancel")
        await at.orders(noted, "acknowledge", 1)
        assert at.state(cancelled) is AlarmState.CANCELLED and at.state(noted) is AlarmState.ACKNOWLEDGED
        assert at.desk.book.recipient(noted.call_id, 1) is RecipientState.ACKNOWLEDGED
        assert [row.message for _, row in at.desk.book.said(WriteNote, cancelled.call_id)
                if row.type == "cancelOrdered"] == ["operator"]
        assert len(at.desk.sent(HangUp)) == 3


async def test_an_order_for_an_alarm_that_has_not_begun_comes_when_it_has() -> None:
    async with alarm_desk() as at:
        at.may_begin = False
        alarm = an_alarm("49301")
        at.desk.book.order(alarm.call_id, "cancel")
        at.desk.book.post(alarm)
        await turns(50)
        assert len(at.desk.book.orders) == 1
        at.may_begin = True
        await until(lambda: not at.desk.book.orders)
        assert at.state(alarm) is AlarmState.CANCELLED


async def test_an_order_for_an_alarm_that_is_over_changes_nothing_and_is_forgotten() -> None:
    async with alarm_desk() as at:
        alarm = an_alarm("49301")
        await at.posts(alarm)
        await at.orders(alarm, "cancel")
        await at.orders(alarm, "cancel")
        assert at.notes().count("cancelOrdered") == 1


async def test_an_order_is_forgotten_only_after_it_is_durable(monkeypatch: pytest.MonkeyPatch) -> None:
    states: list[AlarmState] = []
    async with alarm_desk() as at:
        alarm = an_alarm("49301")
        await at.posts(alarm)
        forget = MemoryAlarms.forget_orders

        async def noting(self: MemoryAlarms, order_ids: Sequence[int]) -> None:
            states.append(at.state(alarm))
            await forget(self, order_ids)

        monkeypatch.setattr(MemoryAlarms, "forget_orders", noting)
        await at.orders(alarm, "cancel")
    assert states == [AlarmState.CANCELLED]


async def test_a_database_that_is_away_is_asked_again() -> None:
    async with alarm_desk() as at:
        at.desk.shelf.is_down = True
        alarm = an_alarm("49301")
        at.desk.book.post(alarm)
        await turns(50)
        at.desk.shelf.is_down = False
        await until(lambda: at.has_begun(alarm))
