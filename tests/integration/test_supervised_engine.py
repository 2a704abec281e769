"""How the supervisor watches an engine: in a real database, a child that does nothing and a test that beats for it."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from engine.runtime.child import launch
from engine.runtime.folders import Home, open_home
from engine.runtime.heartbeat import Heartbeat
from engine.runtime.supervisor import Supervisor

HOUR_S = 3600.0
STALE_S = 2.0


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Home]:
    home = open_home(tmp_path / "home")
    yield home
    shutil.rmtree(home.private)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection = await asyncpg.connect(database_url, timeout=10, command_timeout=10)
    yield connection
    await connection.close()


@asynccontextmanager
async def watched(home: Home, database_url: str) -> AsyncIterator[tuple[Supervisor, list[str]]]:
    said: list[str] = []
    supervisor = Supervisor(home, Heartbeat(database_url), said.append, stale_s=STALE_S)
    supervisor.add("engine", partial(launch, ["/bin/sleep", "60"]))

    async def announce() -> None:
        pass

    task = asyncio.create_task(supervisor.run(announce))    # noqa: TID251
    try:
        yield supervisor, said
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def beats(database: "asyncpg.Connection[Any]", pid: int, off_s: float) -> None:
    """By a clock of the database that is off by so much now."""
    await database.execute(
        "INSERT INTO engines (switch, engine_id, fencing, beat_at, pid) "
        "VALUES ('asterisk', gen_random_uuid(), 1, clock_timestamp() + $2::interval, $1) "
        "ON CONFLICT (switch) DO UPDATE SET beat_at = EXCLUDED.beat_at", pid, timedelta(seconds=off_s))


@pytest.mark.parametrize("off_s", [HOUR_S, -HOUR_S])
async def test_an_engine_that_stopped_is_ended_in_time_whatever_the_clock_says(
        place: Home, database_url: str, database: "asyncpg.Connection[Any]", off_s: float) -> None:
    async with watched(place, database_url) as (supervisor, said):
        former = supervisor.pid("engine")
        await beats(database, former, off_s)
        async with asyncio.timeout(STALE_S + 5):
            while supervisor.pid("engine") == former:   # noqa: ASYNC110 -- processes tell nobody
                await asyncio.sleep(0.05)
        assert said[0] == "the engine's heartbeat is 2 s old: it is ended"
        assert not psutil.pid_exists(former)


@pytest.mark.parametrize("off_s", [HOUR_S, -HOUR_S])
async def test_a_clock_that_jumps_ends_no_engine_that_lives(
        place: Home, database_url: str, database: "asyncpg.Connection[Any]", off_s: float) -> None:
    async with watched(place, database_url) as (supervisor, said):
        former = supervisor.pid("engine")
        for _ in range(round(2 * STALE_S / 0.2)):
            await beats(database, former, off_s)
            await asyncio.sleep(0.2)    # that is how it beats
        assert said == []
        assert supervisor.pid("engine") == former
