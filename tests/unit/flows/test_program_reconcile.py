"""A program's call after a restart or a lost connection, in every phase, with its legs and without."""

import pytest

from engine.flows import program
from engine.flows.program_state import Leg
from engine.vocabulary.commands import Bridge, HangUp, Hold, Render
from engine.vocabulary.program import ProgramStep
from tests.program_playbook import BYE, PEER, Playbook, say, to

TRANSFER = ProgramStep("transfer", to=PEER, links=(("error", 1),))


def dialled() -> Playbook:
    return Playbook.of(say(links=to(1)), say()).dialled()


def running() -> Playbook:
    return dialled().answered()


def transferring() -> Playbook:
    return Playbook.of(TRANSFER, say()).dialled().answered().done()


def ringing() -> Playbook:
    return transferring().dials_peer()


def talking() -> Playbook:
    return ringing().peer_answers().joined()


def test_who_waits_for_a_line_is_given_back_since_his_campaign_may_have_been_halted() -> None:
    book = Playbook.of(say()).after(5).compares()
    assert book.outcome == "withdrawn" and book.wanted == [] and book.transmission == ("pending", "", 0)
    single = Playbook.of(say(), campaign_id=None).after(99).compares()
    assert single.last == () and single.wanted != []


def test_who_waits_since_a_moment_waits_on() -> None:
    assert Playbook.of(say()).after(0.5).compares().last == ()


def test_a_dial_of_which_nobody_heard_again_counts_as_an_attempt() -> None:
    book = dialled().after(5).compares()
    assert (book.spool, book.outcome) == (("failed", "lost"), "lost")
    assert book.transmission == ("pending_retry", "lost", 600)
    last = Playbook.of(say(), tries_left=0).dialled().after(5).compares()
    assert last.transmission == ("failed", "lost", None)


def test_a_lost_dial_is_not_repeated_by_another_trunk() -> None:
    assert Playbook.of(say()).dialled(others=2).after(5).compares().wanted == []


def test_a_leg_that_was_dialled_just_now_may_be_missing() -> None:
    assert dialled().after(0.5).compares().last == ()
    second = Playbook.of(say()).dialled(others=1).after(20).gone(cause=38, sip=503).dialled()
    assert second.after(0.5).compares().last == ()
    assert second.after(5).compares().outcome == "lost"


def test_who_rings_rings_on() -> None:
    assert dialled().after(5).compares(a="ringing").last == ()


def test_who_answered_meanwhile_is_answered() -> None:
    book = dialled().after(5).compares(a="rw-step")
    assert book.spool == ("connected", None) and book.state.phase == "running"
    assert book.orders == ()


def test_who_listens_listens_on() -> None:
    assert running().after(5).compares(a="rw-step").last == ()


def test_who_hung_up_meanwhile_has_heard_what_he_heard() -> None:
    for book in (running(), transferring()):
        book.after(5).compares()
        assert (book.spool, book.transmission) == (("completed", "answered"), ("completed", "answered", None))


def test_words_that_were_to_be_spoken_are_asked_for_again() -> None:
    book = Playbook.of(ProgramStep("input", "x", text="?", links=to(1)), say("[result:x]")).dialled().answered()
    book.presses("1").after(5).compares(a="rw-step")
    assert book.last == (Render("1.2", "de", "1", is_personal=True),)


# --- handed over -------------------------------------------------------------------------------------------------


def test_who_is_to_be_handed_over_is_held_again() -> None:
    assert transferring().after(5).compares(a="rw-step").orders == (Hold("a"),)
    assert transferring().after(5).compares(a="rw-hold").orders == ()
    assert ringing().after(5).compares(a="rw-step", peer="ringing").orders == (Hold("a"),)


def test_two_who_are_up_and_not_joined_are_joined() -> None:
    book = ringing().peer_answers().after(5).compares(a="rw-hold", peer="rw-step")
    assert book.orders == (Bridge("a", "", "peer"),)
    unheard = ringing().after(5).compares(a="rw-hold", peer="rw-step")
    assert unheard.orders == (Bridge("a", "", "peer"),)


def test_no_second_join_is_ordered_while_the_first_is_on_its_way() -> None:
    book = ringing().after(5).peer_answers().after(0.3).compares(a="rw-hold", peer="rw-step")
    assert book.orders == ()


def test_who_talks_already_is_known_to_talk_and_no_lease_is_renewed() -> None:
    for book in (ringing(), ringing().peer_answers()):
        book.after(5).compares(["a", "peer"], a="rw-hold", peer="rw-step")
        assert book.state.phase == "talking" and book.orders == ()
        assert program.leased(book.state) == ()
        assert book.results == [(1, "application", "transfer", "success")]


def test_a_talk_goes_on() -> None:
    assert talking().after(5).compares(["a", "peer"], a="rw-hold", peer="rw-step").last == ()


def test_when_the_other_side_is_gone_the_program_goes_on() -> None:
    book = ringing().after(5).compares(a="rw-hold")
    assert book.told.sound == "s1"
    assert program.legs(book.state) == (Leg("a", "49301", "t1"),)


def test_the_other_side_may_be_missing_when_it_was_dialled_just_now() -> None:
    book = transferring().after(20).dials_peer().after(0.5).compares(a="rw-hold")
    assert book.last == () and book.state.peer == "peer"


def test_when_the_person_is_gone_the_other_side_is_hung_up() -> None:
    book = ringing().after(5).compares(peer="ringing")
    assert book.orders == (HangUp("peer", 26),)
    assert book.after(5).compares().outcome == "answered"
    talk = talking().after(5).compares(peer="rw-step")
    assert talk.orders == (HangUp("peer", 16),)


def test_when_both_are_gone_the_call_is_over() -> None:
    for book in (ringing(), talking()):
        book.after(5).compares()
        assert book.orders == () and book.outcome == "answered"


# --- closing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("place", "is_told"), [("rw-step", True), ("rw-hold", True), ("rw-play", False)])
def test_who_is_to_be_hung_up_is_told_again_but_not_in_his_last_words(place: str, is_told: bool) -> None:
    book = Playbook.of(say(links=to(1)), say(links=to(2)), BYE).dialled().answered().done().done()
    assert book.state.phase == "closing"
    assert book.after(5).compares(a=place).orders == ((HangUp("a", 16),) if is_told else ())
    assert book.after(5).compares().outcome == "answered"
