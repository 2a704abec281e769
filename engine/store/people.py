"""Contacts, and groups of contacts and users: whom alarms and campaigns ring. SQL is in `sql/people.sql`.

A contact's `phone` is what was given (and is returned so), `number` the same in E.164; `more_numbers` are E.164. An
alarm freezes its people when it is posted, so that nothing here waits for one.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import asyncpg

from engine.store.group_removal import GroupRemoval
from engine.store.statements import Statements


@dataclass(frozen=True, slots=True)
class ContactData:
    first_name: str
    last_name: str
    phone: str
    number: str | None
    more_numbers: tuple[str, ...]
    email: str
    address: str
    custom1: str
    custom2: str
    custom3: str
    description: str
    language: str | None        # None: the organisation's
    time_zone: str | None       # None: the number's


@dataclass(frozen=True, slots=True)
class StoredContact:
    contact_id: int
    data: ContactData


@dataclass(frozen=True, slots=True)
class StoredGroup:
    group_id: int
    name: str
    description: str
    member_count: int


@dataclass(frozen=True, slots=True)
class Member:
    """A contact or a user in a group. `member_id` rises with joining."""

    member_id: int
    contact_id: int | None
    user_id: int | None
    name: str


class PostgresPeople(Statements):
    NAME = "people"

    # --- contacts

    async def contacts(
        self, organisation_id: int, after: int, limit: int, group_id: int | None = None) -> Sequence[StoredContact]:
        """Of one group, or all."""
        return [_contact(row) for row in await self._rows("contacts", organisation_id, after, limit, group_id)]

    async def contact(self, organisation_id: int, contact_id: int) -> StoredContact | None:
        row = await self._row("contact", organisation_id, contact_id)
        return None if row is None else _contact(row)

    async def create_contact(self, organisation_id: int, data: ContactData) -> StoredContact:
        row = await self._row("create_contact", organisation_id, *astuple(data))
        assert row is not None      # noqa: S101 - INSERT … RETURNING
        return _contact(row)

    async def replace_contact(
        self, organisation_id: int, contact_id: int, data: ContactData) -> StoredContact | None:
        row = await self._row("replace_contact", organisation_id, contact_id, *astuple(data))
        return None if row is None else _contact(row)

    async def delete_contact(self, organisation_id: int, contact_id: int) -> bool:
        """Its memberships go with it."""
        return await self._row("delete_contact", organisation_id, contact_id) is not None

    # --- groups

    async def groups(self, organisation_id: int, after: int, limit: int) -> Sequence[StoredGroup]:
        return [StoredGroup(*row) for row in await self._rows("groups", organisation_id, after, limit)]

    async def group(self, organisation_id: int, group_id: int) -> StoredGroup | None:
        row = await self._row("group", organisation_id, group_id)
        return None if row is None else StoredGroup(*row)

    async def create_group(self, organisation_id: int, name: str, description: str) -> StoredGroup:
        row = await self._row("create_group", organisation_id, name, description)
        assert row is not None      # noqa: S101 - INSERT … RETURNING
        return StoredGroup(*row)

    async def replace_group(
        self, organisation_id: int, group_id: int, name: str, description: str) -> StoredGroup | None:
        row = await self._row("replace_group", organisation_id, group_id, name, description)
        return None if row is None else StoredGroup(*row)

    async def delete_group(self, organisation_id: int, group_id: int) -> bool:
        """Its members stay, as contacts and users. What becomes of its campaigns: see `group_removal.py`."""
        return await GroupRemoval(self._pool, self._deadline_s).remove(organisation_id, group_id)

    # --- members

    async def members(
        self, organisation_id: int, group_id: int, after: int, limit: int) -> Sequence[Member] | None:
        """None: there is no such group."""
        async with self._connection() as connection:
            if await connection.fetchrow(self._sql["group"], organisation_id, group_id) is None:
                return None
            rows = await connection.fetch(self._sql["members"], organisation_id, group_id, after, limit)
        return [Member(*row) for row in rows]

    async def member(self, organisation_id: int, group_id: int, member_id: int) -> Member | None:
        row = await self._row("member", organisation_id, group_id, member_id)
        return None if row is None else Member(*row)

    async def add_member(
        self, organisation_id: int, group_id: int, contact_id: int | None, user_id: int | None,
    ) -> tuple[Member, bool] | None:
        """The member, and whether it is new. None: no such group, contact or user in the organisation."""
        async with self._connection() as connection, connection.transaction():
            made = await connection.fetchrow(self._sql["add_member"], organisation_id, group_id, contact_id, user_id)
            row = await connection.fetchrow(self._sql["membership"], organisation_id, group_id, contact_id, user_id)
        return None if row is None else (Member(*row), made is not None)

    async def delete_member(self, organisation_id: int, group_id: int, member_id: int) -> bool:
        return await self._row("delete_member", organisation_id, group_id, member_id) is not None


def _contact(row: "asyncpg.Record") -> StoredContact:
    columns = dict(row)
    contact_id = columns.pop("id")
    return StoredContact(contact_id, ContactData(**{**columns, "more_numbers": tuple(columns["more_numbers"])}))
