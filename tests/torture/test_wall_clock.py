"""The wall clock jumps by an hour, forwards and back, of engine, api and database, while everything goes on."""

import asyncio
import random
from pathlib import Path

import pytest

from tests.acceptance.campaign_town import USER
from tests.ictcore_site import PASSWORD
from tests.torture.busy_world import busy_world, strikes
from tests.torture.crowd import Crowd
from tests.torture.fake_clock import FakeClock
from tests.torture.faults import strike
from tests.torture.faults_of_processes import EngineKilled
from tests.torture.faults_of_services import HOUR_S, ClockJumped
from tests.torture.plugin import not_run
from tests.torture.small_disk import NotPermitted

pytestmark = [pytest.mark.full, pytest.mark.timeout(240)]


@pytest.fixture
def fake_clock(tmp_path: Path) -> FakeClock:
    try:
        return FakeClock.make(tmp_path)
    except NotPermitted as error:
        not_run(str(error))
        raise


async def logs_in(crowd: Crowd) -> dict[str, str]:
    fair = crowd.world.fair
    async with fair.muster.session.post(
            f"{fair.muster.url}/ictcore/authenticate", json={"username": USER, "password": PASSWORD},
            headers={"Accept": "application/json"}) as response:
        assert response.status == 200, await response.text()
        token = (await response.json())["token"]
        return {"Authorization": f"Bearer {token}", "Accept": "application/json"}


async def test_the_wall_clock_jumps_by_an_hour(open_world, rng: random.Random, fake_clock: FakeClock) -> None:
    """And once an engine begins under a clock that is wrong; the order of an alarm is repeated under another one."""
    crowd = await busy_world(open_world, rng, people=90, contacts=40)
    world = crowd.world
    await fake_clock.rules(world)
    bearer = await logs_in(crowd)
    jumps = [ClockJumped(fake_clock, by_s) for by_s in (HOUR_S, -HOUR_S)]
    rng.shuffle(jumps)
    schedule = [strike(fault, rng) for jump in jumps for fault in (jump, EngineKilled())]
    async with asyncio.timeout(220):
        await strikes(crowd, schedule)
    fake_clock.is_off_by(-HOUR_S)
    await asyncio.sleep(1.5)    # until everybody has looked at the clock again
    for order in crowd.orders[:3]:
        assert order.alarm_id is not None
        body = {"organizationID": world.town.organisation_id}
        status, _ = await world.muster.ask("POST", "/alarms", body, Idempotency_Key=order.key)
        assert status in (400, 409), "a known key is no new alarm"
    async with world.muster.session.get(f"{world.muster.url}/ictcore/campaigns", headers=bearer) as response:
        assert response.status == 200, f"a token of an hour ahead: {await response.text()}"
