"""`/users`: admins and API tokens manage them; a user reads and manages himself.

Admins manage a user's phones only if the user allows it (`phones.py`); once the user is there, nobody else can.
"""

import asyncio
from typing import Annotated

from argon2 import PasswordHasher
from pydantic import BaseModel, Field

from api.access import Call
from api.errors import Forbidden
from api.fields import Int64, Line, Text
from api.ringward.directory_fields import Resource, Spoken, at, found
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
from engine.store.directory_port import NameTaken
from engine.store.users import PostgresUsers

PATH = "/users"


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


# --- rights

def _oneself_or_admin(call: Call, user_id: int) -> None:
    if user_id != call.principal.user_id:
        call.as_admin()


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
