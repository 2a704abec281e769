"""Contacts and groups as the ICTCore API keeps them: the rows of `people.py`, which alarms ring.

Called by `api/ictcore`. `seen_by` is the user who sees only what he made himself, None sees everybody's: what is not
seen does not exist. SQL is in `sql/ictcore_people.sql`; imports are in `contact_import.py`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.store.filters import Filters, Wanted, contains, ends_with, exact, exact_number
from engine.store.group_removal import GroupRemoval
from engine.store.statements import Statements

PAGE_ROWS = 2000    # of an export

CONTACTS = Filters(
    "c.", contact_id=exact_number("c.id"), phone=ends_with("c.phone"), email=exact("c.email"),
    first_name=contains("c.first_name"), last_name=contains("c.last_name"))
_GROUP_ID = exact_number("g.id")
GROUPS = Filters("g.", group_id=_GROUP_ID, name=contains("g.name"))


@dataclass(frozen=True, slots=True)
class ContactChanges:
    """None: stays as it is, for a new one empty. `number` is `phone` in E.164."""

    phone: str | None = None
    number: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    address: str | None = None
    custom1: str | None = None
    custom2: str | None = None
    custom3: str | None = None
    description: str | None = None

    def values(self) -> tuple[str | None, ...]:
        return (self.phone, self.number, self.first_name, self.last_name, self.email, self.address, self.custom1,
                self.custom2, self.custom3, self.description)


@dataclass(frozen=True, slots=True)
class IctcoreContact:
    contact_id: int
    first_name: str
    last_name: str
    phone: str
    email: str
    address: str
    custom1: str
    custom2: str
    custom3: str
    description: str


@dataclass(frozen=True, slots=True)
class IctcoreGroup:
    """`contact_total`: without the users who are in it."""

    group_id: int
    name: str
    description: str
    contact_total: int


class IctcorePeople(Statements):
    NAME = "ictcore_people"

    # --- contacts

    async def contacts(self, organisation_id: int, wanted: Wanted) -> Sequence[IctcoreContact]:
        """The filter `group_id` has a statement of its own, which begins at the group."""
        group_id = wanted.values.get("group_id", "")
        query, args = ("contacts_of_group", [_GROUP_ID.read(group_id)]) if group_id else ("contacts", [])
        async with self._connection() as connection:
            rows = await connection.fetch(*CONTACTS.applied(self._sql[query], [organisation_id, *args], wanted))
        return [IctcoreContact(*row) for row in rows]

    async def contact(self, organisation_id: int, contact_id: int, seen_by: int | None) -> IctcoreContact | None:
        row = await self._row("contact", organisation_id, contact_id, seen_by)
        return None if row is None else IctcoreContact(*row)

    async def create_contact(self, organisation_id: int, user_id: int, data: ContactChanges) -> int:
        phone, e164, *texts = data.values()
        row = await self._row(
            "create_contact", organisation_id, user_id, phone or "", e164, *(it or "" for it in texts))
        assert row is not None      # noqa: S101 - INSERT … RETURNING
        return int(row["id"])

    async def update_contact(self, organisation_id: int, contact_id: int, seen_by: int | None, changes: ContactChanges,
                             ) -> IctcoreContact | None:
        """None: there is none, or it would be left without phone and e-mail address."""
        row = await self._row("update_contact", organisation_id, contact_id, seen_by, *changes.values())
        return None if row is None else IctcoreContact(*row)

    async def delete_contact(self, organisation_id: int, contact_id: int, seen_by: int | None) -> bool:
        return await self._row("delete_contact", organisation_id, contact_id, seen_by) is not None

    # --- groups

    async def groups(self, organisation_id: int, wanted: Wanted) -> Sequence[IctcoreGroup]:
        async with self._connection() as connection:
            rows = await connection.fetch(*GROUPS.applied(self._sql["groups"], [organisation_id], wanted))
        return [IctcoreGroup(*row) for row in rows]

    async def group(self, organisation_id: int, group_id: int, seen_by: int | None) -> IctcoreGroup | None:
        row = await self._row("group", organisation_id, group_id, seen_by)
        return None if row is None else IctcoreGroup(*row)

    async def create_group(self, organisation_id: int, user_id: int, name: str, description: str) -> int:
        row = await self._row("create_group", organisation_id, user_id, name, description)
        assert row is not None      # noqa: S101 - INSERT … RETURNING
        return int(row["id"])

    async def update_group(self, organisation_id: int, group_id: int, seen_by: int | None, name: str | None,
                           description: str | None) -> bool:
        return await self._row("update_group", organisation_id, group_id, seen_by, name, description) is not None

    async def delete_group(self, organisation_id: int, group_id: int, seen_by: int | None) -> bool:
        """What becomes of its campaigns: see `group_removal.py`."""
        return await GroupRemoval(self._pool, self._deadline_s).remove(organisation_id, group_id, seen_by)

    # --- who is in a group; the caller has looked whether both are seen

    async def link(self, organisation_id: int, group_id: int, contact_id: int) -> None:
        await self._row("link", organisation_id, group_id, contact_id)

    async def unlink(self, organisation_id: int, group_id: int, contact_id: int) -> None:
        await self._row("unlink", organisation_id, group_id, contact_id)

    async def export(
        self, organisation_id: int, group_id: int, wanted: Wanted) -> AsyncIterator[Sequence[Sequence[str]]]:
        """The contacts of a group a page at a time, as the columns of CSV; no connection is held between pages."""
        every: Mapping[str, str] = {**wanted.values, "pagesize": str(PAGE_ROWS), "pageindex": "0"}
        after = 0
        while True:
            args: list[Any] = [organisation_id, group_id, after, PAGE_ROWS]
            async with self._connection() as connection:
                rows = await connection.fetch(
                    *CONTACTS.applied(self._sql["export"], args, Wanted(every, wanted.seen_by)))
            yield [tuple(row)[:-1] for row in rows if row["phone"] is not None]
            if len(rows) < PAGE_ROWS:
                return
            after = rows[-1]["contact_id"]
