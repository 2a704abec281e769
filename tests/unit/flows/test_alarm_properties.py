"""Retries and waves of the alarm flow against what they promise, told again in a few lines."""

from collections.abc import Iterator, Sequence
from itertools import chain, cycle

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.vocabulary.commands import DialAlarm
from engine.vocabulary.events import Answered, HungUp, NoKey
from engine.vocabulary.values import Wave
from tests.alarm_playbook import Playbook, at, number, person

REFUSALS = {"busy": (17, 486), "noAnswer": (19, 480), "failed": (1, 404)}
WORDS = st.sampled_from([*REFUSALS, "mailbox"])
GROUPS = st.sampled_from([(), (1,), (2,), (3,), (1, 2), (2, 3)])
WAVES = st.lists(st.tuples(st.sampled_from([0, 0, 30, 60]), GROUPS), min_size=1, max_size=4)
LATEST_S = 70


def promised(phones: Sequence[str], rounds: int, on: Sequence[str], ends: Iterator[str]) -> Iterator[str]:
    """Each phone once a round, in order; one whose end is not to be retried never again."""
    dropped: set[str] = set()
    for phone in chain.from_iterable([phones] * rounds):
        if phone not in dropped:
            yield phone
            if next(ends) not in on:
                dropped.add(phone)


def ends(book: Playbook, how: str) -> None:
    """The leg that was dialled last."""
    leg = next(one.leg for one in reversed(book.all) if isinstance(one, DialAlarm))
    if how == "mailbox":
        book.tells(Answered(at(book.seconds), leg), NoKey(at(book.seconds), leg))
    book.tells(HungUp(at(book.seconds), leg, *REFUSALS.get(how, (16, 0))))


@settings(deadline=None)
@given(st.integers(1, 3), st.integers(1, 4), st.lists(WORDS, unique=True), st.lists(WORDS, min_size=1, max_size=12))
def test_a_person_is_rung_as_often_as_the_retries_say_and_on_no_other_phone(
    phones: int, rounds: int, on: list[str], becomes: list[str]
) -> None:
    book = Playbook.of(1, phones=phones, rounds=rounds, retry_on=tuple(on), pause_s=60.0)
    told = cycle(becomes)
    pauses = 0
    while book.outcome is None:
        if not book.wanted:
            assert book.passes(59).wanted == []
            book.passes(1)
            pauses += 1
        ends(book.rings(1), next(told))
    own = [number(1, place) for place in range(phones)]
    assert book.dialled == [*promised(own, rounds, on, cycle(becomes))]
    assert pauses == max(book.dialled.count(phone) for phone in own) - 1
    assert (book.outcome, book.states(1)[-1]) == ("failed", "unreached")


@settings(deadline=None)
@given(st.lists(GROUPS, min_size=1, max_size=5), WAVES)
def test_a_person_is_wanted_from_the_time_of_the_own_wave_on(
    people: list[tuple[int, ...]], made: list[tuple[int, tuple[int, ...]]]
) -> None:
    waves = tuple(Wave(after_s, groups) for after_s, groups in sorted(made, key=lambda wave: wave[0]))
    persons = tuple(person(which, groups=groups) for which, groups in enumerate(people, 1))
    book = Playbook.of(persons, strategy="waves", waves=waves)
    since: dict[str, float] = {}
    for second in range(LATEST_S):
        for wanted in book.passes(second - book.seconds).wanted:
            since.setdefault(wanted, second)
    expected = {number(which): begins_s(place, people, waves) for which, groups in enumerate(people, 1)
                for place in [wave_of(groups, waves)]}
    assert since == {phone: begins for phone, begins in expected.items() if begins is not None}


def wave_of(groups: tuple[int, ...], waves: Sequence[Wave]) -> int:
    named = [place for place, wave in enumerate(waves) if not wave.group_ids or {*wave.group_ids} & {*groups}]
    return min([*named, len(waves)])


def begins_s(place: int, people: Sequence[tuple[int, ...]], waves: Sequence[Wave]) -> float | None:
    """Nobody answers here: a wave begins at its time, or, when nobody is in those before, with the one before."""
    if place == 0:
        return waves[0].after_s
    if all(wave_of(groups, waves) >= place for groups in people):
        return waves[0].after_s
    return waves[place].after_s if place < len(waves) else None
