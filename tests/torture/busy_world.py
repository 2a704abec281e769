"""A world in which everything goes on at once, and faults that strike it one after the other. Used by the tests of
single kinds of faults and by the random mix."""

import asyncio
import random
import time
from collections.abc import Iterable

from tests.torture import invariants
from tests.torture.crowd import Crowd, never_open
from tests.torture.faults import Harm, Strike
from tests.torture.world import World

AGENTS, CALLERS = 8, 3
CAPS = {"trunk_cps": 15, "trunk_channels": 100}
SWITCH_BACK_S = 5.0     # after Asterisk's return a new call is taken
OTHERS_BACK_S = 10.0    # after any other fault: nobody is left in silence for longer
STALL_S = 1.0           # of this process, in which the phones live: what they saw then is not to be trusted


async def busy_world(
    open_world, rng: random.Random, people: int, contacts: int, is_brief: bool = False, **settings: object,
) -> Crowd:
    """Callers of a hotline, people to alarm, a campaign with some who must not be called, and one whose window is
    closed."""
    world: World = await open_world(**{**CAPS, **settings})
    await world.hotline(agents=AGENTS)
    crowd = Crowd(world, random.Random(rng.random()), is_brief)  # who calls when must not change what strikes when
    await crowd.people(people)
    await crowd.drive(contacts=contacts, do_not_call=2, cpm=120)
    await crowd.drive(contacts=2, window=never_open())
    return crowd


async def strikes(crowd: Crowd, schedule: Iterable[Strike]) -> None:
    """One after the other, while the crowd goes on; then everything comes to its end, and is judged.

    What the phones can tell is judged after each; how long it takes until the system is whole again is measured.
    """
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(watch(crowd))
        for _ in range(CALLERS):
            tasks.create_task(crowd.visits_again_and_again())
        tasks.create_task(crowd.alarms_again_and_again())
        for strike in schedule:
            await asyncio.sleep(strike.after_s)
            await blow(crowd, strike)
        crowd.ends.set()
    await invariants.check(crowd)


async def watch(crowd: Crowd) -> None:
    """Says when this process, and with it every phone, stood still."""
    while not crowd.ends.is_set():
        since = time.monotonic()
        await asyncio.sleep(0.1)
        if (stood_s := time.monotonic() - since - 0.1) > STALL_S:
            print(f"{since:.2f} the phones stood still for {stood_s:.1f} s")


async def blow(crowd: Crowd, strike: Strike) -> None:
    world = crowd.world
    harm = await world.suffers(strike.fault, strike.for_s)
    await new_call_is_taken(crowd, harm)
    took_s = await world.recovers(harm)
    print(f"{harm.struck_at:.2f} {harm.name} for {strike.for_s:.1f} s: whole again after {took_s:.1f} s")
    if wrong := invariants.so_far(crowd):
        await invariants.tell(crowd)
        raise AssertionError("\n".join(wrong))


async def new_call_is_taken(crowd: Crowd, harm: Harm) -> None:
    """Whoever calls now is served, by the engine or without it."""
    call = await crowd.world.call()
    await call.answered(timeout_s=30)
    took_s = time.monotonic() - call.invited_at
    crowd.world.tally.recovered(took_s)
    call.hang_up()
    if took_s > (SWITCH_BACK_S if "switch" in harm.parts else OTHERS_BACK_S):
        await invariants.tell(crowd)
        raise AssertionError(f"after {harm.name} the new call of {call.who} was taken only after {took_s:.1f} s")
