"""A call after a restart or a lost connection: what it missed counts as if it came now, what was unsaid is said."""

from dataclasses import replace

from engine.flows.hotline_state import demand
from engine.vocabulary.commands import Bridge, Command, HangUp, Play, Reject, SetTimer, WriteEntry, WriteRecord
from engine.vocabulary.events import Answered, DigitsEntered, HungUp, Joined, Reconciled, TimerFired
from engine.vocabulary.values import LiveLeg
from tests.playbook import CALLER, CHANNEL, Playbook, a_hotline, at


def lives(leg: str, place: str = "rw-hold", is_up: bool = True, bridge: str = "") -> LiveLeg:
    return LiveLeg(leg, CHANNEL if leg == CALLER else f"PJSIP/{leg}", place, is_up, bridge, CALLER, 5.0)


def compared(book: Playbook, *live: LiveLeg, seconds: float = 30) -> Playbook:
    return book.tells(Reconciled(at(seconds), {leg.leg: leg for leg in live}))


def orders(book: Playbook) -> tuple[Command, ...]:
    return tuple(one for one in book.last if not isinstance(one, WriteEntry | WriteRecord))


def ringing() -> Playbook:
    return Playbook.of().grants(1, 2)


def talking() -> Playbook:
    return ringing().tells(Answered(at(1), "leg-1"), DigitsEntered(at(2), "leg-1", "1"))


def test_a_caller_who_hung_up_unheard_ends_the_call() -> None:
    book = compared(ringing(), lives("leg-1", "", is_up=False))
    assert book.records == {CALLER: "answered", "leg-2": "cancelled"}
    assert HangUp("leg-1", 16) in book.last
    book.tells(HungUp(at(30.1), "leg-1", 16, 0))
    assert book.outcome == "callerHangup"


def test_a_caller_younger_than_the_snapshot_is_not_missed() -> None:
    book = compared(Playbook.of(), seconds=0.5)
    assert book.last == () and book.phase == "waiting"


def test_a_leg_younger_than_the_snapshot_is_not_missed_and_an_older_one_is() -> None:
    book = Playbook.of().grants(1, seconds=29.5).grants(2, seconds=5)
    compared(book, lives(CALLER))
    assert book.records == {"leg-2": "noAnswer"}


def test_an_answer_that_nobody_heard_counts() -> None:
    book = compared(ringing(), lives(CALLER), lives("leg-1", "rw-ask"), lives("leg-2", "", is_up=False))
    assert [leg.stage for leg in book.state.legs] == ["asked", "dialled"]
    assert "agentAnswered" in book.entries


def test_a_key_that_nobody_heard_wins() -> None:
    book = compared(ringing(), lives(CALLER), lives("leg-1", "rw-accepted"), lives("leg-2", "", is_up=False))
    assert book.state.winner == "leg-1"
    assert orders(book)[:2] == (Bridge(CALLER, CHANNEL, "leg-1", at(31.5)), HangUp("leg-2", 26))


def test_two_keys_that_nobody_heard_have_one_winner() -> None:
    book = compared(ringing(), lives(CALLER), lives("leg-1", "rw-accepted"), lives("leg-2", "rw-accepted"))
    assert book.state.winner == "leg-1"
    assert {order.peer for order in orders(book) if isinstance(order, Bridge)} == {"leg-1"}
    assert Play("leg-2", "de/taken", then="bye", cause=26) in orders(book)


def test_two_who_were_joined_without_us_talk() -> None:
    book = compared(ringing(), lives(CALLER, bridge="b"), lives("leg-2", "rw-accepted", bridge="b"))
    assert book.phase == "talking" and book.state.winner == "leg-2"
    assert not [order for order in orders(book) if isinstance(order, Bridge)]


def test_a_greeting_that_was_never_sent_is_sent_while_it_may() -> None:
    compared(Playbook.of(), lives(CALLER, "rw-claim", is_up=False), seconds=1.2).expects(
        Play(CALLER, "cache/greeting", not_after=at(1.5)))


def test_a_pause_between_rounds_whose_timer_died_with_the_engine_ends_in_its_time() -> None:
    book = Playbook.of(a_hotline(1)).grants(1).tells(HungUp(at(1), "leg-1", 17, 486))
    compared(book, lives(CALLER), seconds=3).expects(SetTimer("round", 2.0))  # a round lasts 5 s at least
    compared(book, lives(CALLER)).expects(SetTimer("round", 0.0))
    book.tells(TimerFired(at(30), "round"))
    assert len(demand(book.state)) == 1


def test_a_bridge_that_may_have_been_sent_is_left_to_the_dialplan_and_the_others_go() -> None:
    book = compared(talking(), lives(CALLER), lives("leg-1", "rw-accepted"), lives("leg-2", "", is_up=False), seconds=3)
    book.expects(HangUp("leg-2", 26))


