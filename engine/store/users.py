"""Users as admins keep them. What every API needs of them is in `directory.py`; SQL of this is in `sql/users.sql`."""

from collections.abc import Sequence

import asyncpg

from engine.store.directory_port import NameTaken, User
from engine.store.statements import Statements

# What goes with a user; call history keeps ids and numbers.
REMOVALS = ("drop_agents", "drop_phones", "drop_tokens", "drop_user")


class PostgresUsers(Statements):
    NAME = "users"

    async def page(self, organisation_id: int, after: int, limit: int) -> Sequence[User]:
        return [User(*row) for row in await self._rows("page", organisation_id, after, limit)]

    async def create(self, user: User, password_hash: str | None) -> User:
        """`user_id` is chosen here. Raises NameTaken."""
        row = await self._row("create", user.organisation_id, user.name, user.is_admin, user.allow_admins,
                              user.language, password_hash)
        if row is None:
            raise NameTaken(user.name)
        return User(*row)

    async def replace(self, user: User, password_hash: str | None) -> User | None:
        """Without a hash the password stays. Raises NameTaken."""
        async with self._connection() as connection:
            try:
                row = await connection.fetchrow(
                    self._sql["replace"], user.organisation_id, user.user_id, user.name, user.is_admin,
                    user.allow_admins, user.language, password_hash)
            except asyncpg.UniqueViolationError:
                raise NameTaken(user.name) from None
        return None if row is None else User(*row)

    async def delete(self, organisation_id: int, user_id: int) -> bool:
        """With phones, tokens, memberships, and as an agent of hotlines; the engine is told by triggers."""
        async with self._connection() as connection, connection.transaction():
            if await connection.fetchrow(self._sql["lock"], organisation_id, user_id) is None:
                return False
            for removal in REMOVALS:
                await connection.execute(self._sql[removal], organisation_id, user_id)
            return True
