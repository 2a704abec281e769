"""Attempts of transmissions as the ICTCore API tells them, what their steps left, and the figures of everything.
SQL: `sql/spools.sql`. The engine writes them; here they are only read.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from engine.store.filters import Filters, Rule, Wanted, contains, exact, exact_number, number
from engine.store.statements import Statements

Row = Mapping[str, Any]
# results are the spool's: they have no maker
RESULTS = Filters(
    "r.", owner=Rule("${0}::bigint IS NOT NULL", number), spool_result_id=exact_number("r.id"),
    spool_id=exact_number("r.spool_id"), application_id=exact_number("r.application_id"), type=exact("r.type"),
    name=exact("r.name"), data=contains("r.data"))


class PostgresSpools(Statements):
    NAME = "spools"

    async def status(self, organisation_id: int, spool_id: int, seen_by: int | None) -> str | None:
        """None: there is none, or it is not seen."""
        row = await self._row("spool", organisation_id, spool_id, seen_by)
        return None if row is None else str(row["status"])

    async def of_transmission(self, organisation_id: int, transmission_id: int) -> Sequence[Row]:
        async with self._connection() as connection:
            return await connection.fetch(self._sql["spools_of_transmission"], organisation_id, transmission_id)

    async def last_of(self, organisation_id: int, transmission_id: int) -> int | None:
        row = await self._row("last_spool", organisation_id, transmission_id)
        return None if row is None else int(row["id"])

    async def results(self, organisation_id: int, spool_id: int, wanted: Wanted) -> Sequence[Row]:
        async with self._connection() as connection:
            return await connection.fetch(
                *RESULTS.applied(self._sql["results"], [organisation_id, spool_id], wanted))

    async def statistics(self, organisation_id: int, user_id: int | None, since: datetime | None,
                         service_flag: int | None) -> Mapping[str, int]:
        """By the names of ICTCore. `user_id`: what is his, None everybody's."""
        row = await self._row("statistics", organisation_id, user_id, since, service_flag)
        assert row is not None      # noqa: S101 - counts
        campaigns, transmissions, spools = row["campaigns"], row["transmissions"], row["spools"]
        return {
            "campaign_total": campaigns[0], "campaign_active": campaigns[1], "group_total": row["group_total"],
            "contact_total": row["contact_total"], "transmission_total": transmissions[0],
            "transmission_active": transmissions[1], "transmission_inbound": transmissions[2],
            "transmission_outbound": transmissions[3], "spool_total": spools[0], "spool_success": spools[1],
            "spool_failed": spools[2], "user_total": row["user_total"], "account_total": row["account_total"]}
