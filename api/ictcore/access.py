"""Who calls the ICTCore API: a token (`Authorization: Bearer`, or the guide's `Authentication: Bearer`) or a name with
a password (`Authorization: Basic`). Used by `door.py` for every request, and by POST /authenticate.

Whatever is wrong, the answer is the same 401. A password is hashed also for a user who does not exist, so that the
time tells nothing; one that was right lately is not hashed again, as long as the stored hash is the same.
"""

import asyncio
import base64
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from functools import cache

from aiohttp import web
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.errors import ApiError
from api.ictcore.frame import Call, Caller
from api.ictcore.log_ins import LogIns
from api.ictcore.tokens import Token, Tokens
from engine.store.ictcore_access import Credentials, IctcoreAccess, StoredCaller

REALM = {"WWW-Authenticate": 'Basic realm="ICTCore", charset="UTF-8"'}
REMEMBERED_S = 300.0
MOST_REMEMBERED = 1000
LONGEST_PASSWORD = 128
FOREIGN = ("cross-site", "same-site")


def unauthorized() -> ApiError:
    return ApiError(401, "Invalid or missing username or password", headers=REALM)


async def hashed(password: str) -> str:
    """Slow on purpose, so beside the loop."""
    return await asyncio.to_thread(PasswordHasher().hash, password)


class Access:
    def __init__(self, store: IctcoreAccess, tokens: Tokens, log_ins: LogIns) -> None:
        self._store = store
        self.tokens = tokens
        self._log_ins = log_ins
        self._secret = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, float] = OrderedDict()      # what was right, until when

    async def call(self, request: web.Request) -> Call:
        """Raises ApiError 401, 423."""
        scheme, _, value = _given(request).partition(" ")
        match scheme.lower():
            case "bearer":
                return await self._by_token(request, value.strip())
            case "basic":
                return await self._by_password(request, value.strip())
        raise unauthorized()

    async def log_in(self, name: str, password: str, address: str, user_id: int | None = None) -> Credentials:
        """The user with this name, e-mail address or id. Raises ApiError 401, 423."""
        who = name if user_id is None else str(user_id)
        if not who or not password or len(password) > LONGEST_PASSWORD:
            raise unauthorized()
        self._log_ins.check(who, address)
        user = await self._store.credentials(name, user_id)
        stored = user.password_hash if user else None
        if not self._was_right(password, stored):
            async with self._log_ins.one_try(who, address):
                if not self._was_right(password, stored) and not await self._is_right(password, stored):
                    raise unauthorized()
        if user is None or not user.is_active:
            raise unauthorized()
        return user

    async def caller(self, user_id: int) -> Caller:
        """Raises ApiError 401."""
        found = await self._store.caller(user_id, "")
        if found is None or not found.is_active:
            raise unauthorized()
        return Caller(user_id, found.organisation_id, found.username, found.is_admin, found.country, found.permissions)

    async def rights(self, user_id: int) -> StoredCaller | None:
        """What somebody may who is not calling."""
        return await self._store.caller(user_id, "")

    async def cancel(self, token: Token) -> None:
        await self._store.cancel_token(token.token_id, token.expires)

    async def token(self, request: web.Request) -> Token | None:
        """The token of a request that has one."""
        scheme, _, value = _given(request).partition(" ")
        return await self.tokens.read(value.strip()) if scheme.lower() == "bearer" else None

    async def _by_token(self, request: web.Request, text: str) -> Call:
        token = await self.tokens.read(text)
        found = None if token is None else await self._store.caller(token.user_id, token.token_id)
        if (token is None or found is None or not found.is_active or found.is_cancelled
                or (found.organisation_id, found.token_version) != (token.organisation_id, token.version)):
            raise unauthorized()
        return Call(Caller(token.user_id, found.organisation_id, found.username, found.is_admin, found.country,
                           found.permissions), dict(request.query), token.token_id)

    async def _by_password(self, request: web.Request, value: str) -> Call:
        if request.headers.get("Sec-Fetch-Site") in FOREIGN:
            raise unauthorized()        # a browser adds a password that it knows also to what another site asks
        try:
            name, colon, password = base64.b64decode(value, validate=True).decode().partition(":")
        except ValueError:              # binascii.Error, UnicodeDecodeError, and what it says of letters beyond ASCII
            raise unauthorized() from None
        if not colon:
            raise unauthorized()
        user = await self.log_in(name, password, request.remote or "")
        return Call(await self.caller(user.user_id), dict(request.query))

    def _was_right(self, password: str, stored: str | None) -> bool:
        return self._right.get(self._told(password, stored), 0.0) > time.monotonic()

    def _told(self, password: str, stored: str | None) -> bytes:
        return hmac.digest(self._secret, f"{stored}\0{password}".encode("utf-8", "surrogatepass"), hashlib.sha256)

    async def _is_right(self, password: str, stored: str | None) -> bool:
        is_right = await asyncio.to_thread(_verified, stored or _nobodys(), password) and stored is not None
        if is_right:
            self._right[self._told(password, stored)] = time.monotonic() + REMEMBERED_S
            if len(self._right) > MOST_REMEMBERED:
                self._right.popitem(last=False)
        return is_right


def _given(request: web.Request) -> str:
    return request.headers.get("Authorization") or request.headers.get("Authentication") or ""


def _verified(stored: str, password: str) -> bool:
    try:
        return PasswordHasher().verify(stored, password)
    except (VerificationError, InvalidHashError, UnicodeError):
        return False


@cache
def _nobodys() -> str:
    return PasswordHasher().hash(secrets.token_hex(8))
