"""Connections to Postgres: the only place where they are opened, and where all their time limits stand.

Used by every store and by the migrations. Nothing waits for a database without limit: `connect_timeout_s` for
a connection, `command_timeout_s` for one statement, `deadline_s` for one use of the database as a whole (a
server that stopped in the middle also blocks asyncpg's own cancel request). Library errors become
`StoreFailed`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from engine.ports import StoreFailed

CONNECT_TIMEOUT_S = 3.0
COMMAND_TIMEOUT_S = 5.0
DEADLINE_S = 6.0

# What asyncpg raises when the database is not there, not answering or has dropped us. (InternalClientError: the server
# ended an idle connection, and its farewell has been read, but not yet the end of the stream.)
_LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)


async def connect(
    database_url: str, *, command_timeout_s: float | None = COMMAND_TIMEOUT_S,
    connect_timeout_s: float = CONNECT_TIMEOUT_S, settings: dict[str, str] | None = None,
) -> "asyncpg.Connection[Any]":
    """One connection. `settings` are pinned on it (planner settings, say). Raises StoreFailed."""
    async with store_errors():
        return await asyncpg.connect(
            database_url, timeout=connect_timeout_s, command_timeout=command_timeout_s,
            server_settings=_server_settings(settings))


async def create_pool(
    database_url: str, *, min_size: int = 0, max_size: int = 8, command_timeout_s: float = COMMAND_TIMEOUT_S,
    connect_timeout_s: float = CONNECT_TIMEOUT_S, settings: dict[str, str] | None = None,
) -> "asyncpg.Pool[Any]":
    """A pool. With `min_size` 0 it opens nothing yet, so that a process starts while the database is down.

    A connection that comes back has its transaction ended, nothing else: no store sets anything for a session, takes a
    lock of one, or listens on a pooled connection, and asyncpg's own reset is one more round trip a use.
    """
    async with store_errors():
        return await asyncpg.create_pool(
            database_url, min_size=min_size, max_size=max_size, timeout=connect_timeout_s,
            command_timeout=command_timeout_s, server_settings=_server_settings(settings), reset=_as_it_is)


async def _as_it_is(_: "asyncpg.Connection[Any]") -> None:
    """asyncpg has rolled back what was open (Connection._reset) before it calls this."""


@asynccontextmanager
async def acquired(
    pool: "asyncpg.Pool[Any]", deadline_s: float = DEADLINE_S,
) -> AsyncIterator["asyncpg.pool.PoolConnectionProxy[Any]"]:
    """A connection of the pool for one use of at most `deadline_s`. Raises StoreFailed."""
    try:
        async with asyncio.timeout(deadline_s), pool.acquire() as connection:
            yield connection
    except _LOST as error:
        raise _failed(error) from error


@asynccontextmanager
async def store_errors() -> AsyncIterator[None]:
    """Translate what asyncpg raises to StoreFailed; a violated constraint stays visible in `__cause__`.

    Of its text the first line alone: the server's details quote rows, and the text goes into logs.
    """
    try:
        yield
    except _LOST as error:
        raise _failed(error) from error


def _failed(error: BaseException) -> StoreFailed:
    return StoreFailed(f"{type(error).__name__}: {error}".partition("\n")[0])


def _server_settings(settings: dict[str, str] | None) -> dict[str, str]:
    return {"application_name": "ringward", "timezone": "UTC", **(settings or {})}
