"""Programs of the ICTCore API: what is run with somebody who is called. SQL: `sql/programs.sql`.

Whether one can be run is looked at before it is stored: by `api/ictcore/program_fields.py`, with `policy/scheme.py`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import asyncpg

from engine.store.filters import Filters, Wanted, contains, exact, exact_number
from engine.store.statements import Statements
from engine.vocabulary.values import RingwardError

FILTERS = Filters(
    "p.", program_id=exact_number("p.id"), name=contains("p.name"), type=contains("p.type"), is_type=exact("p.type"))


@dataclass(frozen=True, slots=True)
class StoredProgram:
    """`data`: the fields of its type."""

    program_id: int
    created_by: int | None
    name: str
    type: str
    parent_id: int | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reference:
    """What `field` names. `kind`: recording, document, template, text, program, contact, account, extension, did."""

    field: str
    kind: str
    id: int
    seen_by: int | None


@dataclass(frozen=True, slots=True)
class Hotlines:
    """Of an organisation: their numbers, with a plus, by id."""

    numbers: Mapping[int, str]


class ProgramInUse(RingwardError):
    """Somebody is called with it, or is to be."""


class PostgresPrograms(Statements):
    NAME = "programs"

    async def page(self, organisation_id: int, wanted: Wanted) -> Sequence[StoredProgram]:
        async with self._connection() as connection:
            rows = await connection.fetch(*FILTERS.applied(self._sql["programs"], [organisation_id], wanted))
        return [_program(row) for row in rows]

    async def program(self, organisation_id: int, program_id: int, seen_by: int | None) -> StoredProgram | None:
        row = await self._row("program", organisation_id, program_id, seen_by)
        return None if row is None else _program(row)

    async def create(self, organisation_id: int, user_id: int, name: str, type_: str, parent_id: int | None,
                     data: Mapping[str, Any]) -> int:
        row = await self._row("create_program", organisation_id, user_id, name, type_, parent_id, json.dumps(data))
        assert row is not None      # noqa: S101 - INSERT … RETURNING
        return int(row["id"])

    async def update(self, organisation_id: int, program_id: int, seen_by: int | None, name: str,
                     parent_id: int | None, data: Mapping[str, Any]) -> StoredProgram | None:
        """Whom it was claimed for before hears what it was."""
        row = await self._row("update_program", organisation_id, program_id, seen_by, name, parent_id,
                              json.dumps(data))
        return None if row is None else _program(row)

    async def delete(self, organisation_id: int, program_id: int, seen_by: int | None) -> bool:
        """Raises ProgramInUse."""
        async with self.together() as connection:
            if await connection.fetchrow(self._sql["lock_program"], organisation_id, program_id, seen_by) is None:
                return False
            used = await connection.fetchrow(self._sql["users_of_program"], organisation_id, program_id)
            if used is not None and any(used.values()):
                raise ProgramInUse("a campaign" if used["in_campaign"] else "a transmission")
            await connection.execute(self._sql["delete_program"], organisation_id, program_id)
            return True

    # --- what programs refer to

    async def unknown(self, organisation_id: int, references: Iterable[Reference]) -> Reference | None:
        """The first one that refers to nothing."""
        asked = list(references)
        rows = await self._rows("unknown", organisation_id, json.dumps([asdict(it) for it in asked])) if asked else []
        fields = {row["field"] for row in rows}
        return next((it for it in asked if it.field in fields), None)

    async def hotlines(self, organisation_id: int, ids: Iterable[int], numbers: Iterable[str]) -> Hotlines:
        """Those that have one of these ids or numbers (with a plus)."""
        rows = await self._rows("hotlines", organisation_id, list(ids), list(numbers))
        return Hotlines({row["id"]: row["number"] for row in rows})

    async def countries(self, organisation_id: int) -> frozenset[str]:
        """Which the organisation may dial."""
        row = await self._row("countries", organisation_id)
        return frozenset(row["countries"]) if row is not None else frozenset()


def _program(row: "asyncpg.Record") -> StoredProgram:
    return StoredProgram(row["program_id"], row["created_by"], row["name"], row["type"], row["parent_id"],
                         json.loads(row["data"]))
