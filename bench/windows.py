"""A stretch of a bench's run: which calls ended in it, and what processes cost meanwhile. Pure but for `window`."""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from bench.processes import family_cpu_s


@dataclass(frozen=True, slots=True)
class Window:
    """Monotonic seconds, and CPU seconds by the name of a part."""

    began_s: float
    ended_s: float
    cpu_s: Mapping[str, float]

    def holds(self, at_s: float) -> bool:
        return self.began_s <= at_s < self.ended_s

    def ms_a_call(self, part: str, calls: int) -> float:
        return 1000 * self.cpu_s[part] / calls if calls else float("inf")


async def window(seconds: float, pids: Mapping[str, Collection[int]]) -> Window:
    """Opens now. `pids` by part; a process counts with its children."""
    before, began_s = _cpu_s(pids), time.monotonic()
    await asyncio.sleep(seconds)
    after, ended_s = _cpu_s(pids), time.monotonic()
    return Window(began_s, ended_s, {part: after[part] - before[part] for part in pids})


def a_second(ends_s: Collection[float], live: int) -> float:
    """Calls a second out of the times at which they ended, `live` of them at any time. Calls of one length end in
    waves: counted is from one end to the end that is whole generations later, so that no wave counts by half."""
    ordered: Sequence[float] = sorted(ends_s)
    counted = (len(ordered) - 1) // live * live or len(ordered) - 1
    return counted / (ordered[counted] - ordered[0]) if counted > 0 else 0.0


def _cpu_s(pids: Mapping[str, Collection[int]]) -> dict[str, float]:
    return {part: sum(map(family_cpu_s, these)) for part, these in pids.items()}
