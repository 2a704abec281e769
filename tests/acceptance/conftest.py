"""The town: what every acceptance story plays in."""

import asyncio
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from engine.runtime.asterisk import Asterisk, remove
from engine.runtime.folders import open_home
from engine.runtime.ports import Address
from engine.runtime.postgres import Postgres
from engine.softphone import Carrier
from engine.store.migrate import migrate
from tests.acceptance.alarm_town import Muster, nobody_was_wronged
from tests.acceptance.campaign_town import Fair
from tests.acceptance.town import EngineProcess, Town
from tests.conftest import loopback_settings

QUICK = {
    "ring_timeout_s": 6, "rounds": 2, "round_min_s": 2, "claim_s": 2, "lease_s": 4, "ask_tries": 2, "voice": "null",
}


@pytest.fixture(scope="package")
def quick_asterisk(asterisk_program) -> Iterator[Asterisk]:
    """One Asterisk with short times for all stories that leave it alive."""
    home = open_home(Path(tempfile.mkdtemp(prefix="rw-town-")))
    server = Asterisk.start(home, loopback_settings(home, **QUICK), asterisk_program)
    try:
        yield server
    finally:
        server.stop()
        remove(home)


@pytest.fixture
async def town(quick_asterisk: Asterisk, open_town: Callable) -> Town:
    return await open_town(quick_asterisk)


@pytest.fixture
async def open_town(database_url: str, tmp_path: Path) -> AsyncIterator[Callable]:
    """Opens a town on any Asterisk; its engine runs from the start unless told otherwise."""
    opened: list[Town] = []

    async def make(asterisk: Asterisk, engine: bool = True, **settings: object) -> Town:
        trunk, sip = Address.parse(asterisk.trunk), Address.parse(asterisk.sip)
        carrier = await Carrier(trunk.host, trunk.port, switch=(sip.host, sip.port)).__aenter__()
        pool = await asyncpg.create_pool(database_url, min_size=1, max_size=4)
        process = EngineProcess(environment_of(asterisk, database_url, settings), tmp_path / "engine.log")
        town = Town(asterisk, carrier, pool, process)
        opened.append(town)
        if engine:
            process.start()
        return town

    yield make
    for town in opened:
        town.engine.close()
        await town.carrier.__aexit__(None, None, None)
        town.database.terminate()
        try:
            await town.no_channels()
        finally:
            town.asterisk_cli("database deltree fb")
            if town.engine.log_path.exists():
                print(town.engine.log_path.read_text())


@pytest.fixture
def own_database() -> Iterator[Postgres]:
    """A server for one test, which may stop or kill it; its address is the test's `database_url` where that says so."""
    home = open_home(Path(tempfile.mkdtemp(prefix="rw-test-")))
    home.path.chmod(0o755)
    try:
        started = Postgres.start(home)
        try:
            asyncio.run(migrate(started.url))
            yield started
        finally:
            started.stop()
    finally:
        remove(home)


@pytest.fixture
async def muster(quick_asterisk: Asterisk, open_muster: Callable) -> Muster:
    return await open_muster(quick_asterisk)


@pytest.fixture
async def fair(muster: Muster) -> Fair:
    return Fair(muster)


@pytest.fixture
async def open_muster(open_town: Callable, database_url: str, tmp_path: Path) -> AsyncIterator[Callable]:
    """Opens a town with an api on any Asterisk; afterwards nobody may have been wronged in it."""
    opened: list[Muster] = []

    async def make(asterisk: Asterisk, engine: bool = True, **settings: object) -> Muster:
        town = await open_town(asterisk, engine=engine, **settings)
        address = f"127.0.0.1:{free_port(socket.SOCK_STREAM)}"
        variables = {**environment_of(asterisk, database_url, settings), "RINGWARD_API": address}
        api = EngineProcess(variables, tmp_path / "api.log", "api")
        api.start()
        session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10))
        muster = Muster(town, api, session, f"http://{address}")
        opened.append(muster)
        await town.until(muster.is_served, "the api answers", 40)    # it starts as slowly as the machine is busy
        return muster

    yield make
    for muster in opened:
        try:
            await nobody_was_wronged(muster)
        finally:
            muster.api.close()
            await muster.session.close()
            print((tmp_path / "api.log").read_text())


def environment_of(asterisk: Asterisk, database_url: str, settings: dict[str, object]) -> dict[str, str]:
    used = asterisk.settings
    values = {
        **QUICK, "home": used.home, "ami_host": used.ami_host, "ami_port": used.ami_port, "ami_user": used.ami_user,
        "ami_secret": used.ami_secret, "ari_port": used.ari_port, "ari_secret": used.ari_secret, "trunk": used.trunk,
        "sip": used.sip, **settings,
    }
    variables = {f"RINGWARD_{name.upper()}": str(value) for name, value in values.items()}
    return {**os.environ, **variables, "DATABASE_URL": database_url}


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    return Address("127.0.0.1", 0).chosen(kind).port
