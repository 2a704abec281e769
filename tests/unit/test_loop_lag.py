"""How late the event loop is."""

import asyncio
import time

from engine.figures import Figures
from engine.loop_lag import EVERY_S, watch


async def _seen(busy_s: float) -> list[float]:
    seen: list[float] = []
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(watch(seen.append))
        await asyncio.sleep(0)
        time.sleep(EVERY_S + busy_s)  # noqa: ASYNC251 -- holds the loop: that is what is measured
        while not seen:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        watching.cancel()
    return seen


async def test_a_loop_that_is_held_is_late_by_as_much() -> None:
    [late, *_] = await _seen(0.2)
    assert 0.19 <= late < 2


def test_it_is_a_figure() -> None:
    figures = Figures()
    figures.loop_late(0.004)
    figures.loop_late(0.04)
    text = figures.text()
    assert 'ringward_loop_lag_seconds_bucket{le="0.005"} 1.0' in text
    assert "ringward_loop_lag_seconds_count 2.0" in text
