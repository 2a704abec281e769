"""Alarms as they are posted, begun, saved and read, in memory and in Postgres, for tests that must hold on both."""

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

import asyncpg

from engine.ports import AlarmStore, Batch, CallStore, QueuedAlarm, SavedCall
from engine.store.alarm_plan import dump_plan
from engine.store.alarms import PostgresAlarms
from engine.store.calls import PostgresCalls
from engine.store.memory_alarms import AlarmBook, MemoryAlarms
from engine.store.memory_calls import MemoryCalls, Shelf
from engine.store.pool import create_pool
from engine.store.statements import Connection
from engine.switch.memory import MemorySwitch
from engine.vocabulary.commands import RowCommand, WriteAttempt
from engine.vocabulary.values import AlarmPlan, Person
from tests.clocks import SwitchClock
from tests.playbook import at

SWITCH = "asterisk"
OWN_NUMBER = "4930100"

PLAN = AlarmPlan(
    alarm_id=0, organisation_id=1, caller_id=OWN_NUMBER, created_at=at(0), message=(("de", "Brand in Halle 3"),),
    recording_id=None, closing=(("de", "Danke."),), needed=1, by_role=(), key="1", decline_key="9", pin="0711",
    strategy="parallel", waves=(), rounds=3, pause_s=60, retry_on=("busy", "noAnswer", "mailbox", "failed"),
    ring_timeout_s=25, expires_s=1800, amd=False,
)


def person(name: str, *phones: str, **facts: Any) -> Person:
    made = Person(0, name, facts.pop("role", ""), "de", "de", phones)
    return replace(made, **facts)


class AlarmWorld(Protocol):
    """Stores that several engines use, and what people do to them."""

    def alarms(self, switch: str = SWITCH) -> AlarmStore: ...
    async def calls(self, switch: str = SWITCH) -> CallStore:
        """Those of an engine that owns its switch from now on."""
    async def post(self, *persons: Person) -> QueuedAlarm: ...
    async def order(self, alarm: QueuedAlarm, kind: str, recipient_id: int | None = None) -> int: ...
    async def upload(self, wav: bytes) -> int: ...
    async def state(self, alarm: QueuedAlarm) -> str: ...
    async def recipients(self, alarm: QueuedAlarm) -> Sequence[str]: ...
    async def attempts(self, alarm: QueuedAlarm) -> Mapping[str, str | None]:
        """Dispositions by leg."""
    async def notes(self, alarm: QueuedAlarm) -> Sequence[str]: ...
    async def age(self, seconds: float) -> None:
        """Time passes."""


class MemoryAlarmWorld:
    def __init__(self) -> None:
        self._switch = MemorySwitch()
        self.book = AlarmBook(Shelf(SwitchClock(self._switch)), own_numbers={OWN_NUMBER: (1, "de")})
        self._last_recipient = 100

    def alarms(self, switch: str = SWITCH) -> AlarmStore:
        return MemoryAlarms(self.book)

    async def calls(self, switch: str = SWITCH) -> CallStore:
        made = MemoryCalls(self.book.shelf)
        self.book.shelf.owner_is_dead = True
        assert await made.take_over(10)
        return made

    async def post(self, *persons: Person) -> QueuedAlarm:
        numbered = []
        for one in persons:
            self._last_recipient += 1
            numbered.append(replace(one, recipient_id=self._last_recipient))
        plan = replace(PLAN, alarm_id=len(self.book.alarms) + 1)
        alarm = QueuedAlarm(str(uuid.uuid4()), plan, tuple(numbered))
        self.book.post(alarm)
        return alarm

    async def order(self, alarm: QueuedAlarm, kind: str, recipient_id: int | None = None) -> int:
        self.book.order(alarm.call_id, kind, recipient_id)
        return self.book.orders[-1].order_id

    async def upload(self, wav: bytes) -> int:
        self.book.recordings[1, 7] = wav
        return 7

    async def state(self, alarm: QueuedAlarm) -> str:
        return self.book.state(alarm.call_id).value

    async def recipients(self, alarm: QueuedAlarm) -> Sequence[str]:
        return [self.book.recipient(alarm.call_id, one.recipient_id).value for one in alarm.persons]

    async def attempts(self, alarm: QueuedAlarm) -> Mapping[str, str | None]:
        return {leg: row.disposition and row.disposition.value
                for leg, (_, row) in self.book.attempts(alarm.call_id).items()}

    async def notes(self, alarm: QueuedAlarm) -> Sequence[str]:
        return self.book.notes(alarm.call_id)

    async def age(self, seconds: float) -> None:
        self._switch.advance(seconds)


