"""Torture plays in the town of the acceptance stories, or in a world of its own that may be broken."""

import random
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import asyncpg
import pytest

from engine.runtime.ports import Address
from engine.runtime.postgres import Postgres
from engine.softphone import Carrier
from tests.acceptance.alarm_town import Muster
from tests.acceptance.campaign_town import Fair
from tests.acceptance.conftest import (
    QUICK,
    environment_of,
    fair,
    free_port,
    muster,
    open_muster,
    open_town,
    own_database,
    quick_asterisk,
    town,
)
from tests.acceptance.town import EngineProcess, Town
from tests.contract.ami_proxy import AmiProxy
from tests.torture.report import Tally
from tests.torture.siege import siege
from tests.torture.world import World

__all__ = [
    "fair", "muster", "open_muster", "open_town", "open_world", "own_database", "quick_asterisk", "siege", "town"]

# many rounds: with agents who take every call an apology is a caller lost
WORLD = {**QUICK, "rounds": 6, "throttle_15min": 20, "throttle_hour": 40}


@pytest.fixture
async def open_world(
    own_database: Postgres, start_asterisk: Callable, tmp_path: Path, tally: Tally, rng: random.Random,
) -> AsyncIterator[Callable]:
    """Opens a world: `await open_world(trunk_cps=20)` with any settings of engine and api. `engine`: the class of its
    process (a mortal one, say). Nothing is checked at its end: that is `invariants.check`."""
    stack = AsyncExitStack()

    async def make(engine: type[EngineProcess] = EngineProcess, **settings: object) -> World:
        asterisk = start_asterisk(**WORLD)
        trunk, sip = Address.parse(asterisk.trunk), Address.parse(asterisk.sip)
        carrier = await stack.enter_async_context(Carrier(trunk.host, trunk.port, switch=(sip.host, sip.port)))
        proxy = await stack.enter_async_context(AmiProxy.open(asterisk.ami_port))
        pool = await asyncpg.create_pool(own_database.url, min_size=0, max_size=4)
        stack.callback(pool.terminate)
        address = f"127.0.0.1:{free_port(socket.SOCK_STREAM)}"
        chosen = {**WORLD, "ami_port": proxy.port, "api": address, **settings}
        variables = environment_of(asterisk, own_database.url, chosen)
        name = secrets.token_hex(2)
        processes = (engine(variables, tmp_path / f"engine-{name}.log"),
                     EngineProcess(variables, tmp_path / f"api-{name}.log", "api"))
        for process in processes:
            process.start()
            stack.callback(lambda process=process: print(process.log_path.read_text()[-2000:]))
            stack.callback(process.close)
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)))
        home = Muster(Town(asterisk, carrier, pool, processes[0]), processes[1], session, f"http://{address}")
        world = World(Fair(home), own_database, proxy, tally, rng)
        await home.town.until(world.is_whole, "the world is whole", 30)
        return world

    try:
        yield make
    finally:
        await stack.aclose()
