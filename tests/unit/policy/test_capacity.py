"""The trunk's budget as a token bucket."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.policy.capacity import Bucket


def test_a_full_bucket_allows_one_seconds_worth_at_once() -> None:
    assert Bucket.full(50, now_s=10).whole == 50


def test_what_was_taken_comes_back_with_time_and_never_more_than_a_seconds_worth() -> None:
    bucket = Bucket.full(50, now_s=10).take(50)
    assert bucket.whole == 0
    assert bucket.refilled(10.5).whole == 25
    assert bucket.refilled(100).whole == 50


def test_a_rate_below_one_a_second_still_lets_one_leg_through_now_and_then() -> None:
    bucket = Bucket.full(0.5, now_s=0).take(1)
    assert bucket.refilled(1.9).whole == 0
    assert bucket.refilled(2.0).whole == 1


def test_it_says_when_the_next_leg_may_be_dialled() -> None:
    assert Bucket.full(4, now_s=0).take(4).next_in_s == pytest.approx(0.25)
    assert Bucket.full(4, now_s=0).next_in_s == 0


def test_a_clock_that_stands_still_or_steps_back_gives_nothing() -> None:
    bucket = Bucket.full(4, now_s=10).take(4)
    assert bucket.refilled(10).whole == 0 and bucket.refilled(9).whole == 0


@given(st.floats(0.1, 200), st.lists(st.floats(0, 2), max_size=50))
def test_in_any_stretch_of_time_no_more_is_granted_than_the_rate_and_one_bucket(
    rate: float, pauses: list[float]
) -> None:
    bucket, now_s, granted = Bucket.full(rate, 0), 0.0, 0
    for pause in pauses:
        now_s += pause
        bucket = bucket.refilled(now_s)
        granted += bucket.whole
        bucket = bucket.take(bucket.whole)
    assert granted <= max(1, rate) + rate * now_s + 1e-6
