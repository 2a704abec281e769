"""The steps of a program with somebody on the line: what is said, what is pressed, which step is next."""

import pytest

from engine.vocabulary.commands import HangUp, Play, Render, RunStep, WriteOptOut
from engine.vocabulary.events import Rendered, StepDone
from engine.vocabulary.program import ProgramStep, Prompt
from tests.program_playbook import BYE, Playbook, at, menu, say, to


def answered(*steps: ProgramStep, **plan: object) -> Playbook:
    return Playbook.of(*steps, **plan).dialled().answered()


# --- saying ------------------------------------------------------------------------------------------------------


def test_a_recording_is_played_like_a_text() -> None:
    assert answered(ProgramStep("play", recording_id=7)).told == Prompt("play", 1, "s0", is_last=True)


def test_a_text_twice_with_a_pause() -> None:
    book = answered(say(links=to(1)), ProgramStep("wait", "wait", seconds=2.5, links=to(2)), say())
    assert book.told == Prompt("play", 1, "s0")
    assert book.done().orders == (RunStep("a", Prompt("pause", 2, seconds=2.5)),)
    assert book.done().orders == (RunStep("a", Prompt("play", 3, "s2", is_last=True)),)
    assert book.done().orders == ()
    assert book.results == [
        (1, "application", "say", "success"), (2, "application", "wait", "success"),
        (3, "application", "say", "success")]


def test_what_was_told_before_is_done_late_and_changes_nothing() -> None:
    book = answered(say(links=to(1)), say()).done()
    assert book.done(number=1).last == () and book.done(number=9).last == ()
    assert book.tells(StepDone(at(1), "stranger", 2)).last == ()


def test_a_step_that_is_no_order_waits_for_nobody() -> None:
    book = Playbook.of(BYE).dialled()
    assert book.told == Prompt("pause", 1)
    assert book.answered().done().orders == (HangUp("a", 16),)


def test_behind_the_step_that_disconnects_the_switch_hangs_up_by_itself() -> None:
    book = answered(say(links=to(1)), BYE)
    assert book.told.is_last and book.done().orders == ()


# --- a menu ------------------------------------------------------------------------------------------------------

MENU = menu(links=(("1", 1), ("2", 2), ("timeout", 3)))
AFTER = (say("eins"), say("zwei"), say("nichts"))


@pytest.mark.parametrize(("key", "place"), [("1", 1), ("2", 2)])
def test_a_key_of_the_menu_leads_to_its_step_and_is_a_result(key: str, place: int) -> None:
    book = answered(MENU, *AFTER)
    assert book.told == Prompt("collect", 1, "s0", digits=1, timeout_s=10)
    assert book.presses(key).orders == (RunStep("a", Prompt("play", 2, f"s{place}", is_last=True)),)
    assert book.results == [
        (1, "info", "dtmf", key), (1, "info", "wahl", key), (1, "application", "menu", "success")]


@pytest.mark.parametrize("nothing", ["", "7", "*"])
def test_a_menu_asks_so_often_and_then_it_is_a_timeout(nothing: str) -> None:
    book = answered(MENU, *AFTER)
    for number in (2, 3):
        assert book.presses(nothing).orders == (RunStep("a", Prompt("collect", number, "s0", digits=1, timeout_s=10)),)
    assert book.presses(nothing).orders == (RunStep("a", Prompt("play", 4, "s3", is_last=True)),)
    assert book.results == [(1, "application", "menu", "timeout")]


def test_a_key_without_a_link_takes_the_link_for_every_end_or_ends_the_call() -> None:
    assert answered(menu(links=to(1)), say()).presses("2").told.sound == "s1"
    assert answered(menu(links=(("1", 1),)), say()).presses("2").orders == (HangUp("a", 16),)


def test_the_tries_of_one_question_are_not_those_of_the_next() -> None:
    book = answered(menu(links=to(1), tries=2), menu(links=to(2), tries=2), say()).presses("")
    book.presses("1")
    assert book.presses("").told.sound == "s1"
    assert book.presses("").told.sound == "s2"


# --- digits ------------------------------------------------------------------------------------------------------


