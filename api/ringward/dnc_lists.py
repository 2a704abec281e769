"""`/dnc-lists` and their numbers: whom no campaign calls. Only admins see and keep them."""

import hashlib
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field

from api.access import Call
from api.errors import NotFound
from api.fields import Body, Int64, UtcTime
from api.ictcore.csv_body import received
from api.ringward.csv_download import CSV, download
from api.ringward.directory_fields import Name, Resource, at, found
from api.ringward.dnc_numbers import of_csv, of_json
from api.ringward.frame import (
    LOCATION,
    PREFIX,
    Base,
    Conflict,
    CursorQuery,
    IdPath,
    Listing,
    cursor_of,
    listing,
    routes,
)
from api.ringward.keys import KeyHeader
from api.ringward.numbers import NumberPath
from api.typed_routes import SERVICES, Reply
from engine.store.dnc import Added, ListInUse, PostgresDnc, StoredList, StoredNumber
from engine.store.idempotency import Idempotency, KeyReused

PATH = "/dnc-lists"
NUMBERS = PATH + "/{id}/numbers"
TAG = "dnc-lists"
MADE = {**LOCATION, "Idempotent-Replayed": "`true` when the key was known: nothing new was made"}
MANY_BYTES = 2 * 1024 * 1024
Written = Annotated[str, Field(max_length=64, examples=["030 555123"])]


class ListBody(Resource):
    name: Name
    isOptOut: Annotated[bool | None, Field(description="ignored")] = None
    createdAt: Annotated[str | None, Field(description="ignored")] = None


class DncList(BaseModel):
    id: Int64
    name: str
    isOptOut: Annotated[bool, Field(
        description="who opted out by a key is put on it; it holds for every campaign, and stays")]
    createdAt: UtcTime


class NumbersBody(Body):
    numbers: Annotated[list[Written], Field(
        min_length=1, max_length=50_000, description="national forms are read in the organization's country")]


class DncNumber(BaseModel):
    number: Annotated[str, Field(examples=["+4930555123"])]
    addedAt: UtcTime


class AddedNumbers(BaseModel):
    added: Annotated[int, Field(description="how many were not on the list before")]
    known: Annotated[int, Field(description="how many were")]


class DncNumberPath(NumberPath, IdPath):
    pass


@routes.on("GET", PATH, 403, tag=TAG)
async def list_dnc_lists(call: Call, query: CursorQuery, dnc: PostgresDnc) -> Listing[DncList]:
    """The do-not-call lists of the organization. Only admins may do this."""
    call.as_admin()
    rows = await dnc.page(call.organisation_id, query.cursor or 0, query.limit + 1)
    page, cursor = listing(rows, query.limit, lambda row: row.list_id)
    return Listing(items=[_list(row) for row in page], nextCursor=cursor)


@routes.on("POST", PATH, 403, 409, tag=TAG, statuses=(201, 200), headers=MADE)
async def create_dnc_list(call: Call, header: KeyHeader, body: ListBody, dnc: PostgresDnc, idempotency: Idempotency,
                          ) -> Reply[DncList]:
    """Make an empty list; campaigns name it in `dncListIDs`. With an `Idempotency-Key` it may be sent again for 24
    hours: the same body gets 200 and the list. Only admins may do this.
    """
    call.as_admin()
    key, user_id = header.idempotency_key, call.principal.user_id
    if key is None:
        made = await dnc.create(call.organisation_id, user_id, body.name)
        return Reply(_list(made), headers=at(PREFIX + PATH, made.list_id))
    digest = hashlib.sha256(f"POST {PREFIX}{PATH}\n{body.name}".encode()).digest()
    try:
        async with idempotency.once(call.organisation_id, key, digest) as once:
            if once.known is None:
                once.made = (await dnc.create(call.organisation_id, user_id, body.name)).list_id
    except KeyReused:
        raise Conflict("idempotency-key-reused", "Idempotency-Key", "was given with another request before") from None
    list_id = once.known or once.made or 0
    told = _list(found(await dnc.list(call.organisation_id, list_id), "do-not-call list"))
    replayed = {} if once.known is None else {"Idempotent-Replayed": "true"}
    return Reply(told, 200 if replayed else 201, at(PREFIX + PATH, list_id) | replayed)


@routes.on("GET", PATH + "/{id}", 403, 404, tag=TAG)
async def get_dnc_list(call: Call, path: IdPath, dnc: PostgresDnc) -> DncList:
    """One list. Only admins may do this."""
    return _list(await _seen(call, path, dnc))


