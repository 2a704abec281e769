"""Contacts by the hundred thousand into a group, all or none. SQL is in `sql/contact_import.sql`.

The rows go by COPY into a table of this transaction alone, so that nothing is locked while they are read and checked;
then one statement makes contacts and memberships of them. Rows are read in a thread, a block at a time: neither the
event loop nor the memory notices how many there are.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from itertools import islice
from typing import TypeAlias

from engine.store.pool import acquired
from engine.store.statements import Statements

TIMEOUT_S = 600.0
AT_A_TIME = 2               # the pool is also everybody else's
BLOCK_ROWS = 2000

# line, phone as given, the same in E.164, first name, last name, e-mail, address, custom 1 to 3, description.
# No text has a NUL.
ImportedContact: TypeAlias = tuple[int, str, str | None, str, str, str, str, str, str, str, str]
COLUMNS = ("line", "phone", "number", "first_name", "last_name", "email", "address", "custom1", "custom2", "custom3",
           "description")
_ESCAPES: Mapping[int, str] = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


class PostgresContactImport(Statements):
    NAME = "contact_import"

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self._turns = asyncio.Semaphore(AT_A_TIME)

    async def load(self, organisation_id: int, group_id: int, user_id: int,
                   rows: Callable[[], Iterator[ImportedContact]]) -> int | None:
        """How many there were; None: no such group. What `rows()` raises leaves nothing behind; it runs in threads."""
        async with self._turns, acquired(self._pool, TIMEOUT_S) as connection, connection.transaction():
            await connection.execute(self._sql["make_table"])
            await connection.copy_to_table("imported_contacts", source=_blocks(rows()), columns=COLUMNS,
                                           timeout=TIMEOUT_S)
            if await connection.fetchrow(
                    self._sql["lock_group"], organisation_id, group_id, timeout=TIMEOUT_S) is None:
                return None
            done = await connection.fetchrow(self._sql["join"], organisation_id, group_id, user_id, timeout=TIMEOUT_S)
            return 0 if done is None else int(done["count"])


async def _blocks(rows: Iterator[ImportedContact]) -> AsyncIterator[bytes]:
    while block := await asyncio.to_thread(_block, rows):
        yield block


def _block(rows: Iterator[ImportedContact]) -> bytes:
    return "".join(map(copied, islice(rows, BLOCK_ROWS))).encode()


def copied(row: ImportedContact) -> str:
    """A line of COPY's text format."""
    line, phone, number, *texts = row
    text = "\t".join((phone, *texts))
    if text.count("\t") != len(texts) or "\\" in text or "\n" in text or "\r" in text:
        phone, *texts = (it.translate(_ESCAPES) for it in (phone, *texts))
    return "\t".join((str(line), phone, number or r"\N", *texts)) + "\n"
