"""The part of a call that the dialplan plays: watched, written down once, and taken over only when it gave up."""

import pytest

from engine.flows import hotline
from engine.flows.hotline_state import demand, leased, legs_in_use
from engine.vocabulary.commands import Bridge, Dial, Finish, HangUp, Hold, Play, WriteRecord
from engine.vocabulary.events import (
    Answered,
    DigitsEntered,
    FallbackExhausted,
    FallbackStarted,
    FallbackStepped,
    HungUp,
    Joined,
    OrderExpired,
)
from tests.playbook import CALLER, CHANNEL, RULES, Playbook, a_hotline, at, phone

STARTED = FallbackStarted(at(12), CALLER, CHANNEL, "4930555", "49301234")


def fallen() -> Playbook:
    """A caller whom no engine knew."""
    return Playbook(hotline.start_in_fallback(STARTED, a_hotline(), RULES))


def row(seconds: float, step: str, number: int = 0, status: str = "", cause: int = 16) -> FallbackStepped:
    key = f"fb/{CALLER}/{int(seconds * 1000):06}-local-{number}"
    digits, leg = (phone(number).number, f"local-{number}") if number else ("", CALLER)
    return FallbackStepped(at(seconds), CALLER, step, digits, leg, status, cause, key)


def orders(book: Playbook) -> list[object]:
    return [one for one in book.all if isinstance(one, Play | Hold | Dial | Bridge | HangUp)]


def test_a_caller_in_fallback_is_never_redirected_and_nobody_is_rung_for_him() -> None:
    book = fallen()
    assert orders(book) == [] and demand(book.state) == () and leased(book.state) == ()
    assert book.entries == ["callerConnected", "fallbackStarted"]


@pytest.mark.parametrize(("left", "who"), [("LEFT", "agentHangup"), ("", "callerHangup")])
def test_what_the_dialplan_did_stands_in_log_and_records(left: str, who: str) -> None:
    book = fallen().tells(
        row(12.1, "ring", 1), row(12.2, "ring", 2), row(12.3, "ring", 3), row(14, "answered", 1),
        row(15, "leg", 2, "BUSY", 17), row(16, "accepted", 1), row(16.1, "leg", 3, "CANCEL", 16),
        row(30, "leg", 1, "ANSWER", 16), row(30.1, "ended", 0, left))
    assert book.outcome == "answered" and orders(book) == []
    assert book.records == {"local-1": "answered", "local-2": "busy", "local-3": "cancelled", CALLER: "answered"}
    assert all(one.fallback for one in book.all if isinstance(one, WriteRecord))
    assert book.entries[2:] == [
        "agentCalled", "agentCalled", "agentCalled", "agentAnswered", "agentBusy", "agentAccepted", "bridged",
        "agentCancelled", who, "callEnded"]


def test_rows_told_twice_count_once() -> None:
    rows = [row(12.1, "ring", 1), row(14, "answered", 1), row(16, "accepted", 1)]
    book = fallen().tells(*rows)
    before = list(book.all)
    assert book.tells(*rows).all == before


def test_an_agent_in_fallback_who_never_pressed_is_no_answer_and_one_who_hung_up_rejected() -> None:
    book = fallen().tells(
        row(12.1, "ring", 1), row(12.2, "ring", 2), row(14, "answered", 1), row(14.1, "answered", 2),
        row(25, "silent", 1), row(25.1, "leg", 1, "NOANSWER", 16), row(26, "leg", 2, "NOANSWER", 16))
    assert book.records == {"local-1": "noAnswer", "local-2": "rejected"}


def test_a_caller_who_gives_up_in_fallback_ends_the_call_by_its_last_row_and_not_by_his_hang_up() -> None:
    book = fallen().tells(row(12.1, "ring", 1), HungUp(at(20), CALLER, 16, 0))
    assert book.outcome is None
    book.tells(row(20.1, "ended", cause=16))
    assert book.outcome == "callerHangup"
    assert book.records == {"local-1": "cancelled", CALLER: "answered"}


def test_who_was_being_asked_by_us_when_the_caller_gave_up_in_fallback_has_declined_nothing() -> None:
    book = Playbook.of().grants(1).tells(Answered(at(3), "leg-1"), STARTED, row(20, "ended"))
    book.expects(HangUp("leg-1", 16)).tells(HungUp(at(20.1), "leg-1", 16, 0))
    assert book.records == {"leg-1": "cancelled", CALLER: "answered"} and book.outcome == "callerHangup"


def test_a_phone_that_the_dialplan_rings_is_in_use() -> None:
    book = fallen().tells(row(12.1, "ring", 1))
    assert legs_in_use(book.state)[phone(1).number].leg == "local-1"
    book.tells(row(15, "leg", 1, "BUSY", 17))
    assert legs_in_use(book.state) == {}
    book.tells(row(16, "ring", 1), FallbackExhausted(at(60), CALLER))
    assert legs_in_use(book.state) == {}  # it has ended, though its row was not told yet


def test_the_fallbacks_apology_is_written_down() -> None:
    book = fallen().tells(row(60, "apology"), row(66, "ended"))
    assert book.outcome == "noAgentAvailable"
    assert book.entries[-3:] == ["noAgentAvailable", "apologyPlayed", "callEnded"]


def test_when_the_fallback_gave_up_the_engine_holds_the_caller_and_rings_everybody_afresh() -> None:
    book = fallen().tells(FallbackExhausted(at(60), CALLER))
    book.expects(Hold(CALLER, at(61.5)))
    assert demand(book.state) == (phone(1), phone(2), phone(3))
    assert leased(book.state) == (CALLER,)


