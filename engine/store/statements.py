"""One statement, one use of the pool: what the stores behind `/ringward/v1`'s directory are made of."""

from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias

import asyncpg

from engine.store import queries
from engine.store.pool import DEADLINE_S, acquired

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[Any]"


class Statements:
    """The queries of `sql/<NAME>.sql` on a pool, each use under one deadline. Raises StoreFailed."""

    NAME: str

    def __init__(self, pool: "asyncpg.Pool[Any]", deadline_s: float = DEADLINE_S) -> None:
        self._pool = pool
        self._deadline_s = deadline_s
        self._sql = queries.load(self.NAME)

    def _connection(self) -> AbstractAsyncContextManager[Connection]:
        return acquired(self._pool, self._deadline_s)

    async def _row(self, query: str, *args: Any) -> "asyncpg.Record | None":
        async with self._connection() as connection:
            return await connection.fetchrow(self._sql[query], *args)

    async def _rows(self, query: str, *args: Any) -> "list[asyncpg.Record]":
        async with self._connection() as connection:
            return await connection.fetch(self._sql[query], *args)
