"""Do-not-call lists of an organisation: numbers (E.164 with a plus) that its campaigns do not call. SQL: `sql/dnc.sql`.

A campaign names the lists that it goes by; the one of those who opted out, which the engine writes, holds for all.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from engine.store.pool import acquired
from engine.store.statements import Statements
from engine.vocabulary.values import RingwardError

TIMEOUT_S = 300.0
LARGE_S = 60.0
BLOCK_ROWS = 5000
PAGE_ROWS = 5000


class ListInUse(RingwardError):
    """`campaign_id`: a campaign that calls by it. None: it is the list of those who opted out."""

    def __init__(self, campaign_id: int | None) -> None:
        super().__init__(str(campaign_id))
        self.campaign_id = campaign_id


@dataclass(frozen=True, slots=True)
class StoredList:
    list_id: int
    name: str
    is_opt_out: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StoredNumber:
    number: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Added:
    """`added`: were not there before; `known`: were."""

    added: int
    known: int


class PostgresDnc(Statements):
    NAME = "dnc"

    async def page(self, organisation_id: int, after: int, limit: int) -> Sequence[StoredList]:
        return [StoredList(*row) for row in await self._rows("page", organisation_id, after, limit)]

    async def list(self, organisation_id: int, list_id: int) -> StoredList | None:
        row = await self._row("list", organisation_id, list_id)
        return None if row is None else StoredList(*row)

    async def unknown(self, organisation_id: int, list_ids: Sequence[int]) -> Sequence[int]:
        """Those that are no lists of the organisation."""
        return [row["id"] for row in await self._rows("unknown", organisation_id, list_ids)]

    async def create(self, organisation_id: int, user_id: int | None, name: str) -> StoredList:
        row = await self._row("create", organisation_id, user_id, name)
        assert row is not None      # noqa: S101 - INSERT … RETURNING
        return StoredList(*row)

    async def rename(self, organisation_id: int, list_id: int, name: str) -> StoredList | None:
        row = await self._row("rename", organisation_id, list_id, name)
        return None if row is None else StoredList(*row)

    async def delete(self, organisation_id: int, list_id: int) -> bool:
        """Raises ListInUse."""
        async with self._connection_for(LARGE_S) as connection, connection.transaction():
            row = await connection.fetchrow(self._sql["lock"], organisation_id, list_id)
            if row is None:
                return False
            used = await connection.fetchrow(self._sql["used_by"], organisation_id, list_id)
            if row["is_opt_out"] or used is not None:
                raise ListInUse(None if used is None else used["id"])
            await connection.execute(self._sql["delete"], organisation_id, list_id, timeout=LARGE_S)
        return True

    # --- numbers

    async def numbers(self, organisation_id: int, list_id: int, after: str, limit: int) -> Sequence[StoredNumber]:
        return [StoredNumber(*row) for row in await self._rows("numbers", organisation_id, list_id, after, limit)]

    async def every_number(self, organisation_id: int, list_id: int) -> AsyncIterator[Sequence[StoredNumber]]:
        """A page at a time; no connection is held between pages."""
        after = ""
        while page := await self.numbers(organisation_id, list_id, after, PAGE_ROWS):
            yield page
            after = page[-1].number

    async def add(self, organisation_id: int, list_id: int, numbers: Callable[[], Iterator[str]]) -> Added | None:
        """All of them; None: no such list. What `numbers()` raises leaves nothing behind; it runs in threads."""
        async with acquired(self._pool, TIMEOUT_S) as connection, connection.transaction():
            await connection.execute(self._sql["make_table"])
            await connection.copy_to_table("imported_numbers", source=_blocks(numbers()), columns=["number"],
                                           timeout=TIMEOUT_S)
            if await connection.fetchrow(self._sql["lock_list"], organisation_id, list_id) is None:
                return None
            row = await connection.fetchrow(self._sql["add"], list_id, timeout=TIMEOUT_S)
            assert row is not None      # noqa: S101 - counts
            return Added(row["added"], row["wanted"] - row["added"])

    async def remove(self, organisation_id: int, list_id: int, number: str) -> bool:
        return await self._row("remove", organisation_id, list_id, number) is not None


async def _blocks(numbers: Iterator[str]) -> AsyncIterator[bytes]:
    """COPY's text format: digits and a plus need no escapes."""
    while block := await asyncio.to_thread(lambda: list(islice(numbers, BLOCK_ROWS))):
        yield "".join(f"{it}\n" for it in block).encode()
