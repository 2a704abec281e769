"""`/webhooks`: where an organisation wants to be told what happened. What becomes of it: `webhook_deliveries.py`.

Only admins read or change them: whoever may name a target makes this system talk to it. A secret is told when it is
made, and never again.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, Field

from api.access import Call
from api.errors import Invalid
from api.fields import Body, Int64, UtcTime
from api.ringward.directory_fields import Description, Resource, at, found
from api.ringward.frame import LOCATION, PREFIX, Base, Conflict, CursorQuery, IdPath, Listing, listing, routes
from api.typed_routes import SERVICES, Reply
from api.webhooks import guard
from api.webhooks.guard import Guard
from api.webhooks.signature import new_secret
from engine.settings import networks
from engine.store import webhooks as rows
from engine.store.webhooks import MOST_WEBHOOKS, PostgresWebhooks, WebhookData

PATH = "/webhooks"
TAG = "webhooks"
DAY_S = 24 * 3600
SHOWN_END = 4


class WebhookType(StrEnum):
    ALARM_CREATED = "alarm.created"
    ALARM_ACKNOWLEDGED = "alarm.acknowledged"
    ALARM_FINISHED = "alarm.finished"
    RECIPIENT_ACKNOWLEDGED = "recipient.acknowledged"
    RECIPIENT_DECLINED = "recipient.declined"
    CALL_FINISHED = "call.finished"


class SecretState(BaseModel):
    endsWith: Annotated[str, Field(description="the last characters, to tell secrets apart")]
    validUntil: Annotated[UtcTime | None, Field(description="null: until it is rotated")]


class WebhookFields(Resource):
    url: Annotated[str, Field(
        pattern=r"^[^\s\x00-\x20\x7f-\x9f]+$", max_length=2000, examples=["https://receiver.example.org/ringward"],
        description="https, at a public address; networks that the operator opened also by http. No user name, no "
                    "fragment")]
    types: Annotated[list[Annotated[WebhookType, Field(strict=False)]], Field(
        min_length=1, max_length=50, description="which events are sent")]
    description: Description = ""
    isActive: Annotated[bool, Field(description="switched off, no deliveries are made, and those that fall due are "
                                                "dead; a receiver that answers 410 switches its webhook off")] = True


class WebhookBody(WebhookFields):
    createdAt: Annotated[str | None, Field(description="ignored")] = None
    secrets: Annotated[list[Any] | None, Field(description="ignored")] = None


class Webhook(WebhookFields):
    id: Int64
    description: str
    createdAt: UtcTime
    secrets: Annotated[list[SecretState], Field(description="those that sign now, newest first")]


class NewSecret(Webhook):
    secret: Annotated[str, Field(description="signs every delivery; told now and never again",
                                 examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])]


class Rotation(Body):
    overlapS: Annotated[int, Field(
        ge=0, le=30 * DAY_S, description="seconds for which the former secrets sign beside the new one")] = DAY_S


@routes.on("GET", PATH, 403, tag=TAG)
async def list_webhooks(call: Call, query: CursorQuery, webhooks: PostgresWebhooks) -> Listing[Webhook]:
    """The webhooks of the organization. Only admins may do this."""
    call.as_admin()
    found_rows = await webhooks.page(call.organisation_id, query.cursor or 0, query.limit + 1)
    page, cursor = listing(found_rows, query.limit, lambda row: row.webhook_id)
    return Listing(items=[_webhook(row) for row in page], nextCursor=cursor)


@routes.on("POST", PATH, 403, 409, tag=TAG, statuses=(201,), headers=LOCATION)
async def create_webhook(call: Call, body: WebhookBody, webhooks: PostgresWebhooks, guard: Guard) -> Reply[NewSecret]:
    """Make a webhook. The answer tells its secret, once.

    The target is resolved and checked now, and again at every delivery. Only admins may do this.
    """
    call.as_admin()
    await _check(body.url, guard)
    secret = new_secret()
    made = await webhooks.create(call.organisation_id, _data(body), secret)
    if made is None:
        raise Conflict("too-many-webhooks", "url", f"the organization has {MOST_WEBHOOKS} webhooks already")
    return Reply(_new_secret(made, secret), headers=at(PREFIX + PATH, made.webhook_id))


@routes.on("GET", PATH + "/{id}", 403, 404, tag=TAG)
async def get_webhook(call: Call, path: IdPath, webhooks: PostgresWebhooks) -> Webhook:
    """A webhook, without its secret. Only admins may do this."""
    call.as_admin()
    return _webhook(found(await webhooks.webhook(call.organisation_id, path.id), "webhook"))


@routes.on("PUT", PATH + "/{id}", 403, 404, tag=TAG)
async def update_webhook(
        call: Call, path: IdPath, body: WebhookBody, webhooks: PostgresWebhooks, guard: Guard) -> Webhook:
    """Change a webhook as a whole; what the body leaves out gets its default, but the secrets stay.

    What is not delivered yet goes to the new target. Only admins may do this.
    """
    call.as_admin()
    before = found(await webhooks.webhook(call.organisation_id, path.id), "webhook")
    if body.url != before.data.url:
        await _check(body.url, guard)
    return _webhook(found(await webhooks.replace(call.organisation_id, path.id, _data(body)), "webhook"))


@routes.on("DELETE", PATH + "/{id}", 403, 404, tag=TAG)
async def delete_webhook(call: Call, path: IdPath, webhooks: PostgresWebhooks) -> None:
    """Remove a webhook with its deliveries, also those that wait. Only admins may do this."""
    call.as_admin()
    found(await webhooks.delete(call.organisation_id, path.id) or None, "webhook")


@routes.on("POST", PATH + "/{id}/rotate-secret", 403, 404, tag=TAG)
async def rotate_webhook_secret(
        call: Call, path: IdPath, body: Rotation, webhooks: PostgresWebhooks) -> NewSecret:
    """Make a new secret, told once. For `overlapS` seconds deliveries bear signatures by the former ones as well.

    Only admins may do this.
    """
    call.as_admin()
    secret = new_secret()
    changed = await webhooks.rotate(call.organisation_id, path.id, secret, timedelta(seconds=body.overlapS))
    return _new_secret(found(changed, "webhook"), secret)


def install(app: web.Application, base: Base) -> None:
    app[SERVICES][PostgresWebhooks] = PostgresWebhooks(base.pool, base.deadline_s)
    app[SERVICES][Guard] = Guard(networks(base.settings.webhook_allow))


async def _check(url: str, target_guard: Guard) -> None:
    try:
        await target_guard.check(url)
    except guard.Refused as refused:
        raise Invalid("url", refused.why) from None


def _data(body: WebhookBody) -> WebhookData:
    return WebhookData(body.url, tuple(dict.fromkeys(body.types)), body.description, body.isActive)


def _webhook(row: rows.Webhook) -> Webhook:
    return Webhook.model_validate(_fields(row))


def _new_secret(row: rows.Webhook, secret: str) -> NewSecret:
    return NewSecret.model_validate({**_fields(row), "secret": secret})


def _fields(row: rows.Webhook) -> dict[str, object]:
    data = row.data
    return {"id": row.webhook_id, "url": data.url, "types": [WebhookType(it) for it in data.types],
            "description": data.description, "isActive": data.is_active, "createdAt": row.created_at,
            "secrets": [SecretState(endsWith=it.value[-SHOWN_END:], validUntil=it.until) for it in row.valid_secrets]}
