"""Calls a second out of the moments at which they ended; which of them a window holds."""

import pytest

from bench.windows import Window, a_second


def test_calls_that_end_in_waves_count_by_whole_generations() -> None:
    waves = [1.1 * wave + 0.001 * call for wave in range(5) for call in range(50)]
    assert a_second(waves, 50) == pytest.approx(50 / 1.1)
    assert a_second(waves[:230], 50) == pytest.approx(50 / 1.1)    # the last wave is cut by the window's end


def test_calls_that_end_evenly_count_the_same() -> None:
    assert a_second([0.022 * call for call in range(240)], 50) == pytest.approx(50 / 1.1)


def test_less_than_a_generation_counts_by_what_there_is() -> None:
    assert a_second([0.0, 0.5, 1.0], 50) == pytest.approx(2.0)


@pytest.mark.parametrize("ends", [[], [1.0]])
def test_too_few_calls_are_no_rate(ends: list[float]) -> None:
    assert a_second(ends, 10) == 0.0


def test_a_windows_cost_is_shared_by_the_calls_that_ended_in_it() -> None:
    seen = Window(10.0, 16.0, {"engine": 0.3})
    assert seen.ms_a_call("engine", 300) == pytest.approx(1.0)
    assert seen.ms_a_call("engine", 0) == float("inf")
    assert [seen.holds(at) for at in (9.9, 10.0, 15.9, 16.0)] == [False, True, True, False]
