"""Webhooks in Postgres: what an organisation configures and reads (the api), what the sender claims and marks.

SQL is in `sql/webhooks.sql`; rows of deliveries are written by the trigger on `events`, in the event's transaction.
Invariants: a delivery is sent by one sender at a time (`taken_until`; a sender that dies gives it up by time), its
`message_id` never changes, and it is `delivered` only after the receiver said so: at least once.
"""

import json
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from engine.store.listening import heard
from engine.store.pool import DEADLINE_S
from engine.store.statements import Statements

CHANNEL = "ringward_webhook"
MOST_WEBHOOKS = 20          # of one organisation: with the tries at once of each, its share of the sender
MOST_SECRETS = 5
REPLAYED_AT_ONCE = 10_000
DROPPED_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Secret:
    """A signing secret, valid until then (None: until it is rotated). It signs, so it is stored as it is."""

    value: str = field(repr=False)
    until: datetime | None = None

    def is_valid(self, at: datetime) -> bool:
        return self.until is None or at < self.until


@dataclass(frozen=True, slots=True)
class WebhookData:
    url: str
    types: tuple[str, ...]
    description: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class Webhook:
    """`secrets`: newest first."""

    webhook_id: int
    data: WebhookData
    secrets: tuple[Secret, ...]
    created_at: datetime

    @property
    def valid_secrets(self) -> list[Secret]:
        """Those that sign now."""
        now = datetime.now(UTC)
        return [it for it in self.secrets if it.is_valid(now)]


