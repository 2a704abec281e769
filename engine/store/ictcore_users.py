"""Users as the ICTCore API keeps them: the same rows as everywhere, with what it knows of them beside. SQL of this is
in `sql/ictcore_users.sql`; they are removed by `users.py`. `seen_by` as in `filters.py`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from engine.store.directory_port import NameTaken
from engine.store.filters import Filters, Rule, Wanted, exact, exact_number
from engine.store.ictcore_roles import StoredPermission, StoredRole
from engine.store.statements import Statements

Row = Mapping[str, Any]
FILTERS = Filters(
    "u.", owner=Rule("(u.created_by = ${0}::bigint OR u.id = ${0}::bigint)", int), user_id=exact_number("u.id"),
    username=exact("u.name"), phone=exact("u.phone"), email=exact("u.email"), first_name=exact("u.first_name"),
    last_name=exact("u.last_name"))


class IctcoreUsers(Statements):
    NAME = "ictcore_users"

    async def users(self, organisation_id: int, wanted: Wanted) -> Sequence[Row]:
        async with self._connection() as connection:
            return await connection.fetch(*FILTERS.applied(self._sql["users"], [organisation_id], wanted))

    async def user(self, organisation_id: int, user_id: int, seen_by: int | None) -> Row | None:
        row = await self._row("user", organisation_id, user_id, seen_by)
        return None if row is None else dict(row)

    async def create(self, organisation_id: int, columns: Mapping[str, Any], created_by: int) -> int:
        """With his default account. Raises NameTaken, for the e-mail address as well."""
        async with self._connection() as connection, connection.transaction():
            made: int | None = await connection.fetchval(
                self._sql["create_user"], organisation_id, json.dumps(columns), created_by)
            if made is None:
                raise NameTaken(columns["name"])
            await connection.execute(self._sql["default_account"], organisation_id, made)
        return made

    async def update(self, organisation_id: int, user_id: int, columns: Mapping[str, Any]) -> None:
        """These columns and no others. Raises NameTaken."""
        async with self._connection() as connection:
            try:
                await connection.execute(self._sql["update_user"], organisation_id, user_id, json.dumps(columns))
            except asyncpg.UniqueViolationError:
                raise NameTaken from None

    async def config(self, organisation_id: int, user_id: int, name: str) -> str | None:
        """JSON."""
        row = await self._row("config", organisation_id, user_id, name)
        return None if row is None else row["value"]

    async def set_config(self, organisation_id: int, user_id: int, name: str, value: str) -> bool:
        """False: he has too many already."""
        return await self._row("set_config", organisation_id, user_id, name, value) is not None

    # --- what he may

    async def roles(self, organisation_id: int, user_id: int) -> Sequence[StoredRole]:
        return [StoredRole(*row) for row in await self._rows("roles_of", organisation_id, user_id)]

    async def permissions(self, organisation_id: int, user_id: int) -> Sequence[StoredPermission]:
        return [StoredPermission(*row) for row in await self._rows("permissions_of", organisation_id, user_id)]

    async def add_role(self, organisation_id: int, user_id: int, role_id: int) -> None:
        await self._row("add_role", organisation_id, user_id, role_id)

    async def drop_role(self, organisation_id: int, user_id: int, role_id: int) -> None:
        await self._row("drop_role", organisation_id, user_id, role_id)

    async def add_permission(self, organisation_id: int, user_id: int, permission_id: int) -> None:
        await self._row("add_permission", organisation_id, user_id, permission_id)

    async def drop_permission(self, organisation_id: int, user_id: int, permission_id: int) -> None:
        await self._row("drop_permission", organisation_id, user_id, permission_id)
