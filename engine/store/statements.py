"""One statement, one use of the pool: what the stores behind `/ringward/v1`'s directory are made of."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

import asyncpg

from engine.store import queries
from engine.store.pool import DEADLINE_S, acquired, store_errors

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[Any]"
_JOINED: "ContextVar[Connection | None]" = ContextVar("joined", default=None)


@asynccontextmanager
async def one_transaction(pool: "asyncpg.Pool[Any]", deadline_s: float = DEADLINE_S) -> AsyncIterator[Connection]:
    """What stores do within it, in this task, is one transaction on this connection: all of it happens, or nothing.

    For a use case that several stores have a part in, as creating something and remembering its Idempotency-Key.
    """
    async with acquired(pool, deadline_s) as connection, connection.transaction():
        before = _JOINED.set(connection)
        try:
            yield connection
        finally:
            _JOINED.reset(before)


@asynccontextmanager
async def _part_of(connection: Connection) -> AsyncIterator[Connection]:
    """A savepoint: a store may still go on after a statement that failed."""
    async with store_errors(), connection.transaction():
        yield connection


class Statements:
    """The queries of `sql/<NAME>.sql` on a pool, each use under one deadline. Raises StoreFailed."""

    NAME: str

    def __init__(self, pool: "asyncpg.Pool[Any]", deadline_s: float = DEADLINE_S) -> None:
        self._pool = pool
        self._deadline_s = deadline_s
        self._sql = queries.load(self.NAME)

    def _connection(self) -> AbstractAsyncContextManager[Connection]:
        return self._connection_for(self._deadline_s)

    def _connection_for(self, deadline_s: float) -> AbstractAsyncContextManager[Connection]:
        """For what takes longer. Part of a transaction, its deadline holds."""
        joined = _JOINED.get()
        return acquired(self._pool, deadline_s) if joined is None else _part_of(joined)

    @asynccontextmanager
    async def together(self) -> AsyncIterator[Connection]:
        """`one_transaction`, or a part of the one that this task is in already."""
        if (joined := _JOINED.get()) is not None:
            async with _part_of(joined) as connection:
                yield connection
        else:
            async with one_transaction(self._pool, self._deadline_s) as connection:
                yield connection

    async def _row(self, query: str, *args: Any) -> "asyncpg.Record | None":
        async with self._connection() as connection:
            return await connection.fetchrow(self._sql[query], *args)

    async def _rows(self, query: str, *args: Any) -> "list[asyncpg.Record]":
        async with self._connection() as connection:
            return await connection.fetch(self._sql[query], *args)
