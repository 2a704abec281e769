"""Asterisk is killed, stopped, restarted: its calls end and are recorded, alarms ring on, new calls are taken."""

import random

import pytest

from tests.torture.busy_world import busy_world, strikes
from tests.torture.faults import strike
from tests.torture.faults_of_processes import AsteriskKilled, AsteriskRestarted, AsteriskStopped, BothKilled

FAULTS = (AsteriskKilled(), AsteriskStopped(), AsteriskRestarted(), BothKilled())


@pytest.mark.timeout(150)
async def test_asterisk_killed_at_a_random_point(open_world, rng: random.Random) -> None:
    crowd = await busy_world(open_world, rng, people=30, contacts=8)
    await strikes(crowd, [strike(AsteriskKilled(), rng, longest_s=1.0)])


@pytest.mark.full
@pytest.mark.timeout(300)
async def test_asterisk_killed_stopped_and_restarted(open_world, rng: random.Random) -> None:
    crowd = await busy_world(open_world, rng, people=90, contacts=25)
    await strikes(crowd, [strike(fault, rng) for fault in rng.sample([*FAULTS, *FAULTS], 6)])
