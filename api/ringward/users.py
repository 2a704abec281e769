"""`/users` and `/users/{id}/phones`: the same rows as the First Responder API's users and AgentPhones.

Admins and API tokens manage users; a user manages himself and his phones. Another one's phones are an admin's to manage
only if that user allows it, and nobody but he himself can allow it once he is there.
"""

import asyncio
from typing import Annotated

from argon2 import PasswordHasher
from pydantic import BaseModel, Field

from api.access import Call
from api.errors import Forbidden
from api.fields import Int64, Line, Text, UrlInt
from api.ringward.directory_fields import (
    Name,
    PhoneText,
    Resource,
    Spoken,
    at,
    found,
    number_of,
)
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
from engine.store import directory_port as directory
from engine.store.directory_port import NameTaken, PhoneData
from engine.store.users import PostgresUsers

PATH = "/users"
PHONES = PATH + "/{id}/phones"
LAST_POSITION = 1_000_000


class UserBody(Resource):
    name: Annotated[Line, Field(max_length=64, description="the log-in, unique in the system", examples=["anna"])]
    language: Spoken = "de"
    isAdmin: Annotated[bool, Field(description="of the organization")] = False
    allowAdmins: Annotated[bool, Field(description="whether admins may manage this user's phones")] = False

    password: Annotated[Annotated[Text, Field(min_length=8, max_length=128)] | None, Field(
        description="never returned; without one there is none, or a PUT keeps what there is")] = None


class User(BaseModel):
    id: Int64
    name: str
    language: str
    isAdmin: bool
    allowAdmins: bool


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


# --- users

@routes.on("GET", PATH, 403, tag="users")
async def list_users(call: Call, query: CursorQuery, users: PostgresUsers) -> Listing[User]:
    """The users of the organization. Only admins may do this."""
    call.as_admin()
    rows = await users.page(call.organisation_id, query.cursor or 0, query.limit + 1)
    page, cursor = listing(rows, query.limit, lambda row: row.user_id)
    return Listing(items=[_user(row) for row in page], nextCursor=cursor)


@routes.on("POST", PATH, 403, 409, tag="users", statuses=(201,), headers=LOCATION)
async def create_user(call: Call, body: UserBody, users: PostgresUsers) -> Reply[User]:
    """Make a user of the organization. Only admins may do this."""
    call.as_admin()
    try:
        made = await users.create(_row(call, 0, body), await _hash(body.password))
    except NameTaken:
        raise _taken() from None
    return Reply(_user(made), headers=at(PREFIX + PATH, made.user_id))


@routes.on("GET", PATH + "/{id}", 403, 404, tag="users")
async def get_user(call: Call, path: IdPath) -> User:
    """A user of the organization; without being an admin only oneself."""
    _oneself_or_admin(call, path.id)
    return _user(found(await call.directory.user(call.organisation_id, path.id), "user"))


@routes.on("PUT", PATH + "/{id}", 403, 404, 409, tag="users")
async def update_user(call: Call, path: IdPath, body: UserBody, users: PostgresUsers) -> User:
    """Change a user as a whole; what the body leaves out gets its default, but the password stays.

    Admins change every user of the organization, but only the user allows admins to manage his phones. Who is no admin
    changes his own language, password and `allowAdmins`.
    """
    _oneself_or_admin(call, path.id)
    before = found(await call.directory.user(call.organisation_id, path.id), "user")
    _check_rights(call, before, body)
    try:
        changed = await users.replace(_row(call, path.id, body), await _hash(body.password))
    except NameTaken:
        raise _taken() from None
    return _user(found(changed, "user"))


@routes.on("DELETE", PATH + "/{id}", 403, 404, tag="users")
async def delete_user(call: Call, path: IdPath, users: PostgresUsers) -> None:
    """Remove a user with phones, tokens and memberships, also as an agent of hotlines. Only admins may do this.

    Logs keep the id. An alarm that was posted before still rings the phones that it took along.
    """
    call.as_admin()
    found(await users.delete(call.organisation_id, path.id) or None, "user")


# --- phones

@routes.on("GET", PHONES, 403, 404, tag="phones")
async def list_phones(call: Call, path: IdPath) -> Listing[Phone]:
    """All phones of a user, in the order in which they are rung."""
    await _manages_phones(call, path.id)
    rows = await call.directory.phones(call.organisation_id, path.id)
    return Listing(items=[_phone(row) for row in rows], nextCursor=None)


@routes.on("POST", PHONES, 403, 404, tag="phones", statuses=(201,), headers=LOCATION)
async def create_phone(call: Call, path: IdPath, body: PhoneBody) -> Reply[Phone]:
    """Add a phone to a user."""
    await _manages_phones(call, path.id)
    data = _phone_data(call, path.id, body)
    made = await call.directory.create_phone(call.organisation_id, data, body.position)
    return Reply(_phone(made), headers=at(f"{PREFIX}{PATH}/{path.id}/phones", made.phone_id))


@routes.on("GET", PHONES + "/{phoneID}", 403, 404, tag="phones")
async def get_phone(call: Call, path: PhonePath) -> Phone:
    """One phone of a user."""
    return _phone(await _stored_phone(call, path))


@routes.on("PUT", PHONES + "/{phoneID}", 403, 404, tag="phones")
async def update_phone(call: Call, path: PhonePath, body: PhoneBody) -> Phone:
    """Change a phone as a whole; without a position it stays at its own."""
    await _stored_phone(call, path)
    data = _phone_data(call, path.id, body)
    changed = await call.directory.replace_phone(call.organisation_id, path.phoneID, data, body.position)
    return _phone(found(changed, "phone"))


@routes.on("DELETE", PHONES + "/{phoneID}", 403, 404, tag="phones")
async def delete_phone(call: Call, path: PhonePath) -> None:
    """Remove a phone. What already rings it goes on."""
    await _stored_phone(call, path)
    found(await call.directory.delete_phone(call.organisation_id, path.phoneID) or None, "phone")


# --- rights

def _oneself_or_admin(call: Call, user_id: int) -> None:
    if user_id != call.principal.user_id:
        call.as_admin()


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


def _check_rights(call: Call, before: directory.User, body: UserBody) -> None:
    is_oneself = before.user_id == call.principal.user_id
    if body.allowAdmins and not before.allow_admins and not is_oneself:
        raise Forbidden("allowAdmins", "only the user can allow it")
    if not call.principal.is_admin:
        for field, was, wanted in (("name", before.name, body.name), ("isAdmin", before.is_admin, body.isAdmin)):
            if was != wanted:
                raise Forbidden(field, "only admins of the organization may change this")


# --- words

async def _hash(password: str | None) -> str | None:
    """Slow on purpose, so beside the loop."""
    return None if password is None else await asyncio.to_thread(PasswordHasher().hash, password)


def _taken() -> Conflict:
    return Conflict("name-taken", "name", "taken: names are unique in the system")


def _row(call: Call, user_id: int, body: UserBody) -> directory.User:
    return directory.User(user_id, call.organisation_id, body.name, body.isAdmin, body.allowAdmins, body.language)


def _user(row: directory.User) -> User:
    return User(id=row.user_id, name=row.name, language=row.language, isAdmin=row.is_admin,
                allowAdmins=row.allow_admins)


def _phone_data(call: Call, user_id: int, body: PhoneBody) -> PhoneData:
    return PhoneData(user_id, body.name, number_of(call, body.number, "number"), body.isActive)


def _phone(row: directory.Phone) -> Phone:
    return Phone(id=row.phone_id, name=row.name, number=row.number, isActive=row.is_active,
                 position=row.position)
