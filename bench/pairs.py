"""Two arms measured in turn, A B B A, until their ratios can be believed or ten pairs have passed.

An arm is one run of a fixed length that gives its figures by name. A (the baseline) and B (ours) share machine,
moment and settings. A pair is two neighbouring runs, one of each arm; a result is the median of the pairs' ratios (or
differences), with the smallest and the largest. If the runs of one arm differ among themselves by more than 15 % after
ten pairs (a ratio's of their median; those with a bound in units of that bound, by which they are judged), it was too
noisy: the result is `unstable` and does not hold.
"""

import asyncio
import os
import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Arm = Callable[[], Awaitable[Mapping[str, float]]]
FEWEST = 5
MOST = int(os.environ.get("BENCH_MOST_PAIRS", "10"))
SPREAD = 0.15


@dataclass(frozen=True, slots=True)
class Goal:
    """What one figure must reach. `of` is the key in the arms' figures; `compare` says what is made of the two arms:
    ours / baseline, ours - baseline, or one of them alone. Exactly one bound, or none: then it is only shown."""

    name: str
    of: str
    compare: Literal["ratio", "difference", "ours", "baseline"]
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    above: float | None = None

    @property
    def text(self) -> str:
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        if self.above is not None:
            return f"> {self.above:g}"
        return "" if self.at_most is None else f"≤ {self.at_most:g}"

    def reached(self, value: float) -> bool:
        return ((self.at_least is None or value >= self.at_least) and (self.above is None or value > self.above)
                and (self.at_most is None or value <= self.at_most))


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table. `figure` is the median of the pairs (or runs). `why` says what limits or disturbs it."""

    name: str
    figure: float
    unit: str
    minimum: float
    maximum: float
    goal: str
    held: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    baseline: Mapping[str, float]
    ours: Mapping[str, float]


async def in_pairs(
    baseline: Arm, ours: Arm, goals: Sequence[Goal], fewest: int = FEWEST, most: int = MOST, rest_s: float = 0.5,
) -> list[Result]:
    """Runs A B B A …: at least `fewest` pairs, more while a goal's runs differ too much, `most` at the end."""
    return await in_rounds([(baseline, goals)], ours, fewest, most, rest_s)


async def in_rounds(
    baselines: Sequence[tuple[Arm, Sequence[Goal]]], ours: Arm, fewest: int = FEWEST, most: int = MOST,
    rest_s: float = 0.5,
) -> list[Result]:
    """The same with several baselines, each with its goals: A B C C B A …, where a run of ours (C) is in a pair with
    every baseline's."""
    pairs: list[list[Pair]] = [[] for _ in baselines]
    arms = [*(arm for arm, _ in baselines), ours]
    count = 0
    while count < fewest or (count < most and any(
            is_unstable(goal, made) for made, (_, goals) in zip(pairs, baselines, strict=True) for goal in goals)):
        figures: dict[int, Mapping[str, float]] = {}
        for place in range(len(arms)) if count % 2 == 0 else reversed(range(len(arms))):
            figures[place] = await arms[place]()
            await asyncio.sleep(rest_s)
        for place, made in enumerate(pairs):
            made.append(Pair(figures[place], figures[len(baselines)]))
        count += 1
    return [of_pairs(goal, made) for made, (_, goals) in zip(pairs, baselines, strict=True) for goal in goals]


async def alone(ours: Arm, goals: Sequence[Goal], runs: int = FEWEST, rest_s: float = 0.5) -> list[Result]:
    """Goals without a baseline: `runs` runs, and the worst of them must reach the goal as well."""
    figures = []
    for _ in range(runs):
        figures.append(await ours())
        await asyncio.sleep(rest_s)
    return [of_runs(goal, [one[goal.of] for one in figures]) for goal in goals]


def of_pairs(goal: Goal, pairs: Sequence[Pair]) -> Result:
    made = [_compared(goal, pair) for pair in pairs]
    figure, unstable = statistics.median(made), is_unstable(goal, pairs)
    why = f"unstable: runs of one arm differ by {100 * _spread(goal, pairs):.0f} %" if unstable else ""
    return Result(goal.name, figure, goal.unit, min(made), max(made), goal.text,
                  goal.reached(figure) and not unstable, why)


def of_runs(goal: Goal, values: Sequence[float]) -> Result:
    held = all(goal.reached(value) for value in values)
    return Result(goal.name, statistics.median(values), goal.unit, min(values), max(values), goal.text, held)


def is_unstable(goal: Goal, pairs: Sequence[Pair]) -> bool:
    """What is only shown, and what must not be at all, is judged by nobody's noise."""
    is_judged = goal.at_least is not None or goal.above is not None or bool(goal.at_most)
    return is_judged and _spread(goal, pairs) > SPREAD


def _compared(goal: Goal, pair: Pair) -> float:
    match goal.compare:
        case "ratio":
            baseline = pair.baseline[goal.of]
            return pair.ours[goal.of] / baseline if baseline else float("inf")
        case "difference":
            return pair.ours[goal.of] - pair.baseline[goal.of]
        case "ours":
            return pair.ours[goal.of]
        case "baseline":
            return pair.baseline[goal.of]


def _spread(goal: Goal, pairs: Sequence[Pair]) -> float:
    """How far the runs of one arm lie apart: as a share of their median for a ratio, else of the bound."""
    arms = []
    if goal.compare != "baseline":
        arms.append([pair.ours[goal.of] for pair in pairs])
    if goal.compare != "ours":
        arms.append([pair.baseline[goal.of] for pair in pairs])
    bound = 0.0 if goal.compare == "ratio" else goal.at_most or goal.at_least or 0.0
    return max(_apart(arm, bound or statistics.median(arm)) for arm in arms)


def _apart(values: Sequence[float], scale: float) -> float:
    apart = max(values) - min(values)
    return apart / scale if scale else (float("inf") if apart else 0.0)
