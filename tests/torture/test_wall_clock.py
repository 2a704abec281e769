"""The wall clock jumps by an hour, forwards and back, while everything goes on: of engine and api, and of the database
as well. (By the latter's an alarm that has not begun is an hour older then, and may expire.)"""

import asyncio
import random
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.acceptance.campaign_town import USER
from tests.ictcore_site import PASSWORD
from tests.torture import invariants
from tests.torture.busy_world import CAPS, busy_world, strikes
from tests.torture.crowd import Crowd
from tests.torture.fake_clock import FakeClock
from tests.torture.faults import strike
from tests.torture.faults_of_processes import EngineKilled
from tests.torture.faults_of_services import HOUR_S, ClockJumped
from tests.torture.plugin import NotPermitted, not_run

pytestmark = [pytest.mark.full, pytest.mark.timeout(240)]


@pytest.fixture
def fake_clock(tmp_path: Path) -> FakeClock:
    try:
        return FakeClock.make(tmp_path)
    except NotPermitted as error:
        not_run(str(error))
        raise


@pytest.fixture
def clock_of_all() -> Iterator[FakeClock]:
    """In a folder that the database's user reaches as well."""
    with tempfile.TemporaryDirectory(prefix="rw-clock-") as folder:
        Path(folder).chmod(0o755)
        try:
            yield FakeClock.make(Path(folder))
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
    await fake_clock.rules(world, database=False)
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


async def test_the_clock_of_the_database_jumps_with_theirs(
        open_world, rng: random.Random, clock_of_all: FakeClock) -> None:
    """Forwards, and back behind where it was, while a campaign and alarms run. What was to come within a second or two
    does not come an hour later, and nobody is called once too often."""
    world = await open_world(**CAPS)
    await clock_of_all.rules(world)
    crowd = Crowd(world, random.Random(rng.random()), is_brief=True)
    await crowd.people(12)
    await crowd.drive(contacts=40, do_not_call=2, cpm=60)
    for off_s in (HOUR_S, -HOUR_S):
        await crowd.alarm()
        async with world.under(ClockJumped(clock_of_all, off_s)):
            await goes_on(crowd, off_s)
            await crowd.alarm()
        await goes_on(crowd, 0)
    await invariants.check(crowd, 60)


async def goes_on(crowd: Crowd, off_s: int) -> None:
    """The clock of the database is off by so much, the one that caps go by is not, and the campaign calls."""
    campaign_id, town = crowd.drives[0].campaign.id, crowd.world.town

    async def is_off() -> bool:
        [row] = await crowd.world.fetch("SELECT clock_timestamp() AS now")
        return abs((row["now"] - datetime.now(UTC)).total_seconds() - off_s) < 60

    async def is_steady() -> bool:
        [row] = await crowd.world.fetch("SELECT steady_now() AS now")
        return abs((row["now"] - datetime.now(UTC)).total_seconds()) < 30

    async def attempts() -> int:
        [row] = await crowd.world.fetch("SELECT count(*) AS spools FROM spools WHERE campaign_id = $1", campaign_id)
        return int(row["spools"])

    await town.until(is_off, f"the clock of the database is off by {off_s} s", 10)
    await town.until(is_steady, f"caps go by a clock that is right, off by {off_s} s", 5)
    before = await attempts()

    async def has_called() -> bool:
        return await attempts() > before + 1
    await town.until(has_called, f"the campaign goes on, off by {off_s} s", 15)
