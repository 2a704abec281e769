"""Organisations as operators keep them: whom they may ring, how often; made with their API token, removed with all
that is theirs but call history. SQL is in `sql/organisations.sql`.

Who may do what is decided by the api: `page`, `create` and `delete` look across organisations (a system token).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from engine.store.statements import Statements
from engine.store.tokens import digest, new_token
from engine.vocabulary.values import RingwardError


@dataclass(frozen=True, slots=True)
class OrganisationData:
    """`country`: where national forms of numbers are read; `countries`: which may be rung, none: its own alone."""

    name: str
    country: str
    language: str
    countries: tuple[str, ...]
    calls_per_minute: int
    calls_per_hour: int
    calls_per_day: int


@dataclass(frozen=True, slots=True)
class StoredOrganisation:
    organisation_id: int
    data: OrganisationData


class OrganisationInUse(RingwardError):
    """`left`: how many hotlines, alarms, call logs and spools (calls of programs) it still has, of which it has any."""

    def __init__(self, left: Mapping[str, int]) -> None:
        super().__init__(", ".join(f"{name}: {count}" for name, count in left.items()))
        self.left = left


# What is an organisation's own, in the order in which it can be removed. Messages, programs and do-not-call lists go
# with it by themselves.
REMOVALS = ("free_numbers", "drop_webhooks", "drop_campaigns", "drop_events", "drop_keys", "drop_recordings",
            "drop_groups", "drop_contacts", "drop_agents", "drop_hotlines", "drop_phones", "drop_tokens",
            "drop_accounts", "drop_users", "drop_roles", "drop_permissions", "drop_sip_customer", "drop_organisation")


class PostgresOrganisations(Statements):
    NAME = "organisations"

    async def page(self, after: int, limit: int) -> Sequence[StoredOrganisation]:
        return [_organisation(row) for row in await self._rows("page", after, limit)]

    async def organisation(self, organisation_id: int) -> StoredOrganisation | None:
        row = await self._row("organisation", organisation_id)
        return None if row is None else _organisation(row)

    async def create(self, data: OrganisationData) -> tuple[StoredOrganisation, str]:
        """With its API token, which is told here and nowhere else."""
        token = new_token("organisation")
        async with self._connection() as connection, connection.transaction():
            row = await connection.fetchrow(self._sql["create"], *_columns(data))
            assert row is not None      # noqa: S101 - INSERT … RETURNING
            await connection.execute(self._sql["add_token"], row["id"], digest(token))
        return _organisation(row), token

    async def replace(self, organisation_id: int, data: OrganisationData) -> StoredOrganisation | None:
        """In another language its hotlines are spoken anew."""
        async with self._connection() as connection, connection.transaction():
            before = await connection.fetchrow(self._sql["lock"], organisation_id)
            if before is None:
                return None
            row = await connection.fetchrow(self._sql["replace"], organisation_id, *_columns(data))
            assert row is not None      # noqa: S101 - this transaction has it locked
            if before["language"] != data.language:
                await connection.execute(self._sql["speak_anew"], organisation_id)
        return _organisation(row)

    async def delete(self, organisation_id: int) -> bool:
        """Raises OrganisationInUse; then nothing changed. Its numbers go to the end of the pool."""
        async with self._connection() as connection, connection.transaction():
            # whoever adds something to it waits for this lock, and finds it gone
            if await connection.fetchrow(self._sql["lock"], organisation_id) is None:
                return False
            left = await connection.fetchrow(self._sql["left"], organisation_id)
            if left is not None and any(left.values()):
                raise OrganisationInUse({name: count for name, count in left.items() if count})
            for removal in REMOVALS:
                await connection.execute(self._sql[removal], organisation_id)
            return True


def _columns(data: OrganisationData) -> tuple[object, ...]:
    return (data.name, data.country, data.language, list(data.countries), data.calls_per_minute, data.calls_per_hour,
            data.calls_per_day)


def _organisation(row: "asyncpg.Record") -> StoredOrganisation:
    return StoredOrganisation(row["id"], OrganisationData(
        row["name"], row["country"], row["language"], tuple(row["countries"]), row["calls_per_minute"],
        row["calls_per_hour"], row["calls_per_day"]))
