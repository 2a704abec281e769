"""The engine is killed and stopped at random points, with callers, alarms and a campaign under way."""

import asyncio
import random

import pytest

from tests.torture import invariants
from tests.torture.crowd import Crowd
from tests.torture.faults import Fault
from tests.torture.faults_of_processes import EngineKilled, EngineReplaced, EngineStopped
from tests.torture.world import World

pytestmark = pytest.mark.timeout(150)


async def busy_world(open_world, rng: random.Random, **settings: object) -> Crowd:
    """Callers, alarms, a campaign with people who must not be called."""
    world: World = await open_world(**settings)
    await world.hotline(agents=6)
    crowd = Crowd(world, rng)
    await crowd.people(60)
    await crowd.drive(contacts=20, do_not_call=2, cpm=120)
    return crowd


async def strikes(crowd: Crowd, faults: list[Fault], longest_s: float = 3.0) -> None:
    """One after the other at random moments, while the crowd goes on."""
    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(crowd.visits_again_and_again())
        tasks.create_task(crowd.alarms_again_and_again())
        for fault in faults:
            await asyncio.sleep(crowd.rng.uniform(0.3, 2.0))
            harm = await crowd.world.suffers(fault, crowd.rng.uniform(*fault.lasts_s) % longest_s)
            print(f"{harm.name}: back after {await crowd.world.recovers(harm):.1f} s")
            assert not (wrong := invariants.so_far(crowd)), wrong
        crowd.ends.set()


async def test_killed_and_stopped_at_random_points(open_world, rng: random.Random) -> None:
    crowd = await busy_world(open_world, rng)
    await strikes(crowd, rng.sample([EngineKilled(), EngineStopped(), EngineReplaced()], 3))
    await invariants.check(crowd)


@pytest.mark.full
@pytest.mark.timeout(240)
async def test_killed_and_stopped_many_times(open_world, rng: random.Random) -> None:
    crowd = await busy_world(open_world, rng)
    await strikes(crowd, [rng.choice([EngineKilled(), EngineStopped(), EngineReplaced()]) for _ in range(10)], 9.0)
    await invariants.check(crowd)
