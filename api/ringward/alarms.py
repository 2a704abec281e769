"""`/alarms`: post, read, cancel, acknowledge. What an alarm does is the engine's; here rows are written and read."""

import asyncio
from time import monotonic
from typing import Annotated

from aiohttp import web
from pydantic import Field

from api.access import Call
from api.errors import Forbidden, NotFound
from api.fields import UrlInt
from api.ringward import alarm_mapping as mapping
from api.ringward.alarm_post import post_alarm
from api.ringward.alarm_schemas import Alarm, AlarmBody, AlarmsQuery, AlarmSummary, KeyHeader, RecipientPath
from api.ringward.frame import LOCATION, PREFIX, Base, Conflict, IdPath, Listing, listing, routes
from api.typed_routes import SERVICES, Reply
from engine.store.alarm_book import MANY, PostgresAlarmBook, Standing
from engine.vocabulary.values import AlarmState, RecipientState

PATH = "/alarms"
TAG = "alarms"
BODY_BYTES = 4 * 1024 * 1024    # ten thousand recipients
ORDER_WAIT_S = 2.0              # an engine takes an order up within milliseconds, if one is there
LOOK_AGAIN_S = 0.02
OPEN = (AlarmState.QUEUED, AlarmState.RINGING)
POSTED = {**LOCATION, "Idempotent-Replayed": "`true` when the key was known: nothing new was made"}


class AlarmPath(IdPath):
    id: Annotated[UrlInt, Field(description="id of the alarm")]


@routes.on("POST", PATH, 403, 409, 422, tag=TAG, statuses=(201, 200), headers=POSTED, limit=BODY_BYTES)
async def create_alarm(call: Call, header: KeyHeader, body: AlarmBody, book: PostgresAlarmBook) -> Reply[Alarm]:
    """Ring people until enough of them have acknowledged.

    Answered when it is stored; an engine takes it up at once. With an `Idempotency-Key` it may be sent again for 24
    hours: the same body gets 200, the alarm as it then is, and the header `Idempotent-Replayed: true`; another body
    gets 409. 422 names the rule: numbers that are never dialled, the organization's caps, nobody with a phone, no own
    number. Only admins may do this.
    """
    call.in_organisation(body.organizationID, "organizationID")
    call.as_admin()
    posted = await post_alarm(book, call.organisation_id, body, _who(call), header.idempotency_key, PREFIX + PATH)
    headers = {"Location": f"{PREFIX}{PATH}/{posted.alarm_id}"}
    alarm = await _alarm(call, book, posted.alarm_id)
    if posted.is_replayed:
        return Reply(alarm, 200, headers | {"Idempotent-Replayed": "true"})
    return Reply(alarm, 201, headers)


@routes.on("GET", PATH, 403, tag=TAG)
async def list_alarms(call: Call, query: AlarmsQuery, book: PostgresAlarmBook) -> Listing[AlarmSummary]:
    """The organization's alarms, newest first."""
    rows = await book.alarms(call.organisation_id, query.cursor, query.state, query.since, query.limit + 1)
    page, cursor = listing(rows, query.limit, lambda row: row.alarm_id)
    return Listing(items=[mapping.summary(row) for row in page], nextCursor=cursor)


@routes.on("GET", PATH + "/{id}", 403, 404, tag=TAG)
async def get_alarm(call: Call, path: AlarmPath, book: PostgresAlarmBook) -> Alarm:
    """An alarm with its recipients, their calls, and what happened."""
    return await _alarm(call, book, path.id)


@routes.on("POST", PATH + "/{id}/cancel", 403, 404, tag=TAG, statuses=(200, 202))
async def cancel_alarm(call: Call, path: AlarmPath, book: PostgresAlarmBook) -> Reply[Alarm]:
    """Stop ringing. Phones stop at once, who listens is told.

    200 with the alarm as it then is, also when it was over before; 202 when no engine has taken the order up yet: it
    stands in `orders`. Only admins may do this.
    """
    call.as_admin()
    return await _order(call, book, path.id, "cancel", None)


@routes.on("POST", PATH + "/{id}/recipients/{rid}/acknowledge", 403, 404, 409, tag=TAG, statuses=(200, 202))
async def acknowledge_alarm(call: Call, path: RecipientPath, book: PostgresAlarmBook) -> Reply[Alarm]:
    """Acknowledge for a recipient, who said it in another way: he is not rung any more, and counts.

    200 with the alarm as it then is, also when he had acknowledged before; 202 when no engine has taken the order up
    yet; 409 when the alarm is over. Admins may do this for everybody, a user for himself.
    """
    if not call.principal.is_admin:
        user_id = call.principal.user_id
        if user_id is None or not await book.is_recipient(call.organisation_id, path.id, path.rid, user_id):
            raise Forbidden("rid", "only admins may acknowledge for others")
    return await _order(call, book, path.id, "acknowledge", path.rid)


async def _order(call: Call, book: PostgresAlarmBook, alarm_id: int, kind: str, rid: int | None) -> Reply[Alarm]:
    """Order it unless it is done, and wait a moment for the engine."""
    standing = await _standing(call, book, alarm_id, kind, rid)
    if not _is_done(standing, kind):
        if standing.is_over:
            raise Conflict("alarm-is-over", "id", "the alarm is over")
        await book.order(call.organisation_id, alarm_id, kind, rid, _who(call))
        standing = await _taken_up(call, book, alarm_id, kind, rid)
    status = 202 if standing.is_ordered and not _is_done(standing, kind) else 200
    return Reply(await _alarm(call, book, alarm_id), status)


async def _taken_up(call: Call, book: PostgresAlarmBook, alarm_id: int, kind: str, rid: int | None) -> Standing:
    until, pause_s = monotonic() + ORDER_WAIT_S, LOOK_AGAIN_S
    while True:
        standing = await _standing(call, book, alarm_id, kind, rid)
        if not standing.is_ordered or _is_done(standing, kind) or monotonic() > until:
            return standing
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, 0.25)


def _is_done(standing: Standing, kind: str) -> bool:
    if kind == "cancel":
        return standing.state not in OPEN
    return standing.recipient_state is RecipientState.ACKNOWLEDGED


async def _standing(call: Call, book: PostgresAlarmBook, alarm_id: int, kind: str, rid: int | None) -> Standing:
    standing = await book.standing(call.organisation_id, alarm_id, kind, rid)
    if standing is None:
        raise NotFound("alarm")
    if rid is not None and standing.recipient_state is None:
        raise NotFound("recipient")
    return standing


async def _alarm(call: Call, book: PostgresAlarmBook, alarm_id: int) -> Alarm:
    whole = await book.alarm(call.organisation_id, alarm_id)
    if whole is None:
        raise NotFound("alarm")
    if len(whole.recipients) + len(whole.notes) > MANY:
        return await asyncio.to_thread(mapping.alarm, whole)
    return mapping.alarm(whole)


def _who(call: Call) -> str:
    return "API token" if call.principal.user_id is None else f"user {call.principal.user_id}"


def install(app: web.Application, base: Base) -> None:
    app[SERVICES][PostgresAlarmBook] = PostgresAlarmBook(base.pool, base.deadline_s)