def test_digits_are_a_result_by_their_name_and_can_be_said_back() -> None:
    ask = ProgramStep("input", "alter", text="Wie alt?", digits=3, links=to(1))
    book = answered(ask, say("Sie sind [result:alter] Jahre alt", links=to(2)), BYE)
    assert book.told == Prompt("collect", 1, "s0", digits=3, timeout_s=10)
    assert book.presses("42").last[-1] == Render("1.2", "de", "Sie sind 42 Jahre alt", is_personal=True)
    assert book.orders == ()
    assert book.rendered("cache/42").orders == (RunStep("a", Prompt("play", 2, "cache/42", is_last=True)),)
    assert book.results[:2] == [(1, "info", "dtmf", "42"), (1, "info", "alter", "42")]


def test_behind_the_last_digits_the_switch_hangs_up_by_itself() -> None:
    book = answered(ProgramStep("input", text="?", digits=1, tries=1, links=to(1)), BYE)
    assert book.told == Prompt("collect", 1, "s0", digits=1, timeout_s=10, is_last=True, is_last_by_key=True)
    assert book.presses("5").orders == () and book.state.phase == "closing"
    assert book.results == [(1, "info", "dtmf", "5"), (1, "application", "input", "success")]


def test_the_switch_does_not_hang_up_on_who_is_asked_once_more() -> None:
    book = answered(ProgramStep("input", text="?", digits=1, tries=2))
    assert book.told.is_last_by_key and not book.told.is_last
    assert book.presses("").told.is_last
    assert book.presses("").orders == () and book.state.phase == "closing"


def test_nobody_who_enters_nothing_is_asked_for_ever() -> None:
    book = answered(ProgramStep("input", text="?", digits=3, tries=2, links=(("timeout", 1),)), say())
    assert book.presses("").told == Prompt("collect", 2, "s0", digits=3, timeout_s=10)
    assert book.presses("").told.sound == "s1"


def test_the_last_digits_by_one_name_are_those_that_are_said() -> None:
    ask = ProgramStep("input", "zahl", text="?", digits=2)
    said = say("[result:zahl]", links=to(0))
    book = answered(ProgramStep("input", "zahl", text="?", digits=2, links=to(1)), said)
    assert ask.name == "zahl"
    for digits in ("11", "22"):
        [render] = [one for one in book.presses(digits).last if isinstance(one, Render)]
        assert render.text == digits
        book.rendered().done()
    assert dict(book.state.results) == {"zahl": "22"}


def test_what_cannot_be_spoken_is_an_error_of_its_step() -> None:
    book = answered(
        ProgramStep("input", "x", text="?", links=to(1)), say("[result:x]", links=(("", 3), ("error", 2))),
        say("Fehler"), BYE).presses("1")
    assert book.rendered("").told.sound == "s2"
    assert book.results[-1] == (2, "application", "say", "speech failed")


def test_speech_that_was_asked_for_by_another_step_is_not_played() -> None:
    book = answered(ProgramStep("input", "x", text="?", links=to(1)), say("[result:x]", links=to(0))).presses("1")
    assert book.tells(Rendered(at(1), "7.7", "cache/x")).last == ()
    assert book.tells(Rendered(at(1), "1.2", "cache/x")).told.sound == "cache/x"
    assert book.tells(Rendered(at(1), "1.2", "cache/x")).last == ()


# --- recording, waiting, mailboxes -------------------------------------------------------------------------------


def test_a_recording_is_asked_for_and_named_by_its_spool_and_step() -> None:
    book = answered(ProgramStep("record", "wunsch", text="Sprechen Sie", seconds=30, links=to(1)), say())
    assert book.told == Prompt("play", 1, "s0")
    assert book.done().orders == (RunStep("a", Prompt("record", 2, seconds=30, file="7-1")),)
    assert book.done(status="recorded").told.sound == "s1"
    assert book.results == [(1, "application", "record", "recorded")]


def test_a_recording_without_a_prompt_begins_at_once() -> None:
    assert answered(ProgramStep("record", seconds=30)).told == Prompt("record", 1, seconds=30, file="7-1")


AMD = ProgramStep("amd", "amd", links=(("human", 1), ("machine", 2)))


def test_a_person_hears_the_program() -> None:
    book = answered(AMD, say(), BYE)
    assert book.told == Prompt("amd", 1)
    assert book.done(status="human").told.sound == "s1"
    assert book.results == [(1, "application", "amd", "human")]
    assert book.done().gone().transmission == ("completed", "answered", None)


def test_a_mailbox_that_is_hung_up_on_is_called_again() -> None:
    book = answered(AMD, say(), BYE).done(status="machine")
    assert book.orders == (HangUp("a", 16),)
    book.gone()
    assert (book.spool, book.transmission) == (("completed", "mailbox"), ("pending_retry", "mailbox", 1800))


