"""How fast a trunk is dialled."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.policy.capacity import GROUP_S, WINDOW_S, Pace

HOTLINE, ALARM, CAMPAIGN = 0, 1, 2


def granted(pace: Pace, rank: int, until_s: float, step_s: float = 0.001, jitter_s: float = 0) -> list[float]:
    """Somebody who always wants one more, woken every `step_s`."""
    times, now_s, place = [], 0.0, 0
    while now_s <= until_s:
        while pace.wait_s(rank, now_s) == 0:
            times.append(now_s)
            pace = pace.take(rank, now_s)
        place += 1
        now_s = place * step_s + (jitter_s if place % 3 == 0 else 0)
    return times


def most_in_a_second(times: list[float]) -> int:
    return max(sum(1 for other in times if start <= other < start + 1) for start in times)


def test_hotlines_use_a_windows_worth_at_once_and_the_next_when_it_is_over() -> None:
    times = granted(Pace(50), HOTLINE, 1.2)
    assert times[:50] == [0.0] * 50 and times[50] >= WINDOW_S


def test_alarms_are_spaced_evenly() -> None:
    times = granted(Pace(20), ALARM, 6)
    assert times[99] == pytest.approx(99 * WINDOW_S / 20, abs=0.025)
    assert most_in_a_second(times) <= 20
    assert all(later - earlier >= 0.03 for earlier, later in pairwise(times))


def test_who_is_woken_late_does_not_lose_that_time() -> None:
    times = granted(Pace(20), ALARM, 6, step_s=0.007, jitter_s=0.006)
    assert times[99] == pytest.approx(99 * WINDOW_S / 20, abs=0.06)


def test_an_alarm_waits_for_what_hotlines_used() -> None:
    pace = Pace(4)
    for _ in range(4):
        pace = pace.take(HOTLINE, 0)
    assert pace.wait_s(ALARM, 0) == pytest.approx(WINDOW_S)


def test_hotlines_do_not_wait_for_the_spacing_of_alarms() -> None:
    pace = Pace(4).take(ALARM, 10)
    assert pace.wait_s(ALARM, 10) > 0 and pace.wait_s(HOTLINE, 10) == 0


def test_a_rate_below_one_a_second_lets_a_leg_through_now_and_then() -> None:
    assert granted(Pace(0.5), HOTLINE, 5, step_s=0.1) == pytest.approx([0, 2.1, 4.2])


def test_legs_count_from_when_they_were_sent() -> None:
    pace = Pace(2).take(HOTLINE, 0).take(HOTLINE, 0).left(2, 5)
    assert pace.wait_s(HOTLINE, 5) == pytest.approx(WINDOW_S)
    assert Pace(2).take(HOTLINE, 0).left(9, 5).dialled_s == (5,)


@given(st.floats(0.5, 100), st.lists(st.tuples(st.floats(0, 0.5), st.sampled_from([HOTLINE, ALARM])), max_size=120))
def test_in_no_second_more_legs_than_the_rate(rate: float, asked: list[tuple[float, int]]) -> None:
    pace, now_s, times = Pace(rate), 0.0, []
    for pause_s, rank in asked:
        now_s += pause_s
        for _ in range(3):
            if pace.wait_s(rank, now_s) == 0:
                pace = pace.take(rank, now_s)
                times.append(now_s)
    assert not times or most_in_a_second(times) <= max(1, int(rate))


def test_what_was_dialled_before_a_restart_counts() -> None:
    pace = Pace(2).after([0.5, 0.2, 30, -1], 10)
    assert pace.wait_s(HOTLINE, 10) == pytest.approx(WINDOW_S - 0.5)
    assert Pace(2).after([30], 10) == Pace(2)


def test_campaigns_are_spaced_evenly_and_leave_their_share_of_every_window_to_hotlines() -> None:
    pace, times, now_s = Pace(50, headroom=0.2), [], 0.0
    while now_s < 3:
        if pace.wait_s(CAMPAIGN, now_s) == 0:
            pace = pace.take(CAMPAIGN, now_s)
            times.append(now_s)
        assert pace.wait_s(HOTLINE, now_s) == 0
        now_s += 0.001
    assert 38 <= most_in_a_second(times) <= 40
    in_a_tenth = max(sum(1 for other in times if start <= other < start + 0.1) for start in times)
    assert in_a_tenth <= 4 + 3, "who begins has a group's worth at once"
    assert all(later - earlier <= 0.1 for earlier, later in pairwise(times))
    for _ in range(10):
        assert pace.wait_s(HOTLINE, now_s) == 0
        pace = pace.take(HOTLINE, now_s)


@pytest.mark.parametrize("rate", [20, 50, 100, 200])
def test_campaigns_that_are_looked_at_in_groups_do_not_lose_time(rate: int) -> None:
    times = granted(Pace(rate), CAMPAIGN, 6, step_s=GROUP_S, jitter_s=0.01)
    assert len(times) >= 0.97 * 6 * rate / WINDOW_S
    assert most_in_a_second(times) <= rate


def test_hotlines_come_before_campaigns_in_a_window() -> None:
    pace = Pace(50, headroom=0.2)
    for _ in range(40):
        pace = pace.take(HOTLINE, 0)
    assert pace.wait_s(CAMPAIGN, 0.5) > 0 and pace.wait_s(ALARM, 0.5) == 0 and pace.wait_s(HOTLINE, 0.5) == 0


def test_a_pace_of_one_leg_a_second_is_for_campaigns_as_well() -> None:
    assert granted(Pace(1, headroom=0.2), CAMPAIGN, 3)
