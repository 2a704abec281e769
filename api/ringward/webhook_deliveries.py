"""`/webhooks/{id}/deliveries`: what was sent, what waits, what was given up; and sending it again.

The sender itself runs beside the requests, on connections of its own.
"""

import json
from enum import StrEnum
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, Field

from api.access import Call
from api.fields import INT64_MAX, Int64, UrlInt, UtcTime
from api.probes import FIGURES
from api.ringward.directory_fields import found
from api.ringward.frame import Base, Conflict, CursorQuery, IdPath, Listing, listing, routes
from api.ringward.webhooks import PATH
from api.typed_routes import RUNNING, SERVICES
from api.webhooks.guard import Guard
from api.webhooks.sender import Sender
from engine.store import webhooks as rows
from engine.store.pool import create_pool
from engine.store.webhooks import REPLAYED_AT_ONCE, PostgresDeliveries, PostgresWebhooks

DELIVERIES = PATH + "/{id}/deliveries"
TAG = "webhooks"
SENDERS_POOL = 3        # what the sender writes down never waits for requests, nor they for it


class DeliveryState(StrEnum):
    """pending: due at `dueAt`; delivered: the receiver answered 2xx; dead: given up, until it is replayed."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


class Delivery(BaseModel):
    id: Int64
    messageID: Annotated[str, Field(description="the header `webhook-id`: the same at every try")]
    type: Annotated[str, Field(examples=["alarm.created"])]
    state: DeliveryState
    tries: Annotated[int, Field(description="since it was made or replayed")]
    createdAt: UtcTime
    dueAt: Annotated[UtcTime | None, Field(description="when the next try is due; null when there is none")]
    deliveredAt: UtcTime | None
    lastStatus: Annotated[int | None, Field(description="what the receiver answered last, if it did")]
    lastError: Annotated[str | None, Field(description="what was wrong with the last try")]
    body: Annotated[dict[str, Any], Field(description="what is sent: type, timestamp, data")]


class DeliveriesQuery(CursorQuery):
    state: Annotated[DeliveryState | None, Field(strict=False, description="only those in this state")] = None


class DeliveryPath(IdPath):
    deliveryID: UrlInt


class Replayed(BaseModel):
    replayed: Annotated[int, Field(description=f"how many; {REPLAYED_AT_ONCE} at most, oldest first")]


@routes.on("GET", DELIVERIES, 403, 404, tag=TAG)
async def list_webhook_deliveries(
        call: Call, path: IdPath, query: DeliveriesQuery, webhooks: PostgresWebhooks) -> Listing[Delivery]:
    """The deliveries of a webhook, newest first. Only admins may do this."""
    call.as_admin()
    found(await webhooks.webhook(call.organisation_id, path.id), "webhook")
    before = INT64_MAX if query.cursor is None else query.cursor
    found_rows = await webhooks.deliveries(call.organisation_id, path.id, before, query.limit + 1, query.state)
    page, cursor = listing(found_rows, query.limit, lambda row: row.delivery_id)
    return Listing(items=[_delivery(row) for row in page], nextCursor=cursor)


@routes.on("POST", DELIVERIES + "/{deliveryID}/replay", 403, 404, 409, tag=TAG)
async def replay_webhook_delivery(call: Call, path: DeliveryPath, webhooks: PostgresWebhooks) -> Delivery:
    """Send a delivery again, whatever became of it, with the same `webhook-id`. Only admins may do this."""
    call.as_admin()
    await _switched_on(call, path.id, webhooks)
    return _delivery(found(await webhooks.replay(call.organisation_id, path.id, path.deliveryID), "delivery"))


@routes.on("POST", PATH + "/{id}/replay-dead", 403, 404, 409, tag=TAG)
async def replay_dead_webhook_deliveries(call: Call, path: IdPath, webhooks: PostgresWebhooks) -> Replayed:
    """Send again everything that was given up. Only admins may do this."""
    call.as_admin()
    await _switched_on(call, path.id, webhooks)
    return Replayed(replayed=await webhooks.replay_dead(call.organisation_id, path.id))


def install(app: web.Application, base: Base) -> None:
    """After that of `webhooks.py`, whose guard it shares."""
    guard = app[SERVICES][Guard]

    async def send() -> None:
        pool = await create_pool(base.url, max_size=SENDERS_POOL, command_timeout_s=base.deadline_s)
        try:
            await Sender(PostgresDeliveries(base.url, pool, base.deadline_s), guard, app[FIGURES].registry).run()
        finally:
            pool.terminate()

    app[RUNNING].append(send)


async def _switched_on(call: Call, webhook_id: int, webhooks: PostgresWebhooks) -> None:
    """Raises Conflict: what is sent by a webhook that is switched off is dead at once."""
    webhook = found(await webhooks.webhook(call.organisation_id, webhook_id), "webhook")
    if not webhook.data.is_active:
        raise Conflict("webhook-switched-off", "isActive",
                       "the webhook is switched off: first switch it on by PUT with isActive true")


def _delivery(row: rows.Delivery) -> Delivery:
    state = DeliveryState(row.state)
    return Delivery(
        id=row.delivery_id, messageID=row.message_id, type=row.type, state=state, tries=row.tries,
        createdAt=row.created_at, dueAt=row.due_at if state is DeliveryState.PENDING else None,
        deliveredAt=row.delivered_at, lastStatus=row.last_status, lastError=row.last_error, body=json.loads(row.body))
