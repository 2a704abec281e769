"""Stored calls against live channels, and what the dialplan did while no engine was there."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from engine.acknowledgements import Acknowledgements
from engine.mailbox import Begin
from engine.policy.capacity import Pace
from engine.policy.trunks import MAIN
from engine.ports import AckNote, Batch, FallbackRow, FencedOut, StoreFailed
from engine.reconcile import Reconcile
from engine.store.memory_calls import MemoryCalls
from engine.store.memory_hotlines import MemoryHotlines
from engine.switch.memory import MemorySwitch, Phone
from engine.vocabulary.commands import Dial, DialAlarm, Finish, HangUp, Play, WriteAttempt, WriteRecord
from engine.vocabulary.events import CallArrived
from engine.vocabulary.values import AlarmState, Hotline, LiveLeg
from tests.alarm_desk import AlarmDesk, alarm_desk, an_alarm
from tests.desk import ACCEPTS, Desk, desk, turns, until
from tests.directories import world
from tests.playbook import CHANNEL, a_hotline


class ForgetfulSwitch(MemorySwitch):
    """Writes down what was durable when it was told to forget."""

    async def forget(self, rows: Sequence[FallbackRow]) -> None:
        self.forgotten.append(len(self.shelf.rows))  # type: ignore[attr-defined]
        if not self.refuses:  # type: ignore[attr-defined]
            await MemorySwitch.forget(self, rows)


def forgetful() -> ForgetfulSwitch:
    switch = ForgetfulSwitch()
    switch.forgotten, switch.refuses = [], False  # type: ignore[attr-defined]
    return switch


class BusySwitch(MemorySwitch):
    """Something happens just before a snapshot is taken."""

    meanwhile: Callable[[], None] = staticmethod(lambda: None)

    async def live(self) -> Mapping[str, LiveLeg]:
        act, self.meanwhile = self.meanwhile, lambda: None
        act()
        return await MemorySwitch.live(self)


@dataclass
class Back:
    """An engine that is back, and the reconciliation that it runs."""

    at: Desk
    reconcile: Reconcile
    did: str

    async def compares(self) -> None:
        self.reconcile.soon()
        await self.settles()

    async def settles(self) -> None:
        await turns(60)
        await self.at.settles()
        await turns(20)

    def records(self) -> list[WriteRecord]:
        return [row for _, row in self.at.shelf.rows if isinstance(row, WriteRecord)]


@asynccontextmanager
async def back(*hotlines: Hotline, **changes: object) -> AsyncIterator[Back]:
    async with world(None) as directory:
        org = await directory.organisation()
        stored = await org.hotline()
        await org.phone(org.users[0], "+4930111")
        rows = MemoryHotlines(directory.directory)  # type: ignore[arg-type]
        made = await rows.by_number(stored.number[1:])
        assert made is not None
        async with desk(made, *hotlines, **changes) as at:  # type: ignore[arg-type]
            if isinstance(at.switch, ForgetfulSwitch):
                at.switch.shelf = at.shelf  # type: ignore[attr-defined]
            notes = Acknowledgements(at.switch, at.alarms, at.calls)
            reconcile = Reconcile(at.switch, at.store, rows, at.calls, notes)
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(reconcile.run())
                yield Back(at, reconcile, made.number)
                running.cancel()


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.reconcile.SETTLED_S", 0.01)


def leave_fallback(switch: MemorySwitch, did: str, leg: str = "1767268800.900") -> str:
    """A call that the dialplan served alone, from its start to its end."""
    for step, number, channel in (
        ("start", "", ""), ("ring", "4930111", "local-1"), ("answered", "4930111", "local-1"),
        ("accepted", "4930111", "local-1"), ("leg", "4930111", "local-1"), ("ended", "", ""),
    ):
        switch.leave_row(leg, step, number, channel, "ANSWER" if step == "leg" else "", 16, "49171", did)
        switch.advance(1)
    return leg


async def test_who_waits_is_renewed_as_soon_as_everything_was_compared() -> None:
    async with back() as b:
        b.at.switch.lease_s = 10
        caller = await b.at.arrives(b.did)
        await b.at.passes(4)                # the greeting, and some of the lease
        b.at.calls.leases.forget_all()      # as an engine that has just come back
        await b.compares()
        b.at.switch.advance(8)
        assert (await b.at.switch.live())[caller].place == "rw-hold"


async def test_a_call_of_the_fallback_is_imported_whole() -> None:
    async with back() as b:
        leave_fallback(b.at.switch, b.did)
        await b.compares()
        assert [(one.leg, one.status.value, one.fallback) for one in b.records()] == [
            ("local-1", "answered", True), ("1767268800.900", "answered", True)]
        assert b.at.entries() == [
            "callerConnected", "fallbackStarted", "agentCalled", "agentAnswered", "agentAccepted", "bridged",
            "callerHangup", "callEnded"]
        assert await b.at.switch.fallback_rows() == []
        assert b.at.calls.ids() == []


async def test_rows_are_forgotten_only_after_they_are_durable() -> None:
    async with back(switch=forgetful) as b:
        leave_fallback(b.at.switch, b.did)
        await b.compares()
        written = len(b.at.shelf.rows)
        assert b.at.switch.forgotten[0] == written > 0  # type: ignore[attr-defined]


async def test_rows_that_could_not_be_forgotten_are_imported_once() -> None:
    async with back(switch=forgetful) as b:
        b.at.switch.refuses = True  # type: ignore[attr-defined]
        leave_fallback(b.at.switch, b.did)
        await b.compares()
        written = list(b.at.shelf.rows)
        await b.compares()
        await b.compares()
        assert b.at.shelf.rows == written
        assert len([row for _, row in written if isinstance(row, Finish)]) == 1


async def test_without_a_database_rows_stay_where_they_are() -> None:
    async with back() as b:
        b.at.shelf.is_down = True
        leave_fallback(b.at.switch, b.did)
        b.reconcile.soon()
        await turns(100)
        assert len(await b.at.switch.fallback_rows()) == 6
        b.at.shelf.is_down = False
        await until(lambda: b.records())
        await b.settles()
        assert await b.at.switch.fallback_rows() == []


async def test_rows_of_a_number_that_is_no_hotline_any_more_are_dropped() -> None:
    async with back() as b:
        leave_fallback(b.at.switch, "4999")
        await b.compares()
        assert b.at.shelf.rows == [] and await b.at.switch.fallback_rows() == []


async def test_a_caller_who_is_still_in_the_fallback_is_watched_and_not_touched() -> None:
    async with back() as b:
        b.at.hotlines.clear()  # nobody claims him
        b.at.switch.hotlines[b.did] = a_hotline()
        leg = b.at.switch.arrive(b.did)
        b.at.switch.cut()
        b.at.switch.advance(3)
        b.at.switch.restore()
        await b.compares()
        assert b.at.calls.phases() == ["fallback"] and b.at.switch.sent == []
        b.at.switch.hang_up(leg)
        await b.compares()
        assert b.at.calls.ids() == []


async def test_whom_the_dialplan_served_meanwhile_is_known_before_his_end_is_told() -> None:
    async with back() as b:
        leg = await b.at.arrives(b.did)
        b.at.switch.hotlines[b.did] = a_hotline()
        b.at.switch.cut()
        b.at.switch.advance(b.at.switch.lease_s + 1)
        b.at.switch.restore()
        assert b.at.calls.phases() == ["waiting"]
        await b.reconcile.hear_rows()
        await turns()
        assert b.at.calls.phases() == ["fallback"]
        assert await b.at.switch.fallback_rows() != [], "they are forgotten only after they are durable"
        b.at.switch.hang_up(leg)
        await b.compares()
        assert b.at.calls.ids() == []


async def test_who_talked_in_the_fallback_while_all_was_being_compared_has_talked() -> None:
    """His rows came after those that were read before the snapshot, in which he is no more."""
    async with back(switch=BusySwitch) as b:
        leg = await b.at.arrives(b.did)
        b.at.switch.hotlines[b.did] = a_hotline()
        b.at.switch.cut()
        b.at.switch.advance(b.at.switch.lease_s + 1)
        b.at.switch.restore()

        def talks_and_leaves() -> None:
            for step in ("ring", "answered", "accepted"):
                b.at.switch.leave_row(leg, step, "4930111", "local-1")
            b.at.switch.advance(2)
            b.at.switch.hang_up(leg)

        b.at.switch.meanwhile = talks_and_leaves  # type: ignore[attr-defined]
        await b.compares()
        assert {"agentAnswered", "agentAccepted", "bridged", "callerHangup"} <= set(b.at.entries())
        assert [row.outcome for _, row in b.at.shelf.rows if isinstance(row, Finish)] == ["answered"]
        await b.compares()
        assert await b.at.switch.fallback_rows() == [] and b.at.calls.ids() == []


async def test_a_dial_that_was_committed_but_not_sent_is_sent_and_one_that_lives_is_not() -> None:
    async with back() as b:
        await b.at.arrives(b.did)
        [order] = b.at.sent(Dial)
        [call_id] = b.at.calls.ids()
        b.reconcile.soon({call_id: [order]})
        await b.settles()
        assert b.at.sent(Dial) == [order]
        b.at.switch._legs.pop(order.leg)  # as if it had never been sent
        b.reconcile.soon({call_id: [order]})
        await b.settles()
        assert b.at.sent(Dial) == [order, order]
        await b.compares()
        assert b.at.sent(Dial) == [order, order], "once for each outbox"


async def test_a_dial_whose_leg_has_ended_meanwhile_is_not_sent_again() -> None:
    async with back() as b:
        await b.at.arrives(b.did)
        [order] = b.at.sent(Dial)
        [call_id] = b.at.calls.ids()
        b.at.switch.hang_up(order.leg)
        await b.at.settles()
        before = [one.leg for one in b.at.sent(Dial)]
        b.reconcile.soon({call_id: [order]})
        await b.settles()
        assert [one.leg for one in b.at.sent(Dial)].count(order.leg) == before.count(order.leg) == 1


async def test_what_was_committed_while_the_connection_was_away_is_dialled_when_it_returns() -> None:
    async with back() as b:
        b.at.switch.cut()
        leg = b.at.switch.arrive(b.did)
        event = CallArrived(b.at.switch.now(), leg, b.at.switch._legs[leg].channel, b.did, "")
        b.at.calls.mailbox.post(Begin(event, b.at.hotlines[b.did]))
        await b.at.settles()
        assert b.at.switch.sent == []
        b.at.switch.advance(1.2)
        b.at.switch.restore()
        b.reconcile.soon()
        await until(b.at.dialled)
        await b.settles()
        assert b.at.dialled() == ["4930111"]
        assert [order.leg for order in b.at.sent(Play)] == [leg]
        assert b.records() == []


async def test_nobody_is_rung_again_for_a_caller_who_is_gone_or_in_the_fallback() -> None:
    async with back() as b:
        order = Dial("5e7c0000-0000-0000-0000-000000000000", "4930111", "4930", 25, "ask", "taken", 3, CHANNEL)
        b.reconcile.soon({"some-call": [order]})
        await b.settles()
        assert b.at.sent(Dial) == []


async def test_an_agents_leg_of_no_call_is_hung_up_unless_it_is_in_a_talk(monkeypatch: pytest.MonkeyPatch) -> None:
    async with back() as b:
        switch = b.at.switch
        switch.phones.update({"4930901": Phone(answers_s=1), "4930902": ACCEPTS})
        switch.hotlines["4999"] = a_hotline()
        caller = switch.arrive("4999")
        channel = (await switch.live())[caller].channel
        for leg, number in (("stray", "4930901"), ("joined", "4930902")):
            switch.send([Dial(leg, number, "4930", 25, "ask", "taken", 30, channel)])
        switch.advance(4)  # the dialplan joined the one who accepted
        monkeypatch.setattr("engine.reconcile.ROWS_EVERY_S", 10)
        await b.compares()
        assert b.at.sent(HangUp) == [], "younger than what may still be on its way"
        switch.advance(8)
        await b.compares()
        assert [order.leg for order in b.at.sent(HangUp)] == ["stray"]
        assert {"joined", caller} <= set(await switch.live())


async def test_a_live_agents_leg_of_a_stored_call_is_no_stray() -> None:
    async with back() as b:
        b.at.switch.phones["4930111"] = Phone(answers_s=1)
        await b.at.arrives(b.did)
        await b.at.passes(2)
        b.at.switch.advance(1)
        await b.compares()
        assert b.at.sent(HangUp) == []


async def test_what_happened_while_the_connection_was_away_is_found_when_it_returns() -> None:
    async with back() as b:
        caller = await b.at.arrives(b.did)
        b.at.switch.advance(2)
        b.at.switch.cut()
        b.at.switch.hang_up(caller)
        await b.settles()
        assert b.at.calls.phases() == ["waiting"]
        b.at.switch.restore()
        await b.compares()
        await until(lambda: b.at.calls.ids() == [])
        assert "callerHangup" in b.at.entries()
        assert set(await b.at.switch.live()) == set()


async def test_after_a_restart_of_the_switch_every_call_ends() -> None:
    async with back() as b:
        for _ in range(3):
            await b.at.arrives(b.did)
        b.at.switch.advance(2)
        b.at.switch.restart()
        await b.compares()
        await until(lambda: b.at.calls.ids() == [])
        assert len([one for one in b.records() if one.direction.value == "inbound"]) == 3


async def test_after_memory_was_dropped_everything_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.reconcile.ROWS_EVERY_S", 0.05)
    async with back() as b:
        caller = await b.at.arrives(b.did)
        b.at.switch.advance(2)
        b.at.switch.cut()
        b.at.switch.hang_up(caller)
        b.at.switch.restore()
        b.at.shelf.is_down = True
        b.at.calls.mailbox.tick()
        await turns(30)
        b.at.shelf.is_down = False
        await until(lambda: b.at.calls.ids() == [])


async def test_an_engine_that_was_replaced_touches_neither_legs_nor_rows_of_its_successor() -> None:
    with pytest.raises(ExceptionGroup) as raised:
        async with back() as b:
            switch = b.at.switch
            switch.phones["4930901"] = Phone(answers_s=1)
            switch.send([Dial("another-engines", "4930901", "4930", 25, "ask", "taken", 30, CHANNEL)])
            leave_fallback(switch, "4999")
            await b.at.store.take_over(0)  # what it did before it was stopped
            b.at.shelf.fencing += 1
            b.reconcile.soon()
            await turns(200)
            assert b.at.sent(HangUp) == []
            assert len(await switch.fallback_rows()) == 6
    assert raised.group_contains(FencedOut)


# --- alarms


async def test_an_alarms_dial_that_was_lost_is_sent_again_and_one_that_lives_is_not() -> None:
    async with alarm_desk() as at:
        await at.posts(an_alarm("49301", "49302"))
        first, second = at.desk.sent(DialAlarm)
        at.desk.switch._legs.pop(first.leg)  # it never arrived
        at.reconcile.soon({"call": [first, second]})
        await until(lambda: len(at.rung()) == 3)
        assert at.desk.sent(DialAlarm)[2] == first


async def test_an_alarms_dial_that_may_have_rung_and_ended_is_another_attempt() -> None:
    async with alarm_desk() as at:
        await at.posts(an_alarm("49301"))
        [first] = at.desk.sent(DialAlarm)
        await at.desk.passes(3)
        at.desk.switch._legs.pop(first.leg)  # nobody heard of its end
        at.reconcile.soon({"call": [first]})
        await until(lambda: len(at.rung()) == 2)
        again = at.desk.sent(DialAlarm)[1]
        assert (again.number, again.leg == first.leg) == (first.number, False)


async def test_a_dial_to_somebody_who_acknowledged_or_was_cancelled_is_not_sent_again() -> None:
    async with alarm_desk() as at:
        alarm = an_alarm("49301", "49302", "49303", needed=3)
        await at.posts(alarm)
        first, second, third = at.desk.sent(DialAlarm)
        for leg in (first.leg, second.leg):
            at.desk.switch._legs.pop(leg)
        at.desk.switch._notes[first.leg] = AckNote(first.leg, at.desk.switch.now())
        await at.orders(alarm, "acknowledge", 2)
        at.reconcile.soon({"call": [first, second, third]})
        await until(lambda: at.desk.calls._is_open)
        await at.settles()
        assert len(at.rung()) == 3


async def test_what_the_trunks_pace_does_not_allow_is_not_sent_again_at_once() -> None:
    async with alarm_desk() as at:
        await at.posts(an_alarm(*(f"49301{place}" for place in range(4))))
        dials = at.desk.sent(DialAlarm)
        at.desk.switch._legs.clear()
        at.desk.calls._ledger._paces[MAIN] = Pace(1)
        at.reconcile.soon({"call": dials})
        await until(lambda: at.desk.calls._is_open)
        assert len(at.desk.sent(DialAlarm)) == 5


async def test_an_alarms_leg_that_belongs_to_no_call_is_hung_up() -> None:
    async with alarm_desk(phones={"49301": Phone(answers_s=1)}) as at:
        await at.posts(an_alarm("49301"))
        leg = at.desk.sent(DialAlarm)[0].leg
        await at.desk.passes(2)
        stray = at.desk.switch._legs[leg]
        other = at.desk.switch._legs["stray"] = replace(stray, leg="stray", since=stray.since - timedelta(seconds=9))
        assert other.place == "rw-alarm"
        await at.compares()
        assert [order.leg for order in at.desk.sent(HangUp)] == ["stray"]


class LateSwitch(MemorySwitch):
    """As a real one: a channel comes some milliseconds after the order to dial, and a snapshot may miss it."""

    async def live(self) -> Mapping[str, LiveLeg]:
        missed = {order.leg for order in self.sent[self.compared:] if isinstance(order, DialAlarm)}  # type: ignore[attr-defined]
        self.compared = len(self.sent)  # type: ignore[attr-defined]
        return {leg: one for leg, one in (await MemorySwitch.live(self)).items() if leg not in missed}


def late() -> LateSwitch:
    switch = LateSwitch()
    switch.compared = 0  # type: ignore[attr-defined]
    return switch


class SlowStore(MemoryCalls):
    """Something happens during a save; it commits, and may not say so."""

    is_lost = False
    on_dial: Callable[[], None] | None = None
    on_save: Callable[[], None] | None = None

    async def save(self, batch: Batch) -> None:
        await super().save(batch)
        if self.on_save is not None:
            act, self.on_save = self.on_save, None
            act()
        if any(call.outbox for call in batch.calls.values()) and self.on_dial is not None:
            act, self.on_dial = self.on_dial, None
            act()
            if self.is_lost:
                raise StoreFailed("no answer")


@pytest.mark.parametrize("is_lost", [False, True])
async def test_a_dial_that_left_late_and_whose_channel_is_still_to_come_is_not_dialled_twice(is_lost: bool) -> None:
    async with alarm_desk(store=SlowStore, switch=late) as at:
        store = at.desk.store
        assert isinstance(store, SlowStore)
        store.is_lost = is_lost

        def slow() -> None:
            at.desk.switch.advance(2)
            at.reconcile.soon()

        store.on_dial = slow
        await at.posts(an_alarm("49301"))
        await until(lambda: at.desk.calls._is_open)
        await at.settles()
        assert at.rung() == ["49301"]
        assert [row.disposition for _, row in at.desk.book.said(WriteAttempt)] == [None]


async def test_a_connection_that_is_lost_while_everything_is_compared_lets_nobody_be_dialled_into_the_void() -> None:
    async with alarm_desk(store=SlowStore) as at:
        store = at.desk.store
        assert isinstance(store, SlowStore)

        def cut() -> None:
            at.desk.switch.cut()
            at.reconcile.lost()

        store.on_save = cut
        at.reconcile.soon()
        await until(lambda: store.on_save is None)
        await at.posts(an_alarm("49301"))
        await at.settles()
        assert not [*at.desk.book.said(WriteAttempt)]
        at.desk.switch.restore()
        await at.compares()
        await at.settles()
        assert at.rung() == ["49301"]


async def returns_without_switch(at: AlarmDesk, seconds: float) -> Desk:
    """Another engine, whose switch stays away."""
    at.desk.shelf.owner_is_dead = True
    switch = at.desk.switch
    async with desk(shelf=at.desk.shelf, switch=lambda: switch) as again:
        switch.cut()
        again.calls.executing.call_later = switch._at
        notes = Acknowledgements(switch, again.alarms, again.calls)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(Reconcile(switch, again.store, at.hotlines, again.calls, notes).run())
            await again.settles()
            await again.passes(seconds, 5)
            running.cancel()
    return again


async def test_after_a_restart_an_alarm_whose_switch_stays_away_still_expires() -> None:
    async with alarm_desk() as at:
        alarm = an_alarm("49301", expires_s=60)
        await at.posts(alarm)
        at.desk.switch.advance(1)
    again = await returns_without_switch(at, 50)
    assert again.book.state(alarm.call_id) is AlarmState.RINGING
    again = await returns_without_switch(at, 20)
    assert again.book.state(alarm.call_id) is AlarmState.EXPIRED


async def test_who_acknowledged_while_there_was_no_engine_did_so_before_his_alarm_expires() -> None:
    async with alarm_desk() as at:
        alarm = an_alarm("49301", expires_s=60)
        await at.posts(alarm)
        [dial] = at.desk.sent(DialAlarm)
        at.desk.switch._notes[dial.leg] = AckNote(dial.leg, at.desk.switch.now())
    at.desk.switch.cut()
    at.desk.switch.advance(90)
    again = await returns_without_switch(at, 5)
    assert again.book.state(alarm.call_id) is AlarmState.ACKNOWLEDGED
