"""Contact groups as the Sensaphone.net API keeps them: those that alarms ring and campaigns dial.

Called by `api/sensaphone/groups.py`. What one request wants of several groups is one transaction: all of it, or
nothing. SQL is in `sql/sensaphone_groups.sql`; groups are removed by `group_removal.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.store.group_removal import LARGE_S, GroupRemoval
from engine.store.statements import Connection, Statements
from engine.vocabulary.values import RingwardError


@dataclass(frozen=True, slots=True)
class StoredGroup:
    group_id: int
    name: str
    user_ids: Sequence[int]
    contact_ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class Members:
    """Contacts and users of one group."""

    group_id: int
    contact_ids: Sequence[int] = ()
    user_ids: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class NewGroup:
    name: str
    contact_ids: Sequence[int] = ()
    user_ids: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class SeenBy:
    """Of each kind the user who sees only what he made; None: who sees everybody's."""

    group: int | None
    contact: int | None
    user: int | None


class NotThere(RingwardError):
    """None of the organisation's, or not seen by who asks. `kind`: group, contact or user."""

    def __init__(self, kind: str, ids: Iterable[int]) -> None:
        self.kind = kind
        self.ids = frozenset(ids)
        super().__init__(f"no such {kind}: {sorted(self.ids)[:5]}")


class NotMembers(RingwardError):
    """`contacts` and `users`: those that are not in their group, as pairs (group, person)."""

    def __init__(self, contacts: Iterable[tuple[int, int]], users: Iterable[tuple[int, int]]) -> None:
        self.contacts, self.users = frozenset(contacts), frozenset(users)
        super().__init__(f"not in the group: {len(self.contacts)} contacts, {len(self.users)} users")


class SensaphoneGroups(Statements):
    NAME = "sensaphone_groups"

    async def groups(self, organisation_id: int, seen_by: int | None, group_ids: Sequence[int] | None,
                     with_members: bool) -> Sequence[StoredGroup]:
        """By id; None: all."""
        rows = await self._rows("groups", organisation_id, seen_by, group_ids, with_members)
        return [StoredGroup(*row) for row in rows]

    async def create(self, organisation_id: int, user_id: int, wanted: Sequence[NewGroup | Members], seen: SeenBy,
                     ) -> Sequence[int]:
        """New groups, and further members of others; their ids in this order. Raises NotThere."""
        async with self._connection() as connection, connection.transaction():
            await self._lock(connection, "contact", organisation_id, _of(wanted, "contact_ids"), seen.contact)
            await self._lock(connection, "user", organisation_id, _of(wanted, "user_ids"), seen.user)
            known = [it.group_id for it in wanted if isinstance(it, Members)]
            await self._lock(connection, "group", organisation_id, known, seen.group)
            ids = [it.group_id if isinstance(it, Members) else await connection.fetchval(
                self._sql["create_group"], organisation_id, user_id, it.name) for it in wanted]
            joining = [Members(group_id, it.contact_ids, it.user_ids)
                       for group_id, it in zip(ids, wanted, strict=True)]
            await connection.execute(self._sql["join"], organisation_id, *_columns(joining))
        return ids

    async def rename(self, organisation_id: int, names: Mapping[int, str], seen_by: int | None) -> None:
        """Raises NotThere."""
        async with self._connection() as connection, connection.transaction():
            await self._lock(connection, "group", organisation_id, names, seen_by)
            for group_id, name in names.items():
                await connection.execute(self._sql["rename"], organisation_id, group_id, name)

    async def delete(self, organisation_id: int, group_ids: Sequence[int], leaving: Sequence[Members],
                     seen_by: int | None) -> None:
        """Groups, and members of others. Raises NotThere, NotMembers."""
        removal = GroupRemoval(self._pool, self._deadline_s)
        async with self._connection_for(LARGE_S) as connection, connection.transaction():
            gone, campaigns = await removal.take(connection, organisation_id, group_ids, seen_by)
            if missing := set(group_ids) - set(gone):
                raise NotThere("group", missing)
            if leaving:
                await self._leave(connection, organisation_id, leaving, seen_by)
        await removal.settle(organisation_id, campaigns)

    async def _leave(self, connection: Connection, organisation_id: int, leaving: Sequence[Members],
                     seen_by: int | None) -> None:
        await self._seen(connection, organisation_id, [it.group_id for it in leaving], seen_by)
        rows = await connection.fetch(self._sql["leave"], organisation_id, *_columns(leaving))
        contacts = {(it.group_id, one) for it in leaving for one in it.contact_ids}
        users = {(it.group_id, one) for it in leaving for one in it.user_ids}
        contacts -= {(row["group_id"], row["contact_id"]) for row in rows}
        users -= {(row["group_id"], row["user_id"]) for row in rows}
        if contacts or users:
            raise NotMembers(contacts, users)

    async def _seen(self, connection: Connection, organisation_id: int, group_ids: Iterable[int],
                    seen_by: int | None) -> None:
        """Without a lock: a membership is removed before its group is locked to be counted, everywhere."""
        wanted = sorted(set(group_ids))
        rows = await connection.fetch(self._sql["groups"], organisation_id, seen_by, wanted, False)
        if missing := set(wanted) - {row["group_id"] for row in rows}:
            raise NotThere("group", missing)

    async def _lock(self, connection: Connection, kind: str, organisation_id: int, ids: Iterable[int],
                    seen_by: int | None) -> None:
        wanted = sorted(set(ids))
        rows = await connection.fetch(self._sql[f"lock_{kind}s"], organisation_id, wanted, seen_by) if wanted else ()
        if missing := set(wanted) - {row["id"] for row in rows}:
            raise NotThere(kind, missing)


def _of(wanted: Sequence[NewGroup | Members], name: str) -> Iterable[int]:
    return (one for it in wanted for one in getattr(it, name))


def _columns(members: Sequence[Members]) -> tuple[list[int], list[int | None], list[int | None]]:
    """Groups, contacts and users, as `join` and `leave` want them."""
    rows: list[tuple[int, int | None, int | None]] = []
    for it in members:
        rows += [(it.group_id, one, None) for one in it.contact_ids]
        rows += [(it.group_id, None, one) for one in it.user_ids]
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]
