"""What the waiting callers tell of their music: by him who heard least."""

import pytest

from bench.load_callers import Heard, Waited, waited


def test_the_caller_who_heard_least_is_told_as_his_share_of_the_packets_due() -> None:
    told = waited([Heard(500, 10.0, 0), Heard(450, 10.0, 0), Heard(100, 2.0, 0)], ended=0)
    assert told == Waited(3, pytest.approx(0.9), 0, 0)


def test_a_gap_of_one_is_not_made_up_for_by_the_others() -> None:
    assert waited([Heard(500, 10.0, 0)] * 99 + [Heard(0, 10.0, 0)], ended=0).least == 0


def test_lost_packets_are_those_of_all() -> None:
    assert waited([Heard(50, 1.0, 2), Heard(50, 1.0, 3)], ended=0).lost == 5


def test_calls_that_have_ended_are_told_apart_from_those_that_are_up() -> None:
    told = waited([Heard(50, 1.0, 0)], ended=2)
    assert (told.calls, told.ended) == (1, 2)


def test_with_nobody_up_nothing_is_missing() -> None:
    assert waited([], ended=0) == Waited(0, 1.0, 0, 0)
