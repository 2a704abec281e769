"""Numbers: an organisation's own (what its alarms show as caller), its hotlines', and the pool of free ones.

SQL is in `sql/numbers.sql`. `position` is a number's place in the pool, and stays with it while it is used.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from engine.store import queries
from engine.store.directory_port import NoNumberLeft
from engine.store.statements import Statements
from engine.vocabulary.values import RingwardError


@dataclass(frozen=True, slots=True)
class StoredNumber:
    """`organisation_id` None: free. `hotline_id` None: the organisation's own, or free. A hotline's has its name."""

    number: str
    position: int
    organisation_id: int | None
    hotline_id: int | None
    name: str


class NumberInUse(RingwardError):
    """It is a hotline's, or (to a system token) somebody's."""


class PostgresNumbers(Statements):
    NAME = "numbers"

    async def page(self, organisation_id: int, after: int, limit: int) -> Sequence[StoredNumber]:
        return [StoredNumber(*row) for row in await self._rows("page", organisation_id, after, limit)]

    async def number(self, organisation_id: int, number: str) -> StoredNumber | None:
        row = await self._row("number", organisation_id, number)
        return None if row is None else StoredNumber(*row)

    async def own(self, organisation_id: int, numbers: Collection[str]) -> frozenset[str]:
        """Which of them are its own or its hotlines'."""
        return frozenset(row["number"] for row in await self._rows("own", organisation_id, list(numbers)))

    async def take(self, organisation_id: int, name: str) -> StoredNumber:
        """The first one of the pool. Raises NoNumberLeft."""
        async with self._connection() as connection, connection.transaction():
            free = await connection.fetchval(queries.load("directory")["take_number"])
            if free is None:
                raise NoNumberLeft("no number left")
            row = await connection.fetchrow(self._sql["take"], organisation_id, free, name)
            assert row is not None      # noqa: S101 - this transaction has it locked
        return StoredNumber(*row)

    async def rename(self, organisation_id: int, number: str, name: str) -> StoredNumber | None:
        """Raises NumberInUse for a hotline's."""
        return await self._own("rename", organisation_id, number, name)

    async def give_back(self, organisation_id: int, number: str) -> bool:
        """To the end of the pool. Raises NumberInUse for a hotline's."""
        return await self._own("give_back", organisation_id, number) is not None

    # --- across organisations, for system tokens

    async def pool_page(self, after: int, limit: int) -> Sequence[StoredNumber]:
        return [StoredNumber(*row) for row in await self._rows("pool_page", after, limit)]

    async def pool_number(self, number: str) -> StoredNumber | None:
        row = await self._row("pool_number", number)
        return None if row is None else StoredNumber(*row)

    async def remove(self, number: str) -> bool:
        """Out of the pool. Raises NumberInUse unless it is free."""
        async with self._connection() as connection, connection.transaction():
            if await connection.fetchrow(self._sql["remove"], number) is not None:
                return True
            if await connection.fetchrow(self._sql["pool_number"], number) is not None:
                raise NumberInUse(number)
            return False

    async def _own(self, change: str, organisation_id: int, number: str, *args: object) -> StoredNumber | None:
        async with self._connection() as connection, connection.transaction():
            row = await connection.fetchrow(self._sql[change], organisation_id, number, *args)
            if row is None and await connection.fetchrow(self._sql["number"], organisation_id, number) is not None:
                raise NumberInUse(number)
        return None if row is None else StoredNumber(*row)
