"""`/organisations`: its own for an organisation's token; all of them, making and removing for a system token."""

from typing import Annotated

from pydantic import BaseModel, Field

from api.access import Call
from api.errors import Forbidden, NotFound
from api.fields import Int64
from api.ringward.directory_fields import Country, Name, Resource, Spoken, as_system, at, found
from api.ringward.frame import (
    LOCATION,
    PREFIX,
    Conflict,
    CursorQuery,
    IdPath,
    Listing,
    listing,
    routes,
)
from api.typed_routes import Reply
from engine.store.organisations import (
    OrganisationData,
    OrganisationInUse,
    PostgresOrganisations,
    StoredOrganisation,
)

PATH = "/organisations"
TAG = "organisations"
INT_MAX = 2**31 - 1
Cap = Annotated[int, Field(ge=1, le=INT_MAX)]


class OrganisationBody(Resource):
    name: Name
    country: Annotated[Country, Field(description="national forms of numbers are read in it")] = "DE"
    language: Spoken = "de"
    countries: Annotated[list[Country], Field(
        max_length=250, description="that may be rung; none: its own country alone")] = Field(default_factory=list)
    callsPerMinute: Cap = 2000
    callsPerHour: Cap = 10_000
    callsPerDay: Cap = 50_000


class Organisation(BaseModel):
    id: Int64
    name: str
    country: str
    language: str
    countries: list[str]
    callsPerMinute: int
    callsPerHour: int
    callsPerDay: int


class NewOrganisation(Organisation):
    apiToken: Annotated[str, Field(description="its API token; it is told here and nowhere else")]


@routes.on("GET", PATH, 403, tag=TAG, also_system=True)
async def list_organisations(
        call: Call, query: CursorQuery, organisations: PostgresOrganisations) -> Listing[Organisation]:
    """The organization of the token; all of them for a system token."""
    if not call.principal.is_system:
        own = await organisations.organisation(call.organisation_id)
        return Listing(items=[] if own is None else [_organisation(own)], nextCursor=None)
    rows = await organisations.page(query.cursor or 0, query.limit + 1)
    page, cursor = listing(rows, query.limit, lambda row: row.organisation_id)
    return Listing(items=[_organisation(row) for row in page], nextCursor=cursor)


@routes.on("POST", PATH, 403, tag=TAG, statuses=(201,), headers=LOCATION, also_system=True)
async def create_organisation(
        call: Call, body: OrganisationBody, organisations: PostgresOrganisations) -> Reply[NewOrganisation]:
    """Make an organization and its API token, which is told once. Needs a system token."""
    as_system(call)
    made, token = await organisations.create(_data(body))
    return Reply(NewOrganisation(**_organisation(made).model_dump(), apiToken=token),
                 headers={**at(PREFIX + PATH, made.organisation_id), "Cache-Control": "no-store"})


@routes.on("GET", PATH + "/{id}", 403, 404, tag=TAG, also_system=True)
async def get_organisation(call: Call, path: IdPath, organisations: PostgresOrganisations) -> Organisation:
    """One organization: the token's own, or any for a system token."""
    _reachable(call, path.id)
    return _organisation(found(await organisations.organisation(path.id), "organization"))


@routes.on("PUT", PATH + "/{id}", 403, 404, tag=TAG, also_system=True)
async def update_organisation(
        call: Call, path: IdPath, body: OrganisationBody, organisations: PostgresOrganisations) -> Organisation:
    """Change an organization as a whole. What the body leaves out gets its default. Only admins may do this.

    Where it may call, and how often, is widened with a system token alone: a stolen token of the organization is worth
    no more than what somebody else has set. Its own token may narrow it.
    """
    _reachable(call, path.id)
    if not call.principal.is_system:
        call.as_admin()
        _not_wider(_data(body), found(await organisations.organisation(path.id), "organization").data)
    return _organisation(found(await organisations.replace(path.id, _data(body)), "organization"))


@routes.on("DELETE", PATH + "/{id}", 403, 404, 409, tag=TAG, also_system=True)
async def delete_organisation(call: Call, path: IdPath, organisations: PostgresOrganisations) -> None:
    """Remove an organization with all that is its own: users, contacts, recordings, webhooks, tokens.

    Refused with 409 while it has hotlines, alarms, call logs or calls of programs: call history is removed by retention
    alone. Its numbers go to the end of the pool. Needs a system token.
    """
    _reachable(call, path.id)
    as_system(call)
    try:
        found(await organisations.delete(path.id) or None, "organization")
    except OrganisationInUse as error:
        raise Conflict("organization-in-use", "id", f"the organization still has {error}") from None


def _reachable(call: Call, organisation_id: int) -> None:
    if not call.principal.is_system and organisation_id != call.organisation_id:
        raise NotFound("organization")


def _not_wider(wanted: OrganisationData, present: OrganisationData) -> None:
    """Raises Forbidden, which names the field."""
    why = "only a system token may allow more"
    if not {*(wanted.countries or (wanted.country,))} <= {*(present.countries or (present.country,))}:
        raise Forbidden("countries" if wanted.countries else "country", why)
    for field, more, now in (
        ("callsPerMinute", wanted.calls_per_minute, present.calls_per_minute),
        ("callsPerHour", wanted.calls_per_hour, present.calls_per_hour),
        ("callsPerDay", wanted.calls_per_day, present.calls_per_day),
    ):
        if more > now:
            raise Forbidden(field, why)


def _data(body: OrganisationBody) -> OrganisationData:
    return OrganisationData(
        name=body.name, country=body.country, language=body.language, countries=tuple(dict.fromkeys(body.countries)),
        calls_per_minute=body.callsPerMinute, calls_per_hour=body.callsPerHour, calls_per_day=body.callsPerDay)


def _organisation(row: StoredOrganisation) -> Organisation:
    data = row.data
    return Organisation(
        id=row.organisation_id, name=data.name, country=data.country, language=data.language,
        countries=list(data.countries), callsPerMinute=data.calls_per_minute, callsPerHour=data.calls_per_hour,
        callsPerDay=data.calls_per_day)
