"""The dialplan's notes of who acknowledged: told, or written down late, and deleted only when that is durable."""

from collections.abc import Iterator, Sequence

import pytest

from engine.ports import AckNote
from engine.switch.memory import MemorySwitch, Phone
from engine.vocabulary.commands import DialAlarm, WriteRecipient
from engine.vocabulary.values import AlarmState, Disposition, RecipientState
from tests.alarm_desk import AlarmDesk, alarm_desk, an_alarm
from tests.desk import turns


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("engine.reconcile.SETTLED_S", 0.01)
    yield


class Filing(MemorySwitch):
    """Remembers how many rows were durable when it was told to forget."""

    rows_then: list[int]
    at: AlarmDesk

    async def forget_acknowledgements(self, notes: Sequence[AckNote]) -> None:
        self.rows_then.append(len([*self.at.desk.book.said(WriteRecipient)]))
        await MemorySwitch.forget_acknowledgements(self, notes)


def filing() -> Filing:
    switch = Filing()
    switch.rows_then = []
    return switch


def leave_note(at: AlarmDesk, number: str, is_declined: bool = False) -> AckNote:
    leg = next(order.leg for order in at.desk.sent(DialAlarm) if order.number == number)
    note = at.desk.switch._notes[leg] = AckNote(leg, at.desk.switch.now(), is_declined)
    return note


async def test_a_note_about_a_leg_that_lives_counts_as_the_key() -> None:
    async with alarm_desk(switch=filing) as at:
        at.desk.switch.at = at  # type: ignore[attr-defined]
        alarm = an_alarm("49301", "49302", needed=2)
        await at.posts(alarm)
        leave_note(at, "49301")
        before = len([*at.desk.book.said(WriteRecipient)])
        await at.acknowledgements.bring_in()
        assert at.desk.book.recipient(alarm.call_id, 1) is RecipientState.ACKNOWLEDGED
        assert at.desk.switch.rows_then[0] > before  # type: ignore[attr-defined]
        assert await at.desk.switch.acknowledgements() == []


async def test_a_note_about_a_leg_that_has_ended_counts_and_nobody_is_rung_again() -> None:
    async with alarm_desk(phones={"49301": Phone(486)}) as at:
        alarm = an_alarm("49301", "49302", needed=2, rounds=3, pause_s=1)
        await at.posts(alarm)
        await at.desk.passes(0.5)
        leave_note(at, "49301")
        await at.acknowledgements.bring_in()
        await at.desk.passes(10)
        assert at.rung() == ["49301", "49302"]
        assert at.desk.book.recipient(alarm.call_id, 1) is RecipientState.ACKNOWLEDGED


async def test_a_note_about_an_alarm_that_is_over_is_written_down_late() -> None:
    async with alarm_desk(phones={"49301": Phone(486)}) as at:
        alarm = an_alarm("49301")
        await at.posts(alarm)
        await at.desk.passes(2)
        assert at.state(alarm) is AlarmState.FAILED
        leave_note(at, "49301")
        await at.acknowledgements.bring_in()
        assert at.desk.book.recipient(alarm.call_id, 1) is RecipientState.ACKNOWLEDGED
        assert await at.desk.switch.acknowledgements() == []


async def test_a_note_of_nobodys_leg_is_deleted() -> None:
    async with alarm_desk() as at:
        at.desk.switch._notes["leg"] = AckNote("leg", at.desk.switch.now())
        await at.acknowledgements.bring_in()
        assert await at.desk.switch.acknowledgements() == []


async def test_notes_are_read_also_while_the_switch_is_away() -> None:
    async with alarm_desk() as at:
        alarm = an_alarm("49301")
        await at.posts(alarm)
        leave_note(at, "49301")
        at.desk.switch.cut()
        await at.acknowledgements.bring_in()
        assert at.state(alarm) is AlarmState.ACKNOWLEDGED


async def test_who_acknowledged_while_the_switch_died_is_not_rung_again_when_it_is_back() -> None:
    async with alarm_desk() as at:
        alarm = an_alarm("49301", "49302", needed=2)
        await at.posts(alarm)
        await at.desk.passes(2)
        leave_note(at, "49301")
        at.desk.switch.restart()
        await at.compares()
        await turns(50)
        assert at.rung() == ["49301", "49302", "49302"]


async def test_who_declined_while_there_was_no_engine_is_not_rung_again() -> None:
    async with alarm_desk(phones={"49301": Phone(answers_s=1, keys="9")}) as at:
        alarm = an_alarm("49301", "49302", needed=2, rounds=3, pause_s=1)
        await at.posts(alarm)
    switch = at.desk.switch
    switch.cut()
    switch.advance(5)  # he hears that it is noted, and his leg ends
    at.desk.shelf.owner_is_dead = True
    async with alarm_desk(shelf=at.desk.shelf, switch=lambda: switch) as again:
        again.desk.book.alarms = at.desk.book.alarms
        await again.desk.passes(10)
        assert again.desk.book.recipient(alarm.call_id, 1) is RecipientState.DECLINED
        assert again.rung().count("49301") == 1 and await switch.acknowledgements() == []


async def test_a_note_of_a_decline_counts_after_the_leg_and_after_the_alarm() -> None:
    async with alarm_desk(phones={"49301": Phone(486)}) as at:
        alarm = an_alarm("49301", "49302", needed=2, rounds=3, pause_s=1)
        await at.posts(alarm)
        await at.desk.passes(0.5)
        leg = leave_note(at, "49301", is_declined=True).leg
        await at.acknowledgements.bring_in()
        await at.desk.passes(5)
        assert at.rung() == ["49301", "49302"]
        assert at.desk.book.recipient(alarm.call_id, 1) is RecipientState.DECLINED
        assert at.desk.book.attempts()[leg][1].disposition is Disposition.DECLINED
        await at.orders(alarm, "cancel")
        await at.desk.passes(5)
        leave_note(at, "49302", is_declined=True)
        await at.acknowledgements.bring_in()
        assert at.desk.book.recipient(alarm.call_id, 2) is RecipientState.UNREACHED
        assert await at.desk.switch.acknowledgements() == []
