"""A database that is stopped, gone or back again: quick 503s with the error body, then everything works as before."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from time import monotonic

import psutil
import pytest

from api.app import COMMAND_TIMEOUT_S, CONNECT_TIMEOUT_S, DEADLINE_S
from engine.runtime.folders import Home
from engine.runtime.postgres import Postgres
from engine.store.directory import PostgresDirectory
from engine.store.hotlines import PostgresHotlines
from engine.store.migrate import migrate
from engine.store.pool import create_pool
from tests.api_client import Client, Reply, Site, served
from tests.directories import World

QUICK_S = DEADLINE_S + 1


@pytest.fixture
def server(home: Home) -> Iterator[Postgres]:
    running = Postgres.start(home)
    try:
        asyncio.run(migrate(running.url))
        yield running
    finally:
        running.stop()


@asynccontextmanager
async def _site(url: str) -> AsyncIterator[Site]:
    """With the api's own time limits."""
    pool = await create_pool(url, connect_timeout_s=CONNECT_TIMEOUT_S, command_timeout_s=COMMAND_TIMEOUT_S)
    try:
        async with served(World(PostgresDirectory(pool, DEADLINE_S), PostgresHotlines(url, pool), pool)) as site:
            yield site
    finally:
        pool.terminate()


async def _until(ask: Callable[[], Awaitable[Reply]], status: int) -> None:
    async with asyncio.timeout(30):
        while (await ask()).status != status:  # noqa: ASYNC110 - a condition outside has no event
            await asyncio.sleep(0.05)


def _freeze(server: Postgres, number: signal.Signals) -> None:
    process = psutil.Process(server.pid)
    for it in (process, *process.children(recursive=True)):
        it.send_signal(number)


async def test_a_stopped_database_makes_quick_503s_and_nothing_is_lost(server: Postgres) -> None:
    async with _site(server.url) as site:
        root = Client(site.api.session, site.url, {})

        async def listed() -> Reply:
            return await site.api("GET", "/hotlines", organization_id=site.org.id)

        assert (await listed()).status == 200
        _freeze(server, signal.SIGSTOP)
        try:
            began = monotonic()
            refused = await asyncio.gather(*[listed() for _ in range(20)],
                                           *[site.api("POST", "/hotlines", site.hotline_body()) for _ in range(20)])
            assert monotonic() - began < QUICK_S
            assert {got.status for got in refused} == {503}
            assert "database" in refused[0].says and refused[0].headers["Retry-After"]
            assert (await root("GET", "/healthz")).status == 200
            began = monotonic()
            ready = await root("GET", "/readyz")
            assert monotonic() - began < QUICK_S
            assert (ready.status, ready.body["database"]) == (503, False)
            async with site.api.session.get(site.url + "/metrics") as got:
                assert got.status == 200 and "ringward_api_requests_total" in await got.text()
        finally:
            _freeze(server, signal.SIGCONT)
        await _until(listed, 200)


async def test_a_database_that_is_gone_makes_503s_and_its_return_is_noticed(server: Postgres) -> None:
    async with _site(server.url) as site:
        async def listed() -> Reply:
            return await site.api("GET", "/hotlines", organization_id=site.org.id)

        made = await site.api("POST", "/hotlines", site.hotline_body())
        assert made.status == 200
        server.kill()
        began = monotonic()
        assert [(await listed()).status for _ in range(5)] == [503] * 5
        assert monotonic() - began < QUICK_S
        server.process = server.launch()
        await _until(listed, 200)
        # a 200 was sent after the commit was durable: the kill took nothing of it
        assert (await listed()).body["hotlines"] == [made.body]
