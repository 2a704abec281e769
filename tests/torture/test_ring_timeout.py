"""A dial is answered just before and just after our timeout: nobody is lost, nobody is rung twice at once."""

import asyncio
import random

import pytest

from engine.softphone import Behaviour
from tests.torture import invariants
from tests.torture.crowd import ACCEPTS, RING_S, Crowd, around
from tests.torture.report import Tally
from tests.torture.world import AGENT, World

HOTLINE_RING_S = 2
PEOPLE, AGENTS = 12, 8


@pytest.mark.full
@pytest.mark.timeout(240)
async def test_answered_just_before_and_just_after_the_timeout(open_world, rng: random.Random, tally: Tally) -> None:
    world: World = await open_world(ring_timeout_s=HOTLINE_RING_S)
    await world.hotline(agents=AGENTS)
    for n in range(1, AGENTS + 1):
        world.phone(n).behaviour = Behaviour(
            answer_after_s=around(rng, HOTLINE_RING_S), audio=AGENT, loop_audio=True, press="1",
            press_after_hearing_s=0.2)
    crowd = Crowd(world, rng)
    await crowd.people(PEOPLE)
    order = await crowd.alarm(needed="all", habits=["acknowledges"] * PEOPLE)
    for n in order.people:
        world.phone(n).behaviour = ACCEPTS.with_(answer_after_s=around(rng, RING_S))
    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(crowd.visit())
    tally.faults += PEOPLE + AGENTS
    await invariants.check(crowd)
