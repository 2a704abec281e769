"""NOTIFY and reconnection of the hotline store's listener, and the plan of the query that every call waits for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

import pytest

from engine.store.hotlines import SQL, PostgresHotlines
from tests.directories import World, world


@pytest.fixture
async def w(database_url: str) -> AsyncIterator[World]:
    async with world(database_url) as made:
        yield made


T = TypeVar("T")
LISTENERS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"


class Ear:
    """Hears changes in the background, woken by NOTIFY alone."""

    def __init__(self, w: World, database_url: str, tasks: asyncio.TaskGroup) -> None:
        self._pool = w.pool
        self.heard: list[int] = []
        self._task = tasks.create_task(self._run(PostgresHotlines(database_url, w.pool, wake_s=600)))

    async def _run(self, hotlines: PostgresHotlines) -> None:
        async with aclosing(hotlines.changes()) as changes:
            async for hotline_id in changes:
                self.heard.append(hotline_id)

    async def listens(self, but: int | None = None) -> int:
        return await until(lambda: self._listener(but))

    async def _listener(self, but: int | None) -> int | None:
        pids = [row["pid"] for row in await self._pool.fetch(LISTENERS)]
        return next((pid for pid in pids if pid != but), None)

    async def hears(self, hotline_id: int) -> None:
        async def has() -> bool:
            return hotline_id in self.heard
        await until(has)
        self.heard.clear()

    def stop(self) -> None:
        self._task.cancel()


async def until(check: Callable[[], Awaitable[T]]) -> T:
    async with asyncio.timeout(20):
        while not (found := await check()):  # noqa: ASYNC110 - a condition in the database has no event
            await asyncio.sleep(0.02)
        return found


async def test_a_change_wakes_at_once_and_a_cut_connection_is_made_again(w: World, database_url: str) -> None:
    org = await w.organisation()
    async with asyncio.TaskGroup() as tasks:
        ear = Ear(w, database_url, tasks)
        pid = await ear.listens()
        hotline = await org.hotline()
        await ear.hears(hotline.hotline_id)

        await w.pool.execute("SELECT pg_terminate_backend($1)", pid)
        await ear.hears(0)                  # told at once that something may be missed
        await ear.listens(but=pid)
        await w.directory.replace_hotline(org.id, hotline.hotline_id, org.data(tts_inbound="Neu"))
        await ear.hears(hotline.hotline_id)
        ear.stop()


async def test_a_changed_phone_wakes_for_all_hotlines(w: World, database_url: str) -> None:
    org = await w.organisation()
    async with asyncio.TaskGroup() as tasks:
        ear = Ear(w, database_url, tasks)
        await ear.listens()
        await ear.hears(0)                  # what changed before it listened
        await org.phone(org.users[0], "+49301")
        await ear.hears(0)
        ear.stop()


async def test_looking_up_a_called_number_uses_indexes_on_a_big_directory(w: World) -> None:
    await w.pool.execute("""
        INSERT INTO organisations (name) VALUES ('big');
        INSERT INTO users (organisation_id, name) SELECT 1, 'u' || n FROM generate_series(1, 20000) n;
        INSERT INTO phones (organisation_id, user_id, name, number)
            SELECT 1, n, 'p', '+49' || (100000 + n) FROM generate_series(1, 20000) n;
        INSERT INTO hotlines (organisation_id, name, number, is_active, channels_inbound, channels_outbound,
                              tts_inbound, tts_outbound)
            SELECT 1, 'h', '+4930' || (100000 + n), true, 1, 1, '', '' FROM generate_series(1, 5000) n;
        INSERT INTO hotline_agents SELECT n % 5000 + 1, n, n FROM generate_series(1, 20000) n;
        ANALYZE""")
    plan = "\n".join(row[0] for row in await w.pool.fetch(
        "EXPLAIN " + SQL["by_number"].replace("$1", "'+4930100007'")))
    big = [line for line in plan.splitlines() if "Seq Scan" in line and "organisations" not in line]
    assert big == [], plan
