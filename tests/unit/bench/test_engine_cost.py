"""What a call costs the engine is judged at the rate that was asked for, and at no lower one."""

import pytest

from bench.engine_cost import MOST_MS, at_its_rate, goals
from bench.pairs import Result, of_runs


def measured(rate: int, ms: float, calls_a_second: float) -> list[Result]:
    values = {"engine": ms, "calls_a_second": calls_a_second}
    return [of_runs(goal, [values.get(goal.of, 0.0)]) for goal in goals(rate)]


@pytest.mark.parametrize("rate", MOST_MS)
def test_the_goal_holds_at_its_own_rate(rate: int) -> None:
    cost, *_ = at_its_rate(measured(rate, MOST_MS[rate], rate))
    assert cost.held and not cost.why
    assert not at_its_rate(measured(rate, MOST_MS[rate] + 0.1, rate))[0].held


def test_a_cost_at_fewer_calls_a_second_is_no_cost_at_that_rate() -> None:
    cost, rate, *_ = at_its_rate(measured(200, 0.5, 60))
    assert not cost.held and not rate.held
    assert cost.why == "at 60 calls/s; "
