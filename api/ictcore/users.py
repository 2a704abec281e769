"""`/users`: those who log in, what they may, and their accounts. Section "User Management" of the guide.

Who has no `user_admin` sees himself and whom he made. Nobody changes a user who may do more than himself. A user's
rows are those of `/ringward/v1/users`.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, Field

from api.errors import ApiError
from api.ictcore.access import Access, hashed
from api.ictcore.accounts import ListedAccount, listed
from api.ictcore.fields import Body, Email, Flag, Line, OneLine, OneLine128, Phone16, Text
from api.ictcore.frame import Call, denied, failed, found, routes
from api.ictcore.named_values import checked_name, sent_value
from api.ictcore.roles import ListedRole, Permission, hands_out, listed_permissions, listed_roles
from engine.store.directory_port import NameTaken
from engine.store.ictcore_accounts import IctcoreAccounts
from engine.store.ictcore_roles import IctcoreRoles
from engine.store.ictcore_users import IctcoreUsers
from engine.store.users import PostgresUsers

TAG = "users"
ONE = "/users/{user_id}"
Username = Annotated[Line, Field(max_length=64)]
Password = Annotated[Text, Field(min_length=8, max_length=128)]
Id = Annotated[OneLine, Field(max_length=64)]       # of a table that is the client's own


class UserChange(Body):
    username: Username | None = None
    passwd: Password | None = None
    first_name: OneLine128 = ""
    last_name: OneLine128 = ""
    phone: Phone16 = ""
    email: Email = ""
    address: OneLine128 = ""
    company: OneLine128 = ""
    country_id: Id = ""
    timezone_id: Id = ""
    active: Flag = True


class UserBody(UserChange):
    username: Username


class PasswordBody(Body):
    password: Password


class User(BaseModel):
    """Never with a password."""

    user_id: int
    username: str
    first_name: str
    last_name: str
    phone: str
    email: str
    address: str
    company: str
    country_id: str
    timezone_id: str
    active: Flag


class Configuration(BaseModel):
    value: Any


@routes.creates("user_id", "/users", 403, 412, permission="user_create", tag=TAG)
async def create_user(call: Call, body: UserBody, users: IctcoreUsers) -> int:
    """Make a user of the organization with the role `user`, and his default account."""
    try:
        return await users.create(call.organisation_id, await _columns(body, body.model_dump()), call.user_id)
    except NameTaken:
        raise _taken() from None


@routes.on("GET", "/users", 403, permission="user_list", tag=TAG)
async def list_users(call: Call, users: IctcoreUsers) -> list[User]:
    """Filters: user_id, username, phone, email, first_name, last_name."""
    return [User(**row) for row in await users.users(call.organisation_id, call.wanted("user"))]


@routes.on("GET", ONE, 403, 404, permission="user_read", tag=TAG)
async def get_user(call: Call, user_id: int, users: IctcoreUsers) -> User:
    """One user."""
    return await _seen(call, users, user_id)


@routes.on("PUT", ONE, 403, 404, 412, permission="user_update", tag=TAG)
async def update_user(call: Call, user_id: int, body: UserChange, users: IctcoreUsers, access: Access) -> User:
    """Change what the body names."""
    await _ruled(call, users, access, user_id)
    return await _changed(call, users, user_id, await _columns(body, body.given()))


@routes.on("DELETE", ONE, 403, 404, permission="user_delete", tag=TAG)
async def delete_user(
    call: Call, user_id: int, users: IctcoreUsers, access: Access, directory_users: PostgresUsers) -> None:
    """Remove a user with phones, tokens and memberships; his accounts are nobody's then."""
    await _ruled(call, users, access, user_id)
    await directory_users.delete(call.organisation_id, user_id)


@routes.on("PUT", ONE + "/password", 403, 404, 412, permission="user_password", tag=TAG)
async def update_password(
    call: Call, user_id: int, body: PasswordBody, users: IctcoreUsers, access: Access) -> User:
    """Change a password; tokens that were issued before end."""
    await _ruled(call, users, access, user_id)
    return await _changed(call, users, user_id, {"password_hash": await hashed(body.password)})


# --- what he may

@routes.on("GET", ONE + "/roles", 403, 404, permission="user_read", tag=TAG)
async def roles_of_user(call: Call, user_id: int, users: IctcoreUsers) -> list[ListedRole]:
    """The roles of a user."""
    await _seen(call, users, user_id)
    return listed_roles(await users.roles(call.organisation_id, user_id))


@routes.on("PUT", ONE + "/roles/{role_id}", 403, 404, permission="user_update", tag=TAG)
async def add_role_to_user(
    call: Call, user_id: int, role_id: int, users: IctcoreUsers, roles: IctcoreRoles, access: Access) -> User:
    """Give a user a role."""
    await _role_for(call, user_id, role_id, users, roles, access)
    await users.add_role(call.organisation_id, user_id, role_id)
    return await _seen(call, users, user_id)


