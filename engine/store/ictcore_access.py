"""Who may use the ICTCore API, as it is asked at every request; and the keys of its tokens. SQL: `ictcore_access.sql`.

Across organisations: a request says who it comes from before anything is known of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.store.statements import Statements

KEY_LOCK = 0x4B455953       # "KEYS": any number, the same in every process


@dataclass(frozen=True, slots=True)
class Credentials:
    user_id: int
    organisation_id: int
    username: str
    password_hash: str | None
    token_version: int
    is_active: bool


@dataclass(frozen=True, slots=True)
class StoredCaller:
    organisation_id: int
    username: str
    is_admin: bool
    is_active: bool
    token_version: int          # rises with every change of the password
    country: str
    permissions: frozenset[str]     # of his roles and his own
    is_cancelled: bool              # the token that was asked about


class IctcoreAccess(Statements):
    NAME = "ictcore_access"

    async def credentials(self, name: str, user_id: int | None = None) -> Credentials | None:
        """By id, else by name or e-mail address."""
        storable = name.replace("\0", "").encode(errors="replace").decode()     # half a surrogate pair is no text
        row = await self._row("credentials", storable, user_id)
        return None if row is None else Credentials(*row)

    async def caller(self, user_id: int, token_id: str) -> StoredCaller | None:
        row = await self._row("caller", user_id, token_id)
        return None if row is None else StoredCaller(**{**row, "permissions": frozenset(row["permissions"])})

    async def cancel_token(self, token_id: str, expires: int) -> None:
        await self._row("forget_cancelled")
        await self._row("cancel_token", token_id, expires)

    async def signing_keys(self) -> Mapping[str, str]:
        """PEM by id, the newest first."""
        return {row["id"]: row["private_key"] for row in await self._rows("signing_keys")}

    async def first_signing_key(self, key_id: str, pem: str) -> Mapping[str, str]:
        """All keys; this one is the first unless another process was faster."""
        async with self._connection() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", KEY_LOCK)
            await connection.execute(self._sql["first_signing_key"], key_id, pem)
            return {row["id"]: row["private_key"] for row in await connection.fetch(self._sql["signing_keys"])}
