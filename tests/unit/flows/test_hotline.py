"""The hotline flow: who wins, who is rung again, and how a call ends."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.flows.hotline_state import demand, leased, takes_inbound_channel
from engine.vocabulary.commands import Bridge, Dial, Finish, HangUp, Play, Reject, SetTimer
from engine.vocabulary.events import (
    Answered,
    DialRefused,
    DigitsEntered,
    Event,
    HungUp,
    Joined,
    OrderExpired,
    PhonesTaken,
    Played,
    TimerFired,
)
from tests.playbook import CALLER, CHANNEL, RULES, Playbook, a_hotline, at, phone

TAKEN = [Play(f"leg-{n}", "de/taken", then="bye", cause=26) for n in range(4)]


def bridge(leg: str, seconds: float) -> Bridge:
    return Bridge(CALLER, CHANNEL, leg, not_after=at(seconds + 1.5))


def sorry(seconds: float) -> Play:
    return Play(CALLER, "de/apology", then="bye", cause=16, not_after=at(seconds) + timedelta(seconds=1.5))


def asked(*numbers: int) -> Playbook:
    book = Playbook.of().grants(1, 2, 3)
    return book.tells(*[Answered(at(1), f"leg-{number}") for number in numbers])


def test_a_caller_is_greeted_and_wants_every_phone_at_once() -> None:
    book = Playbook.of().expects(Play(CALLER, "cache/greeting", not_after=at(1.5)))
    assert demand(book.state) == (phone(1), phone(2), phone(3))
    assert leased(book.state) == (CALLER,)


def test_a_granted_phone_is_dialled_with_the_hotlines_number_and_the_question() -> None:
    Playbook.of().grants(2).expects(
        Dial("leg-2", "49300002", "4930555", 25, "cache/ask", "de/taken", 3, CHANNEL))


def test_the_first_accept_wins_and_the_others_go() -> None:
    book = asked(1, 3).tells(DigitsEntered(at(2), "leg-1", "1"))
    book.expects(bridge("leg-1", 2), HangUp("leg-2", 26), TAKEN[3])
    assert book.phase == "talking"
    assert leased(book.state) == ()
    assert demand(book.state) == ()


def test_a_second_accept_hears_that_the_call_is_taken() -> None:
    book = asked(1, 3).tells(DigitsEntered(at(2), "leg-1", "1"), DigitsEntered(at(2.005), "leg-3", "1"))
    assert book.last == ()  # it was sent to hear it when leg-1 won
    assert book.state.winner == "leg-1"
    assert [command for command in book.all if isinstance(command, Bridge)] == [bridge("leg-1", 2)]


def test_a_phone_that_answers_after_the_accept_hears_that_the_call_is_taken() -> None:
    book = asked(1).tells(DigitsEntered(at(2), "leg-1", "1"), Answered(at(2.01), "leg-2"))
    book.expects(TAKEN[2])


def test_the_agent_hangs_up_and_the_caller_goes_too() -> None:
    book = asked(1).tells(DigitsEntered(at(2), "leg-1", "1"), Joined(at(2.01), CALLER, "leg-1"))
    book.tells(HungUp(at(2.1), "leg-2", 26, 487), HungUp(at(2.1), "leg-3", 26, 487))
    book.tells(HungUp(at(9), "leg-1", 16, 0)).expects(HangUp(CALLER, 16))
    book.tells(HungUp(at(9.01), CALLER, 16, 0)).expects(Finish(at(9.01), "answered"))
    assert book.records == {"leg-1": "answered", "leg-2": "cancelled", "leg-3": "cancelled", CALLER: "answered"}
    assert book.entries[-1] == "callEnded"
    assert "agentHangup" in book.entries and "bridged" in book.entries


def test_the_caller_hangs_up_a_talk() -> None:
    book = asked(1).tells(DigitsEntered(at(2), "leg-1", "1"), Joined(at(2.01), CALLER, "leg-1"))
    book.tells(HungUp(at(2.1), "leg-2", 26, 487), HungUp(at(2.1), "leg-3", 26, 487))
    book.tells(HungUp(at(9), CALLER, 16, 0)).expects(HangUp("leg-1", 16))
    book.tells(HungUp(at(9.01), "leg-1", 16, 0))
    assert book.outcome == "answered"
    assert book.records["leg-1"] == "answered"
    assert "callerHangup" in book.entries


def test_the_caller_gives_up_and_every_leg_ends() -> None:
    book = asked(1).tells(HungUp(at(3), CALLER, 16, 0))
    book.expects(HangUp("leg-1", 16), HangUp("leg-2", 16), HangUp("leg-3", 16))
    book.tells(*[HungUp(at(3.1), f"leg-{n}", 16, 0) for n in (1, 2, 3)])
    assert book.outcome == "callerHangup"
    assert set(book.records.values()) == {"answered", "cancelled"}


def test_a_winner_who_is_gone_before_the_two_are_joined_does_not_cost_the_caller() -> None:
    book = asked(1).tells(DigitsEntered(at(2), "leg-1", "1"), HungUp(at(2.001), "leg-1", 16, 0))
    assert book.phase == "waiting"
    assert not [command for command in book.last if isinstance(command, HangUp)]
    book.tells(HungUp(at(2.1), "leg-2", 26, 487), HungUp(at(2.1), "leg-3", 26, 487))
    assert {one.number for one in demand(book.state)} >= {"49300002", "49300003"}


@pytest.mark.parametrize(("cause", "sip", "status"), [
    (17, 486, "busy"), (17, 600, "busy"), (19, 480, "noAnswer"), (19, 0, "noAnswer"), (18, 408, "noAnswer"),
    (21, 603, "rejected"), (21, 403, "failed"), (34, 503, "failed"), (1, 404, "failed"),
])
def test_how_a_refused_dial_reads(cause: int, sip: int, status: str) -> None:
    book = Playbook.of().grants(1, 2, 3).tells(HungUp(at(1), "leg-1", cause, sip))
    assert book.records == {"leg-1": status}


def test_hanging_up_in_the_prompt_is_a_decline_and_silence_is_not() -> None:
    book = asked(1, 2).tells(HungUp(at(3), "leg-1", 16, 0))
    book.tells(DigitsEntered(at(30), "leg-2", ""), HungUp(at(30), "leg-2", 16, 0))
    assert book.records == {"leg-1": "rejected", "leg-2": "noAnswer"}
    book.tells(HungUp(at(31), "leg-3", 19, 0)).expects(SetTimer("round", 0.0))
    book.tells(TimerFired(at(31), "round"))
    assert demand(book.state) == (phone(2), phone(3))


def test_a_refused_dial_is_rung_again() -> None:
    book = Playbook.of(a_hotline(1)).grants(1).tells(DialRefused(at(0.1), "leg-1")).expects(SetTimer("round", 4.9))
    assert book.records == {"leg-1": "failed"}


def test_when_all_decline_the_caller_hears_so_at_once() -> None:
    book = asked(1).tells(HungUp(at(2), "leg-1", 16, 0), HungUp(at(2), "leg-2", 21, 603))
    book.tells(HungUp(at(2.5), "leg-3", 21, 603)).expects(sorry(2.5))
    book.tells(Played(at(8), CALLER), HungUp(at(8), CALLER, 16, 0))
    assert book.outcome == "noAgentAvailable"
    assert book.entries[-3:] == ["noAgentAvailable", "apologyPlayed", "callEnded"]


def test_a_busy_phone_is_rung_in_every_round_and_then_the_caller_hears_an_apology() -> None:
    book = Playbook.of(a_hotline(1))
    for number in (1, 2, 3):
        book.grants(1, seconds=number * 10, suffix=f"-{number}")
        book.tells(HungUp(at(number * 10 + 0.1), f"leg-1-{number}", 17, 486))
        if number < 3:
            assert isinstance(book.last[-1], SetTimer)
            assert demand(book.state) == (), "not before the next round"
            book.tells(TimerFired(at(number * 10 + 5), "round"))
    book.expects(sorry(30.1))


def test_phones_in_use_elsewhere_keep_the_caller_waiting_and_cost_no_round() -> None:
    book = Playbook.of().tells(PhonesTaken(at(0.01)))
    assert book.last == () and book.phase == "waiting"
    assert len(demand(book.state)) == 3


def test_a_phone_in_use_elsewhere_does_not_hold_up_the_next_round_of_the_others() -> None:
    book = Playbook.of(a_hotline(2)).grants(1).tells(HungUp(at(2), "leg-1", 17, 486))
    assert demand(book.state) == (phone(2),)
    book.tells(PhonesTaken(at(2))).expects(SetTimer("round", 3.0))
    book.tells(TimerFired(at(5), "round"))
    assert demand(book.state) == (phone(1), phone(2))


def test_a_new_round_that_would_ring_nobody_else_does_not_begin() -> None:
    """Without a least time for a round it would be one round after the other, each of them saved."""
    book = Playbook.of(a_hotline(1), replace(RULES, round_min_s=0)).grants(1).tells(HungUp(at(2), "leg-1", 17, 486))
    book.expects(SetTimer("round", 0.0)).tells(TimerFired(at(2), "round"))
    book.tells(PhonesTaken(at(2))).expects()
    assert book.phase == "waiting" and demand(book.state) == (phone(1),)


def test_when_rounds_are_over_but_a_phone_is_in_a_talk_the_caller_waits_for_it() -> None:
    book = Playbook.of(a_hotline(2))
    for number in (1, 2, 3):
        book.grants(1, seconds=number * 30, suffix=f"-{number}")
        book.tells(HungUp(at(number * 30 + 25), f"leg-1-{number}", 19, 0), PhonesTaken(at(number * 30 + 25)))
        book.tells(TimerFired(at(number * 30 + 25), "round"))
    assert book.phase == "waiting"
    assert demand(book.state) == (phone(2),)


def test_a_paused_hotline_refuses_and_a_full_one_is_busy() -> None:
    Playbook.of(a_hotline(is_active=False)).expects(Reject(CALLER, 20, at(1.5)))
    book = Playbook.of(a_hotline(channels_inbound=2), inbound=2).expects(Reject(CALLER, 17, at(1.5)))
    book.tells(HungUp(at(0.1), CALLER, 17, 486)).expects(Finish(at(0.1), "busy"))
    assert book.records == {CALLER: "busy"}
    assert takes_inbound_channel(book.state) is False


def test_a_line_that_died_in_the_question_has_not_declined() -> None:
    book = asked(1).tells(HungUp(at(5), "leg-1", 44, 0))
    assert book.records == {"leg-1": "failed"} and "agentFailed" in book.entries
    assert phone(1) in demand(replace(book.state, round=2))


def test_who_hung_up_a_talk_is_told_whichever_event_comes_first() -> None:
    talk = asked(1).tells(DigitsEntered(at(2), "leg-1", "1"), Joined(at(2.1), "leg-1", CALLER))
    talk.tells(HungUp(at(9), CALLER, 16, 0, was_left=True), HungUp(at(9), "leg-1", 16, 0))
    assert "agentHangup" in talk.entries and "callerHangup" not in talk.entries
    talk = asked(1).tells(DigitsEntered(at(2), "leg-1", "1"), Joined(at(2.1), "leg-1", CALLER))
    talk.tells(HungUp(at(9), "leg-1", 16, 0, was_left=True), HungUp(at(9), CALLER, 16, 0))
    assert "callerHangup" in talk.entries and "agentHangup" not in talk.entries


@pytest.mark.parametrize("heard", [(DigitsEntered(at(2), "leg-1", "1"),), ()])
def test_who_was_left_by_the_other_side_has_talked_though_nobody_told_of_it(heard: tuple[Event, ...]) -> None:
    """Events were lost: neither is the caller rung for again, nor does he hang up twice."""
    talk = asked(1).tells(*heard, HungUp(at(9), "leg-1", 16, 0, was_left=True), HungUp(at(9), CALLER, 16, 0))
    assert talk.entries.count("callerHangup") == talk.entries.count("bridged") == 1
    assert talk.records[CALLER] == "answered" and talk.state.outcome == "answered"


def test_a_caller_who_was_left_has_talked_though_nobody_told_of_it() -> None:
    talk = asked(1).tells(DigitsEntered(at(2), "leg-1", "1"))
    talk.tells(HungUp(at(9), CALLER, 16, 0, was_left=True), HungUp(at(9), "leg-1", 16, 0))
    assert talk.entries.count("agentHangup") == talk.entries.count("bridged") == 1
    assert "callerHangup" not in talk.entries and talk.state.outcome == "answered"


def test_a_hotline_without_phones_apologises() -> None:
    Playbook.of(a_hotline(0)).expects(sorry(0))


def test_the_lease_is_renewed_during_the_apology_which_may_be_longer() -> None:
    book = Playbook.of(a_hotline(0))
    assert book.phase == "apologising" and leased(book.state) == (CALLER,)
    assert leased(book.tells(HungUp(at(11), CALLER, 16, 0)).state) == ()


def test_orders_that_came_too_late_leave_the_caller_to_the_dialplan() -> None:
    book = Playbook.of().grants(1).tells(OrderExpired(at(2), CALLER)).expects(
        HangUp("leg-1", 26, at(3.5)))
    assert book.phase == "fallback" and demand(book.state) == ()


def test_an_accept_that_came_too_late_is_joined_by_the_dialplan_and_the_others_still_go() -> None:
    book = asked(1, 3).tells(DigitsEntered(at(2), "leg-1", "1"), OrderExpired(at(3.6), CALLER))
    book.expects(HangUp("leg-2", 26), TAKEN[3])
    book.tells(Joined(at(4), "leg-1", CALLER))
    assert book.phase == "talking" and book.state.joined_at == at(4)


def test_hang_ups_that_were_dropped_with_a_late_order_are_said_again_when_the_caller_is_gone() -> None:
    book = asked(1, 2).tells(DigitsEntered(at(2), "leg-1", "1"), HungUp(at(3), CALLER, 16, 0))
    book.tells(OrderExpired(at(3.6), CALLER))
    book.expects(HangUp("leg-1", 16), HangUp("leg-2", 16), HangUp("leg-3", 16))


def test_the_dialplan_may_join_another_agent_than_the_one_we_chose() -> None:
    book = asked(1, 3).tells(DigitsEntered(at(2), "leg-1", "1"), OrderExpired(at(3.6), CALLER))
    book.tells(Joined(at(4), "leg-3", CALLER))
    assert book.state.winner == "leg-3"


@pytest.mark.parametrize("event", [
    Answered(at(5), "leg-9"), HungUp(at(5), "leg-9", 16, 0), DigitsEntered(at(5), "leg-9", "1"),
    Joined(at(5), "leg-9", "leg-8"), TimerFired(at(5), "round"), Played(at(5), "leg-9"),
])
def test_events_that_do_not_fit_change_nothing(event: Event) -> None:
    book = asked(1)
    before = book.state
    book.tells(event).expects()
    assert book.state == before