@routes.on("DELETE", ONE + "/roles/{role_id}", 403, 404, permission="user_update", tag=TAG)
async def drop_role_of_user(
    call: Call, user_id: int, role_id: int, users: IctcoreUsers, roles: IctcoreRoles, access: Access) -> None:
    """Take a role from a user."""
    await _role_for(call, user_id, role_id, users, roles, access)
    await users.drop_role(call.organisation_id, user_id, role_id)


@routes.on("GET", ONE + "/permissions", 403, 404, permission="user_read", tag=TAG)
async def permissions_of_user(call: Call, user_id: int, users: IctcoreUsers) -> list[Permission]:
    """The permissions that a user has beside his roles."""
    await _seen(call, users, user_id)
    return listed_permissions(await users.permissions(call.organisation_id, user_id))


@routes.on("PUT", ONE + "/permissions/{permission_id}", 403, 404, permission="user_update", tag=TAG)
async def add_permission_to_user(call: Call, user_id: int, permission_id: int, users: IctcoreUsers,
                                 roles: IctcoreRoles, access: Access) -> User:
    """Give a user a permission."""
    await _permission_for(call, user_id, permission_id, users, roles, access)
    await users.add_permission(call.organisation_id, user_id, permission_id)
    return await _seen(call, users, user_id)


@routes.on("DELETE", ONE + "/permissions/{permission_id}", 403, 404, permission="user_update", tag=TAG)
async def drop_permission_of_user(call: Call, user_id: int, permission_id: int, users: IctcoreUsers,
                                  roles: IctcoreRoles, access: Access) -> None:
    """Take a permission from a user."""
    await _permission_for(call, user_id, permission_id, users, roles, access)
    await users.drop_permission(call.organisation_id, user_id, permission_id)


# --- accounts and configuration

@routes.on("GET", ONE + "/accounts", 403, 404, permission="account_list", tag=TAG)
async def accounts_of_user(
    call: Call, user_id: int, users: IctcoreUsers, accounts: IctcoreAccounts) -> list[ListedAccount]:
    """The accounts of a user; filters as those of /accounts."""
    await _seen(call, users, user_id)
    return listed(await accounts.accounts(call.organisation_id, call.wanted("account"), user_id=user_id))


@routes.on("GET", ONE + "/config/{name}", 403, 404, permission="configuration_read", tag=TAG)
async def get_config(call: Call, user_id: int, name: str, users: IctcoreUsers) -> Configuration:
    """A client's own value of this user."""
    await _seen(call, users, user_id)
    value = await users.config(call.organisation_id, user_id, checked_name(name))
    return Configuration(value=json.loads(found(value, "Setting")))


@routes.on("PUT", ONE + "/config/{name}", 403, 404, 412, 417, permission="configuration_update", tag=TAG)
async def put_config(call: Call, user_id: int, name: str, request: web.Request, users: IctcoreUsers) -> None:
    """Make or change one: `{"value": …}`, `{"data": …}` or the value itself."""
    await _seen(call, users, user_id)
    value = await sent_value(request)
    if not await users.set_config(call.organisation_id, user_id, checked_name(name), value):
        raise failed(name, "a user has 100 of them at most")


# --- rights

async def _seen(call: Call, users: IctcoreUsers, user_id: int) -> User:
    """Raises NotFound, also for one whom this user may not see."""
    return User(**found(await users.user(call.organisation_id, user_id, call.seen_by("user")), "User"))


async def _ruled(call: Call, users: IctcoreUsers, access: Access, user_id: int) -> None:
    """Raises NotFound; ApiError 403 for a user who may do what the caller may not."""
    await _seen(call, users, user_id)
    if user_id == call.user_id or call.caller.is_admin:
        return
    held = found(await access.rights(user_id), "User")
    if held.is_admin:
        raise denied("the user is an admin of the organization")
    hands_out(call, held.permissions)


async def _role_for(call: Call, user_id: int, role_id: int, users: IctcoreUsers, roles: IctcoreRoles,
                    access: Access) -> None:
    await _ruled(call, users, access, user_id)
    found(await roles.role(call.organisation_id, role_id), "Role")
    hands_out(call, [it.name for it in await roles.permissions_of(call.organisation_id, role_id)])


async def _permission_for(call: Call, user_id: int, permission_id: int, users: IctcoreUsers, roles: IctcoreRoles,
                          access: Access) -> None:
    await _ruled(call, users, access, user_id)
    hands_out(call, [found(await roles.permission(call.organisation_id, permission_id), "Permission").name])


# --- words

async def _columns(body: UserChange, given: Mapping[str, Any]) -> dict[str, Any]:
    """Their fields as the table's columns; a password as its hash."""
    columns = {name: value for name, value in given.items() if name not in ("username", "passwd")}
    if body.username is not None:
        columns["name"] = body.username
    if body.passwd is not None:
        columns["password_hash"] = await hashed(body.passwd)
    return columns


async def _changed(call: Call, users: IctcoreUsers, user_id: int, columns: Mapping[str, Any]) -> User:
    try:
        await users.update(call.organisation_id, user_id, columns)
    except NameTaken:
        raise _taken() from None
    return await _seen(call, users, user_id)


def _taken() -> ApiError:
    return failed("username, email", "taken: both are unique in the system")
