"""The loop of the live calls: what is durable before what is done, and what happens when something of it fails."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
import structlog

from engine.flows import hotline as flow
from engine.mailbox import Begin, ForCall
from engine.ports import Batch, FencedOut, SavedCall, StoreFailed
from engine.store.memory_calls import MemoryCalls
from engine.switch.memory import MemorySwitch, Phone
from engine.vocabulary.commands import Bridge, Dial, Finish, Play, SwitchCommand, WriteEntry, WriteRecord
from engine.vocabulary.events import Answered, CallArrived, FallbackStarted, HungUp, Played, TimerFired
from engine.vocabulary.values import RingwardError
from tests.call_stores import HeldStore
from tests.desk import ACCEPTS, RINGS, desk, turns, until
from tests.playbook import a_hotline, phone


class LyingStore(MemoryCalls):
    """A database that commits and does not say so, as when the connection breaks in that moment."""

    lies = 0

    async def save(self, batch: Batch) -> None:
        await super().save(batch)
        if self.lies and batch.calls:
            self.lies -= 1
            raise StoreFailed("no answer")


async def test_a_caller_talks_to_the_agent_who_presses_1() -> None:
    async with desk(phones={"49300002": ACCEPTS}) as at:
        caller = await at.arrives()
        await at.passes(2)
        assert len(at.sent(Bridge)) == 1
        assert at.calls.phases() == ["talking"]
        at.switch.hang_up(caller)
        await at.passes(1)
        assert at.calls.ids() == [] and at.shelf.calls == {}
        assert await at.switch.live() == {}
        assert at.entries()[0] == "callerConnected" and "bridged" in at.entries()


async def test_nothing_reaches_the_switch_before_the_commit() -> None:
    async with desk(store=HeldStore) as at:
        assert isinstance(at.store, HeldStore)
        at.store.may_save.clear()
        at.switch.arrive("4930555")
        await until(lambda: at.store.is_saving)  # type: ignore[attr-defined]
        await turns(50)
        assert at.switch.sent == []
        at.store.may_save.set()
        await at.settles()
        assert at.dialled() == ["49300001", "49300002", "49300003"]


async def test_while_one_save_is_in_flight_all_that_comes_goes_into_the_next() -> None:
    async with desk(store=HeldStore) as at:
        assert isinstance(at.store, HeldStore)
        at.store.may_save.clear()
        at.switch.arrive("4930555")
        await until(lambda: at.store.is_saving)  # type: ignore[attr-defined]
        before = at.shelf.saves
        for _ in range(5):
            at.switch.arrive("4930555")
        await turns(50)
        at.store.may_save.set()
        await at.settles()
        assert at.shelf.saves == before + 2
        assert len(at.shelf.calls) == 6


async def test_a_save_that_fails_loses_nothing_and_doubles_nothing() -> None:
    async with desk() as at:
        at.shelf.is_down = True
        at.switch.arrive("4930555")
        await turns(50)
        assert at.switch.sent == []
        at.shelf.is_down = False
        await until(lambda: at.reloads == 1)
        await at.settles()
        assert sorted(at.dialled()) == ["49300001", "49300002", "49300003"]
        assert at.entries().count("callerConnected") == 1
        assert len(at.shelf.calls) == 1


async def test_a_save_that_committed_although_it_failed_is_not_done_twice_and_its_orders_still_go_out() -> None:
    async with desk(store=LyingStore) as at:
        at.store.lies = 1  # type: ignore[attr-defined]
        at.switch.arrive("4930555")
        await until(lambda: at.reloads == 1)
        await at.settles()
        assert sorted(at.dialled()) == ["49300001", "49300002", "49300003"]
        assert len(at.sent(Play)) == 1
        assert at.entries().count("callerConnected") == 1
        assert len(at.shelf.calls) == 1


async def test_a_call_that_began_and_ended_in_a_save_that_committed_although_it_failed_is_logged_once() -> None:
    async with desk(a_hotline(is_active=False), store=LyingStore) as at:
        at.store.lies = 1  # type: ignore[attr-defined]
        caller = at.switch.arrive("4930555")
        at.switch.hang_up(caller)
        await until(lambda: at.reloads == 1)
        await at.settles()
        assert at.entries() == ["callEnded"]
        assert at.shelf.calls == {}


async def test_orders_of_other_calls_are_not_sent_again_after_a_failed_save() -> None:
    async with desk(a_hotline(1), replace(a_hotline(0), hotline_id=8, number="4930556", phones=(phone(9),))) as at:
        await at.arrives()
        assert at.dialled() == ["49300001"]
        at.shelf.is_down = True
        at.switch.arrive("4930556")
        await turns(50)
        at.shelf.is_down = False
        await until(lambda: at.reloads == 1)
        await at.settles()
        assert at.dialled() == ["49300001", "49300009"]


async def test_events_told_while_the_database_was_down_are_stepped_when_it_is_back() -> None:
    async with desk(phones={"49300001": ACCEPTS}) as at:
        await at.arrives()
        at.shelf.is_down = True
        at.switch.advance(1.5)  # answered and pressed
        await turns(50)
        assert at.sent(Bridge) == []
        at.shelf.is_down = False
        await until(lambda: at.reloads == 1)
        await at.settles()
        assert len(at.sent(Bridge)) == 1
        assert at.entries().count("agentAccepted") == 1


def _crash_on(kind: type[object], monkeypatch: pytest.MonkeyPatch, leg: str) -> None:
    step = flow.step

    def crashing(state: Any, event: Any) -> Any:
        if isinstance(event, kind) and state.leg == leg:
            raise ZeroDivisionError("a defect")
        return step(state, event)

    monkeypatch.setattr(flow, "step", crashing)


async def test_a_defect_in_one_call_ends_that_call_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk() as at:
        broken = await at.arrives()
        other = await at.arrives()
        _crash_on(Played, monkeypatch, broken)
        now = at.switch.now()
        with structlog.testing.capture_logs() as lines:
            at.calls.mailbox.post(Played(now, broken), Played(now, broken), Played(now, other))
            await at.settles()
        assert len([line for line in lines if line["event"] == "call.failed"]) == 1
        rows = {call.caller_leg: call.phase for call in at.shelf.calls.values()}
        assert rows == {broken: "failed", other: "waiting"}
        assert at.entries().count("callEnded") == 1
        assert not at.calls.knows(broken) and at.calls.knows(other)
        assert at.entries().count("welcomePlayed") == 1
        assert [call.caller_leg for call in await at.store.load_calls()] == [other]


async def test_nothing_of_a_failed_call_is_sent_and_its_phones_are_free(monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk(a_hotline(1)) as at:
        broken = await at.arrives()
        _crash_on(HungUp, monkeypatch, broken)
        leg = at.sent(Dial)[0].leg
        at.calls.mailbox.post(Answered(at.switch.now(), leg), HungUp(at.switch.now(), leg, 16, 0))
        await at.settles()
        assert at.calls.ids() == []
        await at.arrives()
        assert at.dialled() == ["49300001", "49300001"]


async def test_a_call_that_cannot_even_begin_is_left_to_the_dialplan(monkeypatch: pytest.MonkeyPatch) -> None:
    def crashing(*_: object) -> Any:
        raise ZeroDivisionError("a defect")

    async with desk() as at:
        monkeypatch.setattr(flow, "start", crashing)
        with structlog.testing.capture_logs() as lines:
            await at.arrives()
        assert [line["event"] for line in lines] == ["call.start_failed"]
        assert at.shelf.calls == {} and at.switch.sent == []


async def test_orders_that_cannot_be_written_harm_no_other_call(monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk() as at:
        send = at.switch.send

        def refusing(orders: list[SwitchCommand]) -> None:
            if any(order.leg == "1767268800.1" for order in orders):
                raise RingwardError("a name with a line break")
            send(orders)

        monkeypatch.setattr(MemorySwitch, "send", lambda _, orders: refusing(orders))
        at.switch.arrive("4930555")
        other = at.switch.arrive("4930555")
        await at.settles()
        assert [order.leg for order in at.sent(Play)] == [other]


async def test_another_owner_of_the_switch_stops_this_engine() -> None:
    with pytest.raises(ExceptionGroup) as raised:
        async with desk() as at:
            at.shelf.fencing += 1
            at.switch.arrive("4930555")
            async with asyncio.timeout(5):
                await asyncio.Event().wait()
    assert raised.group_contains(FencedOut)
    assert at.switch.sent == []


async def test_without_a_connection_orders_stay_in_the_outbox_and_the_engine_lives() -> None:
    async with desk() as at:
        at.switch.cut()
        event = CallArrived(at.switch.now(), "1767268800.9", "PJSIP/trunk-9", "4930555", "")
        at.calls.mailbox.post(Begin(event, a_hotline()))
        await at.settles()
        [call] = at.shelf.calls.values()
        assert [name for name, _ in call.outbox] == ["Play", "Dial", "Dial", "Dial"]


async def test_a_heartbeat_carries_the_state_and_the_figures() -> None:
    async with desk() as at:
        await at.arrives()
        at.calls.status = {"switch": True}
        await at.ticks()
        assert at.shelf.heartbeat == {"switch": True, "live_calls": 1}


async def test_events_nobody_waits_for_change_nothing_and_save_nothing() -> None:
    async with desk() as at:
        await at.arrives()
        before = at.shelf.saves
        now = at.switch.now()
        at.calls.mailbox.post(
            HungUp(now, "nobody", 16, 0), ForCall("nobody", TimerFired(now, "round")), Answered(now, "nobody"))
        await at.settles()
        assert at.shelf.saves == before


async def test_a_call_told_twice_begins_once() -> None:
    async with desk() as at:
        event = CallArrived(at.switch.now(), "1767268800.9", "PJSIP/trunk-9", "4930555", "")
        at.calls.mailbox.post(Begin(event, a_hotline()), Begin(event, a_hotline()))
        await at.settles()
        at.calls.mailbox.post(Begin(event, a_hotline()))
        await at.settles()
        assert len(at.shelf.calls) == 1


async def test_a_fallback_that_began_while_the_calls_first_save_was_slow_is_not_missed() -> None:
    async with desk() as at:
        caller = await at.arrives()
        began = FallbackStarted(at.switch.now(), caller, "PJSIP/trunk-1", "4930555", "")
        at.calls.mailbox.post(Begin(began, a_hotline()))  # the look-up was asked before the call was known
        await at.settles()
        assert at.calls.phases() == ["fallback"] and len(at.shelf.calls) == 1


async def test_a_new_engine_goes_on_with_the_stored_calls() -> None:
    async with desk(phones={"49300001": Phone(answers_s=4, keys="1")}) as at:
        await at.arrives()
        await at.passes(1)
    at.shelf.owner_is_dead = True
    async with desk(shelf=at.shelf, switch=lambda: at.switch) as again:
        assert again.calls.phases() == ["waiting"]
        await again.passes(5)
        assert again.calls.phases() == ["talking"]


async def test_a_stored_call_that_this_code_cannot_read_stops_no_other() -> None:
    async with desk() as at:
        await at.arrives()
        await at.arrives()
    first, second = at.shelf.calls.values()
    newer = replace(first, call_id="a", version=99)
    broken = replace(first, call_id="b", state={"phase": "waiting"})
    unknown = replace(first, call_id="c", outbox=(["Sing", {}],))
    for bad in (newer, broken, unknown):
        at.shelf.calls[bad.call_id] = bad
    del at.shelf.calls[first.call_id]
    at.shelf.owner_is_dead = True
    with structlog.testing.capture_logs() as lines:
        async with desk(shelf=at.shelf, switch=lambda: at.switch) as again:
            assert again.calls.ids() == [second.call_id]
    assert [line["event"] for line in lines].count("call.unreadable") == 3


async def test_rows_of_a_call_are_saved_with_the_state_that_they_belong_to() -> None:
    seen: list[tuple[dict[str, SavedCall], list[str]]] = []

    class Watched(MemoryCalls):
        async def save(self, batch: Batch) -> None:
            seen.append((dict(batch.calls), [type(row).__name__ for _, row in batch.rows]))
            await super().save(batch)

    async with desk(a_hotline(0), store=Watched) as at:
        caller = await at.arrives()
        at.switch.hang_up(caller)
        await at.settles()
    (began, first_rows), (ended, last_rows) = seen
    assert [call.phase for call in began.values()] == ["apologising"] and first_rows == ["WriteEntry", "WriteEntry"]
    assert [call.phase for call in ended.values()] == ["closing"]
    assert last_rows == ["WriteRecord", "WriteEntry", "Finish"]
    assert [type(row) for _, row in at.shelf.rows][-3:] == [WriteRecord, WriteEntry, Finish]


async def test_a_leg_wants_to_ring_until_its_call_lets_it_go() -> None:
    async with desk(phones={"49300001": RINGS}) as at:
        caller = await at.arrives()
        leg = next(order.leg for order in at.sent(Dial) if order.number == "49300001")
        assert at.calls.wants_to_ring(leg, at.switch.now())
        at.switch.hang_up(caller)
        await at.settles()
        assert not at.calls.wants_to_ring(leg, at.switch.now())
        assert not at.calls.wants_to_ring("a leg of nobody", at.switch.now())
