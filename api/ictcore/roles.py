"""`/roles` and `/permissions`: what users may do. Extra routes of ICTCore, which its guide does not have.

The common roles `admin` and `user` and the common permissions are everybody's and never change. Nobody hands out what
he does not hold himself.
"""

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, Field

from api.ictcore.fields import Body, Description, Name
from api.ictcore.frame import Call, denied, failed, found, routes
from engine.policy.permissions import covers
from engine.store.directory_port import NameTaken
from engine.store.filters import Wanted
from engine.store.ictcore_roles import IctcoreRoles, StoredPermission, StoredRole

TAG = "roles"
ONE = "/roles/{role_id}"
PermissionName = Annotated[str, Field(pattern=r"^[a-z0-9]+(_[a-z0-9]+)*$", max_length=128)]


class RoleBody(Body):
    name: Name
    description: Description = ""


class RoleChange(Body):
    name: Name | None = None
    description: Description | None = None


class PermissionBody(Body):
    name: PermissionName
    description: Description = ""


class Permission(BaseModel):
    permission_id: int
    name: str
    description: str


class ListedRole(BaseModel):
    role_id: int
    name: str
    description: str


class Role(ListedRole):
    permissions: list[Permission]


@routes.creates("role_id", "/roles", 403, 412, permission="role_create", tag=TAG)
async def create_role(call: Call, body: RoleBody, roles: IctcoreRoles) -> int:
    """Make a role of the organization."""
    try:
        return await roles.create(call.organisation_id, body.name, body.description)
    except NameTaken:
        raise _taken() from None


@routes.on("GET", "/roles", 403, permission="role_list", tag=TAG)
async def list_roles(call: Call, roles: IctcoreRoles) -> list[ListedRole]:
    """The common roles and the organization's own. Filters: role_id, name (how it begins)."""
    return listed_roles(await roles.roles(call.organisation_id, Wanted(call.query)))


@routes.on("GET", ONE, 403, 404, permission="role_read", tag=TAG)
async def get_role(call: Call, role_id: int, roles: IctcoreRoles) -> Role:
    """A role with its permissions."""
    return await _role(call, roles, role_id)


@routes.on("PUT", ONE, 403, 404, 412, permission="role_update", tag=TAG)
async def update_role(call: Call, role_id: int, body: RoleChange, roles: IctcoreRoles) -> Role:
    """Change what the body names."""
    await _own(call, roles, role_id)
    try:
        await roles.update(call.organisation_id, role_id, body.name, body.description)
    except NameTaken:
        raise _taken() from None
    return await _role(call, roles, role_id)


@routes.on("DELETE", ONE, 403, 404, permission="role_delete", tag=TAG)
async def delete_role(call: Call, role_id: int, roles: IctcoreRoles) -> None:
    """Remove a role, also from those who have it."""
    await _own(call, roles, role_id)
    await roles.delete(call.organisation_id, role_id)


@routes.on("GET", ONE + "/permissions", 403, 404, permission="role_read", tag=TAG)
async def permissions_of_role(call: Call, role_id: int, roles: IctcoreRoles) -> list[Permission]:
    """The permissions of a role."""
    return (await _role(call, roles, role_id)).permissions


@routes.on("PUT", ONE + "/permissions/{permission_id}", 403, 404, permission="role_update", tag=TAG)
async def add_permission_to_role(call: Call, role_id: int, permission_id: int, roles: IctcoreRoles) -> Role:
    """Give a role a permission."""
    await _own(call, roles, role_id)
    hands_out(call, [found(await roles.permission(call.organisation_id, permission_id), "Permission").name])
    await roles.add_permission(call.organisation_id, role_id, permission_id)
    return await _role(call, roles, role_id)


@routes.on("DELETE", ONE + "/permissions/{permission_id}", 403, 404, permission="role_update", tag=TAG)
async def drop_permission_of_role(call: Call, role_id: int, permission_id: int, roles: IctcoreRoles) -> Role:
    """Take a permission from a role."""
    await _own(call, roles, role_id)
    found(await roles.permission(call.organisation_id, permission_id), "Permission")
    await roles.drop_permission(call.organisation_id, role_id, permission_id)
    return await _role(call, roles, role_id)


# --- permissions

@routes.creates("permission_id", "/permissions", 403, 412, permission="permission_create", tag=TAG)
async def create_permission(call: Call, body: PermissionBody, roles: IctcoreRoles) -> int:
    """Make a permission for the organization's own programs; it means nothing here."""
    try:
        return await roles.create_permission(call.organisation_id, body.name, body.description)
    except NameTaken:
        raise _taken() from None


@routes.on("GET", "/permissions", 403, permission="permission_list", tag=TAG)
async def list_permissions(call: Call, roles: IctcoreRoles) -> list[Permission]:
    """The common permissions and the organization's own. Filters: permission_id, name (how it begins)."""
    return listed_permissions(await roles.permissions(call.organisation_id, Wanted(call.query)))


# --- shared

def hands_out(call: Call, permissions: Iterable[str]) -> None:
    """Raises ApiError 403 for what the caller does not hold himself."""
    if not call.caller.is_admin and not covers(call.caller.permissions, list(permissions)):
        raise denied("nobody hands out what he does not hold himself")


def listed_roles(rows: Iterable[StoredRole]) -> list[ListedRole]:
    return [ListedRole(role_id=it.role_id, name=it.name, description=it.description) for it in rows]


def listed_permissions(rows: Iterable[StoredPermission]) -> list[Permission]:
    return [Permission(permission_id=it.permission_id, name=it.name, description=it.description) for it in rows]


async def _own(call: Call, roles: IctcoreRoles, role_id: int) -> None:
    """Raises NotFound; ApiError 403 for a common role."""
    if found(await roles.role(call.organisation_id, role_id), "Role").is_common:
        raise denied("this role is everybody's")


async def _role(call: Call, roles: IctcoreRoles, role_id: int) -> Role:
    row = found(await roles.role(call.organisation_id, role_id), "Role")
    permissions = listed_permissions(await roles.permissions_of(call.organisation_id, role_id))
    return Role(role_id=row.role_id, name=row.name, description=row.description, permissions=permissions)


def _taken() -> Exception:
    return failed("name", "taken")
