"""An engine is stopped while agents accept: what the dialplan did meanwhile is not spoilt when it wakes."""

import asyncio
import random

import pytest

from engine.softphone import Behaviour
from tests.acceptance.conftest import QUICK
from tests.torture import invariants
from tests.torture.crowd import Crowd
from tests.torture.faults_of_processes import EngineStopped
from tests.torture.report import Tally
from tests.torture.world import AGENT, World

LINES = 5
PRESSED_TO_TALK_S = QUICK["claim_s"]    # then the dialplan joins an agent who pressed the key by itself


@pytest.mark.full
@pytest.mark.timeout(120)
async def test_talks_that_the_dialplan_made_outlive_every_lease(open_world, rng: random.Random, tally: Tally) -> None:
    world: World = await open_world(round_min_s=1)
    await world.hotline(agents=LINES)
    for n in range(1, LINES + 1):      # each answers, and presses the key while the engine is stopped
        world.phone(n).behaviour = Behaviour(
            answer_after_s=0.2, audio=AGENT, loop_audio=True, press="1", press_after_s=rng.uniform(1.0, 3.0))
    crowd = Crowd(world, rng)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(LINES):
            tasks.create_task(crowd.visit(talks_s=QUICK["lease_s"] + 4))
        await world.phone(1).answered()
        await world.suffers(EngineStopped(), rng.uniform(PRESSED_TO_TALK_S, PRESSED_TO_TALK_S + 2.5))
    await invariants.check(crowd)
