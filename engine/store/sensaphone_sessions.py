"""Sessions of the Sensaphone.net API: stored as a hash, 24 hours long, of one user in one organisation.

Called by `api/sensaphone/access.py`, which also asks at every use whether the user still is who he was. SQL is in
`sql/sensaphone_sessions.sql`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.store.statements import Statements

LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class StoredSession:
    organisation_id: int
    user_id: int
    token_version: int          # the user's when he logged in: another password has another one
    opened_at: datetime


class SensaphoneSessions(Statements):
    NAME = "sensaphone_sessions"

    async def open(self, digest: bytes, user_id: int, token_version: int) -> StoredSession | None:
        """None: the user was disabled, or his password changed, since it was compared."""
        await self._row("forget_expired")
        row = await self._row("open", digest, user_id, token_version, LIFETIME)
        return None if row is None else StoredSession(*row)

    async def session(self, digest: bytes) -> StoredSession | None:
        """None: there is none, or its time is over."""
        row = await self._row("session", digest)
        return None if row is None else StoredSession(*row)

    async def close(self, digest: bytes) -> None:
        await self._row("close", digest)
