"""What an alarm has spoken, and when: messages before the dials, last words as soon as they are ready."""

from engine.vocabulary.commands import DialAlarm, Play, Render
from engine.vocabulary.events import Rendered
from tests.alarm_playbook import Playbook, at, number, person


def renders(book: Playbook) -> list[tuple[str, str, bool]]:
    return [(one.key, one.text, one.is_personal) for one in book.last if isinstance(one, Render)]


def messages(book: Playbook) -> list[str]:
    return [one.ask.message for one in book.all if isinstance(one, DialAlarm)]


def test_one_text_for_many_is_spoken_once_a_language() -> None:
    book = Playbook.silent((person(1), person(2), person(3, language="en")))
    assert renders(book) == [("m:de", "Brand.", False), ("m:en", "Fire.", False)]


def test_what_many_hear_is_spoken_before_what_is_one_persons_own() -> None:
    book = Playbook.silent(
        (person(1, role="Fahrer"), person(2, language="en"), person(3)),
        message=(("de", "Brand, {name}, {role}."), ("en", "Fire.")))
    assert renders(book) == [
        ("m:en", "Fire.", False), ("p:1", "Brand, Person 1, Fahrer.", True), ("p:3", "Brand, Person 3, .", True)]


def test_nobody_is_rung_before_his_message_is_spoken_and_nobody_waits_for_that_of_others() -> None:
    book = Playbook.silent(3, message=(("de", "Brand, {name}."),))
    assert book.wanted == [] and book.alarm_states == []
    book.tells(Rendered(at(1), "p:2", "s/2"))
    assert book.wanted == [number(2)] and book.alarm_states == ["ringing"]
    book.rings(2).tells(Rendered(at(1), "p:1", "s/1"))
    assert book.wanted == [number(1)] and messages(book) == ["s/2"]


def test_a_text_that_cannot_be_spoken_is_said_to_be_so() -> None:
    book = Playbook.silent().speaks("").rings(1)
    assert messages(book) == ["de/alarm-untold"] and "speechFailed" in book.notes
    book = Playbook.silent(2, message=(("de", "{name}"),)).speaks("").rings(1)
    assert messages(book) == ["de/alarm-untold"] and [one.recipient_id for one in book.noted("speechFailed")] == [1, 2]


def test_a_recording_is_played_instead_of_a_text() -> None:
    book = Playbook.silent((person(1), person(2, language="en")), message=(), recording_id=8)
    assert [one for one in book.last if isinstance(one, Render)] == [Render("r", "de", recording_id=8)]
    assert messages(book.speaks().rings(1, 2)) == ["s/r", "s/r"]


def test_a_language_that_the_message_has_not_is_spoken_in_the_first() -> None:
    assert renders(Playbook.silent((person(1, language="nl"),))) == [("m:nl", "Brand.", False)]


def test_an_answer_that_is_told_twice_or_was_not_asked_for_changes_nothing() -> None:
    book = Playbook.of()
    before = book.state
    book.tells(Rendered(at(1), "m:de", "other"), Rendered(at(1), "m:xx", "s"), Rendered(at(1), "p:77", "s"))
    assert book.state is before and book.last == ()


# --- last words --------------------------------------------------------------------------------------------------


def listening(people: int = 3, **plan: object) -> Playbook:
    legs = [str(one) for one in range(1, people + 1)]
    return Playbook.of(people, needed=people, **plan).rings(*range(1, people + 1)).answers(*legs)


def said(leg: str, sound: str) -> tuple[Play, ...]:
    return (Play(leg, sound, then="bye"),)


def test_last_words_are_ready_when_the_thanks_are_over() -> None:
    book = listening().acknowledges("1")
    assert renders(book) == [("c:de:1", "1 von 3.", False)]
    assert book.speaks().orders == ()
    assert book.thanked("1").orders == said("1", "s/c:de:1")


def test_last_words_that_come_late_are_said_then() -> None:
    book = listening().acknowledges("1").thanked("1")
    assert book.orders == ()
    assert book.tells(Rendered(at(9), "c:de:1", "late")).orders == said("1", "late")


def test_last_words_that_come_after_the_leg_are_not_said() -> None:
    book = listening().acknowledges("1").thanked("1").hangs_up("1")
    assert book.tells(Rendered(at(9), "c:de:1", "late")).orders == ()


def test_who_has_not_heard_them_yet_hears_the_newest_number() -> None:
    book = listening().acknowledges("1").speaks().acknowledges("2")
    assert renders(book) == [("c:de:2", "2 von 3.", False)]
    book.speaks()
    assert book.thanked("1").orders == said("1", "s/c:de:2")
    assert book.thanked("2").orders == said("2", "s/c:de:2")


def test_who_waits_hears_an_older_number_rather_than_nothing() -> None:
    book = listening().acknowledges("1").thanked("1").acknowledges("2")
    assert book.tells(Rendered(at(9), "c:de:1", "older")).orders == said("1", "older")


def test_without_last_words_in_his_language_he_hears_good_bye() -> None:
    assert listening(closing=()).acknowledges("1").thanked("1").orders == said("1", "de/alarm-bye")
    book = listening().acknowledges("1").speaks("").thanked("1")
    assert book.orders == said("1", "de/alarm-bye")
    book = listening().acknowledges("1").thanked("1").tells(Rendered(at(9), "c:de:1", ""))
    assert book.orders == said("1", "de/alarm-bye")
