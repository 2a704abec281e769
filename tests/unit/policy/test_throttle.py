"""How often a phone may be rung, and a pin be wrong."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.policy.throttle import STORM, pin_tries, rests_until_s

NOW_S = 100_000.0


def ago(*minutes: float) -> list[float]:
    return [NOW_S - 60 * one for one in minutes]


@pytest.mark.parametrize(("dialled_min_ago", "rests_min"), [
    ((), None),
    ((1, 2), None),
    ((1, 2, 3), 12),
    ((3, 1, 2), 12),
    ((1, 2, 14), 1),
    ((1, 2, 15), None),  # a window is over to the second
    ((1, 2, 3, 4), 12),  # the third last counts
    ((0, 0, 0), 15),
    ((16, 20, 25, 30, 35, 40, 50), 10),  # seven in an hour
    ((16, 20, 25, 30, 35, 40, 60), None),
    ((1, 2, 3, 30, 35, 40, 50), 12),  # both: the later
    ((1, 2, 3, 30, 35, 40, 41), 19),
])
def test_a_number_rests_after_three_dials_in_15_minutes_or_seven_in_an_hour(
    dialled_min_ago: Sequence[float], rests_min: float | None
) -> None:
    expected = None if rests_min is None else NOW_S + 60 * rests_min
    assert rests_until_s(ago(*dialled_min_ago), NOW_S) == expected


@given(st.lists(st.integers(0, 7200), max_size=30))
def test_whoever_obeys_never_exceeds_a_limit(gaps: list[int]) -> None:
    dials: list[float] = []
    now_s = NOW_S
    for gap in gaps:
        now_s += gap
        now_s = rests_until_s(dials, now_s) or now_s
        assert rests_until_s(dials, now_s) is None  # what was said is enough
        dials.append(now_s)
    for limit in STORM:
        for first in dials:
            assert sum(1 for one in dials if first <= one < first + limit.window_s) <= limit.count


@pytest.mark.parametrize(("wrong_min_ago", "left"), [
    ((), 3), ((1, 2), 3), ((1, 2, 3), 2), ((1, 2, 3, 4), 1), ((1, 2, 3, 4, 5), 0), ((1, 2, 3, 4, 5, 6), 0),
    ((1, 2, 3, 4, 14.9), 0), ((1, 2, 3, 4, 15), 1),
])
def test_five_wrong_pins_in_15_minutes_and_three_in_a_call_are_the_most(
    wrong_min_ago: Sequence[float], left: int,
) -> None:
    assert pin_tries(ago(*wrong_min_ago), NOW_S) == left