def test_a_talk_that_goes_on_is_left_alone() -> None:
    book = talking().tells(Joined(at(2.1), CALLER, "leg-1"), HungUp(at(2.2), "leg-2", 26, 487))
    before = book.state
    compared(book, lives(CALLER, bridge="b"), lives("leg-1", bridge="b")).expects()
    assert book.state == before


def test_a_talk_that_ended_unheard_is_over() -> None:
    book = talking().tells(Joined(at(2.1), CALLER, "leg-1"), HungUp(at(2.2), "leg-2", 26, 487))
    compared(book)
    assert book.outcome == "answered"
    assert book.records == {"leg-1": "answered", "leg-2": "cancelled", CALLER: "answered"}


def test_a_phone_that_rings_for_nothing_stops_and_who_waits_for_word_hears_it() -> None:
    book = Playbook.of().grants(1, 2, 3).tells(
        Answered(at(1), "leg-1"), Answered(at(1), "leg-3"), DigitsEntered(at(2), "leg-1", "1"),
        Joined(at(2.1), CALLER, "leg-1"))
    compared(
        book, lives(CALLER, bridge="b"), lives("leg-1", bridge="b"), lives("leg-2", "", is_up=False),
        lives("leg-3", "rw-ask"),
    ).expects(HangUp("leg-2", 26), Play("leg-3", "de/taken", then="bye", cause=26))


def test_who_hears_already_that_the_call_is_taken_hears_it_to_the_end() -> None:
    book = Playbook.of().grants(1, 3).tells(
        Answered(at(1), "leg-1"), Answered(at(1), "leg-3"), DigitsEntered(at(2), "leg-1", "1"),
        Joined(at(2.1), CALLER, "leg-1"))
    compared(book, lives(CALLER, bridge="b"), lives("leg-1", bridge="b"), lives("leg-3", "rw-play")).expects()


def test_an_apology_that_was_never_sent_is_sent_and_one_that_plays_is_not_begun_again() -> None:
    sorry = Play(CALLER, "de/apology", then="bye", cause=16, not_after=at(31.5))
    compared(Playbook.of(a_hotline(0)), lives(CALLER, "rw-hold")).expects(sorry)
    compared(Playbook.of(a_hotline(0)), lives(CALLER, "rw-play")).expects()


def test_a_refusal_that_was_never_sent_is_sent_with_its_own_cause() -> None:
    book = Playbook.of(a_hotline(is_active=False))
    compared(book, lives(CALLER, "rw-claim", is_up=False), seconds=1).expects(Reject(CALLER, 20, at(2.5)))


def test_a_hang_up_that_was_never_sent_is_sent() -> None:
    book = talking().tells(
        Joined(at(2.1), CALLER, "leg-1"), HungUp(at(2.2), "leg-2", 26, 487), HungUp(at(9), "leg-1", 16, 0))
    compared(book, lives(CALLER)).expects(HangUp(CALLER, 16))
    book = ringing().tells(HungUp(at(3), CALLER, 16, 0))
    compared(book, lives("leg-1", "", is_up=False), lives("leg-2", "rw-ask")).expects(
        HangUp("leg-2", 16), HangUp("leg-1", 16), HangUp("leg-2", 16))


def test_a_caller_whom_the_dialplan_serves_is_given_to_it() -> None:
    book = compared(ringing(), lives(CALLER, "rw-fall"), lives("leg-1", "", is_up=False))
    assert book.phase == "fallback"
    assert [order for order in orders(book) if not isinstance(order, HangUp)] == []
    assert HangUp("leg-1", 26, at(31.5)) in orders(book)


def test_who_was_asked_unheard_or_talks_unheard_to_a_caller_of_the_dialplan_is_left_to_it() -> None:
    book = compared(ringing(), lives(CALLER, "rw-fall"), lives("leg-1", "rw-accepted"), lives("leg-2", "rw-ask"))
    assert book.phase == "fallback" and orders(book) == ()
    book = compared(ringing(), lives(CALLER, "rw-fall", bridge="b"), lives("leg-1", "rw-accepted", bridge="b"))
    assert book.phase == "talking" and book.state.winner == "leg-1"
    assert orders(book) == (HangUp("leg-2", 26, at(31.5)),)


def test_a_fallback_whose_last_row_was_lost_ends_when_its_caller_is_gone() -> None:
    book = compared(ringing(), lives(CALLER, "rw-fall"))
    compared(book, seconds=60)
    assert book.outcome == "callerHangup"


def test_comparing_twice_changes_nothing_more() -> None:
    book = compared(ringing(), lives(CALLER), lives("leg-1", "rw-accepted"), lives("leg-2", "rw-ask"))
    state, rows = book.state, [one for one in book.all if isinstance(one, WriteEntry | WriteRecord)]
    compared(book, lives(CALLER), lives("leg-1", "rw-accepted"), lives("leg-2", "rw-play"))
    assert book.state == replace(state)
    assert [one for one in book.all if isinstance(one, WriteEntry | WriteRecord)] == rows
