"""The engine's heartbeat as the supervisor sees it: one row of the table `engines`, read through one connection."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from engine.ports import StoreFailed
from engine.store import queries
from engine.store.pool import connect, store_errors

SQL = queries.load("supervisor")


@dataclass(frozen=True, slots=True)
class Beat:
    """`is_known` False: the database did not answer. `at` None: this engine has not beaten yet; what it says is worth
    nothing but that it is another one than before (engine/store/pulse.py)."""

    is_known: bool
    at: datetime | None = None
    taking_calls: bool = False


class Heartbeat:
    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._connection: asyncpg.Connection[Any] | None = None

    async def read(self, pid: int) -> Beat:
        """The beat of the engine with this process id. Never raises for a lost database; takes at most 3 s."""
        try:
            if self._connection is None or self._connection.is_closed():
                self._connection = await connect(self._database_url, command_timeout_s=3)
            async with store_errors():
                row = await self._connection.fetchrow(SQL["beat"], pid, timeout=3)
        except StoreFailed:
            self._drop()
            return Beat(is_known=False)
        return Beat(True, row["beat_at"], row["taking_calls"]) if row else Beat(True)

    async def close(self) -> None:
        self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