class PostgresAlarmWorld:
    def __init__(self, url: str, pool: "asyncpg.Pool[Any]") -> None:
        self.url = url
        self.pool = pool
        self.engines: list[PostgresCalls] = []

    def alarms(self, switch: str = SWITCH) -> AlarmStore:
        return PostgresAlarms(self.url, self.pool, switch, wake_s=0.05)

    async def calls(self, switch: str = SWITCH) -> CallStore:
        self.engines.append(PostgresCalls(self.url, switch))
        assert await self.engines[-1].take_over(0)
        return self.engines[-1]

    async def post(self, *persons: Person) -> QueuedAlarm:
        async with self.pool.acquire() as connection, connection.transaction():
            return await self._post(connection, persons)

    async def _post(self, connection: Connection, persons: Sequence[Person]) -> QueuedAlarm:
        alarm_id, call_id = await connection.fetchrow(
            "INSERT INTO alarms (organisation_id, needed, plan, request) VALUES (1, $1, $2, '{}') "
            "RETURNING id, call_id::text", PLAN.needed, dump_plan(PLAN))
        numbered = []
        for place, one in enumerate(persons):
            recipient_id = await connection.fetchval(
                "INSERT INTO alarm_recipients (organisation_id, alarm_id, position, name, role, language, voice, "
                "phones, group_ids) VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8) RETURNING id", alarm_id, place, one.name,
                one.role, one.language, one.voice, [f"+{phone}" for phone in one.phones], list(one.groups))
            numbered.append(replace(one, recipient_id=recipient_id))
        return QueuedAlarm(call_id, replace(PLAN, alarm_id=alarm_id), tuple(numbered))

    async def order(self, alarm: QueuedAlarm, kind: str, recipient_id: int | None = None) -> int:
        order_id: int = await self.pool.fetchval(
            "INSERT INTO alarm_orders (organisation_id, alarm_id, kind, recipient_id, by) "
            "VALUES (1, $1, $2, $3, 'operator') RETURNING id", alarm.plan.alarm_id, kind, recipient_id)
        return order_id

    async def upload(self, wav: bytes) -> int:
        recording_id: int = await self.pool.fetchval(
            "INSERT INTO recordings (organisation_id, name, audio, digest, duration_ms) VALUES (1, '', $1, '', 1) "
            "RETURNING id", wav)
        return recording_id

    async def state(self, alarm: QueuedAlarm) -> str:
        state: str = await self.pool.fetchval("SELECT state FROM alarms WHERE call_id = $1", alarm.call_id)
        return state

    async def recipients(self, alarm: QueuedAlarm) -> Sequence[str]:
        return await self._column("SELECT state FROM alarm_recipients WHERE alarm_id = $1 ORDER BY position", alarm)

    async def attempts(self, alarm: QueuedAlarm) -> Mapping[str, str | None]:
        return dict(await self.pool.fetch(
            "SELECT leg, disposition FROM alarm_attempts WHERE alarm_id = $1", alarm.plan.alarm_id))

    async def notes(self, alarm: QueuedAlarm) -> Sequence[str]:
        return await self._column("SELECT type FROM alarm_notes WHERE alarm_id = $1 ORDER BY id", alarm)

    async def age(self, seconds: float) -> None:
        for query in ("UPDATE alarm_attempts SET counted_at = counted_at - $1::interval",
                      "UPDATE pin_failures SET counted_at = counted_at - $1::interval"):
            await self.pool.execute(query, timedelta(seconds=seconds))

    async def _column(self, query: str, alarm: QueuedAlarm) -> Sequence[str]:
        return [row[0] for row in await self.pool.fetch(query, alarm.plan.alarm_id)]


@asynccontextmanager
async def alarm_world(database_url: str | None) -> AsyncIterator[AlarmWorld]:
    if database_url is None:
        yield MemoryAlarmWorld()
        return
    pool = await create_pool(database_url)
    try:
        await pool.execute("INSERT INTO organisations (name) VALUES ('Feuerwehr')")
        await pool.execute("INSERT INTO numbers (number, organisation_id) VALUES ($1, 1)", f"+{OWN_NUMBER}")
        made = PostgresAlarmWorld(database_url, pool)
        yield made
        for engine in made.engines:
            await engine.close()
    finally:
        pool.terminate()


def live(alarm: QueuedAlarm, **changes: Any) -> SavedCall:
    """The alarm's live call."""
    made = SavedCall(
        call_id=alarm.call_id, organisation_id=1, hotline_id=None, flow="alarm", version=1, phase="ringing",
        state={"wave": 0}, started_at=at(0), caller_leg="", is_new=True,
    )
    return replace(made, **changes)


def saving(call: SavedCall, *rows: RowCommand) -> Batch:
    return Batch({call.call_id: call}, [(call.call_id, row) for row in rows])


def dialled(alarm: QueuedAlarm, leg: str, place: int = 0, **facts: Any) -> WriteAttempt:
    """An attempt to reach the recipient at `place` by his first phone."""
    one = alarm.persons[place]
    made = WriteAttempt(leg, one.recipient_id, one.phones[0], "trunk", at(1))
    return replace(made, **facts)
