"""A program's call from the wait for a line to its end: trunks, answers, transfers, and what is written of it."""

import pytest

from engine.flows import program
from engine.flows.program_state import PEER_AFTER, STALE_AFTER, Leg
from engine.policy.routing import ALARM, CAMPAIGN
from engine.vocabulary.commands import Bridge, DialProgram, HangUp, Hold, RunStep, SetTimer, Transfer, WriteSpool
from engine.vocabulary.events import Answered, DialGranted, DialRefused, StepDone, Withdrawn
from engine.vocabulary.program import ProgramStep, Prompt
from tests.program_playbook import BYE, CHANNEL, NUMBER, PEER, Playbook, at, say, to

TRANSFER = ProgramStep("transfer", "verbinden", to=PEER, links=(("success", 2), ("error", 1)))
SORRY = say("Leider nein")


# --- a line ------------------------------------------------------------------------------------------------------


def test_it_waits_for_a_line_as_a_campaign_does_and_is_dialled_with_its_first_step() -> None:
    book = Playbook.of(say())
    assert book.wanted == [(NUMBER, CAMPAIGN, 0)]
    assert book.timers == [("stale", 30.0)]
    assert book.dialled("t2").orders == (
        DialProgram("a", NUMBER, "t2", "4930100", 25, Prompt("play", 1, "s0", is_last=True)),)
    assert book.wanted == [] and book.spool == ("started", None)
    assert program.legs(book.state) == (Leg("a", NUMBER, "t2"),)


def test_an_answer_is_written_down_once() -> None:
    book = Playbook.of(say()).dialled().after(3).answered()
    assert book.rows(WriteSpool)[-1].connected_at == at(3)
    assert book.spool == ("connected", None)
    assert book.answered().last == ()


def test_what_a_leg_did_also_says_that_it_was_answered() -> None:
    book = Playbook.of(say()).dialled().after(3).done()
    assert book.rows(WriteSpool)[-1].connected_at == at(3)
    assert book.results == [(1, "application", "say", "success")]


@pytest.mark.parametrize(("cause", "sip", "disposition", "status", "again_s"), [
    (17, 486, "busy", "pending_retry", 300), (19, 0, "noAnswer", "pending_retry", 1800),
    (21, 603, "declined", "failed", None), (1, 404, "invalidNumber", "invalid", None),
    (38, 503, "failed", "pending_retry", 600), (16, 0, "noAnswer", "pending_retry", 1800),
])
def test_who_does_not_answer_is_called_again_or_not(
    cause: int, sip: int, disposition: str, status: str, again_s: float | None
) -> None:
    book = Playbook.of(say()).dialled().after(20).gone(cause=cause, sip=sip)
    assert book.spool == ("failed", disposition)
    assert book.transmission == (status, disposition, again_s)
    assert book.outcome == disposition


def test_after_the_last_try_nobody_is_called_again() -> None:
    book = Playbook.of(say(), tries_left=0).dialled().gone(cause=17, sip=486)
    assert book.transmission == ("failed", "busy", None)


# --- trunks ------------------------------------------------------------------------------------------------------


def test_when_a_trunk_fails_the_next_one_is_tried_within_the_same_attempt() -> None:
    book = Playbook.of(say()).dialled("t1", others=1).after(2).gone(cause=38, sip=503)
    assert book.wanted == [(NUMBER, CAMPAIGN, 1)] and book.outcome is None
    [dial] = book.dialled("t2").orders
    assert isinstance(dial, DialProgram) and (dial.leg, dial.trunk) == ("b", "t2")
    assert {row.started_at for row in book.rows(WriteSpool)} == {at(0)}
    book.answered().done().gone()
    assert book.spool == ("completed", "answered") and book.transmission == ("completed", "answered", None)


def test_a_dial_that_the_switch_refuses_is_a_trunk_that_failed() -> None:
    book = Playbook.of(say()).dialled("t1", others=1).tells(DialRefused(at(1), "a"))
    assert book.wanted == [(NUMBER, CAMPAIGN, 1)]
    assert book.dialled("t2").tells(DialRefused(at(2), "b")).transmission == ("pending_retry", "failed", 600)


def test_what_is_told_of_the_first_trunks_leg_says_nothing_of_the_second() -> None:
    book = Playbook.of(say()).dialled(others=1).gone(cause=38, sip=503).dialled()
    assert book.tells(Answered(at(1), "a"), StepDone(at(1), "a", 1)).last == ()
    assert book.gone("a").last == () and book.state.phase == "dialling"


def test_a_busy_phone_is_not_tried_by_another_trunk() -> None:
    assert Playbook.of(say()).dialled(others=1).gone(cause=17, sip=486).outcome == "busy"


# --- given back --------------------------------------------------------------------------------------------------


def test_who_waits_is_withdrawn_when_his_campaign_pauses() -> None:
    book = Playbook.of(say()).tells(Withdrawn(at(1), "paused"))
    assert (book.spool, book.outcome) == (("invalid", "withdrawn"), "withdrawn")
    assert book.transmission == ("pending", "", 0)
    assert book.orders == () and book.wanted == []


