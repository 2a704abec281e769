"""Providers out of Postgres: for the engine (`ports.ProviderStore`), and for the ICTCore API. SQL: `sql/providers.sql`.

The engine's twin is `memory_providers.py`. A password goes in by the API and out to the engine alone.
"""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import asyncpg

from engine.store import queries
from engine.store.filters import Filters, Wanted, bit, exact, exact_flag, exact_number
from engine.store.listening import heard
from engine.store.pool import acquired
from engine.store.statements import Statements
from engine.vocabulary.values import Provider

CHANNEL = "ringward_provider"
WAKE_S = 5.0
FILTERS = Filters(
    provider_id=exact_number("id"), name=exact("name"), node_id=exact_number("node_id"), host=exact("host"),
    type=exact("type"), active=exact_flag("active"), service_flag=bit("service_flag"))


class PostgresProviders:
    """Implements ports.ProviderStore."""

    def __init__(self, database_url: str, pool: "asyncpg.Pool[Any]", wake_s: float = WAKE_S) -> None:
        self._database_url = database_url
        self._pool = pool
        self._wake_s = wake_s
        self._sql = queries.load("providers")

    async def active(self) -> Sequence[Provider]:
        async with acquired(self._pool) as connection:
            return [Provider(*row) for row in await connection.fetch(self._sql["active"])]

    async def changes(self) -> AsyncGenerator[None, None]:
        """Never ends, whatever becomes of the database."""
        async with aclosing(heard(self._database_url, CHANNEL, self._wake_s)) as payloads:
            async for _ in payloads:
                yield None


@dataclass(frozen=True, slots=True)
class StoredProvider:
    """What may be told of one: never its password."""

    provider_id: int
    created_by: int | None
    name: str
    description: str
    type: str
    gateway_flag: int
    service_flag: int
    node_id: int
    host: str
    port: int
    username: str
    dialstring: str
    prefix: str
    settings: str
    register: bool
    weight: int
    active: bool
    channels: int
    cps: float


class IctcoreProviders(Statements):
    NAME = "providers"

    async def page(self, organisation_id: int, wanted: Wanted) -> Sequence[StoredProvider]:
        async with self._connection() as connection:
            rows = await connection.fetch(*FILTERS.applied(self._sql["providers"], [organisation_id], wanted))
        return [StoredProvider(*row) for row in rows]

    async def provider(self, organisation_id: int, seen_by: int | None, provider_id: int) -> StoredProvider | None:
        row = await self._row("provider", organisation_id, seen_by, provider_id)
        return None if row is None else StoredProvider(*row)

    async def create(self, organisation_id: int, created_by: int, values: Mapping[str, Any]) -> int:
        row = await self._row("create_provider", organisation_id, created_by, json.dumps(values))
        assert row is not None      # noqa: S101 - INSERT … RETURNING
        return int(row["id"])

    async def update(
        self, organisation_id: int, seen_by: int | None, provider_id: int, values: Mapping[str, Any],
    ) -> StoredProvider | None:
        """What is not among the values stays, and the type always."""
        row = await self._row("update_provider", organisation_id, seen_by, provider_id, json.dumps(values))
        return None if row is None else StoredProvider(*row)

    async def delete(self, organisation_id: int, seen_by: int | None, provider_id: int) -> bool:
        return await self._row("delete_provider", organisation_id, seen_by, provider_id) is not None
