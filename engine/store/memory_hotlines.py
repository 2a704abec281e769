"""Hotlines for the engine, out of a `MemoryDirectory`: the twin of `hotlines.py`."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from engine.ports import UnreadyHotline
from engine.store.memory_directory import MemoryDirectory, MemoryHotline
from engine.vocabulary.values import AgentPhone, Hotline


class MemoryHotlines:
    def __init__(self, directory: MemoryDirectory, wake_s: float = 0.05) -> None:
        self._directory = directory
        self._wake_s = wake_s

    async def by_number(self, number: str) -> Hotline | None:
        return next((hotline for hotline in await self.all() if hotline.number == number), None)

    async def all(self) -> Sequence[Hotline]:
        return [self._hotline(row) for row in self._rows()]

    async def unready(self) -> Sequence[UnreadyHotline]:
        rows = [row for row in self._rows() if row.ready_revision < row.revision]
        for row in rows:
            if row.stored.status == "created":
                row.stored = replace(row.stored, status="starting" if row.stored.data.is_active else "paused")
        return [self._unready(row) for row in rows]

    async def failed(self) -> Sequence[UnreadyHotline]:
        return [self._unready(row) for row in self._rows() if row.ready_revision == row.revision and row.error]

    async def mark_ready(
        self, hotline: UnreadyHotline, greeting: str | None, ask: str | None, error: str | None,
    ) -> None:
        row = self._directory.hotline_rows[hotline.hotline_id]
        if row.deleted or row.revision != hotline.revision:
            return
        row.ready_revision, row.greeting, row.ask, row.error = row.revision, greeting, ask, error
        ready = "active" if error is None else "error"
        row.stored = replace(row.stored, status=ready if row.stored.data.is_active else "paused")

    async def changes(self) -> AsyncIterator[int]:
        while True:
            yield 0
            await asyncio.sleep(self._wake_s)

    def _rows(self) -> list[MemoryHotline]:
        return [row for row in self._directory.hotline_rows.values() if not row.deleted]

    def _language(self, row: MemoryHotline) -> str:
        return self._directory.organisation_rows[row.stored.organisation_id].language

    def _unready(self, row: MemoryHotline) -> UnreadyHotline:
        data = row.stored.data
        return UnreadyHotline(row.stored.hotline_id, row.revision, self._language(row), data.is_active,
                              data.tts_inbound, data.tts_outbound)

    def _hotline(self, row: MemoryHotline) -> Hotline:
        stored, data, language = row.stored, row.stored.data, self._language(row)
        return Hotline(
            hotline_id=stored.hotline_id, organisation_id=stored.organisation_id, number=stored.number[1:],
            language=language, is_active=data.is_active, channels_inbound=data.channels_inbound,
            channels_outbound=data.channels_outbound, greeting=row.greeting or f"{language}/welcome",
            ask=row.ask or f"{language}/ask", phones=self._phones(row))

    def _phones(self, row: MemoryHotline) -> tuple[AgentPhone, ...]:
        by_number: dict[str, AgentPhone] = {}
        for user_id in row.stored.data.agents:
            rows = sorted(self._directory.phone_rows.values(), key=lambda row: (row[1].position, row[1].phone_id))
            for owner, phone in rows:
                if owner == row.stored.organisation_id and phone.user_id == user_id and phone.is_active:
                    number = phone.number[1:]
                    by_number.setdefault(number, AgentPhone(phone.phone_id, user_id, number))
        return tuple(by_number.values())