def test_who_waits_too_long_for_a_line_is_given_back() -> None:
    assert Playbook.of(say()).after(30).fires("stale").outcome == "withdrawn"


def test_a_timer_of_a_wait_that_is_over_does_nothing() -> None:
    book = Playbook.of(say()).after(20).dialled(others=1).after(8).gone(cause=38, sip=503)
    assert book.timers == [("stale", 30.0)]
    assert book.after(2).fires("stale").outcome is None
    assert book.after(28).fires("stale").outcome == "withdrawn"
    dialled = Playbook.of(say()).dialled()
    assert dialled.after(30).fires("stale").last == () and dialled.fires("peer").last == ()


@pytest.mark.parametrize("phase", ["dialling", "running", "closing"])
def test_who_is_dialled_is_not_withdrawn(phase: str) -> None:
    book = Playbook.of(say()).dialled()
    if phase != "dialling":
        book.answered()
    if phase == "closing":
        book.done()
    assert book.state.phase == phase
    assert book.tells(Withdrawn(at(1), "paused")).last == ()


def test_a_single_transmission_waits_as_long_as_it_takes() -> None:
    book = Playbook.of(say(), campaign_id=None)
    assert book.timers == []
    assert book.after(99).fires("stale").tells(Withdrawn(at(99), "")).outcome is None


# --- handed over to a number -------------------------------------------------------------------------------------


def transferring() -> Playbook:
    return Playbook.of(TRANSFER, SORRY, BYE).dialled().answered().done()


def test_a_transfer_holds_the_person_and_rings_the_number_before_other_campaigns() -> None:
    book = transferring()
    assert book.told == Prompt("pause", 1)      # a transfer is nothing that a leg is told
    assert book.orders == (Hold("a"),)
    assert book.timers == [("peer", 60.0)]
    assert book.wanted == [(PEER, ALARM, 0)]
    assert program.leased(book.state) == ("a",)
    [dial] = book.dials_peer("t2").orders
    assert dial == DialProgram("peer", PEER, "t2", "4930100", 25, Prompt("pause", 0, seconds=10))
    assert program.legs(book.state) == (Leg("a", NUMBER, "t1"), Leg("peer", PEER, "t2"))


def test_who_takes_it_is_joined_and_they_talk_until_one_hangs_up() -> None:
    for first, other in (("a", "peer"), ("peer", "a")):
        book = transferring().dials_peer().after(4).peer_answers()
        assert book.orders == (Bridge("a", "", "peer"),)
        assert book.joined().state.phase == "talking"
        assert book.results == [(1, "application", "transfer", "success")]
        assert program.leased(book.state) == ()
        assert book.gone(first).orders == (HangUp(other, 16),)
        book.gone(other)
        assert book.spool == ("completed", "answered") and book.transmission == ("completed", "answered", None)


def test_what_the_other_side_was_told_is_no_step_of_the_program() -> None:
    book = transferring().dials_peer()
    assert book.tells(StepDone(at(1), "peer", 0)).orders == (Bridge("a", "", "peer"),)
    assert book.state.place == 0


@pytest.mark.parametrize(("cause", "sip", "said"), [(19, 0, "noAnswer"), (17, 486, "busy"), (38, 503, "failed")])
def test_when_nobody_takes_it_the_program_goes_on(cause: int, sip: int, said: str) -> None:
    book = transferring().dials_peer().gone("peer", cause, sip)
    assert book.results == [(1, "application", "transfer", said)]
    assert book.orders == (RunStep("a", Prompt("play", 2, "s1", is_last=True)),)
    book.done().gone()
    assert book.spool == ("completed", "answered")


def test_when_nobody_takes_it_and_no_step_follows_the_call_ends() -> None:
    book = Playbook.of(ProgramStep("transfer", to=PEER)).dialled().answered().done().dials_peer()
    assert book.gone("peer", 19).orders == (HangUp("a", 16),)


def test_the_other_side_is_tried_by_the_next_trunk_as_well() -> None:
    book = transferring().dials_peer("t1", others=1).gone("peer", 38, 503)
    assert book.wanted == [(PEER, ALARM, 1)] and book.timers == [("peer", 60.0)]
    assert book.dials_peer("t2").orders[0].leg == "peer2"
    assert book.peer_answers().orders == (Bridge("a", "", "peer2"),)


def test_the_other_side_may_be_in_use_for_so_long_and_no_longer() -> None:
    book = transferring().after(PEER_AFTER.total_seconds()).fires("peer")
    assert book.results == [(1, "application", "transfer", "busy")]
    assert isinstance(book.orders[0], RunStep) and book.wanted == []
    assert transferring().dials_peer().after(60).fires("peer").last == ()


def test_who_hangs_up_while_he_waits_stops_the_ringing() -> None:
    book = transferring().dials_peer().gone("a")
    assert book.orders == (HangUp("peer", 26),)
    assert book.outcome is None
    book.gone("peer", 26)
    assert book.outcome == "answered" and program.legs(book.state) == ()


def test_who_hangs_up_before_anybody_is_rung_ends_the_call() -> None:
    book = transferring().gone("a")
    assert book.outcome == "answered" and book.wanted == []


