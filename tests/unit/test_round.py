"""What one round did, sorted by who carries it out, and what of it is saved."""

import asyncio

import pytest

from engine.flows import alarm, program
from engine.flows.program_state import State
from engine.flows.registry import flow_of
from engine.round import LiveCall, Round
from engine.vocabulary.commands import Command, Finish, HangUp, Render, SetTimer, WriteNote, WriteResult
from engine.vocabulary.events import Answered
from engine.vocabulary.values import AlarmState
from tests.alarm_playbook import T0, Playbook, at
from tests.playbook import CALLER
from tests.playbook import Playbook as HotlineBook
from tests.program_playbook import a_plan


def live(book: Playbook | HotlineBook, call_id: str = "call") -> LiveCall:
    return LiveCall(call_id, flow_of(book.state), book.state, T0)


def test_commands_go_to_whom_they_are_for_in_their_order() -> None:
    work, call = Round(), live(Playbook.of())
    timer, render, note = SetTimer("wave", 3), Render("m:de", "de", "Brand"), WriteNote(at(1), "dialled")
    orders = [HangUp("leg-1", 16), HangUp("leg-2", 26)]
    work.take(call, [orders[0], note, timer, render, orders[1], Finish(at(2), "failed")])
    assert work.orders == {"call": orders} and work.timers == [("call", timer)] and work.renders == [("call", render)]
    assert [row for _, row in work.rows] == [note, Finish(at(2), "failed")]


def test_a_hotlines_call_is_saved_with_its_owner_and_without_parts() -> None:
    work, call = Round(), live(HotlineBook.of())
    work.take(call, [HangUp(CALLER, 16)])
    saved = work.batch().calls["call"]
    assert (saved.flow, saved.hotline_id, saved.caller_leg, saved.parts) == ("hotline", 7, CALLER, {})
    assert saved.is_new and [name for name, _ in saved.outbox] == ["HangUp"]


def test_an_alarm_is_saved_in_parts_and_the_next_time_with_what_changed() -> None:
    book = Playbook.of(3).rings(1, 2)
    work, call = Round(), live(book)
    work.take(call, ())
    saved = work.batch().calls["call"]
    assert (saved.organisation_id, saved.hotline_id, saved.caller_leg) == (1, None, "")
    assert sorted(saved.parts) == [0, 1, 2, 3] and "recipients" not in saved.state
    work.is_durable()
    call.state = book.tells(Answered(at(2), "2")).state
    again = Round()
    again.take(call, ())
    saved = again.batch().calls["call"]
    assert sorted(saved.parts) == [2] and not saved.is_new


def test_what_was_not_durable_is_saved_again() -> None:
    work, call = Round(), live(Playbook.of(2))
    work.take(call, ())
    assert work.batch().calls["call"].parts == work.batch().calls["call"].parts != {}


def test_a_failed_call_orders_nothing_and_its_rows_say_so() -> None:
    work, call = Round(), live(Playbook.of())
    work.take(call, [HangUp("leg-1", 16)])
    work.fail(call, alarm.failed(call.state, at(1)))
    assert work.orders == {} and work.batch().calls["call"].phase == "failed"
    assert AlarmState.FAILED in [getattr(row, "state", None) for _, row in work.rows]


async def test_who_waits_for_it_goes_on_when_it_is_durable() -> None:
    work, done = Round(), asyncio.Event()
    work.settled.append(done)
    work.is_durable()
    assert done.is_set()


@pytest.mark.parametrize(("commands", "can_wait"), [
    ((), True), ((WriteResult(T0, 7, 1, "info", "dtmf", "5"), Finish(T0, "answered")), True),
    ((HangUp("a", 16),), False), ((Render("k", "de", "Brand"),), False), ((SetTimer("stale", 3),), False),
])
def test_rows_of_programs_calls_can_wait_and_orders_cannot(commands: tuple[Command, ...], can_wait: bool) -> None:
    work, call = Round(), LiveCall("call", program, State("running", a_plan(), T0), T0, is_new=False)
    assert not work.can_wait  # there is nothing
    work.take(call, commands)
    assert work.can_wait == can_wait


def test_a_call_that_is_new_cannot_wait_nor_what_hotlines_and_alarms_write() -> None:
    begun = Round()
    begun.take(LiveCall("call", program, State("waiting", a_plan(), T0), T0), ())
    assert not begun.can_wait
    for book in (Playbook.of(), HotlineBook.of()):
        work, call = Round(), live(book)
        call.is_new = False
        work.take(call, ())
        assert not work.can_wait


def test_nothing_waits_once_somebody_asked_whether_it_is_durable() -> None:
    work = Round()
    work.take(LiveCall("call", program, State("running", a_plan(), T0), T0, is_new=False), ())
    work.settled.append(asyncio.Event())
    assert not work.can_wait
