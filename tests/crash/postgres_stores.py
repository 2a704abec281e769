"""`Stores` on a real Postgres, of one story: everything is read from the tables, by connections of the test's own.

An engine's live calls go through a `Wire`, which dies with it; its session lock with it. The pool for everything else
is shared by the lives: each use of it is one statement, and a dead engine hears no answer.
"""

import asyncio
import json
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
from tests.crash.campaign_stories import Story, number
from tests.crash.mortal_engine import Fate, MortalEngine
from tests.crash.stores import AlarmRows, Attempt, CallRows, CampaignRows, turns
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
OF_CAMPAIGNS = (
    "results", "spools", "transmissions", "campaigns", "programs", "dnc_lists", "contact_groups", "contacts",
    "recordings")


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
    has_alarms: bool = False
    has_campaigns: bool = False

    async def stores(self, town: Town) -> "PostgresStores":
        """Empty tables. (DELETE: to TRUNCATE as many takes 200 times as long.)"""
        await self.free()
        tables = (*TABLES, *(OF_CAMPAIGNS if self.has_campaigns else ()))
        await self.test.execute(";".join(f"DELETE FROM {table}" for table in tables))  # noqa: S608
        return PostgresStores(self, town)

    async def free(self) -> None:
        """The former engine's connection has ended for the server as well: its session lock is gone."""
        self.wire.cut()
        async with asyncio.timeout(REAL_S):
            while not await self.test.fetchval("SELECT pg_try_advisory_lock(owner_key($1))", SWITCH):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        await self.test.execute("SELECT pg_advisory_unlock_all()")


@asynccontextmanager
async def database(url: str, has_alarms: bool = False, has_campaigns: bool = False) -> AsyncIterator[Database]:
    test = await asyncpg.connect(url, timeout=10, command_timeout=30)
    pool = await create_pool(url)
    try:
        async with Wire.open(url) as wire:
            yield Database(url, test, pool, wire, has_alarms, has_campaigns)
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
        claims = PostgresCampaignClaims if shared.has_campaigns else NoCampaigns
        campaigns = claims(shared.url, shared.pool, SWITCH, WAKES_S)
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
        """Until the engine waits for no answer, and has looked for who is due."""
        async with asyncio.timeout(REAL_S):
            looks = life.campaigns.claims + 1   # the next one may have begun too early
            is_awaited = self._database.has_campaigns
            while is_awaited and life.campaigns.claims <= looks and not life.fate.is_dead:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
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

    # --- the campaign ------------------------------------------------------------------------------------------------

    async def start_campaign(self, story: Story) -> None:
        program_type, program = story.program
        async with self._test.transaction():
            program_id = await self._test.fetchval(
                "INSERT INTO programs (organisation_id, name, type, data) VALUES (1, '', $1, $2) RETURNING id",
                program_type, json.dumps(program))
            group_id = await self._test.fetchval(
                "INSERT INTO contact_groups (organisation_id, name) VALUES (1, '') RETURNING id")
            list_id = await self._test.fetchval(
                "INSERT INTO dnc_lists (organisation_id, name) VALUES (1, '') RETURNING id")
            for place in range(len(story.phones)):
                await self._test.execute(
                    "WITH made AS (INSERT INTO contacts (organisation_id, number) VALUES (1, $2) RETURNING id) "
                    "INSERT INTO contact_group_members (organisation_id, group_id, contact_id) "
                    "SELECT 1, $1, id FROM made", group_id, f"+{number(place)}")
                if place in story.refused:
                    await self._test.execute(
                        "INSERT INTO dnc_numbers (list_id, number) VALUES ($1, $2)", list_id, f"+{number(place)}")
            await self._test.execute(
                "INSERT INTO campaigns (organisation_id, program_id, group_id, cpm, try_allowed, channels, retry, "
                "dnc_list_ids, opt_out_key, status, wakes_at, member_limit) SELECT 1, $1, $2, 6000, $3, $4, "
                """'{"busyS": 3, "noAnswerS": 3, "failedS": 3}', ARRAY[$5::bigint], $6, 'ready', clock_timestamp(), """
                "max(id) FROM contact_group_members WHERE group_id = $2",
                program_id, group_id, story.tries, story.channels, list_id, story.opt_out_key)

    async def set_campaign(self, status: str) -> None:
        await self._test.execute(
            "UPDATE campaigns SET status = $1, wakes_at = CASE WHEN $1 = 'running' THEN clock_timestamp() END", status)
        self._seen.clear()

    async def campaign_is_over(self) -> bool:
        self._seen.clear()
        return not await self._read(
            "SELECT (SELECT count(*) FROM campaigns WHERE status <> 'completed') + (SELECT count(*) FROM calls)")

    async def campaign_rows(self) -> CampaignRows:
        transmissions = await self._test.fetch(
            "SELECT c.number, t.status, t.try_done FROM transmissions t JOIN contacts c ON c.id = t.contact_id")
        spools = await self._test.fetch(
            "SELECT c.number, s.status, s.disposition FROM spools s JOIN transmissions t ON t.id = s.transmission_id "
            "JOIN contacts c ON c.id = t.contact_id ORDER BY s.id")
        figures = await self._test.fetch("SELECT figure, sum(count)::integer FROM campaign_figures GROUP BY 1")
        return CampaignRows(
            await self._test.fetchval("SELECT status FROM campaigns"),
            {row["number"][1:]: (row["status"], row["try_done"]) for row in transmissions},
            [(row["number"][1:], row["status"], row["disposition"]) for row in spools], dict(figures),
            await self._live())

    async def _column(self, query: str) -> list[Any]:
        return [row[0] for row in await self._test.fetch(query)]


def _untrue(records: list["asyncpg.Record"], town: Town) -> list[str]:
    """Records of legs that the phones know nothing of, or that name another one."""
    known = {call.leg: call.number for call in town.calls}
    return [
        f"a record of {row['leg']} to {row['to_number']}" for row in records
        if row["direction"] == "outbound" and known.get(row["leg"], row["to_number"]) != row["to_number"]]
