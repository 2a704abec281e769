"""Asterisk is killed, stopped, restarted: its calls end and are recorded, alarms ring on, new calls are taken."""

import random

import pytest

from tests.torture.busy_world import busy_world, strikes
from tests.torture.faults import strike
from tests.torture.faults_of_processes import AsteriskKilled, AsteriskRestarted, AsteriskStopped, BothKilled

FAULTS = (AsteriskKilled(), AsteriskStopped(), AsteriskRestarted(), BothKilled())


@pytest.mark.full
@pytest.mark.timeout(420)
async def test_asterisk_killed_stopped_and_restarted(open_world, rng: random.Random) -> None:
    crowd = await busy_world(open_world, rng, people=90, contacts=25)
    await strikes(crowd, [strike(fault, rng) for fault in rng.sample([*FAULTS, AsteriskKilled(), BothKilled()], 6)])
