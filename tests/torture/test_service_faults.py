"""The database, the voice, the disks and the engine's place fail while callers, alarms and a campaign are under way."""

import asyncio
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.runtime.asterisk import remove
from engine.runtime.folders import open_home
from engine.runtime.postgres import Postgres
from engine.store.migrate import migrate
from tests.torture.busy_world import busy_world, strikes
from tests.torture.faults import strike
from tests.torture.faults_of_disks import (
    DATA,
    WAL,
    DatabaseDiskFull,
    DiskFull,
    WalDiskFull,
    on_small_disk,
    recordings_on,
    sounds_on,
)
from tests.torture.faults_of_processes import DatabaseRestarted, DatabaseStopped
from tests.torture.faults_of_services import EngineRolled, SpeechKilled
from tests.torture.plugin import NotPermitted, not_run
from tests.torture.small_disk import SmallDisk

pytestmark = pytest.mark.timeout(200)
DISK_MB = 400       # Postgres keeps some WAL ready
LITTLE_WAL = ("min_wal_size=32MB", "max_wal_size=64MB")


@pytest.fixture
def small_disk() -> Iterator[SmallDisk]:
    try:
        disk = SmallDisk.open(DISK_MB)
    except NotPermitted as error:
        not_run(str(error))
    yield disk
    disk.close()


@pytest.fixture
def own_database(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    """With `@pytest.mark.parametrize("parts", …)`: these parts of it lie on the small disk."""
    parts = request.node.callspec.params.get("parts", ()) if hasattr(request.node, "callspec") else ()
    disk: SmallDisk | None = request.getfixturevalue("small_disk") if parts else None
    home = open_home(Path(tempfile.mkdtemp(prefix="rw-test-")))
    home.path.chmod(0o755)
    try:
        server = Postgres.start(home, options=LITTLE_WAL)
        try:
            asyncio.run(migrate(server.url))
            if disk:
                server.stop()
                on_small_disk(server, parts, disk)
                server.restart()
            yield server
        finally:
            server.kill()
    finally:
        remove(home)


async def test_postgres_restarted_and_stopped(open_world, rng: random.Random) -> None:
    crowd = await busy_world(open_world, rng, people=40, contacts=10)
    await strikes(crowd, [strike(fault, rng, 4) for fault in rng.sample([DatabaseRestarted(), DatabaseStopped()], 2)])


@pytest.mark.full
async def test_postgres_restarted_and_stopped_many_times(open_world, rng: random.Random) -> None:
    crowd = await busy_world(open_world, rng, people=90, contacts=30)
    await strikes(crowd, [strike(rng.choice([DatabaseRestarted(), DatabaseStopped()]), rng) for _ in range(8)])


@pytest.mark.full
@pytest.mark.parametrize("parts, fault", [(DATA, DatabaseDiskFull), (WAL, WalDiskFull)], ids=["data", "WAL"])
async def test_the_disk_of_the_database_is_full(open_world, rng: random.Random, small_disk: SmallDisk,
                                                parts: tuple[str, ...], fault: type[DatabaseDiskFull]) -> None:
    crowd = await busy_world(open_world, rng, people=60, contacts=20)
    await strikes(crowd, [strike(fault(small_disk), rng) for _ in range(3)])


@pytest.mark.full
async def test_the_disk_of_sounds_and_recordings_is_full(
        open_world, rng: random.Random, small_disk: SmallDisk) -> None:
    """Everybody is rung all the same: who cannot be told in words hears what is recorded."""
    crowd = await busy_world(open_world, rng, people=60, contacts=20)
    sounds_on(crowd.world, small_disk)
    recordings_on(crowd.world, small_disk)
    await strikes(crowd, [strike(DiskFull(small_disk), rng) for _ in range(3)])


@pytest.mark.full
async def test_the_voice_is_killed(open_world, rng: random.Random) -> None:
    crowd = await busy_world(open_world, rng, people=40, contacts=5, voice="pico")
    await strikes(crowd, [strike(SpeechKilled(), rng, 1) for _ in range(4)])


@pytest.mark.full
async def test_the_engine_is_rolled_again_and_again(open_world, rng: random.Random) -> None:
    crowd = await busy_world(open_world, rng, people=90, contacts=40)
    await strikes(crowd, [strike(EngineRolled(), rng) for _ in range(6)])
