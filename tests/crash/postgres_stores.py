"""`Stores` on a real Postgres, of one story: everything is read from the tables, by connections of the test's own.

An engine's live calls go through a `Wire`, which dies with it; its session lock with it. The pool for everything else
is shared by the lives: each use of it is one statement, and a dead engine hears no answer.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import asyncpg

from engine.ports import Batch, QueuedAlarm
from engine.store.alarm_plan import dump_plan
from engine.store.alarms import CHANNEL, PostgresAlarms
from engine.store.calls import PostgresCalls
from engine.store.campaign_claims import PostgresCampaignClaims
from engine.store.hotlines import PostgresHotlines
from engine.store.pool import create_pool
from engine.vocabulary.values import AlarmState, Disposition, EntryType, RecipientState
from tests.crash.mortal_engine import Fate, MortalEngine
from tests.crash.stores import AlarmRows, Attempt, CallRows, turns
from tests.crash.town import Town
from tests.crash.wire import Wire

SWITCH = "asterisk"
WAKES_S = 0.25  # the test's own NOTIFY stands for the wake of every second
REAL_S = 5.0  # no wait of the test itself is longer, in the time of this machine
FINAL = {f"alarm.{state.value}": state for state in AlarmState if state not in (AlarmState.QUEUED, AlarmState.RINGING)}
ONCE = ["ringing", "quorumReached", "cancelOrdered", "finished", "operatorAcknowledged"]  # notes of an alarm
ONCE_A_LEG = ["dialled", "answered", "mailbox", "busy", "noAnswer", "failed", "declined", "acknowledged"]
# a story's rows; what belongs to an alarm goes with it
TABLES = (
    "alarms", "calls", "call_parts", "call_log_entries", "telephone_records", "call_logs", "events", "pin_failures")


class WiredCalls(PostgresCalls):
    """The engine's own store; the wire is told which of its statements are a save of calls."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire.url, SWITCH)
        self._wire = wire

    async def save(self, batch: Batch) -> None:
        self._wire.is_saving = bool(batch.calls)
        try:
            await super().save(batch)
        finally:
            self._wire.is_saving = False


class UnchangedHotlines(PostgresHotlines):
    """No story changes a hotline: no connection that listens for that."""

    async def changes(self) -> AsyncGenerator[int, None]:
        yield 0
        await asyncio.Event().wait()


class NoAlarms(PostgresAlarms):
    """Of a story without alarms: likewise."""

    async def changes(self) -> AsyncGenerator[None, None]:
        yield None
        await asyncio.Event().wait()


class NoCampaigns(PostgresCampaignClaims):
    """Of a story without campaigns: likewise."""

    async def changes(self) -> AsyncGenerator[None, None]:
        yield None
        await asyncio.Event().wait()


@dataclass
class Database:
    """What the stories of one test share."""

    url: str
    test: "asyncpg.Connection[Any]"
    pool: "asyncpg.Pool[Any]"
    wire: Wire
    has_alarms: bool

    async def stores(self, town: Town) -> "PostgresStores":
        """Empty tables. (DELETE: to TRUNCATE as many takes 200 times as long.)"""
        await self.free()
        await self.test.execute(";".join(f"DELETE FROM {table}" for table in TABLES))  # noqa: S608
        return PostgresStores(self, town)

    async def free(self) -> None:
        """The former engine's connection has ended for the server as well: its session lock is gone."""
        self.wire.cut()
        async with asyncio.timeout(REAL_S):
            while not await self.test.fetchval("SELECT pg_try_advisory_lock(owner_key($1))", SWITCH):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        await self.test.execute("SELECT pg_advisory_unlock_all()")


@asynccontextmanager
async def database(url: str, has_alarms: bool) -> AsyncIterator[Database]:
    test = await asyncpg.connect(url, timeout=10, command_timeout=30)
    pool = await create_pool(url)
    try:
        async with Wire.open(url) as wire:
            yield Database(url, test, pool, wire, has_alarms)
    finally:
        pool.terminate()
        test.terminate()


