"""`/users/{id}/phones`: the same rows as the First Responder API's AgentPhones.

A user manages his own; another one's are an admin's to see and manage only if that user allows it.
"""

from typing import Annotated

from pydantic import BaseModel, Field

from api.access import Call
from api.fields import Int64, UrlInt
from api.ringward.directory_fields import Name, PhoneText, Resource, at, found, number_of
from api.ringward.frame import LOCATION, PREFIX, IdPath, Listing, Refused, routes
from api.typed_routes import Reply
from engine.store import directory_port as directory
from engine.store.directory_port import PhoneData

PATH = "/users/{id}/phones"
TAG = "phones"
LAST_POSITION = 1_000_000


class PhoneBody(Resource):
    name: Name
    number: Annotated[PhoneText, Field(description="international, or as dialled in the organization's country")]
    isActive: Annotated[bool, Field(description="active phones are rung, others not")] = True
    position: Annotated[int | None, Field(
        ge=0, le=LAST_POSITION,
        description="phones are rung from the lowest on; left out: a new one comes last, another stays")] = None


class Phone(BaseModel):
    id: Int64
    name: str
    number: Annotated[str, Field(examples=["+4930555123"])]
    isActive: bool
    position: int


class PhonePath(IdPath):
    phoneID: UrlInt


@routes.on("GET", PATH, 403, 404, tag=TAG)
async def list_phones(call: Call, path: IdPath) -> Listing[Phone]:
    """All phones of a user, in the order in which they are rung."""
    await _manages_phones(call, path.id)
    rows = await call.directory.phones(call.organisation_id, path.id)
    return Listing(items=[_phone(row) for row in rows], nextCursor=None)


@routes.on("POST", PATH, 403, 404, 422, tag=TAG, statuses=(201,), headers=LOCATION)
async def create_phone(call: Call, path: IdPath, body: PhoneBody) -> Reply[Phone]:
    """Add a phone to a user. What no alarm would dial is refused: hotlines ring it as well."""
    await _manages_phones(call, path.id)
    data = _phone_data(call, path.id, body)
    _check_dialable(call, data)
    made = await call.directory.create_phone(call.organisation_id, data, body.position)
    return Reply(_phone(made), headers=at(f"{PREFIX}/users/{path.id}/phones", made.phone_id))


@routes.on("GET", PATH + "/{phoneID}", 403, 404, tag=TAG)
async def get_phone(call: Call, path: PhonePath) -> Phone:
    """One phone of a user."""
    return _phone(await _stored_phone(call, path))


@routes.on("PUT", PATH + "/{phoneID}", 403, 404, 422, tag=TAG)
async def update_phone(call: Call, path: PhonePath, body: PhoneBody) -> Phone:
    """Change a phone as a whole; without a position it stays at its own."""
    before = await _stored_phone(call, path)
    data = _phone_data(call, path.id, body)
    if data.number != before.number:
        _check_dialable(call, data)
    changed = await call.directory.replace_phone(call.organisation_id, path.phoneID, data, body.position)
    return _phone(found(changed, "phone"))


@routes.on("DELETE", PATH + "/{phoneID}", 403, 404, tag=TAG)
async def delete_phone(call: Call, path: PhonePath) -> None:
    """Remove a phone. What already rings it goes on."""
    await _stored_phone(call, path)
    found(await call.directory.delete_phone(call.organisation_id, path.phoneID) or None, "phone")


async def _manages_phones(call: Call, user_id: int) -> None:
    """The rule of the First Responder API."""
    if user_id == call.principal.user_id:
        return
    call.as_admin()
    found(await call.directory.user(call.organisation_id, user_id), "user")
    await call.manages_phones(user_id, call.organisation_id, "id")


async def _stored_phone(call: Call, path: PhonePath) -> directory.Phone:
    await _manages_phones(call, path.id)
    phone = found(await call.directory.phone(call.organisation_id, path.phoneID), "phone")
    return found(phone if phone.user_id == path.id else None, "phone")


def _phone_data(call: Call, user_id: int, body: PhoneBody) -> PhoneData:
    return PhoneData(user_id, body.name, number_of(call, body.number, "number"), body.isActive)


def _check_dialable(call: Call, data: PhoneData) -> None:
    """Raises Refused: who may write phones could have a hotline dial whatever earns him money."""
    if (refused := call.never_dials(data.number)) is not None:
        raise Refused(refused.rule, "number", f"{data.number} is {refused.why}: it is never dialled")


def _phone(row: directory.Phone) -> Phone:
    return Phone(id=row.phone_id, name=row.name, number=row.number, isActive=row.is_active,
                 position=row.position)
