"""Queued alarms begin once and only when they may; people's orders reach them, and are forgotten then."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from engine.ports import Batch, QueuedAlarm, StoreFailed
from engine.store.memory_alarms import MemoryAlarms
from engine.store.memory_calls import MemoryCalls, Shelf
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


class Weighed(MemoryCalls):
    """How many new parts each save brought."""

    parts: list[int]

    async def save(self, batch: Batch) -> None:
        await super().save(batch)
        self.parts.append(sum(len(call.parts) for call in batch.calls.values() if call.is_new))


def weighed(shelf: Shelf) -> Weighed:
    store = Weighed(shelf)
    store.parts = []
    return store


async def test_big_alarms_begin_one_after_the_other_so_that_no_hotline_waits_for_all_of_them() -> None:
    async with alarm_desk(store=weighed) as at:
        big = [an_alarm(*(f"4930{alarm}{place:04}" for place in range(600))) for alarm in range(3)]
        small = [an_alarm("49301"), an_alarm("49302")]
        for alarm in (*big, *small):
            at.desk.book.post(alarm)
        await until(lambda: all(at.has_begun(alarm) for alarm in (*big, *small)))
        assert [count for count in at.desk.store.parts if count] == [601, 601, 605]  # type: ignore[attr-defined]


async def test_an_order_that_cannot_be_forgotten_yet_keeps_no_other_alarm_from_beginning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forget = MemoryAlarms.forget_orders

    async def fails_once(self: MemoryAlarms, order_ids: Sequence[int]) -> None:
        monkeypatch.setattr(MemoryAlarms, "forget_orders", forget)
        raise StoreFailed("no answer")

    monkeypatch.setattr(MemoryAlarms, "forget_orders", fails_once)
    monkeypatch.setattr("engine.dispatcher.PEOPLE_AT_ONCE", 1)
    async with alarm_desk() as at:
        cancelled, other = an_alarm("49301"), an_alarm("49302")
        at.desk.book.order(cancelled.call_id, "cancel")
        for alarm in (cancelled, other):
            at.desk.book.post(alarm)
        await until(lambda: not at.desk.book.orders and at.rung() == ["49302"])
        assert at.state(cancelled) is AlarmState.CANCELLED


async def test_an_alarm_begins_as_old_as_it_is_whatever_clock_it_was_posted_by(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here one that is two hours behind the clock of the switch: it has not expired."""
    claim = MemoryAlarms.claim

    async def late(self: MemoryAlarms, limit: int) -> Sequence[QueuedAlarm]:
        return [replace(one, age_s=3.0) for one in await claim(self, limit)]

    monkeypatch.setattr(MemoryAlarms, "claim", late)
    async with alarm_desk() as at:
        alarm = an_alarm("49301")
        await at.posts(replace(alarm, plan=replace(alarm.plan, created_at=alarm.plan.created_at - timedelta(hours=2))))
        begun = at.desk.shelf.calls[alarm.call_id]
        assert begun.started_at == alarm.plan.created_at - timedelta(seconds=3)
        assert str(begun.started_at)[:19].replace(" ", "T") in str(begun.parts)     # its plan


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