class PostgresStores:
    def __init__(self, database: Database, town: Town) -> None:
        self._database = database
        self._town = town
        self._test = database.test
        self._alarm_id = 0
        self._recipients: list[int] = []
        self._seen: dict[str, Any] = {}  # what was read since an engine last asked anything
        self._seen_at: object = None

    def engine(self, fate: Fate) -> MortalEngine:
        shared = self._database
        shared.wire.begin(fate)
        alarms = (PostgresAlarms if shared.has_alarms else NoAlarms)(shared.url, shared.pool, SWITCH, WAKES_S)
        hotlines = UnchangedHotlines(shared.url, shared.pool)
        campaigns = NoCampaigns(shared.url, shared.pool, SWITCH)
        return MortalEngine(self._town, WiredCalls(shared.wire), hotlines, alarms, campaigns, fate)

    async def has_begun(self, life: MortalEngine) -> None:
        async with asyncio.timeout(REAL_S):
            while not (life.has_compared or life.fate.is_dead):  # noqa: ASYNC110
                await asyncio.sleep(0.0005)
            looks = life.alarms.looks + 1  # the first may have begun too early
            while self._database.has_alarms and not (life.alarms.looks > looks or life.fate.is_dead):
                await self._test.execute(f"NOTIFY {CHANNEL}")
                await asyncio.sleep(0.001)
        await self.turns(life)

    async def turns(self, life: MortalEngine) -> None:
        """Until the engine waits for no answer."""
        async with asyncio.timeout(REAL_S):
            while True:
                await turns()
                if life.fate.is_idle.is_set():
                    return
                await life.fate.is_idle.wait()

    async def died(self, life: MortalEngine) -> None:
        await self._database.free()
        self._seen.clear()

    async def is_empty(self) -> bool:
        return not await self._read("SELECT count(*) FROM calls")

    async def _read(self, query: str) -> Any:
        """One value; asked again only when an engine has asked the database something meanwhile."""
        fate = self._database.wire.fate
        if self._seen_at != (fate, fate.asked) or not fate.is_idle.is_set():
            self._seen.clear()
            self._seen_at = (fate, fate.asked)
        if query not in self._seen:
            self._seen[query] = await self._test.fetchval(query)
        return self._seen[query]

    async def call_rows(self, town: Town) -> CallRows:
        logs = await self._test.fetch("SELECT call_id::text, end_time, outcome FROM call_logs")
        records = await self._test.fetch("SELECT * FROM telephone_records")
        return CallRows(
            {log["call_id"]: int(log["end_time"] is not None) for log in logs}, [row["leg"] for row in records],
            [EntryType(row[0]) for row in await self._test.fetch("SELECT type FROM call_log_entries ORDER BY id")],
            await self._live(), [*_untrue(records, town), *await self._twice()])

    async def _live(self) -> list[str]:
        parts = "SELECT call_id || ' part ' || part FROM call_parts"
        return [row[0] for row in await self._test.fetch(f"SELECT phase FROM calls UNION ALL {parts}")]  # noqa: S608

    async def _twice(self) -> list[str]:
        """Every leg's end is told once."""
        told = await self._test.fetch("SELECT data ->> 'legID' FROM events WHERE type = 'call.finished'")
        return [f"the end of {leg} was told {times} times" for (leg,), times in Counter(told).items() if times > 1]

    # --- the alarm ---------------------------------------------------------------------------------------------------

    async def post(self, alarm: QueuedAlarm) -> None:
        async with self._test.transaction():
            self._alarm_id = await self._test.fetchval(
                "INSERT INTO alarms (organisation_id, call_id, needed, plan, request) VALUES (1, $1, $2, $3, '{}') "
                "RETURNING id", alarm.call_id, alarm.plan.needed, dump_plan(alarm.plan))
            self._recipients = [await self._test.fetchval(
                "INSERT INTO alarm_recipients (organisation_id, alarm_id, position, name, role, language, voice, "
                "phones, group_ids) VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8) RETURNING id", self._alarm_id, place,
                one.name, one.role, one.language, one.voice, [f"+{phone}" for phone in one.phones], list(one.groups),
            ) for place, one in enumerate(alarm.persons)]

    async def order(self, kind: str, place: int | None, life: MortalEngine) -> None:
        await self._test.execute(
            "INSERT INTO alarm_orders (organisation_id, alarm_id, kind, recipient_id, by) "
            "VALUES (1, $1, $2, $3, 'operator')", self._alarm_id, kind,
            None if place is None else self._recipients[place])
        with suppress(TimeoutError):
            async with asyncio.timeout(REAL_S):
                while not life.fate.is_dead and not await self._is_taken():  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
        self._seen.clear()

    async def _is_taken(self) -> bool:
        return not await self._test.fetchval("SELECT count(*) FROM alarm_orders")

    async def state(self) -> AlarmState:
        return AlarmState(await self._read("SELECT state FROM alarms"))

    async def is_over(self) -> bool:
        return not await self._read(
            "SELECT (SELECT count(*) FROM alarms WHERE finished_at IS NULL) + (SELECT count(*) FROM alarm_orders)")

    async def alarm_rows(self, town: Town) -> AlarmRows:
        alarm = await self._test.fetchrow("SELECT * FROM alarms")
        told = await self._column("SELECT type FROM events ORDER BY id")
        attempts = await self._test.fetch("SELECT * FROM alarm_attempts")
        return AlarmRows(
            AlarmState(alarm["state"]), [FINAL[one] for one in told if one in FINAL],
            told.count("alarm.finished"),
            [RecipientState(one) for one in await self._column("SELECT state FROM alarm_recipients ORDER BY position")],
            {row["leg"]: Attempt(row["phone"][1:], row["disposition"] and Disposition(row["disposition"]),
                                 row["ended_at"]) for row in attempts},
            await self._test.fetchval("SELECT count(*) FROM alarm_orders"), await self._live(),
            [*await self._twice(), *await self._timeline(), *await self._acknowledged()])

    async def _timeline(self) -> list[str]:
        """What happens once in an alarm, or once in a leg's life, stands there once."""
        once = await self._test.fetch(
            "SELECT type || coalesce(' of ' || leg, ''), count(*) FROM alarm_notes "
            "WHERE type = ANY($1) OR leg IS NOT NULL AND type = ANY($2) GROUP BY 1 HAVING count(*) > 1",
            ONCE, ONCE_A_LEG)
        finished = await self._test.fetchval("SELECT count(*) FROM alarm_notes WHERE type = 'finished'")
        dialled = await self._column(
            "SELECT leg FROM alarm_attempts a WHERE NOT EXISTS "
            "(SELECT FROM alarm_notes n WHERE n.leg = a.leg AND n.type = 'dialled')")
        return [*(f"timeline: {what} {times} times" for what, times in once), *(["not finished"] * (not finished)),
                *(f"timeline: {leg} was not dialled" for leg in dialled)]

    async def _acknowledged(self) -> list[str]:
        """Who acknowledged has a time, and was told once."""
        told = Counter(await self._column(
            "SELECT (data ->> 'recipientID')::bigint FROM events WHERE type = 'recipient.acknowledged'"))
        rows = await self._test.fetch("SELECT id, state, acknowledged_at, position FROM alarm_recipients")
        return [
            f"person {row['position']} is {row['state']}, told {told[row['id']]} times, at {row['acknowledged_at']}"
            for row in rows
            if not (told[row["id"]] == (row["state"] == "acknowledged") == (row["acknowledged_at"] is not None))]

    async def _column(self, query: str) -> list[Any]:
        return [row[0] for row in await self._test.fetch(query)]


def _untrue(records: list["asyncpg.Record"], town: Town) -> list[str]:
    """Records of legs that the phones know nothing of, or that name another one."""
    known = {call.leg: call.number for call in town.calls}
    return [
        f"a record of {row['leg']} to {row['to_number']}" for row in records
        if row["direction"] == "outbound" and known.get(row["leg"], row["to_number"]) != row["to_number"]]
