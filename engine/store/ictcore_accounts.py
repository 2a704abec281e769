"""Accounts of the ICTCore API: addresses (a phone, a number, an e-mail address) that belong to users. SQL:
`sql/ictcore_accounts.sql`. `seen_by` as in `filters.py`; what changes an account expects that it was seen.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from engine.store.directory_port import NameTaken
from engine.store.filters import Filters, Rule, Wanted, contains, exact_number
from engine.store.statements import Statements

Row = Mapping[str, Any]
FILTERS = Filters(
    "a.", owner=Rule("coalesce(a.user_id, a.created_by) = ${0}::bigint", int), user_id=exact_number("a.user_id"),
    account_id=exact_number("a.id"), type=contains("a.type"), username=contains("a.username"),
    phone=contains("a.phone"), email=contains("a.email"), first_name=contains("a.first_name"),
    last_name=contains("a.last_name"))


class IctcoreAccounts(Statements):
    NAME = "ictcore_accounts"

    async def accounts(self, organisation_id: int, wanted: Wanted, type_: str | None = None,
                       user_id: int | None = None) -> Sequence[Row]:
        """Of one type, of one user, or all."""
        async with self._connection() as connection:
            return await connection.fetch(
                *FILTERS.applied(self._sql["accounts"], [organisation_id, type_, user_id], wanted))

    async def account(self, organisation_id: int, account_id: int, seen_by: int | None) -> Row | None:
        """`settings` is a JSON object, as text; `programs` the ids of those that it uses."""
        row = await self._row("account", organisation_id, account_id, seen_by)
        return None if row is None else dict(row)

    async def default_of(self, organisation_id: int, user_id: int) -> int | None:
        row = await self._row("default_of", organisation_id, user_id)
        return None if row is None else int(row["id"])

    async def create(self, organisation_id: int, columns: Mapping[str, Any], user_id: int) -> int:
        """It is this user's. Raises NameTaken: its name, within its type."""
        row = await self._row("create_account", organisation_id, json.dumps(columns), user_id)
        if row is None:
            raise NameTaken(columns["username"])
        return int(row["id"])

    async def update(self, organisation_id: int, account_id: int, columns: Mapping[str, Any]) -> None:
        """These columns and no others."""
        await self._row("update_account", organisation_id, account_id, json.dumps(columns))

    async def delete(self, organisation_id: int, account_id: int) -> None:
        await self._row("delete_account", organisation_id, account_id)

    async def give(self, organisation_id: int, account_id: int, user_id: int | None) -> bool:
        """To a user, or to nobody; to somebody else, without its programs. False: there is no such user."""
        return await self._row("own_account", organisation_id, account_id, user_id) is not None

    async def subscribe(self, organisation_id: int, account_id: int, program_id: int) -> None:
        """Once; the caller has looked whether both are seen."""
        await self._row("subscribe", organisation_id, account_id, program_id)

    async def unsubscribe(self, organisation_id: int, account_id: int, program_ids: Sequence[int] | None) -> None:
        """None: from all."""
        await self._row("unsubscribe", organisation_id, account_id,
                        None if program_ids is None else list(program_ids))

    async def set_setting(self, organisation_id: int, account_id: int, name: str, value: str) -> bool:
        """`value`: JSON. False: there are too many already."""
        return await self._row("set_setting", organisation_id, account_id, name, value) is not None

    async def drop_setting(self, organisation_id: int, account_id: int, name: str) -> bool:
        return await self._row("drop_setting", organisation_id, account_id, name) is not None
