"""Transmissions of the ICTCore API: somebody to be reached by a program. SQL: `sql/transmissions.sql`.

Here they are made, changed and sent; how an attempt ends is the engine's to say, which alone moves them on from
`processing`. The use case of sending is `api/ictcore/sending.py`, in one transaction with `Sending`.
"""

import json
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from engine.store.filters import Filters, Wanted, bit, contains, exact_flag, exact_number
from engine.store.statements import Connection, Statements

Row = Mapping[str, Any]
FILTERS = Filters(
    "t.", transmission_id=exact_number("t.id"), program_id=exact_number("t.program_id"),
    account_id=exact_number("t.account_id"), contact_id=exact_number("t.contact_id"),
    campaign_id=exact_number("t.campaign_id"), is_deleted=exact_flag("t.is_deleted"),
    service_flag=bit("t.service_flag"), title=contains("t.title"), origin=contains("t.origin"),
    direction=contains("t.direction"), status=contains("t.status"), response=contains("t.response"),
    phone=contains("concat_ws(' ', a.phone, c.phone)"), email=contains("concat_ws(' ', a.email, c.email)"),
    username=contains("u.name"),
    **{f"{table}_{name}": contains(f"{table[0]}.{name}")
       for table in ("account", "contact") for name in ("phone", "email", "first_name", "last_name")})


@dataclass(frozen=True, slots=True)
class SentProgram:
    """`data` of a program that joins with an extension has its phone, as it was written, as `to`."""

    type: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Caller:
    """The organisation. `left`: (rule, cap, how many calls are left), shortest time first."""

    countries: frozenset[str]
    has_number: bool
    left: Sequence[tuple[str, int, int]]


class Sending:
    """One transmission, locked. `row`: its status, is_deleted, service_flag, direction, contact_id, program_id."""

    def __init__(self, connection: Connection, sql: Mapping[str, str], organisation_id: int, transmission_id: int,
                 row: Row) -> None:
        self._connection = connection
        self._sql = sql
        self._organisation_id = organisation_id
        self._transmission_id = transmission_id
        self.row = row

    async def program(self) -> SentProgram | None:
        """None: it is gone. Nobody deletes it until this transaction ends."""
        row = await self._connection.fetchrow(
            self._sql["sent_program"], self._organisation_id, self.row["program_id"])
        if row is None:
            return None
        data = json.loads(row["data"])
        return SentProgram(row["type"], {**data, "to": row["extension_phone"]} if "extension_id" in data else data)

    async def contact(self) -> Row | None:
        """`number` in E.164 with a plus or None, `has_opted_out`. None: it is gone."""
        return await self._connection.fetchrow(
            self._sql["sent_contact"], self._organisation_id, self.row["contact_id"])

    async def silent_recordings(self, ids: Collection[int]) -> Sequence[int]:
        """Those that are gone or have no file."""
        rows = await self._connection.fetch(self._sql["silent_recordings"], self._organisation_id, list(ids))
        return [row["id"] for row in rows]

    async def hotline_numbers(self, numbers: Collection[str]) -> frozenset[str]:
        """Those of these that are hotlines of the organisation."""
        rows = await self._connection.fetch(self._sql["hotline_numbers"], self._organisation_id, list(numbers))
        return frozenset(row["number"] for row in rows)

    async def caller(self) -> Caller:
        """Locks out others who count the organisation's calls, until this transaction ends."""
        row = await self._connection.fetchrow(self._sql["sending_organisation"], self._organisation_id)
        assert row is not None      # noqa: S101 - the caller's own
        placed = await self._connection.fetchrow(self._sql["calls_placed"], self._organisation_id, row["now"])
        assert placed is not None   # noqa: S101 - counts
        left = [(f"calls-per-{it}", row[f"calls_per_{it}"], row[f"calls_per_{it}"] - placed[it])
                for it in ("minute", "hour", "day")]
        return Caller(frozenset(row["countries"]), row["has_number"], left)

    async def send(self) -> int:
        """The spool's id."""
        spool_id: int = await self._connection.fetchval(
            self._sql["send"], self._organisation_id, self._transmission_id)
        return spool_id


class PostgresTransmissions(Statements):
    NAME = "transmissions"

    async def page(self, organisation_id: int, wanted: Wanted) -> Sequence[Row]:
        async with self._connection() as connection:
            return await connection.fetch(*FILTERS.applied(self._sql["transmissions"], [organisation_id], wanted))

    async def transmission(self, organisation_id: int, transmission_id: int, seen_by: int | None) -> Row | None:
        rows = await self.page(organisation_id, Wanted({"transmission_id": str(transmission_id)}, seen_by))
        return rows[0] if rows else None

    async def create(self, organisation_id: int, user_id: int, columns: Mapping[str, Any]) -> int:
        """All that a client may write: see the statement."""
        row = await self._row("create_transmission", organisation_id, user_id, json.dumps(columns))
        assert row is not None      # noqa: S101 - INSERT … RETURNING
        return int(row["id"])

    async def update(self, organisation_id: int, transmission_id: int, seen_by: int | None,
                     columns: Mapping[str, Any]) -> bool:
        """These columns alone. False: whom it is about cannot change now (or there is none)."""
        return await self._row(
            "update_transmission", organisation_id, transmission_id, seen_by, json.dumps(columns)) is not None

    async def delete(self, organisation_id: int, transmission_id: int, seen_by: int | None) -> bool:
        return await self._row("delete_transmission", organisation_id, transmission_id, seen_by) is not None

    async def clone(self, organisation_id: int, transmission_id: int, seen_by: int | None, user_id: int) -> int | None:
        row = await self._row("clone_transmission", organisation_id, transmission_id, seen_by, user_id)
        return None if row is None else int(row["id"])

    @asynccontextmanager
    async def sending(self, organisation_id: int, transmission_id: int, seen_by: int | None,
                      ) -> AsyncIterator[Sending | None]:
        """One transaction; None: there is no such transmission."""
        async with self.together() as connection:
            row = await connection.fetchrow(
                self._sql["lock_transmission"], organisation_id, transmission_id, seen_by)
            yield None if row is None else Sending(connection, self._sql, organisation_id, transmission_id, row)
