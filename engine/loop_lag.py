"""How late the event loop is: a timer that should come every 50 ms, and how much later it came.

Run by `engine/app.py` beside everything else; `engine/figures.py` keeps the histogram. It costs twenty wakes a second.
What it sees is what every event waits at most: a step, a save's batch or a garbage collection that holds the loop.
"""

import asyncio
from collections.abc import Callable

EVERY_S = 0.05


async def watch(note: Callable[[float], None]) -> None:
    """Until cancelled; `note` gets each lateness in seconds."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + EVERY_S
        await asyncio.sleep(EVERY_S)
        note(max(0.0, loop.time() - due))