def test_an_engine_that_came_too_late_to_take_over_leaves_him_to_the_dialplan() -> None:
    book = fallen().tells(FallbackExhausted(at(60), CALLER), OrderExpired(at(62), CALLER))
    assert book.phase == "fallback" and demand(book.state) == ()


def test_a_fallback_that_we_learn_of_only_at_its_end_is_taken_over_as_well() -> None:
    book = Playbook.of().grants(1).tells(FallbackExhausted(at(30), CALLER))
    assert Hold(CALLER, at(31.5)) in book.last and HangUp("leg-1", 26, at(31.5)) in book.last
    assert book.phase == "waiting" and "fallbackStarted" in book.entries


def test_exhausted_means_nothing_in_a_talk() -> None:
    book = Playbook.of().grants(1).tells(
        Answered(at(1), "leg-1"), DigitsEntered(at(2), "leg-1", "1"), Joined(at(2.01), CALLER, "leg-1"),
        FallbackExhausted(at(3), CALLER))
    assert book.last == () and book.phase == "talking"


def test_our_ringing_phones_stop_when_the_dialplan_takes_over_and_who_is_asked_is_left_alone() -> None:
    book = Playbook.of().grants(1, 2).tells(Answered(at(3), "leg-1"), STARTED)
    book.expects(HangUp("leg-2", 26, at(13.5)))
    book.tells(DigitsEntered(at(13), "leg-1", "1")).expects()
    book.tells(Joined(at(15), "leg-1", CALLER))
    assert book.phase == "talking" and book.state.winner == "leg-1"
    assert book.entries[-2:] == ["agentAccepted", "bridged"]


def test_who_only_rang_for_all_we_know_is_not_hung_up_by_old_rows_for_he_may_talk_to_the_caller() -> None:
    joined = FallbackStepped(at(15), CALLER, "joined", "", "leg-1", "", 16, "fb/1")
    book = Playbook.of().grants(1).tells(row(12, "start"), joined)
    assert not [one for one in orders(book) if isinstance(one, HangUp)]
    assert book.phase == "talking" and book.entries[-3:] == ["fallbackStarted", "agentAccepted", "bridged"]


def test_a_phone_that_rings_is_stopped_only_while_nobody_can_have_been_joined_who_answered_it() -> None:
    book = Playbook.of().grants(1).tells(STARTED)
    book.expects(HangUp("leg-1", 26, at(13.5)))
    book.tells(OrderExpired(at(20), "leg-1")).expects()
    book.tells(Answered(at(13), "leg-1")).expects()
    book.tells(Joined(at(16), "leg-1", CALLER))
    assert book.phase == "talking"


def test_a_leg_of_ours_that_the_dialplan_joined_without_us_is_told_by_its_row() -> None:
    joined = FallbackStepped(at(4), CALLER, "joined", "", "leg-1", "", 16, "fb/1")
    book = Playbook.of().grants(1, 2).tells(Answered(at(3), "leg-1"), joined)
    book.expects(HangUp("leg-2", 26))
    assert book.phase == "talking"
    book.tells(HungUp(at(4.1), "leg-2", 26, 0), HungUp(at(30), "leg-1", 16, 0))
    book.tells(FallbackStepped(at(30.1), CALLER, "ended", "", CALLER, "", 16, "fb/2"))
    assert book.outcome == "answered" and book.records[CALLER] == "answered"


def test_a_talk_is_never_given_to_the_fallback() -> None:
    book = Playbook.of().grants(1).tells(
        Answered(at(1), "leg-1"), DigitsEntered(at(2), "leg-1", "1"), Joined(at(2.01), CALLER, "leg-1"), STARTED)
    assert book.last == () and book.phase == "talking"


def test_an_apology_that_never_came_through_leaves_the_caller_to_the_dialplan() -> None:
    book = Playbook.of(a_hotline(1)).grants(1).tells(HungUp(at(1), "leg-1", 21, 603))
    assert book.phase == "apologising"
    book.tells(OrderExpired(at(4), CALLER), row(5, "ring", 1), row(9, "answered", 1), row(10, "accepted", 1))
    book.tells(row(20, "leg", 1, "ANSWER"), row(20.1, "ended"))
    assert book.outcome == "answered"


def test_a_caller_whom_we_meant_to_refuse_but_the_dialplan_serves_is_a_call_like_any_other() -> None:
    book = Playbook.of(a_hotline(is_active=False)).tells(STARTED, row(13, "ring", 1), row(20, "ended"))
    assert book.outcome == "callerHangup"
    assert book.records == {"local-1": "cancelled", CALLER: "answered"}


def test_a_fallback_of_which_only_the_rows_tell_counts_also_for_a_caller_we_meant_to_refuse() -> None:
    book = Playbook.of(a_hotline(is_active=False)).tells(row(12, "start"), row(13, "ring", 1), row(20, "ended"))
    assert book.outcome == "callerHangup" and book.records == {"local-1": "cancelled", CALLER: "answered"}
    assert fallen().tells(row(12, "start")).entries.count("fallbackStarted") == 1


def test_a_number_that_is_no_agents_any_more_is_written_down_without_a_user() -> None:
    stranger = FallbackStepped(at(13), CALLER, "ring", "4999", "local-9", key="fb/1")
    book = fallen().tells(stranger)
    row_of = book.last[0]
    assert (row_of.phone, row_of.user_id, row_of.phone_id) == ("4999", None, None)  # type: ignore[union-attr]


def test_nothing_follows_the_end() -> None:
    book = fallen().tells(row(20, "ended"))
    assert isinstance(book.last[-1], Finish)
