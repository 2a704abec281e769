"""The directory and its engine's view, in memory and in Postgres, for tests that must hold on both."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.ports import HotlineStore
from engine.store.directory import PostgresDirectory
from engine.store.directory_port import (
    Directory,
    EngineBeat,
    HotlineData,
    LogEntry,
    PhoneData,
    SipCustomer,
    StoredHotline,
    TelephoneRecord,
)
from engine.store.hotlines import PostgresHotlines
from engine.store.memory_directory import MemoryDirectory
from engine.store.memory_hotlines import MemoryHotlines
from engine.store.pool import create_pool

CUSTOMER = SipCustomer("Feuerwehr", "Hauptstraße", 12, "Berlin", "10115", "DE")
NOON = datetime(2026, 11, 21, 12, 0, 0, 123_000, tzinfo=UTC)


@dataclass
class World:
    """A directory, the engine's view of it, and what only an engine would write."""

    directory: Directory
    hotlines: HotlineStore
    pool: Any = None

    async def organisation(self, numbers: int = 2) -> "Org":
        row = await self.directory.create_organisation("Feuerwehr")
        org = row.organisation_id
        users = [(await self.directory.create_user(org, f"user{n}.{org}")).user_id for n in range(3)]
        await self.directory.save_sip_customer(org, CUSTOMER)
        await self.directory.add_numbers([f"+4930{org:04}{n}" for n in range(numbers)])
        return Org(self, org, users)

    async def write_log(self, hotline: StoredHotline, start: datetime, entries: int = 0) -> int:
        org, hotline_id = hotline.organisation_id, hotline.hotline_id
        if isinstance(self.directory, MemoryDirectory):
            log_id = self.directory.add_log(hotline_id, start).log_id
            self.directory.entry_rows += [
                LogEntry(n + 1, log_id, start + timedelta(seconds=n), "agentCalled", 1, 2, "4930123", "")
                for n in range(entries)]
            return log_id
        log_id: int = await self.pool.fetchval(
            "INSERT INTO call_logs (call_id, organisation_id, hotline_id, caller_leg, start_time) "
            "VALUES (gen_random_uuid(), $1, $2, '1.1', $3) RETURNING id", org, hotline_id, start)
        for n in range(entries):
            await self.pool.execute(
                "INSERT INTO call_log_entries (call_log_id, organisation_id, at, type, user_id, phone_id, phone) "
                "VALUES ($1, $2, $3, 'agentCalled', 1, 2, '4930123')", log_id, org, start + timedelta(seconds=n))
        return log_id

    async def write_record(self, hotline: StoredHotline, log_id: int, start: datetime, talk_s: float | None) -> None:
        answer = None if talk_s is None else start + timedelta(seconds=2)
        end = start + timedelta(seconds=2 + (talk_s or 0))
        status = "noAnswer" if talk_s is None else "answered"
        if isinstance(self.directory, MemoryDirectory):
            self.directory.record_rows.append(TelephoneRecord(
                len(self.directory.record_rows) + 1, hotline.hotline_id, log_id, "outbound", "4930123", "49170123",
                start, answer, end, status, 16, False))
            return
        await self.pool.execute(
            "INSERT INTO telephone_records (leg, call_log_id, organisation_id, hotline_id, direction, from_number, "
            "to_number, start_time, answer_time, end_time, status, cause) "
            "VALUES (gen_random_uuid()::text, $1, $2, $3, 'outbound', '4930123', '49170123', $4, $5, $6, $7, 16)",
            log_id, hotline.organisation_id, hotline.hotline_id, start, answer, end, status)

    async def beat(self, age_s: float, state: dict[str, Any], metrics: str = "") -> None:
        if isinstance(self.directory, MemoryDirectory):
            self.directory.beat = EngineBeat(abs(age_s), state, metrics)
            return
        await self.pool.execute(
            "INSERT INTO engines (switch, engine_id, fencing, beat_at, pid, state, metrics) "
            "VALUES ('asterisk', gen_random_uuid(), 1, now() - $1::interval, 1, $2, $3) "
            "ON CONFLICT (switch) DO UPDATE SET beat_at = EXCLUDED.beat_at, state = EXCLUDED.state",
            timedelta(seconds=age_s), json.dumps(state), metrics)


@dataclass
class Org:
    """An organisation with three users, an address and numbers."""

    world: World
    id: int
    users: list[int]

    def data(self, **changes: Any) -> HotlineData:
        return HotlineData(**{"name": "Brand", "is_active": True, "channels_inbound": 10, "channels_outbound": 10,
                              "tts_inbound": "Hallo", "tts_outbound": "Drücken Sie die 1",
                              "agents": tuple(self.users), **changes})

    async def hotline(self, **changes: Any) -> StoredHotline:
        return await self.world.directory.create_hotline(self.id, self.data(**changes))

    async def phone(self, user_id: int, number: str, is_active: bool = True) -> int:
        data = PhoneData(user_id, "Handy", number, is_active)
        return (await self.world.directory.create_phone(self.id, data)).phone_id


@asynccontextmanager
async def world(database_url: str | None) -> AsyncIterator[World]:
    if database_url is None:
        directory = MemoryDirectory()
        yield World(directory, MemoryHotlines(directory))
        return
    pool = await create_pool(database_url)
    try:
        yield World(PostgresDirectory(pool), PostgresHotlines(database_url, pool, wake_s=1), pool)
    finally:
        async with asyncio.timeout(5):
            await pool.close()
