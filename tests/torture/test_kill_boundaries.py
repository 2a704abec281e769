"""The real engine dies at every boundary between a save and what follows from it, under load, on real parts."""

import asyncio
import random
import time
from collections.abc import Sequence

import pytest

from tests.torture import invariants
from tests.torture.busy_world import CALLERS, busy_world
from tests.torture.crowd import Crowd
from tests.torture.faults import Harm
from tests.torture.faults_of_processes import ENGINE, dies
from tests.torture.mortal_process import BOUNDARIES, MortalProcess


async def die_at(crowd: Crowd, boundaries: Sequence[str]) -> list[str]:
    """One life after the other; returns the boundaries that no life reached."""
    world, missed = crowd.world, []
    engine = world.town.engine
    assert isinstance(engine, MortalProcess)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(CALLERS):
            tasks.create_task(crowd.visits_again_and_again())
        tasks.create_task(crowd.alarms_again_and_again((0.5, 2.0)))
        engine.kill()
        for boundary in boundaries:
            engine.fate, engine.nth = boundary, crowd.rng.randint(1, 3)
            engine.start()
            if not await dies(engine):
                missed.append(boundary)
                engine.kill()
            now = time.monotonic()
            world.harms.append(Harm(f"engine died {boundary} ({engine.nth})", ENGINE, now, now))
            world.tally.faults += 1
        engine.fate = ""
        engine.start()
        await world.recovers(world.harms[-1])
        crowd.ends.set()
    await invariants.check(crowd)
    return missed


@pytest.mark.full
@pytest.mark.timeout(600)
async def test_killed_at_every_boundary(open_world, rng: random.Random) -> None:
    crowd = await busy_world(open_world, rng, people=200, contacts=50, engine=MortalProcess)
    missed = await die_at(crowd, rng.sample(BOUNDARIES, len(BOUNDARIES)))
    print("not reached:", missed)
    assert len(missed) <= len(BOUNDARIES) // 4, missed
