"""Hotlines for the engine, out of Postgres: `ports.HotlineStore`. Its twin is `memory_hotlines.py`.

Numbers are stored with a plus and leave here as digits only. The engine never waits for a change: NOTIFY wakes
it, and a wake every few seconds makes sure.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import asyncpg

from engine.ports import UnreadyHotline
from engine.store import queries
from engine.store.listening import heard
from engine.store.pool import acquired
from engine.vocabulary.values import AgentPhone, Hotline

CHANNEL = "ringward_hotline"
WAKE_S = 5.0

SQL = queries.load("hotlines")


class PostgresHotlines:
    def __init__(self, database_url: str, pool: "asyncpg.Pool[Any]", wake_s: float = WAKE_S) -> None:
        self._database_url = database_url
        self._pool = pool
        self._wake_s = wake_s

    async def by_number(self, number: str) -> Hotline | None:
        async with acquired(self._pool) as connection:
            row = await connection.fetchrow(SQL["by_number"], f"+{number}")
        return None if row is None else _hotline(row)

    async def all(self) -> Sequence[Hotline]:
        async with acquired(self._pool) as connection:
            return [_hotline(row) for row in await connection.fetch(SQL["all"])]

    async def unready(self) -> Sequence[UnreadyHotline]:
        async with acquired(self._pool) as connection:
            await connection.execute(SQL["mark_seen"])
            return [_unready(row) for row in await connection.fetch(SQL["unready"])]

    async def failed(self) -> Sequence[UnreadyHotline]:
        async with acquired(self._pool) as connection:
            return [_unready(row) for row in await connection.fetch(SQL["failed"])]

    async def mark_ready(
        self, hotline: UnreadyHotline, greeting: str | None, ask: str | None, error: str | None,
    ) -> None:
        async with acquired(self._pool) as connection:
            await connection.execute(SQL["mark_ready"], hotline.hotline_id, hotline.revision, greeting, ask, error)

    async def changes(self) -> AsyncGenerator[int, None]:
        """Never ends: a lost database is a wake (0) now and then, until it is back and tells changes again."""
        async with aclosing(heard(self._database_url, CHANNEL, self._wake_s)) as payloads:
            async for hotline_id in payloads:
                yield int(hotline_id or 0)


def _unready(row: "asyncpg.Record") -> UnreadyHotline:
    return UnreadyHotline(row["id"], row["revision"], row["language"], row["is_active"], row["tts_inbound"],
                          row["tts_outbound"])


def _hotline(row: "asyncpg.Record") -> Hotline:
    phones = zip(row["phone_ids"], row["user_ids"], row["numbers"], strict=True)
    return Hotline(
        hotline_id=row["id"], organisation_id=row["organisation_id"], number=row["number"][1:],
        language=row["language"], is_active=row["is_active"], channels_inbound=row["channels_inbound"],
        channels_outbound=row["channels_outbound"],
        greeting=row["greeting_sound"] or f"{row['language']}/welcome",
        ask=row["ask_sound"] or f"{row['language']}/ask",
        phones=tuple(AgentPhone(phone_id, user_id, number[1:]) for phone_id, user_id, number in phones))
