"""Sessions of the Sensaphone.net API: what a log-in opens, and who calls with one. Used by `door.py` and `login.py`.

The password is compared where the ICTCore API compares it (`api/ictcore/access.py`): with the same limit of wrong ones
of a user and an address, counted together. A session ends after 24 hours, by a log-out, and at once when its user is
disabled, gets another password, or goes.
"""

from api.ictcore.access import Access
from api.ictcore.frame import Caller
from api.sensaphone.frame import Call
from api.sensaphone.results import Code, Failure
from engine.store.sensaphone_sessions import LIFETIME, SensaphoneSessions, StoredSession
from engine.store.tokens import digest, new_session

EXPIRATION_S = int(LIFETIME.total_seconds())


class Sessions:
    def __init__(self, store: SensaphoneSessions, access: Access) -> None:
        self._store = store
        self._access = access

    async def log_in(self, user_name: str, password: str, address: str) -> tuple[str, StoredSession]:
        """A new session, told here and nowhere else. Raises ApiError."""
        user = await self._access.log_in(user_name, password, address)
        session = new_session()
        opened = await self._store.open(digest(session), user.user_id, user.token_version)
        if opened is None:
            raise Failure(Code.PERMISSION, "Invalid or missing username or password")
        return session, opened

    async def call(self, acctid: int, session: str) -> Call:
        """Raises Failure."""
        stored = await self._store.session(digest(session))
        found = None if stored is None else await self._access.rights(stored.user_id)
        if (stored is None or found is None or not found.is_active
                or (found.organisation_id, found.token_version) != (stored.organisation_id, stored.token_version)):
            raise Failure(Code.SESSION, "session: is unknown or has expired, log in again")
        if acctid != stored.organisation_id:
            raise Failure(Code.PERMISSION, "acctid: the session is of another account")
        caller = Caller(stored.user_id, found.organisation_id, found.username, found.is_admin, found.country,
                        found.permissions)
        return Call(caller, session=session, opened_at=int(stored.opened_at.timestamp()))

    async def close(self, session: str) -> None:
        await self._store.close(digest(session))
