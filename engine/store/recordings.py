"""Recordings as they were uploaded; the engine makes the sound files of them. SQL is in `sql/recordings.sql`."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from engine.store.pool import acquired
from engine.store.statements import Statements
from engine.vocabulary.values import RingwardError

# One statement carries up to 20 MB.
AUDIO_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class StoredRecording:
    recording_id: int
    name: str
    digest: str         # SHA-256 of the file, hexadecimal
    size: int           # bytes
    duration_ms: int
    created_at: datetime


class RecordingInUse(RingwardError):
    """These alarms have still to play it."""

    def __init__(self, alarm_ids: Sequence[int]) -> None:
        super().__init__(", ".join(map(str, alarm_ids)))
        self.alarm_ids = tuple(alarm_ids)


class PostgresRecordings(Statements):
    NAME = "recordings"

    async def page(self, organisation_id: int, after: int, limit: int) -> Sequence[StoredRecording]:
        return [StoredRecording(*row) for row in await self._rows("page", organisation_id, after, limit)]

    async def recording(self, organisation_id: int, recording_id: int) -> StoredRecording | None:
        row = await self._row("recording", organisation_id, recording_id)
        return None if row is None else StoredRecording(*row)

    async def create(self, organisation_id: int, name: str, audio: bytes, duration_ms: int) -> StoredRecording:
        row = await self._large("create", organisation_id, name, audio, hashlib.sha256(audio).hexdigest(), duration_ms)
        assert row is not None      # noqa: S101 - INSERT … RETURNING
        return StoredRecording(*row)

    async def audio(self, organisation_id: int, recording_id: int) -> bytes | None:
        row = await self._large("audio", organisation_id, recording_id)
        return None if row is None else row["audio"]

    async def rename(self, organisation_id: int, recording_id: int, name: str) -> StoredRecording | None:
        row = await self._row("rename", organisation_id, recording_id, name)
        return None if row is None else StoredRecording(*row)

    async def delete(self, organisation_id: int, recording_id: int) -> bool:
        """Raises RecordingInUse."""
        async with self._connection() as connection, connection.transaction():
            if await connection.fetchrow(self._sql["lock"], organisation_id, recording_id) is None:
                return False
            using = await connection.fetch(self._sql["using"], organisation_id, recording_id)
            if using:
                raise RecordingInUse([row["id"] for row in using])
            return await connection.fetchrow(self._sql["delete"], organisation_id, recording_id) is not None

    async def _large(self, query: str, *args: Any) -> "asyncpg.Record | None":
        async with acquired(self._pool, AUDIO_TIMEOUT_S) as connection:
            return await connection.fetchrow(self._sql[query], *args, timeout=AUDIO_TIMEOUT_S)