@dataclass(frozen=True, slots=True)
class Delivery:
    delivery_id: int
    message_id: str
    type: str
    body: str
    state: str
    tries: int
    due_at: datetime
    created_at: datetime
    delivered_at: datetime | None
    last_status: int | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this sender may post until `taken_until`. `tries` counts this one."""

    delivery_id: int
    webhook_id: int
    url: str
    is_active: bool
    secrets: tuple[Secret, ...]
    message_id: str
    type: str
    body: str
    tries: int
    taken_until: datetime


class PostgresWebhooks(Statements):
    NAME = "webhooks"

    async def page(self, organisation_id: int, after: int, limit: int) -> Sequence[Webhook]:
        return [_webhook(row) for row in await self._rows("page", organisation_id, after, limit)]

    async def webhook(self, organisation_id: int, webhook_id: int) -> Webhook | None:
        return _optional(await self._row("webhook", organisation_id, webhook_id))

    async def create(self, organisation_id: int, data: WebhookData, secret: str) -> Webhook | None:
        """None: the organisation has MOST_WEBHOOKS."""
        return _optional(await self._row(
            "create", organisation_id, *_columns(data), _stored([Secret(secret)]), MOST_WEBHOOKS))

    async def replace(self, organisation_id: int, webhook_id: int, data: WebhookData) -> Webhook | None:
        return _optional(await self._row("replace", organisation_id, webhook_id, *_columns(data)))

    async def delete(self, organisation_id: int, webhook_id: int) -> bool:
        """With its deliveries. Broken off in the middle, it is switched off and can be deleted again."""
        if await self._row("mute", organisation_id, webhook_id) is None:
            return False
        while await self._rows("drop_deliveries", organisation_id, webhook_id, DROPPED_AT_ONCE):
            pass
        return await self._row("delete", organisation_id, webhook_id) is not None

    async def rotate(self, organisation_id: int, webhook_id: int, secret: str, overlap: timedelta) -> Webhook | None:
        """The new one signs from now on, the others beside it for `overlap` at most."""
        async with self._connection() as connection, connection.transaction():
            row = await connection.fetchrow(self._sql["webhook_for_update"], organisation_id, webhook_id)
            if row is None:
                return None
            secrets = rotated(_webhook(row).secrets, secret, datetime.now(UTC), overlap)
            return _optional(await connection.fetchrow(
                self._sql["set_secrets"], organisation_id, webhook_id, _stored(secrets)))

    # --- the log of deliveries

    async def deliveries(
        self, organisation_id: int, webhook_id: int, before: int, limit: int, state: str | None = None,
    ) -> Sequence[Delivery]:
        """Newest first."""
        rows = await self._rows("deliveries", organisation_id, webhook_id, before, state, limit)
        return [_delivery(row) for row in rows]

    async def replay(self, organisation_id: int, webhook_id: int, delivery_id: int) -> Delivery | None:
        """It is due now, with all its tries before it."""
        key = organisation_id, webhook_id, delivery_id
        async with self._connection() as connection, connection.transaction():
            row = await connection.fetchrow(self._sql["replay"], *key) \
                or await connection.fetchrow(self._sql["delivery"], *key)
            await connection.execute(self._sql["wake"])
        return None if row is None else _delivery(row)

    async def replay_dead(self, organisation_id: int, webhook_id: int) -> int:
        """How many; REPLAYED_AT_ONCE at most."""
        async with self._connection() as connection, connection.transaction():
            rows = await connection.fetch(self._sql["replay_dead"], organisation_id, webhook_id, REPLAYED_AT_ONCE)
            await connection.execute(self._sql["wake"])
        return len(rows)


class PostgresDeliveries(Statements):
    """What the sender works on: the deliveries of every organisation."""

    NAME = "webhooks"

    def __init__(self, database_url: str, pool: "asyncpg.Pool[Any]", deadline_s: float = DEADLINE_S) -> None:
        super().__init__(pool, deadline_s)
        self._database_url = database_url

    def wakes(self, every_s: float) -> AsyncGenerator[str, None]:
        """When deliveries were written or replayed, and every so often."""
        return heard(self._database_url, CHANNEL, every_s)

    async def claim(
        self, most: int, most_of_each: int, busy: Mapping[int, int], lease_s: float,
    ) -> Sequence[Claimed]:
        """Up to `most` deliveries that are due. `busy`: by webhook, how many this sender has in hand already."""
        rows = await self._rows(
            "claim", most, most_of_each, list(busy), list(busy.values()), timedelta(seconds=lease_s))
        return [_claimed(row) for row in rows]

    async def delivered(self, claimed: Claimed, status: int | None) -> None:
        await self._row("delivered", claimed.delivery_id, status)

    async def failed(self, claimed: Claimed, status: int | None, error: str, again_after_s: float | None) -> None:
        """Due again after that, or (None) dead."""
        again = None if again_after_s is None else timedelta(seconds=again_after_s)
        await self._row("failed", claimed.delivery_id, claimed.taken_until, status, error, again)

    async def gone(self, claimed: Claimed, status: int | None, error: str) -> None:
        """Dead, and its webhook is switched off."""
        async with self._connection() as connection, connection.transaction():
            await connection.execute(self._sql["switch_off"], claimed.webhook_id, claimed.url)
            await connection.execute(
                self._sql["failed"], claimed.delivery_id, claimed.taken_until, status, error, None)


def rotated(secrets: Iterable[Secret], new: str, at: datetime, overlap: timedelta) -> list[Secret]:
    """Newest first: `new`, then what was valid until now, each until `at + overlap` at the latest. Pure."""
    end = at + overlap
    former = [Secret(it.value, end if it.until is None else min(it.until, end)) for it in secrets if it.is_valid(at)]
    return [Secret(new), *(it for it in former if it.is_valid(at))][:MOST_SECRETS]


def _stored(secrets: Iterable[Secret]) -> str:
    return json.dumps([{"secret": it.value, "until": it.until and it.until.isoformat()} for it in secrets])


def _secrets(stored: str) -> tuple[Secret, ...]:
    return tuple(Secret(it["secret"], it["until"] and datetime.fromisoformat(it["until"]))
                 for it in json.loads(stored))


def _columns(data: WebhookData) -> tuple[Any, ...]:
    return data.url, list(data.types), data.description, data.is_active


def _optional(row: "asyncpg.Record | None") -> Webhook | None:
    return None if row is None else _webhook(row)


def _webhook(row: "asyncpg.Record") -> Webhook:
    data = WebhookData(row["url"], tuple(row["types"]), row["description"], row["is_active"])
    return Webhook(row["id"], data, _secrets(row["secrets"]), row["created_at"])


def _delivery(row: "asyncpg.Record") -> Delivery:
    return Delivery(row["id"], row["message_id"], row["type"], row["body"], row["state"], row["tries"], row["due_at"],
                    row["created_at"], row["delivered_at"], row["last_status"], row["last_error"])


def _claimed(row: "asyncpg.Record") -> Claimed:
    return Claimed(row["id"], row["webhook_id"], row["url"], row["is_active"], _secrets(row["secrets"]),
                   row["message_id"], row["type"], row["body"], row["tries"], row["taken_until"])
