"""Stores of live calls, in memory and in Postgres, for tests that must hold on both; and what is saved in them."""

import asyncio
import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

import asyncpg

from engine.ports import Batch, CallStore, SavedCall
from engine.store.calls import PostgresCalls
from engine.store.memory_calls import MemoryCalls, Shelf
from engine.switch.memory import MemorySwitch
from engine.vocabulary.commands import Finish, RowCommand, WriteEntry, WriteRecord
from engine.vocabulary.values import Direction, EntryType, RecordStatus
from tests.clocks import SwitchClock
from tests.playbook import at

SWITCH = "asterisk"


class HeldStore(MemoryCalls):
    """A database that answers when the test says so."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__(shelf)
        self.may_save = asyncio.Event()
        self.may_save.set()
        self.is_saving = False

    async def save(self, batch: Batch) -> None:
        self.is_saving = True
        await self.may_save.wait()
        await super().save(batch)
        self.is_saving = False


class World(Protocol):
    """A store that several engines use, and what only a test may do to it."""

    def engine(self) -> CallStore: ...
    async def age(self, seconds: float) -> None:
        """Time passes."""
    async def jumps(self, by_s: float) -> None:
        """The wall clock of the store is put forward, or back; nothing else."""
    async def dies(self, engine: CallStore) -> None: ...
    async def rows(self) -> list[str]: ...


class MemoryWorld:
    def __init__(self) -> None:
        self._switch = MemorySwitch()
        self._clock = SwitchClock(self._switch)
        self._shelf = Shelf(self._clock)

    def engine(self) -> CallStore:
        return MemoryCalls(self._shelf)

    async def age(self, seconds: float) -> None:
        self._switch.advance(seconds)

    async def jumps(self, by_s: float) -> None:
        self._clock.jumps(by_s)

    async def dies(self, engine: CallStore) -> None:
        self._shelf.owner_is_dead = True

    async def rows(self) -> list[str]:
        return [_told(row) for _, row in self._shelf.rows]


class PostgresWorld:
    def __init__(self, url: str) -> None:
        self.url = url
        self.engines: list[PostgresCalls] = []
        self._passed_s = 0.0

    def engine(self) -> CallStore:
        self.engines.append(PostgresCalls(self.url, SWITCH, lambda: time.monotonic() + self._passed_s))
        return self.engines[-1]

    async def age(self, seconds: float) -> None:
        """For those who watch. What is stored stays as it is, as it does when time passes."""
        self._passed_s += seconds

    async def jumps(self, by_s: float) -> None:
        """Before anybody looks: what was is that much further away, or to come."""
        await self.execute("UPDATE engines SET beat_at = beat_at - $1::interval", timedelta(seconds=by_s))

    async def dies(self, engine: CallStore) -> None:
        await engine.close()

    async def rows(self) -> list[str]:
        entries = await self.execute("SELECT type AS told, id FROM call_log_entries ORDER BY id")
        records = await self.execute("SELECT leg AS told, id FROM telephone_records ORDER BY id")
        ended = await self.execute("SELECT outcome AS told FROM call_logs WHERE end_time IS NOT NULL ORDER BY id")
        return [row["told"] for row in (*entries, *records, *ended)]

    async def execute(self, query: str, *values: object) -> Sequence[asyncpg.Record]:
        connection = await asyncpg.connect(self.url, timeout=10, command_timeout=30)
        try:
            return await connection.fetch(query, *values)
        finally:
            await connection.close()


def _told(row: RowCommand) -> str:
    match row:
        case WriteEntry():
            return row.type.value
        case WriteRecord():
            return row.leg
        case Finish():
            return row.outcome


def call(number: int = 1, **changes: Any) -> SavedCall:
    made = SavedCall(
        call_id=str(uuid.UUID(int=number)), organisation_id=1, hotline_id=7, flow="hotline", version=1, phase="waiting",
        state={"legs": [], "text": "ü\\ \u2028 '"}, started_at=at(number), caller_leg=f"1795291439.{number}",
        is_new=True,
    )
    return replace(made, **changes)


def batch(*calls: SavedCall, rows: Sequence[RowCommand] = (), beat: bool = False) -> Batch:
    made = Batch({one.call_id: one for one in calls}, [(calls[0].call_id, row) for row in rows])
    made.heartbeat = {"switch": True} if beat else None
    return made


def entry(kind: EntryType, seconds: float = 0) -> WriteEntry:
    return WriteEntry(at(seconds), kind, user_id=1, phone_id=2, phone="4930123", message="Tür")


def record(leg: str) -> WriteRecord:
    return WriteRecord(
        leg, Direction.OUTBOUND, "4930555", "4930123", at(0), None, at(9), RecordStatus.BUSY, 17, fallback=True)


async def owner(world: World) -> CallStore:
    engine = world.engine()
    assert await engine.take_over(10)
    return engine
