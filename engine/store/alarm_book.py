"""Alarms as the api reads them, and what people order about them. Used by `api/ringward`; posting: `alarm_posting.py`.

Every method acts for one organisation and sees no other. Numbers are E.164 with a plus. The plan, which holds the pin,
is never read here.
"""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import asyncpg

from engine.store.alarm_posting import AlarmPosting
from engine.store.pool import acquired
from engine.store.statements import Statements
from engine.vocabulary.values import AlarmState, RecipientState

POSTING_DEADLINE_S = 8.0    # ten thousand recipients, or waiting for those who post before us
MANY = 2000                 # rows of an alarm; more are read beside the event loop (ten thousand people: a second)
Rows: TypeAlias = Sequence["asyncpg.Record"]


@dataclass(frozen=True, slots=True)
class StoredAlarm:
    alarm_id: int
    organisation_id: int
    state: AlarmState
    needed: int
    request: Mapping[str, Any]
    created_at: datetime
    decided_at: datetime | None
    finished_at: datetime | None
    counts: Mapping[str, int]               # recipients by state; a state that nobody has is not there


@dataclass(frozen=True, slots=True)
class StoredAttempt:
    leg: str
    direction: str
    phone: str
    disposition: str | None
    cause: int | None
    placed_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredRecipient:
    recipient_id: int
    user_id: int | None
    contact_id: int | None
    name: str
    role: str
    language: str
    phones: Sequence[str]
    state: RecipientState
    acknowledged_at: datetime | None
    attempts: Sequence[StoredAttempt]


@dataclass(frozen=True, slots=True)
class StoredNote:
    at: datetime
    type: str
    recipient_id: int | None
    leg: str | None
    phone: str | None
    message: str


@dataclass(frozen=True, slots=True)
class StandingOrder:
    """Ordered, and not yet taken up by an engine."""

    kind: str
    recipient_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class WholeAlarm:
    alarm: StoredAlarm
    recipients: Sequence[StoredRecipient]
    notes: Sequence[StoredNote]
    orders: Sequence[StandingOrder]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far an order is. `recipient_state` is None when there is no such recipient, or none is meant."""

    state: AlarmState
    is_over: bool
    recipient_state: RecipientState | None
    is_ordered: bool


class PostgresAlarmBook(Statements):
    NAME = "alarm_book"

    @asynccontextmanager
    async def posting(self, organisation_id: int) -> AsyncIterator[AlarmPosting]:
        """One transaction: left by an exception it has stored nothing. Raises StoreFailed."""
        async with acquired(self._pool, POSTING_DEADLINE_S) as connection, connection.transaction():
            yield AlarmPosting(connection, self._sql, organisation_id)

    async def alarm(self, organisation_id: int, alarm_id: int) -> WholeAlarm | None:
        """All of one moment."""
        of = (organisation_id, alarm_id)
        async with (acquired(self._pool, POSTING_DEADLINE_S) as connection,
                    connection.transaction(isolation="repeatable_read", readonly=True)):
            row = await connection.fetchrow(self._sql["alarm"], *of)
            if row is None:
                return None
            attempts, recipients, notes, orders = [
                await connection.fetch(self._sql[it], *of) for it in ("attempts", "recipients", "notes", "orders")]
        if len(attempts) + len(recipients) + len(notes) > MANY:
            return await asyncio.to_thread(_whole, row, attempts, recipients, notes, orders)
        return _whole(row, attempts, recipients, notes, orders)

    async def alarms(self, organisation_id: int, before: int | None, state: AlarmState | None, since: datetime | None,
                     limit: int) -> Sequence[StoredAlarm]:
        """Newest first; `before` is the id of the last alarm of the page before."""
        rows = await self._rows("alarms", organisation_id, before, state, since, limit)
        return [_alarm(row, json.loads(row["counts"] or "{}")) for row in rows]

    async def is_recipient(self, organisation_id: int, alarm_id: int, recipient_id: int, user_id: int) -> bool:
        """Whether this recipient of the alarm is this user."""
        row = await self._row("recipient", organisation_id, alarm_id, recipient_id)
        return row is not None and row["user_id"] == user_id

    async def order(self, organisation_id: int, alarm_id: int, kind: str, recipient_id: int | None, by: str) -> None:
        await self._row("order", organisation_id, alarm_id, kind, recipient_id, by)

    async def standing(
        self, organisation_id: int, alarm_id: int, kind: str, recipient_id: int | None) -> Standing | None:
        row = await self._row("standing", organisation_id, alarm_id, kind, recipient_id)
        if row is None:
            return None
        recipient_state = row["recipient_state"]
        return Standing(AlarmState(row["state"]), row["is_over"],
                        None if recipient_state is None else RecipientState(recipient_state), row["is_ordered"])


def _whole(row: "asyncpg.Record", attempts: Rows, recipients: Rows, notes: Rows, orders: Rows) -> WholeAlarm:
    of: dict[int, list[StoredAttempt]] = defaultdict(list)
    for it in attempts:
        of[it[0]].append(StoredAttempt(*it[1:]))
    people = [_recipient(it, of[it["id"]]) for it in recipients]
    return WholeAlarm(_alarm(row, Counter(str(it.state) for it in people)), people,
                      [StoredNote(*it) for it in notes], [StandingOrder(*it) for it in orders])


def _alarm(row: "asyncpg.Record", counts: Mapping[str, int]) -> StoredAlarm:
    return StoredAlarm(
        row["id"], row["organisation_id"], AlarmState(row["state"]), row["needed"], json.loads(row["request"]),
        row["created_at"], row["decided_at"], row["finished_at"], counts)


def _recipient(row: "asyncpg.Record", attempts: Sequence[StoredAttempt]) -> StoredRecipient:
    return StoredRecipient(
        row["id"], row["user_id"], row["contact_id"], row["name"], row["role"], row["language"], row["phones"],
        RecipientState(row["state"]), row["acknowledged_at"], attempts)
