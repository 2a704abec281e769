"""Contacts and users as the Sensaphone.net API reads them: the rows of the directory. SQL: `sql/sensaphone_people.sql`.

Called by `api/sensaphone`; they are made by `ictcore_people.py` and `ictcore_users.py`. `seen_by` is the user who sees
only what he made himself (and himself), None sees everybody's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.store.statements import Statements


@dataclass(frozen=True, slots=True)
class StoredContact:
    contact_id: int
    phone: str
    email: str
    description: str
    name: str


@dataclass(frozen=True, slots=True)
class StoredUser:
    user_id: int
    name: str
    is_active: bool


class SensaphonePeople(Statements):
    NAME = "sensaphone_people"

    async def contacts(self, organisation_id: int, seen_by: int | None, contact_ids: Sequence[int] | None, most: int,
                       ) -> Sequence[StoredContact]:
        """By id; None: all."""
        rows = await self._rows("contacts", organisation_id, seen_by, contact_ids, most)
        return [StoredContact(*row) for row in rows]

    async def users(self, organisation_id: int, seen_by: int | None, user_ids: Sequence[int] | None, most: int,
                    ) -> Sequence[StoredUser]:
        """As `contacts`."""
        rows = await self._rows("users", organisation_id, seen_by, user_ids, most)
        return [StoredUser(*row) for row in rows]
