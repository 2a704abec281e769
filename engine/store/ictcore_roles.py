"""Roles and permissions of the ICTCore API: everybody's common ones, and an organisation's own. SQL:
`sql/ictcore_roles.sql`. What a permission's name grants is in `engine/policy/permissions.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from engine.store.directory_port import NameTaken
from engine.store.filters import Filters, Wanted, exact_number, prefix
from engine.store.statements import Statements


@dataclass(frozen=True, slots=True)
class StoredRole:
    role_id: int
    name: str
    description: str
    is_common: bool = False     # everybody's: nobody changes it; told of a single one


@dataclass(frozen=True, slots=True)
class StoredPermission:
    permission_id: int
    name: str
    description: str


ROLES = Filters("r.", owner=exact_number("0"), role_id=exact_number("r.id"), name=prefix("r.name"))
PERMISSIONS = Filters("p.", owner=exact_number("0"), permission_id=exact_number("p.id"), name=prefix("p.name"))


class IctcoreRoles(Statements):
    NAME = "ictcore_roles"

    # --- roles

    async def roles(self, organisation_id: int, wanted: Wanted) -> Sequence[StoredRole]:
        async with self._connection() as connection:
            rows = await connection.fetch(*ROLES.applied(self._sql["roles"], [organisation_id], wanted))
        return [StoredRole(*row) for row in rows]

    async def role(self, organisation_id: int, role_id: int) -> StoredRole | None:
        row = await self._row("role", organisation_id, role_id)
        return None if row is None else StoredRole(*row)

    async def create(self, organisation_id: int, name: str, description: str) -> int:
        """Raises NameTaken."""
        row = await self._row("create_role", organisation_id, name, description)
        if row is None:
            raise NameTaken(name)
        return int(row["id"])

    async def update(self, organisation_id: int, role_id: int, name: str | None, description: str | None) -> None:
        """None stays as it is. Raises NameTaken."""
        async with self._connection() as connection:
            try:
                row = await connection.fetchrow(self._sql["update_role"], organisation_id, role_id, name, description)
            except asyncpg.UniqueViolationError:
                row = None
        if row is None:
            raise NameTaken

    async def delete(self, organisation_id: int, role_id: int) -> None:
        """Whoever had it has it no more."""
        await self._row("delete_role", organisation_id, role_id)

    async def permissions_of(self, organisation_id: int, role_id: int) -> Sequence[StoredPermission]:
        return [StoredPermission(*row) for row in await self._rows("permissions_of", organisation_id, role_id)]

    async def add_permission(self, organisation_id: int, role_id: int, permission_id: int) -> None:
        await self._row("add_permission", organisation_id, role_id, permission_id)

    async def drop_permission(self, organisation_id: int, role_id: int, permission_id: int) -> None:
        await self._row("drop_permission", organisation_id, role_id, permission_id)

    # --- permissions

    async def permissions(self, organisation_id: int, wanted: Wanted) -> Sequence[StoredPermission]:
        async with self._connection() as connection:
            rows = await connection.fetch(*PERMISSIONS.applied(self._sql["permissions"], [organisation_id], wanted))
        return [StoredPermission(*row) for row in rows]

    async def permission(self, organisation_id: int, permission_id: int) -> StoredPermission | None:
        row = await self._row("permission", organisation_id, permission_id)
        return None if row is None else StoredPermission(*row)

    async def create_permission(self, organisation_id: int, name: str, description: str) -> int:
        """Raises NameTaken."""
        row = await self._row("create_permission", organisation_id, name, description)
        if row is None:
            raise NameTaken(name)
        return int(row["id"])
