"""Live calls in Postgres: one connection, one transaction in flight, fenced. Used by `engine/call.py` alone.

`save` is one statement (`save_batch`, migration 0010), so a stopped client never leaves a transaction open. Planner
settings are pinned on the connection: joins of a few rows stay index look-ups whatever the statistics say.
"""

import asyncio
import json
import os
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import asyncpg

from engine.ports import Batch, FencedOut, SavedCall, StoreFailed
from engine.store import queries
from engine.store.alarm_rows import alarm_rows
from engine.store.pool import connect, store_errors
from engine.store.program_rows import program_rows
from engine.store.pulse import Pulse
from engine.store.row_json import columns, dumped
from engine.vocabulary.commands import Finish, RowCommand, WriteEntry, WriteRecord

PLANNER = {"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off", "jit": "off"}
SAVE_TIMEOUT_S = 3.0
_SQL = queries.load("calls")


class PostgresCalls:
    """ports.CallStore on one connection, opened again after it failed."""

    def __init__(self, database_url: str, switch: str, clock_s: Callable[[], float] = monotonic) -> None:
        self._url = database_url
        self._switch = switch
        self._engine_id = uuid.uuid4()
        self._fencing = 0
        self._owns_lock = False
        self._clock_s = clock_s
        self._pulse = Pulse()  # of the owner, while it is another one
        self._turn = asyncio.Lock()  # a connection does one thing at a time, and reconciliation asks during a save
        self._connection: asyncpg.Connection[Any] | None = None

    async def take_over(self, stale_after_s: float) -> bool:
        self._owns_lock = await self._fetchval("try_own", self._switch)
        beat = await self._fetchval("last_beat", self._switch)
        if not self._owns_lock and beat is not None and self._pulse.silent_s(beat, self._clock_s()) < stale_after_s:
            return False
        self._fencing = await self._fetchval("take_over", self._switch, self._engine_id, os.getpid())
        return True

    async def save(self, batch: Batch) -> None:
        state = None if batch.heartbeat is None else json.dumps(dict(batch.heartbeat))
        ended = {call_id for call_id, row in batch.rows if isinstance(row, Finish)}
        rows = _rows(batch)
        async with self._using() as connection:  # a new one has a new fencing number
            saved = await connection.fetchval(
                _SQL["save"], self._switch, self._fencing, state, batch.metrics, _calls(batch, ended),
                _parts(batch, ended), rows["entries"], rows["records"], alarm_rows(batch),
                program_rows(batch), rows["ended"],
            )
        if not saved:
            raise self._fenced_out()
        if batch.heartbeat is not None and not self._owns_lock:  # the server kept our former connection for a while
            self._owns_lock = await self._fetchval("try_own", self._switch)

    async def load_calls(self) -> Sequence[SavedCall]:
        async with self._using() as connection:
            rows = await connection.fetch(_SQL["load"], self._switch)
            parts: defaultdict[str, dict[int, Any]] = defaultdict(dict)
            for row in await connection.fetch(_SQL["load_parts"], self._switch):
                parts[row["call_id"]][row["part"]] = json.loads(row["state"])
        return [_saved(row, parts.get(row["call_id"], {})) for row in rows]

    async def call_of_leg(self, caller_leg: str) -> str | None:
        found: str | None = await self._fetchval("call_of_leg", caller_leg)
        return found

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _fetchval(self, query: str, *values: Any) -> Any:
        async with self._using() as connection:
            return await connection.fetchval(_SQL[query], *values)

    @asynccontextmanager
    async def _using(self) -> "AsyncIterator[asyncpg.Connection[Any]]":
        async with self._turn:
            try:
                async with store_errors(), asyncio.timeout(SAVE_TIMEOUT_S):
                    yield await self._open()
            except StoreFailed:
                await self.close()  # what this connection still does is unknown: never use it again
                self._pulse.forget()
                raise

    async def _open(self) -> "asyncpg.Connection[Any]":
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect(self._url, command_timeout_s=SAVE_TIMEOUT_S, settings=PLANNER)
            if self._fencing:
                await self._own_again(self._connection)
        return self._connection

    async def _own_again(self, connection: "asyncpg.Connection[Any]") -> None:
        """A save that we gave up may still run: with a new fencing number it has committed by now, or never will."""
        fencing = await connection.fetchval(_SQL["own_again"], self._switch, self._engine_id)
        if fencing is None:
            raise self._fenced_out()
        self._fencing = fencing
        self._owns_lock = await connection.fetchval(_SQL["try_own"], self._switch)

    def _fenced_out(self) -> FencedOut:
        return FencedOut(f"another engine owns the switch {self._switch!r} now")


def _calls(batch: Batch, ended: set[str]) -> str | None:
    calls = [
        {
            "id": call.call_id, "organisation_id": call.organisation_id, "hotline_id": call.hotline_id,
            "flow": call.flow, "version": call.version, "phase": call.phase, "state": call.state,
            "outbox": call.outbox or None, "started_at": call.started_at,
            "caller_leg": call.caller_leg, "is_new": call.is_new,
        }
        for call in batch.calls.values() if call.is_new or call.call_id not in ended
    ]
    return dumped(calls) if calls else None


def _parts(batch: Batch, ended: set[str]) -> str | None:
    parts = [
        {"call_id": call.call_id, "part": part, "state": state}
        for call in batch.calls.values() if call.parts and call.call_id not in ended
        for part, state in call.parts.items()
    ]
    return dumped(parts) if parts else None


def _rows(batch: Batch) -> dict[str, str | None]:
    """Rows of hotline calls, and the ends of all calls."""
    rows: dict[str, list[dict[str, Any]]] = {"entries": [], "records": [], "ended": []}
    kinds: Mapping[type[RowCommand], str] = {WriteEntry: "entries", WriteRecord: "records", Finish: "ended"}
    for ord_, (call_id, row) in enumerate(batch.rows):
        if (kind := kinds.get(type(row))) is not None:
            rows[kind].append({"ord": ord_, "call_id": call_id, **columns(row)})
    return {kind: dumped(found) if found else None for kind, found in rows.items()}


def _saved(row: asyncpg.Record, parts: Mapping[int, Any]) -> SavedCall:
    return SavedCall(
        call_id=row["call_id"], organisation_id=row["organisation_id"], hotline_id=row["hotline_id"],
        flow=row["flow"], version=row["version"], phase=row["phase"], state=json.loads(row["state"]),
        started_at=row["started_at"], caller_leg=row["caller_leg"],
        outbox=json.loads(row["outbox"]) if row["outbox"] else (), parts=parts,
    )
