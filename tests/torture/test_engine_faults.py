"""The engine is killed and stopped at random points, with callers, alarms and a campaign under way."""

import random

import pytest

from tests.torture.busy_world import busy_world, strikes
from tests.torture.faults import strike
from tests.torture.faults_of_processes import ApiKilled, EngineKilled, EngineReplaced, EngineStopped

FAULTS = (EngineKilled(), EngineStopped(), EngineReplaced())


@pytest.mark.timeout(240)
async def test_engine_killed_and_stopped_at_random_points(open_world, rng: random.Random) -> None:
    crowd = await busy_world(open_world, rng, people=20, contacts=6, is_brief=True)
    await strikes(crowd, [strike(fault, rng, longest_s=2.0) for fault in rng.sample(FAULTS, 2)])


@pytest.mark.full
@pytest.mark.timeout(420)
async def test_engine_killed_and_stopped_many_times(open_world, rng: random.Random) -> None:
    crowd = await busy_world(open_world, rng, people=70, contacts=25)
    await strikes(crowd, [strike(rng.choice([*FAULTS, ApiKilled()]), rng) for _ in range(6)])
