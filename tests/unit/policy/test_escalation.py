"""Who is rung next, and on which phone: as tables; `sequential` also against what it promises."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.policy.escalation import Candidate, is_retried, next_in_line, next_phone, wave_due_at, wave_of
from engine.policy.quorum import Quorum, is_reachable, missing, together
from engine.vocabulary.values import Disposition, Wave

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
ROLES = st.sampled_from(["", "driver", "medic"])
TALLIES = st.dictionaries(ROLES, st.integers(0, 3))


@pytest.mark.parametrize(("how", "on", "retried"), [
    (Disposition.BUSY, ("busy",), True),
    (Disposition.BUSY, ("noAnswer", "mailbox", "failed"), False),
    (Disposition.NO_ANSWER, ("noAnswer",), True),
    (Disposition.MAILBOX, ("mailbox",), True),
    (Disposition.ANSWERED, ("mailbox",), True),  # whatever answered and pressed no key
    (Disposition.ANSWERED, ("noAnswer", "busy", "failed"), False),
    (Disposition.FAILED, ("failed",), True),
    (Disposition.CANCELLED, (), True),
    (Disposition.DECLINED, ("busy", "noAnswer", "mailbox", "failed"), False),
    (Disposition.ACKNOWLEDGED, ("busy", "noAnswer", "mailbox", "failed"), False),
])
def test_what_is_retried(how: Disposition, on: tuple[str, ...], retried: bool) -> None:
    assert is_retried(how, on) is retried


@pytest.mark.parametrize(("first", "dropped", "place"), [
    (0, (), 0), (1, (), 1), (2, (), None), (0, ("a",), 1), (0, ("a", "b"), None), (1, ("a",), 1),
])
def test_the_next_phone_of_a_person(first: int, dropped: tuple[str, ...], place: int | None) -> None:
    assert next_phone(("a", "b"), first, dropped) == place


@pytest.mark.parametrize(("groups", "waves", "place"), [
    ((1,), [(1,), (2,)], 0),
    ((2,), [(1,), (2,)], 1),
    ((1, 2), [(1,), (2,)], 0),  # rung once, in the first that names him
    ((3,), [(1,), (2,)], 2),  # whom no wave names is in one more
    ((3,), [(1,), ()], 1),
    ((), [(1,), ()], 1),
    ((2,), [(1,), (), (2,)], 1),  # everyone left, also of later groups
    ((), [], 0),
])
def test_the_wave_of_a_person(groups: tuple[int, ...], waves: list[tuple[int, ...]], place: int) -> None:
    assert wave_of(groups, [Wave(0, group_ids) for group_ids in waves]) == place


def test_a_wave_is_due_by_the_beginning_of_the_alarm_and_one_more_has_no_time() -> None:
    waves = [Wave(0), Wave(120)]
    assert wave_due_at(waves, 1, NOW) == NOW + timedelta(seconds=120)
    assert wave_due_at(waves, 2, NOW) is None


@pytest.mark.parametrize(("needed", "by_role", "acknowledged", "ringing", "roles", "places"), [
    (1, {}, {}, {}, ["", "", ""], (0,)),
    (2, {}, {}, {}, ["", "", ""], (0, 1)),
    (2, {}, {"": 1}, {}, ["", "", ""], (0,)),
    (2, {}, {}, {"": 2}, ["", "", ""], ()),
    (2, {"driver": 1}, {}, {}, ["", "", "driver"], (0, 2)),  # one place is kept for a driver
    (2, {"driver": 1}, {}, {"driver": 1}, ["", "driver"], (0,)),
    (2, {"driver": 1}, {"": 2}, {}, ["", "driver"], (1,)),
    (2, {"driver": 1}, {"": 2}, {"driver": 1}, ["", "driver"], ()),
])
def test_whom_sequential_rings_now(
    needed: int, by_role: dict[str, int], acknowledged: dict[str, int], ringing: dict[str, int], roles: list[str],
    places: tuple[int, ...],
) -> None:
    candidates = [Candidate(True, 1, place, role) for place, role in enumerate(roles)]
    assert next_in_line(candidates, Quorum(needed, tuple(by_role.items())), acknowledged, ringing, True) == places


def test_who_has_begun_his_round_comes_first_then_who_was_rung_less_often() -> None:
    candidates = [Candidate(True, 2, 0, ""), Candidate(True, 1, 1, ""), Candidate(False, 2, 2, "")]
    assert next_in_line(candidates, Quorum(3), {}, {}, True) == (2, 1, 0)


def test_out_of_reach_everybody_is_rung_no_more_at_once_than_are_missing() -> None:
    candidates = [Candidate(True, 1, place, "") for place in range(4)]
    quorum = Quorum(2, (("driver", 1),))
    assert next_in_line(candidates, quorum, {}, {}, False) == (0, 1)
    assert next_in_line(candidates, quorum, {"": 2}, {"": 1}, False) == ()


@given(st.integers(1, 5), st.dictionaries(st.sampled_from(["driver", "medic"]), st.integers(1, 2)), TALLIES, TALLIES,
       st.lists(ROLES, max_size=8))
def test_sequential_rings_as_many_as_would_suffice_and_not_one_more(
    needed: int, by_role: dict[str, int], acknowledged: dict[str, int], ringing: dict[str, int], roles: list[str]
) -> None:
    quorum = Quorum(needed, tuple(by_role.items()))
    candidates = [Candidate(True, 1, place, role) for place, role in enumerate(roles)]
    hope = is_reachable(quorum, together(acknowledged, ringing), Counter(roles))
    chosen = next_in_line(candidates, quorum, acknowledged, ringing, True)
    promised = together(together(acknowledged, ringing), Counter(roles[place] for place in chosen))
    assert not hope or missing(quorum, promised) == 0
    assert len(chosen) <= missing(quorum, together(acknowledged, ringing))
