"""Arms in turn, medians of the pairs, and when a machine was too noisy."""

from collections.abc import Mapping

import pytest

from bench.pairs import Arm, Goal, Pair, alone, in_pairs, in_rounds, is_unstable, of_pairs, of_runs

FASTER = Goal("rate", "rate", "ratio", "", at_least=0.9)


def pairs(*rates: tuple[float, float]) -> list[Pair]:
    """(baseline, ours)"""
    return [Pair({"rate": baseline}, {"rate": ours}) for baseline, ours in rates]


def arm(name: str, order: list[str], *rates: float) -> Arm:
    """Gives these rates, then the last one for ever."""
    left = list(rates)

    async def run() -> Mapping[str, float]:
        order.append(name)
        return {"rate": left.pop(0) if len(left) > 1 else left[0]}

    return run


def test_a_result_is_the_median_of_the_pairs_ratios_with_the_smallest_and_the_largest() -> None:
    result = of_pairs(FASTER, pairs((100, 95), (100, 99), (104, 104)))
    assert (result.figure, result.minimum, result.maximum) == (0.99, 0.95, 1.0)
    assert result.held and not result.why


def test_a_pair_is_compared_within_itself_not_with_another_ones_baseline() -> None:
    assert of_pairs(FASTER, pairs((100, 90), (110, 99), (105, 94.5))).figure == pytest.approx(0.9)


def test_what_only_one_arm_has_is_not_asked_of_the_other() -> None:
    calls = Goal("calls", "calls", "ours", "calls/s")
    assert of_pairs(calls, [Pair({}, {"calls": 80})]).figure == 80


def test_a_median_below_the_goal_does_not_hold() -> None:
    assert not of_pairs(FASTER, pairs((100, 89), (100, 88), (100, 95))).held


@pytest.mark.parametrize("noisy", [pairs((100, 100), (120, 100), (100, 100)), pairs((100, 100), (100, 84), (100, 100))])
def test_runs_of_one_arm_that_differ_by_more_than_15_percent_are_unstable_and_do_not_hold(noisy: list[Pair]) -> None:
    result = of_pairs(FASTER, noisy)
    assert result.figure >= 0.9 and not result.held
    assert result.why.startswith("unstable")


def test_a_difference_is_judged_by_its_bound_and_so_is_its_noise() -> None:
    later = Goal("delay", "rate", "difference", "ms", at_most=10)
    assert of_pairs(later, pairs((2, 5), (3, 5.5), (2.2, 6))).held     # 50 % of a small baseline are 1 ms
    assert not of_pairs(later, pairs((2, 5), (4, 5.5), (2.2, 6))).held


def test_what_is_only_shown_is_never_unstable() -> None:
    shown = Goal("baseline", "rate", "baseline", "1/s")
    assert of_pairs(shown, pairs((10, 1), (100, 1), (20, 1))).figure == 20
    assert not is_unstable(shown, pairs((10, 1), (100, 1)))


def test_what_must_not_be_at_all_may_be_nought_in_every_run() -> None:
    wrong = Goal("wrong", "rate", "ours", "calls", at_most=0)
    assert of_pairs(wrong, pairs((1, 0), (2, 0))).held
    assert not of_pairs(wrong, pairs((1, 0), (2, 0), (2, 3), (2, 3))).held


def test_a_baseline_that_got_nothing_done_is_unstable_not_an_error() -> None:
    assert not of_pairs(FASTER, pairs((0, 10), (0, 10), (10, 10))).held


def test_above_is_more_than_as_much() -> None:
    goal = Goal("calls", "rate", "ours", "calls/s", above=26)
    assert goal.text == "> 26" and not goal.reached(26) and goal.reached(26.1)


def test_of_runs_without_a_baseline_the_worst_must_reach_the_goal_too() -> None:
    goal = Goal("cpu", "rate", "ours", "ms", at_most=2)
    assert of_runs(goal, [1, 1.5, 2]).held
    assert not of_runs(goal, [1, 1, 2.1]).held


async def test_arms_are_run_a_b_b_a() -> None:
    order: list[str] = []
    await in_pairs(arm("A", order, 100), arm("B", order, 100), [FASTER], fewest=4, rest_s=0)
    assert "".join(order) == "ABBAABBA"


async def test_several_baselines_and_ours_are_run_a_b_c_c_b_a_and_ours_is_paired_with_each() -> None:
    order: list[str] = []
    results = await in_rounds([(arm("A", order, 100), [FASTER]), (arm("B", order, 50), [FASTER])],
                              arm("C", order, 50), fewest=2, rest_s=0)
    assert "".join(order) == "ABCCBA"
    assert [result.figure for result in results] == [0.5, 1.0]


async def test_a_noisy_machine_gets_ten_pairs_and_a_quiet_one_five() -> None:
    for rates, count in (((100, 100), 5), ((100, 150, 100), 10)):
        order: list[str] = []
        await in_pairs(arm("A", order, *rates), arm("B", order, 100), [FASTER], rest_s=0)
        assert order.count("A") == order.count("B") == count


async def test_ours_alone_is_run_as_often_as_is_said() -> None:
    order: list[str] = []
    [result] = await alone(arm("B", order, 1, 2, 3), [Goal("cpu", "rate", "ours", "ms", at_most=3)], 3, rest_s=0)
    assert (result.figure, result.held, len(order)) == (2, True, 3)
