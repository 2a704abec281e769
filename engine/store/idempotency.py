"""`Idempotency-Key`: a create that is sent again makes nothing new. The same keys as alarms have (`alarm_book.sql`).

    async with idempotency.once(organisation_id, key, digest) as once:
        if once.known is None:
            once.made = await …     # stores take part in the transaction by themselves
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from engine.store.alarm_posting import KeyReused as KeyReused
from engine.store.statements import Statements, one_transaction


@dataclass(slots=True)
class Once:
    """`known`: what the key made before; `made` is told by whoever makes it now."""

    known: int | None
    made: int | None = None


class Idempotency(Statements):
    NAME = "alarm_book"

    @asynccontextmanager
    async def once(self, organisation_id: int, key: str, digest: bytes) -> AsyncIterator[Once]:
        """One transaction with all that is done in it. Raises KeyReused: the key belongs to another request."""
        async with one_transaction(self._pool, self._deadline_s) as connection:
            if await connection.fetchval(self._sql["remember_key"], organisation_id, key, digest):
                yield (once := Once(None))
                await connection.execute(self._sql["key_made"], organisation_id, key, once.made)
                return
            row = await connection.fetchrow(self._sql["remembered_key"], organisation_id, key)
            if row is None or row["request_digest"] != digest:
                raise KeyReused(key)
            yield Once(row["resource_id"])