def test_who_answers_when_the_caller_has_gone_is_not_joined() -> None:
    book = transferring().dials_peer().gone("a")
    assert book.peer_answers().last == ()
    assert book.gone("peer").outcome == "answered"


def test_when_the_join_fails_the_program_goes_on() -> None:
    book = transferring().dials_peer().peer_answers().gone("peer")
    assert book.results == [(1, "application", "transfer", "noAnswer")]


# --- handed over to a hotline ------------------------------------------------------------------------------------


def test_a_hotline_takes_him_as_a_caller_and_the_call_is_over() -> None:
    book = Playbook.of(say(links=to(1)), ProgramStep("hotline", "hilfe", to=PEER)).dialled().answered().done()
    assert book.orders == (Transfer("a", PEER, NUMBER),)
    assert book.results[-1] == (2, "application", "transfer", "success")
    assert (book.outcome, book.spool) == ("answered", ("completed", "answered"))
    assert book.transmission == ("completed", "answered", None)
    assert program.legs(book.state) == ()


# --- somebody calls the number of a program ----------------------------------------------------------------------


def test_who_calls_is_held_and_led_through_the_steps() -> None:
    book = Playbook.called(TRANSFER, SORRY, BYE)
    assert book.orders == (Hold("a", at(1.5)),) and book.timers == [("begin", 0.0)]
    assert book.spool == ("connected", None) and book.wanted == []
    assert program.legs(book.state) == (Leg("a", "", "t1"),)    # of no number that we ring
    book.fires("begin")
    assert book.wanted == [(PEER, ALARM, 0)]
    assert book.dials_peer().peer_answers().orders == (Bridge("a", CHANNEL, "peer"),)
    book.joined().gone("peer")
    assert book.gone("a").transmission == ("completed", "answered", None)


def test_a_caller_for_whom_nobody_is_there_hears_the_next_step() -> None:
    book = Playbook.called(TRANSFER, SORRY, BYE).fires("begin").dials_peer().gone("peer", 19)
    assert book.told.sound == "s1"


def test_a_caller_who_hangs_up_before_the_program_begins_was_there() -> None:
    book = Playbook.called(TRANSFER, SORRY, BYE).gone("a")
    assert book.outcome == "answered" and book.fires("begin").last == ()


def test_a_program_begins_once() -> None:
    book = Playbook.called(say(links=to(1)), say()).fires("begin")
    assert book.told.sound == "s0"
    assert book.fires("begin").last == ()


def test_a_caller_is_led_on_by_the_next_engine() -> None:
    book = Playbook.called(TRANSFER, SORRY, BYE)
    assert program.timers(book.state, at(5)) == (SetTimer("begin", 0.0),)
    assert book.after(5).compares(a="rw-hold").last == ()
    assert Playbook.called(TRANSFER).after(5).compares().outcome == "answered"


# --- the end -----------------------------------------------------------------------------------------------------


def test_a_plain_message_ends_by_itself() -> None:
    book = Playbook.of(say()).dialled().after(2).answered().after(9).done()
    assert book.orders == () and book.state.phase == "closing"
    book.after(1).gone()
    assert (book.spool, book.outcome) == (("completed", "answered"), "answered")
    assert book.rows(WriteSpool)[-1].ended_at == at(12)
    assert book.transmission == ("completed", "answered", None)


def test_who_hangs_up_in_the_middle_was_answered() -> None:
    book = Playbook.of(say(links=to(1)), say()).dialled().answered().gone()
    assert book.transmission == ("completed", "answered", None)


def test_after_the_end_nothing_happens_any_more() -> None:
    book = Playbook.of(say()).dialled().answered().gone()
    assert book.answered().done().gone().compares().tells(DialGranted(at(9), "z", NUMBER, "t")).last == ()
    assert book.outcome == "answered"


def test_a_defect_is_written_as_a_failure_that_nobody_tries_again() -> None:
    book = Playbook.of(say(), tries_left=5).dialled().answered()
    spool, result, transmission = program.failed(book.state, at(5))
    assert (spool.status, spool.disposition, spool.ended_at) == ("failed", "failed", at(5))   # type: ignore[union-attr]
    assert (result.type, result.data) == ("error", "internal error")                            # type: ignore[union-attr]
    assert (transmission.status, transmission.again_s) == ("failed", None)                       # type: ignore[union-attr]


def test_a_call_that_waits_or_closes_keeps_no_engine_from_stopping() -> None:
    book = Playbook.of(say())
    assert not program.has_somebody(book.state)
    assert program.has_somebody(book.dialled().answered().state)
    assert not program.has_somebody(book.done().state)


def test_timers_are_set_again_by_the_next_engine() -> None:
    book = Playbook.of(TRANSFER, SORRY, BYE)
    assert program.timers(book.state, at(10)) == (SetTimer("stale", STALE_AFTER.total_seconds() - 10),)
    book.dialled().answered()
    assert program.timers(book.state, at(10)) == ()
    book.done()
    assert program.timers(book.state, at(20)) == (SetTimer("peer", PEER_AFTER.total_seconds() - 20),)
