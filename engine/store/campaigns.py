"""Campaigns as both APIs keep them: rows that the engine dials from. SQL is in `sql/campaigns.sql`.

`seen_by` is the user who sees only what he made himself, None sees everybody's: what is not seen does not exist. Each
change is one transaction that holds the campaign's row, so that of several clients, schedules and engines one comes
first. Within `one_transaction` they take part in it.
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from engine.store.filters import Filters, Wanted, contains, ends_with, exact_number
from engine.store.statements import Connection, Statements
from engine.vocabulary.values import RingwardError

LARGE_S = 60.0      # a group that is being imported into is waited for; of a large campaign many rows change
PAGE_ROWS = 1000    # of results
RUN_BY_ENGINE = frozenset({"voicemessage", "voicetts", "ivr", "agent"})
LIVE = frozenset({"ready", "running"})
FILTERS = Filters("c.", campaign_id=exact_number("c.id"), group_id=exact_number("c.group_id"),
                  program_id=ends_with("c.program_id::text"), status=contains("c.status"))


class CampaignNotReady(RingwardError):
    """Not in this state of it, or of what it needs. The text says why, for people."""


class ProgramNotRun(RingwardError):
    """Its program is of a type that the engine does not run."""


@dataclass(frozen=True, slots=True)
class StoredCampaign:
    """`transmissions`: how many were made; `pending`: how many of these wait. `program_type` '': it is gone."""

    campaign_id: int
    created_by: int | None
    name: str
    program_id: int
    program_type: str
    group_id: int
    account_id: int | None
    source: str
    cpm: int
    try_allowed: int
    calls_per_second: float | None
    channels: int | None
    window: Mapping[str, Any] | None
    retry: Mapping[str, Any]
    dnc_list_ids: tuple[int, ...]
    opt_out_key: str
    caller_ids: tuple[str, ...]
    status: str
    problem: str
    contact_total: int
    transmissions: int
    pending: int
    last_run: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Figures:
    """What stands at one moment. `figures`: attempts by disposition, and `transmission completed` …, counted as they
    happen. `started`: attempts begun in the last ten seconds. `has_more`: members are still to be listed."""

    status: str
    contact_total: int
    transmissions: int
    cpm: int
    calls_per_second: float | None
    has_more: bool
    figures: Mapping[str, int]
    pending: int
    postponed: int
    processing: int
    live: int
    started: int


@dataclass(frozen=True, slots=True)
class ContactResult:
    contact_id: int
    phone: str
    first_name: str
    last_name: str
    status: str
    tries: int
    disposition: str
    results: Mapping[str, str]


class PostgresCampaigns(Statements):
    NAME = "campaigns"

    async def page(self, organisation_id: int, wanted: Wanted) -> Sequence[StoredCampaign]:
        async with self._connection() as connection:
            rows = await connection.fetch(*FILTERS.applied(self._sql["page"], [organisation_id], wanted))
        return [_campaign(row) for row in rows]

    async def campaign(self, organisation_id: int, campaign_id: int, seen_by: int | None = None,
                       ) -> StoredCampaign | None:
        row = await self._row("campaign", organisation_id, campaign_id, seen_by)
        return None if row is None else _campaign(row)

    async def program_type(self, organisation_id: int, program_id: int, seen_by: int | None) -> str | None:
        """None: there is no such program."""
        row = await self._row("program_type", organisation_id, program_id, seen_by)
        return None if row is None else str(row["type"])

    async def create(self, organisation_id: int, user_id: int, columns: Mapping[str, Any]) -> int:
        """The caller has looked up what it names."""
        row = await self._row("create", organisation_id, user_id, json.dumps(columns))
        assert row is not None      # noqa: S101 - INSERT … RETURNING
        return int(row["id"])

    async def update(self, organisation_id: int, campaign_id: int, seen_by: int | None, columns: Mapping[str, Any],
                     ) -> bool:
        """These columns and no others; at once, also while it runs. False: there is none. Raises CampaignNotReady for
        another program or group once it was started."""
        async with self._connection() as connection, connection.transaction():
            args = organisation_id, campaign_id, seen_by
            if await connection.fetchrow(self._sql["update"], *args, json.dumps(columns)) is None:
                if await connection.fetchrow(self._sql["campaign"], *args) is not None:
                    raise CampaignNotReady("it was started: its program and group stay as they are")
                return False
            if "call_window" in columns:
                await connection.execute(self._sql["ask_again"], organisation_id, campaign_id)
        return True

    # --- what people do with it. Each: False: there is none. Raises CampaignNotReady

    async def start(self, organisation_id: int, campaign_id: int, seen_by: int | None = None) -> bool:
        """Who is in the group now is whom it calls; from then on the group may change. One that was stopped goes on.
        Raises ProgramNotRun."""
        async with self._locked(organisation_id, campaign_id, seen_by) as (connection, row):
            if row is None:
                return False
            await self._check_start(connection, organisation_id, row)
            one = organisation_id, campaign_id
            if row["status"] == "paused":
                await connection.execute(self._sql["resume"], *one)
                return True
            if await connection.fetchrow(
                    self._sql["lock_group"], organisation_id, row["group_id"], timeout=LARGE_S) is None:
                raise CampaignNotReady("its group is gone")
            await connection.execute(self._sql["begin"], *one)
        return True

    async def resume(self, organisation_id: int, campaign_id: int, seen_by: int | None = None) -> bool:
        """As `start`, of one that was stopped or paused alone."""
        async with self._locked(organisation_id, campaign_id, seen_by) as (connection, row):
            if row is None:
                return False
            if row["status"] != "paused":
                raise CampaignNotReady(f"it is {row['status']}, not paused")
            await self._check_start(connection, organisation_id, row)
            await connection.execute(self._sql["resume"], organisation_id, campaign_id)
        return True

    async def pause(self, organisation_id: int, campaign_id: int, seen_by: int | None = None) -> bool:
        """Nobody else is called; a start goes on. ICTCore's stop. One that is paused already stays so."""
        async with self._locked(organisation_id, campaign_id, seen_by) as (connection, row):
            if row is None:
                return False
            if row["status"] not in {*LIVE, "paused"}:
                raise CampaignNotReady(f"it is {row['status']}, not running")
            if row["status"] != "paused":
                await connection.execute(self._sql["pause"], organisation_id, campaign_id)
        return True

    async def finish(self, organisation_id: int, campaign_id: int, seen_by: int | None = None) -> bool:
        """Stop it for good: what waits has failed. Calls that live go on."""
        async with self._locked(organisation_id, campaign_id, seen_by) as (connection, row):
            if row is None:
                return False
            if row["status"] not in {*LIVE, "paused", "broken"}:
                raise CampaignNotReady(f"it is {row['status']}, not running")
            one = organisation_id, campaign_id
            await connection.execute(self._sql["finish"], *one)
            await connection.execute(self._sql["forget_postponed"], *one, timeout=LARGE_S)
            await connection.execute(self._sql["fail_pending"], *one, "campaign stopped", timeout=LARGE_S)
        async with self._large() as connection:     # whose attempt ended meanwhile; later ones see that it is completed
            await connection.execute(self._sql["fail_pending"], *one, "campaign stopped", timeout=LARGE_S)
        return True

    async def delete(self, organisation_id: int, campaign_id: int, seen_by: int | None = None) -> bool:
        """At any moment, with its schedules. What waits has failed; transmissions and spools stay. Calls that live go
        on."""
        async with self._locked(organisation_id, campaign_id, seen_by) as (connection, row):
            if row is None:
                return False
            one = organisation_id, campaign_id
            await connection.execute(self._sql["fail_pending"], *one, "campaign deleted", timeout=LARGE_S)
            await connection.execute(self._sql["delete"], *one, timeout=LARGE_S)
            await connection.execute(self._sql["drop_schedules"], *one)
        return True

    # --- what became of it; the caller has looked whether it is seen

    async def figures(self, organisation_id: int, campaign_id: int) -> Figures | None:
        row = await self._row("progress", organisation_id, campaign_id)
        if row is None:
            return None
        rate = row["calls_per_second"]
        return Figures(**{**row, "figures": json.loads(row["figures"] or "{}"),
                          "calls_per_second": None if rate is None else decimal(rate)})

    async def result_names(self, organisation_id: int, campaign_id: int) -> Sequence[str]:
        async with self._large() as connection:
            rows = await connection.fetch(self._sql["result_names"], organisation_id, campaign_id, timeout=LARGE_S)
        return [row["name"] for row in rows]

    async def results(self, organisation_id: int, campaign_id: int) -> AsyncIterator[Sequence[ContactResult]]:
        """Who was called, a page at a time; no connection is held between pages."""
        after = 0
        while True:
            rows = await self._rows("results", organisation_id, campaign_id, after, PAGE_ROWS)
            yield [ContactResult(**{**row, "results": json.loads(row["results"] or "{}")}) for row in rows]
            if len(rows) < PAGE_ROWS:
                return
            after = rows[-1]["contact_id"]

    # --- shared

    @asynccontextmanager
    async def _large(self) -> AsyncIterator[Connection]:
        """A transaction that may take longer than a request usually does."""
        async with self._connection_for(LARGE_S) as connection, connection.transaction():
            yield connection

    @asynccontextmanager
    async def _locked(self, organisation_id: int, campaign_id: int, seen_by: int | None,
                      ) -> AsyncIterator[tuple[Connection, "asyncpg.Record | None"]]:
        """The campaign's row is locked; what it looked like then, None: there is none."""
        async with self._large() as connection:
            yield connection, await connection.fetchrow(
                self._sql["lock"], organisation_id, campaign_id, seen_by, timeout=LARGE_S)

    async def _check_start(self, connection: Connection, organisation_id: int, row: "asyncpg.Record") -> None:
        if row["status"] not in ("new", "paused"):
            raise CampaignNotReady(f"it is {row['status']} already")
        program = await connection.fetchrow(self._sql["lock_program"], organisation_id, row["program_id"])
        if program is None:
            raise CampaignNotReady("its program is gone")
        if program["type"] not in RUN_BY_ENGINE:
            raise ProgramNotRun(f"programs of the type {program['type']} cannot be run yet")
        if not row["has_group"]:
            raise CampaignNotReady("its group is gone")
        if not row["has_caller_id"]:
            raise CampaignNotReady("the organisation has no number to show as caller")


def decimal(rate: float) -> float:
    """A `real` as it was written: 0.1, not 0.10000000149."""
    return float(f"{rate:.6g}")


def _campaign(row: "asyncpg.Record") -> StoredCampaign:
    columns = dict(row)
    window, retry = columns.pop("call_window"), columns.pop("retry")
    if (rate := columns["calls_per_second"]) is not None:
        columns["calls_per_second"] = decimal(rate)
    return StoredCampaign(
        campaign_id=columns.pop("id"), window=None if window is None else json.loads(window), retry=json.loads(retry),
        dnc_list_ids=tuple(columns.pop("dnc_list_ids")), caller_ids=tuple(columns.pop("caller_ids")), **columns)
