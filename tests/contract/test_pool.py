"""What a connection of the pool brings along from its last use: nothing."""

import asyncio

import pytest

from engine.ports import StoreFailed
from engine.store.pool import acquired, create_pool


async def test_what_was_left_open_is_rolled_back_before_the_next_use(database_url: str) -> None:
    async with await create_pool(database_url, max_size=1) as pool:
        with pytest.raises(StoreFailed):
            async with acquired(pool) as connection, connection.transaction():
                await connection.execute("CREATE TEMPORARY TABLE left_over ()")
                await connection.execute("SELECT 1 / 0")
        async with acquired(pool) as connection:
            assert not connection.is_in_transaction()
            assert await connection.fetchval("SELECT to_regclass('left_over')") is None


async def test_a_use_that_was_cut_leaves_nothing_behind(database_url: str) -> None:
    async with await create_pool(database_url, max_size=1) as pool:
        with pytest.raises(StoreFailed):
            async with acquired(pool, 0.2) as connection, connection.transaction():
                await connection.execute("CREATE TEMPORARY TABLE left_over ()")
                await asyncio.sleep(30)
        async with acquired(pool) as connection:
            assert not connection.is_in_transaction()
            assert await connection.fetchval("SELECT to_regclass('left_over')") is None