@routes.on("PUT", PATH + "/{id}", 403, 404, tag=TAG)
async def update_dnc_list(call: Call, path: IdPath, body: ListBody, dnc: PostgresDnc) -> DncList:
    """Change its name; the numbers stay. Only admins may do this."""
    call.as_admin()
    return _list(found(await dnc.rename(call.organisation_id, path.id, body.name), "do-not-call list"))


@routes.on("DELETE", PATH + "/{id}", 403, 404, 409, tag=TAG)
async def delete_dnc_list(call: Call, path: IdPath, dnc: PostgresDnc) -> None:
    """Remove a list with its numbers; 409 while a campaign that is not completed names it, and for the list of those
    who opted out. Only admins may do this.
    """
    call.as_admin()
    try:
        found(await dnc.delete(call.organisation_id, path.id) or None, "do-not-call list")
    except ListInUse as error:
        raise Conflict("list-in-use", "id", "who opted out stays on it" if error.campaign_id is None else
                       f"campaign {error.campaign_id} goes by it") from None


@routes.on("GET", NUMBERS, 403, 404, tag=TAG, also_produces=CSV)
async def list_dnc_numbers(call: Call, path: IdPath, query: CursorQuery, request: web.Request, dnc: PostgresDnc,
                           ) -> Listing[DncNumber] | web.StreamResponse:
    """The numbers of a list in their order; with `Accept: text/csv` all of them, one a line, without a header. Only
    admins may do this.
    """
    await _seen(call, path, dnc)
    if CSV in request.headers.get("Accept", ""):
        pages = dnc.every_number(call.organisation_id, path.id)
        return await download(request, f"dnc_{path.id}", (
            "".join(f"{it.number}\n" for it in page).encode() async for page in pages))
    after = "" if query.cursor is None else f"+{query.cursor}"
    rows = await dnc.numbers(call.organisation_id, path.id, after, query.limit + 1)
    page, more = list(rows[:query.limit]), len(rows) > query.limit
    return Listing(items=[_number(it) for it in page], nextCursor=cursor_of(int(page[-1].number)) if more else None)


@routes.on("POST", NUMBERS, 403, 404, 408, 411, 422, tag=TAG, consumes=(CSV,), limit=MANY_BYTES)
async def add_dnc_numbers(call: Call, path: IdPath, body: NumbersBody | None, request: web.Request, dnc: PostgresDnc,
                          ) -> AddedNumbers:
    """Add numbers, all or none: 422 names the member or line of each that is none. As JSON up to 50,000; as text/csv
    the column `phone` or `number`, else the first one, of up to 512 MB. Only admins may do this.
    """
    await _seen(call, path, dnc)
    country = call.principal.country
    if body is not None:
        numbers = body.numbers
        return _added(await dnc.add(call.organisation_id, path.id, lambda: of_json(numbers, country)))
    async with received(request) as spool:
        return _added(await dnc.add(
            call.organisation_id, path.id, lambda: of_csv(spool.file, spool.encoding, country)))


@routes.on("DELETE", NUMBERS + "/{number}", 403, 404, tag=TAG)
async def remove_dnc_number(call: Call, path: DncNumberPath, dnc: PostgresDnc) -> None:
    """Take a number off a list. Only admins may do this."""
    await _seen(call, path, dnc)
    found(await dnc.remove(call.organisation_id, path.id, path.e164) or None, "number")


async def _seen(call: Call, path: IdPath, dnc: PostgresDnc) -> StoredList:
    call.as_admin()
    return found(await dnc.list(call.organisation_id, path.id), "do-not-call list")


def install(app: web.Application, base: Base) -> None:
    app[SERVICES][PostgresDnc] = PostgresDnc(base.pool, base.deadline_s)
    app[SERVICES].setdefault(Idempotency, Idempotency(base.pool, base.deadline_s))


def _list(row: StoredList) -> DncList:
    return DncList(id=row.list_id, name=row.name, isOptOut=row.is_opt_out, createdAt=row.created_at)


def _number(row: StoredNumber) -> DncNumber:
    return DncNumber(number=row.number, addedAt=row.added_at)


def _added(row: Added | None) -> AddedNumbers:
    if row is None:
        raise NotFound("do-not-call list")
    return AddedNumbers(added=row.added, known=row.known)
