"""Alarms for the engine, out of Postgres: `ports.AlarmStore`. Its twin is `memory_alarms.py`.

Used by the dispatcher, reconciliation and inbound calls; what a live alarm writes goes through `calls.py`. Numbers are
stored with a plus and leave here as digits only.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import structlog

from engine.ports import AckNote, AlarmOrder, CallBack, QueuedAlarm, Restraints
from engine.store.alarm_plan import load_plan
from engine.store.listening import heard
from engine.store.recordings import PostgresRecordings
from engine.store.statements import Statements
from engine.vocabulary.values import Person

log = structlog.get_logger()

CHANNEL = "ringward_alarm"
WAKE_S = 1.0
GONE_AFTER = timedelta(seconds=30)  # an engine that has not beaten for so long does not begin what it claimed
RECORDED = ("de", "en", "es", "fr", "it")  # languages of the recorded prompts
REMEMBERED = 1000


def voice_of(language: str) -> str:
    """The recorded prompts for this language."""
    return language if language in RECORDED else "en"


class PostgresAlarms(Statements):
    """One engine's. It remembers what it claimed: an alarm is returned once, also when a claim's answer was lost."""

    NAME = "alarms"

    def __init__(
        self, database_url: str, pool: "asyncpg.Pool[Any]", switch: str, wake_s: float = WAKE_S,
    ) -> None:
        super().__init__(pool)
        self._database_url = database_url
        self._switch = switch
        self._wake_s = wake_s
        self._claimed: deque[int] = deque(maxlen=REMEMBERED)
        self._turn = asyncio.Lock()  # a claim must know what the one before it got

    async def claim(self, limit: int) -> Sequence[QueuedAlarm]:
        async with self._turn:
            rows = await self._rows("claim", self._switch, limit, list(self._claimed), GONE_AFTER)
            self._claimed.extend(row["id"] for row in rows)
        return [alarm for row in rows if (alarm := await self._read(row)) is not None]

    async def _read(self, row: "asyncpg.Record") -> QueuedAlarm | None:
        """A plan that this code cannot read (another version posted it) stops no other alarm, and fails audibly."""
        try:
            return _queued(row)
        except (ValueError, KeyError) as error:
            log.error("alarm.unreadable", alarm=row["id"], error=type(error).__name__)
            await self._row("unreadable", row["id"])
            return None

    async def orders(self) -> Sequence[AlarmOrder]:
        return [AlarmOrder(*row) for row in await self._rows("orders", self._switch)]

    async def forget_orders(self, order_ids: Sequence[int]) -> None:
        await self._row("forget_orders", list(order_ids))

    async def call_of_attempt(self, leg: str) -> str | None:
        row = await self._row("call_of_attempt", leg)
        return None if row is None else row[0]

    async def acknowledge_late(self, note: AckNote) -> None:
        await self._row("acknowledge_late", note.leg, note.at)

    async def call_back(self, did: str, caller: str) -> CallBack | None:
        row = await self._row("call_back", f"+{did}", f"+{caller}", self._switch)
        return None if row is None else CallBack(row["organisation_id"], voice_of(row["language"]), row["call_id"])

    async def restraints(self, within: timedelta) -> Restraints:
        dials = await self._rows("dials", within)
        failures = await self._rows("pin_failures", within)
        return Restraints([(row[0][1:], row[1]) for row in dials], [(row[0][1:], row[1]) for row in failures])

    async def recording(self, organisation_id: int, recording_id: int) -> bytes | None:
        return await PostgresRecordings(self._pool).audio(organisation_id, recording_id)

    async def changes(self) -> AsyncGenerator[None, None]:
        async for _ in heard(self._database_url, CHANNEL, self._wake_s):
            yield None


def _queued(row: "asyncpg.Record") -> QueuedAlarm:
    plan = replace(load_plan(row["plan"]), alarm_id=row["id"])
    call_id: str = row["call_id"]
    orders = tuple(
        AlarmOrder(order_id, call_id, kind, recipient_id, by)
        for order_id, kind, recipient_id, by in json.loads(row["orders"] or "[]")
    )
    return QueuedAlarm(call_id, plan, tuple(map(_person, json.loads(row["persons"]))), orders, row["age_s"])


def _person(stored: Sequence[Any]) -> Person:
    recipient_id, name, role, language, voice, phones, groups = stored
    return Person(recipient_id, name, role, language, voice, tuple(phone[1:] for phone in phones), tuple(groups))
