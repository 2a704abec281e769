"""Engine and Asterisk are killed together while people hear the thank-you: nobody who heard it is called again."""

import asyncio
import random

import pytest

from engine.softphone import Behaviour
from tests.torture import invariants
from tests.torture.crowd import ACCEPTS, Crowd
from tests.torture.faults_of_processes import AsteriskKilled, BothKilled, EngineKilled
from tests.torture.report import Tally
from tests.torture.world import World

PEOPLE = 8
MOMENT_S = 1.2      # within which they press their keys, the last one as the blow comes


async def thanks(world: World, rng: random.Random, tally: Tally, times: int) -> None:
    crowd = Crowd(world, rng)
    await crowd.people(PEOPLE * times)
    for _ in range(times):
        order = await crowd.alarm(needed="all", habits=["acknowledges"] * PEOPLE)
        tally.calls += PEOPLE
        phones = [world.phone(n) for n in order.people]
        for phone in phones:    # by hand this time, and by themselves whenever they are called again
            phone.behaviour = Behaviour(answer_after_s=0.1, next_time=ACCEPTS)
        for phone in phones:
            await phone.heard(0.4, timeout_s=20)
        for phone in rng.sample(phones, PEOPLE):
            phone.press("1", 0.06)
            await asyncio.sleep(rng.uniform(0, 2 * MOMENT_S / PEOPLE))
        await world.recovers(await world.suffers(rng.choice([BothKilled(), BothKilled(), AsteriskKilled(),
                                                              EngineKilled()]), rng.uniform(0, 1.0)))
    await invariants.check(crowd)


@pytest.mark.timeout(240)
async def test_killed_together_in_the_moment_of_the_thank_you(open_world, rng: random.Random, tally: Tally) -> None:
    await thanks(await open_world(), rng, tally, 1)


@pytest.mark.full
@pytest.mark.timeout(420)
async def test_killed_in_that_moment_again_and_again(open_world, rng: random.Random, tally: Tally) -> None:
    await thanks(await open_world(), rng, tally, 5)
