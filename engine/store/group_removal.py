"""Deleting a contact group: the one way for every API, so that it leaves every campaign in the same transaction.

A campaign that was not started keeps its place and cannot start until it is given another group; one that was started
is broken: nobody else of it is called, calls that live go on. Alarms have their people since they were posted: none
names a group any more. SQL is in `sql/group_removal.sql`.
"""

from collections.abc import Collection, Sequence

from engine.store.statements import Connection, Statements

LARGE_S = 60.0      # a group of a million contacts takes its memberships with it
WHY = "its group was deleted"


class GroupRemoval(Statements):
    NAME = "group_removal"

    async def remove(self, organisation_id: int, group_id: int, seen_by: int | None = None) -> bool:
        """False: there is none that this user sees."""
        async with self._connection_for(LARGE_S) as connection, connection.transaction():
            removed, campaigns = await self.take(connection, organisation_id, [group_id], seen_by)
        await self.settle(organisation_id, campaigns)
        return group_id in removed

    async def take(
        self, connection: Connection, organisation_id: int, group_ids: Sequence[int], seen_by: int | None,
    ) -> tuple[Collection[int], Sequence[int]]:
        """Within a transaction of the caller's: which of them are gone, and the campaigns to `settle` behind it."""
        of = organisation_id, group_ids
        locked = await connection.fetch(self._sql["lock_campaigns"], *of, timeout=LARGE_S)
        gone = {row["id"] for row in await connection.fetch(self._sql["delete"], *of, seen_by, timeout=LARGE_S)}
        if gone != set(group_ids):
            return gone, ()
        campaigns = [row["id"] for row in locked]
        if campaigns:
            await connection.execute(self._sql["break"], organisation_id, campaigns, WHY)
            await connection.execute(self._sql["forget_postponed"], organisation_id, campaigns, timeout=LARGE_S)
            await connection.execute(self._sql["fail_waiting"], organisation_id, campaigns, WHY, timeout=LARGE_S)
        return gone, campaigns

    async def settle(self, organisation_id: int, campaigns: Sequence[int]) -> None:
        """Whose attempt ended while `take` was not committed; those that end later see that it is broken."""
        if campaigns:
            async with self._connection_for(LARGE_S) as connection:
                await connection.execute(
                    self._sql["fail_waiting"], organisation_id, campaigns, WHY, timeout=LARGE_S)
