"""What the engine reads of providers, in memory and in Postgres."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from engine.ports import ProviderStore
from engine.store.memory_providers import MemoryProviders
from engine.store.pool import create_pool
from engine.store.providers import IctcoreProviders, PostgresProviders
from engine.vocabulary.values import Provider
from tests.directories import world

Shelf = tuple[ProviderStore, Callable[[str], Awaitable[Provider]]]
VALUES = {"name": "Alpine", "description": "", "type": "sip", "gateway_flag": 8, "service_flag": 3, "node_id": 1,
          "port": 5060, "username": "joe", "password": "right", "dialstring": "", "prefix": "49|0", "settings": "",
          "register": True, "weight": 10, "active": True, "channels": 3, "cps": 1.5}


@pytest.fixture
async def shelf(url: str | None) -> AsyncIterator[Shelf]:
    """A store, and a way to put a provider with this host in it."""
    if url is None:
        store = MemoryProviders()

        async def keep(host: str) -> Provider:
            made = Provider(len(store.rows) + 1, 1, host, 5060, "joe", "right", "49|0", True, 10, 3, 1.5)
            store.put(made)
            return made

        yield store, keep
        return
    async with world(url) as directory:
        org = (await directory.organisation()).id
        pool = await create_pool(url)
        books = IctcoreProviders(pool)

        async def insert(host: str) -> Provider:
            made = await books.create(org, 1, {**VALUES, "host": host})
            return Provider(made, org, host, 5060, "joe", "right", "49|0", True, 10, 3, 1.5)

        yield PostgresProviders(url, pool, wake_s=0.1), insert
        await pool.close()


async def test_they_are_told_in_the_order_of_their_ids(shelf: Shelf) -> None:
    store, keep = shelf
    assert list(await store.active()) == []
    made = [await keep(host) for host in ("b", "a", "c")]
    assert list(await store.active()) == made


async def test_there_is_a_wake_at_the_start_and_now_and_then(shelf: Shelf) -> None:
    store, _ = shelf
    wakes = store.changes()
    for _ in range(3):
        assert await anext(wakes) is None
    await wakes.aclose()  # type: ignore[attr-defined]
