"""Schedules of campaigns and transmissions: made by the ICTCore API, done by `engine/schedules.py` when they are due.
SQL is in `sql/schedules.sql`.

A schedule is done in the transaction that locks it, by the same statements as the API has: done once and recorded, or
not done.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg

from engine.ports import StoreFailed
from engine.store.campaigns import LARGE_S, CampaignNotReady, PostgresCampaigns, ProgramNotRun
from engine.store.dialable import refusal
from engine.store.statements import Connection, Statements, one_transaction
from engine.store.time_zones import zone, zone_of_country
from engine.store.transmissions import PostgresTransmissions, Sending
from engine.vocabulary.program import VOICE_TYPES, TransmissionStatus
from engine.vocabulary.schedules import DueSchedule, ScheduleDecision, ScheduleDone

SENDABLE = (TransmissionStatus.PENDING, TransmissionStatus.PENDING_RETRY, TransmissionStatus.FAILED)
VOICE = 1               # the service flag
MISSED = "missed"       # a problem that begins so is told as an event (migration 0011)


class Status(IntEnum):
    """ICTCore's."""

    ON_HOLD = 0
    PENDING = 1
    PROCESSED = 2
    EXPIRED = 3


@dataclass(frozen=True, slots=True)
class NewSchedule:
    """`fields` empty: at `due_at` alone."""

    action: str
    due_at: datetime
    fields: Mapping[str, str]
    time_zone: str
    is_recurring: bool
    expiry_s: int
    weight: int


class PostgresSchedules(Statements):
    NAME = "schedules"

    def __init__(self, pool: "asyncpg.Pool[Any]", *args: float) -> None:
        super().__init__(pool, *args)
        self._campaigns = PostgresCampaigns(pool, *args)
        self._transmissions = PostgresTransmissions(pool, *args)

    async def create(self, organisation_id: int, user_id: int, type_: str, row_id: int, account_id: int | None,
                     new: NewSchedule) -> int | None:
        """None: the campaign or transmission is gone."""
        row = await self._row(
            f"create_{type_}", organisation_id, row_id, user_id, account_id, new.action, json.dumps(dict(new.fields)),
            new.time_zone, new.is_recurring, new.expiry_s, new.weight, new.due_at)
        return None if row is None else int(row["id"])

    async def cancel(self, organisation_id: int, type_: str, row_id: int) -> None:
        """All of one campaign or transmission."""
        await self._row("cancel", organisation_id, type_, row_id)

    async def of(self, organisation_id: int, type_: str, row_id: int) -> Sequence[Mapping[str, Any]]:
        rows = await self._rows("page", organisation_id, type_, row_id)
        return [{**row, "fields": json.loads(row["fields"])} for row in rows]

    async def account_of_transmission(
        self, organisation_id: int, transmission_id: int, seen_by: int | None) -> tuple[int | None] | None:
        """Its account, if it has one; None: there is no such transmission."""
        row = await self._row("account_of_transmission", organisation_id, transmission_id, seen_by)
        return None if row is None else (row["account_id"],)

    async def zone_of(self, organisation_id: int, account_id: int | None) -> ZoneInfo:
        """In which the account's user means times: his own, else the one of the organisation's country, else UTC."""
        row = await self._row("clock", organisation_id, account_id)
        utc = ZoneInfo("UTC")
        if row is None:
            return utc
        return (zone(row["timezone_id"]) if row["timezone_id"] else None) or zone_of_country(row["country"]) or utc

    # --- when they are due

    async def do_next(self, now: datetime, decide: Callable[[DueSchedule], ScheduleDecision],
                      but: Collection[int] = ()) -> ScheduleDone | None:
        """See `engine/schedules.py`."""
        async with one_transaction(self._pool, LARGE_S) as connection:
            row = await connection.fetchrow(self._sql["claim"], now, list(but))
            if row is None:
                return None
            due = _due(row)
            decision = decide(due)
            if decision.is_missed:
                problem = f"{MISSED}: it was due at {due.due_at:%Y-%m-%d %H:%M:%S} UTC"
            else:
                try:
                    problem = await self._do(row)
                except StoreFailed as error:
                    return ScheduleDone(due.schedule_id, str(error), is_put_off=True)
            await self._record(connection, due, decision, problem, now)
        return ScheduleDone(due.schedule_id, problem)

    async def _do(self, row: "asyncpg.Record") -> str:
        """Why it did nothing, ''. Its own savepoint, within the transaction."""
        organisation_id, row_id = row["organisation_id"], row["data"]
        if row["type"] == "transmission":
            return await self._send(organisation_id, row_id)
        act = self._campaigns.start if row["action"] == "start" else self._campaigns.pause
        try:
            return "" if await act(organisation_id, row_id) else "the campaign is gone"
        except (CampaignNotReady, ProgramNotRun) as error:
            return f"the campaign could not {row['action']}: {error}"

    async def _send(self, organisation_id: int, transmission_id: int) -> str:
        """By the rules of POST …/send."""
        async with self._transmissions.sending(organisation_id, transmission_id, None) as sending:
            if sending is None:
                return "the transmission is gone"
            problem = await _why_not(sending)
            if not problem:
                await sending.send()
                return ""
        await self._row("explain", organisation_id, transmission_id, problem)
        return problem

    async def _record(self, connection: Connection, due: DueSchedule, decision: ScheduleDecision, problem: str,
                      now: datetime) -> None:
        if due.type == "transmission" and not decision.is_missed:
            await connection.execute(self._sql["drop"], due.schedule_id)     # whatever came of it, as in ICTCore
            return
        status = (Status.ON_HOLD if decision.next_due is not None
                  else Status.EXPIRED if decision.is_missed else Status.PROCESSED)
        await connection.execute(self._sql["done"], due.schedule_id, status, decision.next_due, now, problem)


async def _why_not(sending: Sending) -> str:
    """Why it is not sent, ''. The organisation is locked last, to count its calls."""
    row = sending.row
    if row["is_deleted"] or row["status"] not in SENDABLE:
        return f"the transmission is {'deleted' if row['is_deleted'] else row['status']}"
    if row["service_flag"] != VOICE:
        return "sending by fax, SMS and e-mail is not there yet"
    if row["direction"] != "outbound":
        return "an inbound transmission is not sent"
    program = await sending.program()
    if program is None:
        return "its program is gone"
    if program.type not in VOICE_TYPES:
        return f"programs of the type {program.type} cannot be run"
    contact = await sending.contact()
    if contact is None or contact["number"] is None:
        return "its contact is gone, or has no phone number"
    if contact["has_opted_out"]:
        return "its contact is not to be called (do-not-call)"
    caller = await sending.caller()
    if (refused := refusal(contact["number"], caller.countries)) is not None:
        return f"its contact's number is {refused.why} ({refused.rule})"
    if not caller.has_number:
        return "the organisation has no number to show as caller"
    return next((f"all {cap} calls are placed ({rule})" for rule, cap, left in caller.left if left < 1), "")


def _due(row: "asyncpg.Record") -> DueSchedule:
    return DueSchedule(row["id"], row["type"], row["action"], json.loads(row["fields"]), row["time_zone"],
                       row["is_recurring"], row["expiry_s"], row["due_at"])
