"""The connection to Asterisk is cut, half open, slow, or its replies are lost, doubled and late: no call suffers."""

import random

import pytest

from tests.torture.busy_world import busy_world, strikes
from tests.torture.faults import strike
from tests.torture.faults_of_ami import IN_MIX


@pytest.mark.full
@pytest.mark.timeout(420)
async def test_every_fault_of_the_ami(open_world, rng: random.Random) -> None:
    crowd = await busy_world(open_world, rng, people=90, contacts=25)
    await strikes(crowd, [strike(fault, rng) for fault in rng.sample(IN_MIX, len(IN_MIX))])
