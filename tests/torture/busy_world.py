"""A world in which everything goes on at once, and faults that strike it one after the other. Used by the tests of
single kinds of faults and by the random mix."""

import asyncio
import random
import time
from collections.abc import Iterable

from tests.torture import invariants
from tests.torture.crowd import Crowd, never_open
from tests.torture.faults import Fault
from tests.torture.world import World

AGENTS, CALLERS = 8, 3
RETURNS_WITHIN_S = 5.0      # of Asterisk's return: until a new call is taken


async def busy_world(open_world, rng: random.Random, people: int, contacts: int, **settings: object) -> Crowd:
    """Callers of a hotline, people to alarm, a campaign with some who must not be called, and one whose window is
    closed."""
    world: World = await open_world(**settings)
    await world.hotline(agents=AGENTS)
    crowd = Crowd(world, rng)
    await crowd.people(people)
    await crowd.drive(contacts=contacts, do_not_call=2, cpm=120)
    await crowd.drive(contacts=2, window=never_open())
    return crowd


async def strikes(crowd: Crowd, faults: Iterable[Fault], longest_s: float = 9.0) -> None:
    """One after the other at random moments, while the crowd goes on; then everything comes to its end, and is judged.

    What the phones can tell is judged after each; how long it takes until the system is whole again is measured.
    """
    world = crowd.world
    async with asyncio.TaskGroup() as tasks:
        for _ in range(CALLERS):
            tasks.create_task(crowd.visits_again_and_again())
        tasks.create_task(crowd.alarms_again_and_again())
        for fault in faults:
            await asyncio.sleep(crowd.rng.uniform(0.3, 2.0))
            least_s, most_s = fault.lasts_s
            for_s = crowd.rng.uniform(min(least_s, longest_s), min(most_s, longest_s))
            harm = await world.suffers(fault, for_s)
            if "switch" in fault.harms:
                await new_call_is_taken(crowd)
            took_s = await world.recovers(harm)
            print(f"{harm.struck_at:.2f} {harm.name} for {for_s:.1f} s: whole again after {took_s:.1f} s")
            if wrong := invariants.so_far(crowd):
                await invariants.tell(crowd)
                raise AssertionError("\n".join(wrong))
        crowd.ends.set()
    await invariants.check(crowd)


async def new_call_is_taken(crowd: Crowd) -> None:
    """Asterisk is back: whoever calls now is served, by the engine or without it."""
    since = time.monotonic()
    call = await crowd.world.call()
    await call.answered(timeout_s=30)
    took_s = time.monotonic() - since
    crowd.world.tally.recovered(took_s)
    call.hang_up()
    assert took_s <= RETURNS_WITHIN_S, f"a call was taken {took_s:.1f} s after Asterisk's return"
