"""A trunk that fails costs an agent's phone neither its turn nor its round, while there is another trunk."""

from engine.flows.hotline import wants
from engine.vocabulary.commands import Dial
from engine.vocabulary.events import DialRefused, HungUp, LegGranted
from tests.playbook import Playbook, a_hotline, at, phone


def granted(book: Playbook, leg: str, trunk: str, others: int, seconds: float = 0.01) -> Playbook:
    return book.tells(LegGranted(at(seconds), leg, phone(1), trunk, others))


def test_the_next_trunk_is_asked_for_at_once() -> None:
    book = granted(Playbook.of(a_hotline(1)), "leg-a", "cheap", 1)
    book.tells(HungUp(at(7), "leg-a", 18, 408))
    wanted = wants(book.state)
    assert wanted is not None
    assert [(one.number, one.skip) for one in wanted.numbers] == [(phone(1).number, 1)]
    granted(book, "leg-b", "dear", 0, 7.01)
    assert [(dial.leg, dial.trunk) for dial in book.all if isinstance(dial, Dial)] == [
        ("leg-a", "cheap"), ("leg-b", "dear")]
    assert book.records == {"leg-a": "noAnswer"}


def test_without_another_trunk_the_phone_had_its_turn() -> None:
    book = granted(Playbook.of(a_hotline(1)), "leg-a", "cheap", 1)
    book.tells(DialRefused(at(0.1), "leg-a"))
    granted(book, "leg-b", "dear", 0, 0.2).tells(HungUp(at(0.3), "leg-b", 34, 503))
    assert wants(book.state) is None or wants(book.state).numbers[0].skip == 0
    assert [tried.times for tried in book.state.tried] == [1]


def test_a_phone_that_is_busy_is_not_rung_by_another_trunk() -> None:
    book = granted(Playbook.of(a_hotline(1)), "leg-a", "cheap", 1)
    book.tells(HungUp(at(0.1), "leg-a", 17, 486))
    assert [(tried.times, tried.failed_trunks) for tried in book.state.tried] == [(1, 0)]