def test_a_mailbox_that_heard_the_message_is_not_called_again() -> None:
    book = answered(AMD, BYE, say("Nachricht")).done(status="machine").done().gone()
    assert (book.spool, book.transmission) == (("completed", "mailbox"), ("completed", "mailbox", None))


def test_a_mailbox_that_heard_half_of_the_message_is_called_again() -> None:
    book = answered(AMD, BYE, say("Nachricht")).done(status="machine").gone()
    assert book.transmission == ("pending_retry", "mailbox", 1800)


# --- nobody calls again ------------------------------------------------------------------------------------------


def test_the_step_dnc_takes_the_number_off_every_list() -> None:
    book = answered(menu(links=(("1", 1),)), ProgramStep("dnc", "dnc", links=to(2)), say("Bye")).presses("1")
    assert book.rows(WriteOptOut) == [WriteOptOut(at(0), 1, "49301")]
    assert book.told.sound == "s2"
    book.done().gone()
    assert (book.spool, book.transmission) == (("completed", "declined"), ("completed", "declined", None))


def test_who_opted_out_and_hangs_up_at_once_is_not_called_again() -> None:
    book = answered(ProgramStep("dnc", "dnc", links=to(1)), say()).done().gone()
    assert book.has_opted_out and book.transmission == ("completed", "declined", None)


@pytest.mark.parametrize("step", [say(links=to(1)), ProgramStep("play", recording_id=7, links=to(1)), menu(links=to(1)),
                                  say()])
def test_a_key_opts_out_in_every_step_that_says_something(step: ProgramStep) -> None:
    book = answered(step, say(), opt_out_key="9")
    assert book.told.verb == "collect" and book.told.digits == 1
    assert book.presses("9").orders == (Play("a", "de/opted-out", then="bye"),)
    assert book.has_opted_out and book.results == [(1, "info", "dtmf", "9"), (1, "contact", "dnc", "opted out")]
    assert book.state.phase == "closing"
    book.gone()
    assert book.transmission == ("completed", "declined", None)


def test_a_key_of_the_menu_is_no_opt_out() -> None:
    book = answered(menu(valid="19", links=to(1)), say(), opt_out_key="9").presses("9")
    assert not book.has_opted_out and book.told.sound == "s1"


def test_silence_after_a_message_leads_on() -> None:
    book = answered(say(links=to(1)), say(), opt_out_key="9")
    assert book.told == Prompt("collect", 1, "s0", digits=1, timeout_s=1)
    assert book.presses("").told == Prompt("collect", 2, "s1", digits=1, timeout_s=1, is_last=True)


def test_a_key_that_means_nothing_lets_the_message_begin_again_twice_at_most() -> None:
    book = answered(say(links=to(1)), say("danach"), opt_out_key="9")
    for number in (2, 3):
        assert book.presses("5").told == Prompt("collect", number, "s0", digits=1, timeout_s=1)
    assert book.presses("5").told.sound == "s1"
    assert [name for _, _, name, _ in book.results].count("dtmf") == 3


def test_a_key_that_means_nothing_in_the_last_message_does_not_end_the_call() -> None:
    book = answered(say(), opt_out_key="9")
    assert book.presses("5").told == Prompt("collect", 2, "s0", digits=1, timeout_s=1, is_last=True)
    assert book.presses("").orders == ()


# --- circles -----------------------------------------------------------------------------------------------------


def test_a_program_that_goes_round_in_circles_ends() -> None:
    book, rounds = answered(say(links=to(1)), say(links=to(0))), 0
    while book.orders == () or isinstance(book.orders[0], RunStep):
        book.done()
        rounds += 1
        assert rounds < 300
    assert book.orders == (HangUp("a", 16),) and rounds == 200


def test_a_circle_of_steps_that_take_no_time_ends_as_well() -> None:
    book = answered(ProgramStep("dnc", links=to(1)), ProgramStep("dnc", links=to(0))).done()
    assert book.orders == (HangUp("a", 16),)


def test_a_circle_of_errors_ends() -> None:
    assert answered(ProgramStep("play", links=to(0))).done().orders == (HangUp("a", 16),)


def test_a_result_is_no_longer_than_a_result_may_be() -> None:
    book = answered(ProgramStep("input", "x", text="?", digits=99), BYE).presses("1" * 99)
    assert {len(data) for _, kind, _, data in book.results if kind == "info"} == {80}
