"""The tokens of POST /authenticate: JWT with RS256 and nothing else, signed by a key of the database, valid 360 days.

A key is made when the first token is. What a token says is not believed beyond its signature: whether the user is
still there, active and in the same organisation, and whether his password is the one of then, is asked at every use.
"""

import asyncio
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from api.fields import INT64_MAX
from engine.store.ictcore_access import Credentials, IctcoreAccess

LIFETIME_S = 31_104_000
ISSUER = "ringward"
ALGORITHM = "RS256"
LEEWAY_S = 30
AHEAD_S = 3660      # a clock that was put back by an hour does not lock out who logged in before
CLAIMS = ["iss", "iat", "nbf", "exp", "user_id", "organisation_id", "version", "jti"]
LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Token:
    """What a valid signature says."""

    token_id: str
    user_id: int
    organisation_id: int
    version: int
    expires: int


class Tokens:
    def __init__(self, store: IctcoreAccess) -> None:
        self._store = store
        self._keys: dict[str, rsa.RSAPrivateKey] = {}       # by kid, the newest first

    async def issue(self, user: Credentials, is_admin: bool) -> str:
        now = int(time.time())
        kid, key = await self._signing_key()
        claims = {"iss": ISSUER, "iat": now, "nbf": now, "exp": now + LIFETIME_S, "jti": secrets.token_urlsafe(12),
                  "user_id": user.user_id, "username": user.username, "is_admin": "1" if is_admin else "0",
                  "api-version": "1.0", "organisation_id": user.organisation_id, "version": user.token_version}
        return jwt.encode(claims, key, ALGORITHM, {"kid": kid})

    async def read(self, text: str) -> Token | None:
        """None: not one of ours, or not valid now."""
        if len(text) > LONGEST:
            return None
        try:
            key = await self._key(jwt.get_unverified_header(text))
            if key is None:
                return None
            claims = jwt.decode(text, key.public_key(), algorithms=[ALGORITHM], issuer=ISSUER, leeway=LEEWAY_S,
                                options={"require": CLAIMS, "verify_nbf": False, "verify_iat": False})
            if int(claims["nbf"]) > time.time() + AHEAD_S:
                return None
            numbers = [int(claims[name]) for name in ("user_id", "organisation_id", "version", "exp")]
            if max(map(abs, numbers)) > INT64_MAX or "\0" in claims["jti"]:
                return None
            return Token(claims["jti"], *numbers)
        except (jwt.PyJWTError, ValueError, TypeError, UnicodeError):
            return None

    async def _key(self, header: Mapping[str, Any]) -> rsa.RSAPrivateKey | None:
        """By `kid`. Another process may have made one meanwhile."""
        kid = header.get("kid")
        if header.get("alg") != ALGORITHM or not isinstance(kid, str):
            return None
        if kid not in self._keys:
            self._read(await self._store.signing_keys())
        return self._keys.get(kid)

    async def _signing_key(self) -> tuple[str, rsa.RSAPrivateKey]:
        if not self._keys:
            self._read(await self._store.signing_keys() or await self._first_key())
        return next(iter(self._keys.items()))

    async def _first_key(self) -> Mapping[str, str]:
        made = await asyncio.to_thread(rsa.generate_private_key, 65537, 2048)
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return await self._store.first_signing_key(secrets.token_hex(8), pem)

    def _read(self, stored: Mapping[str, str]) -> None:
        found: dict[str, rsa.RSAPrivateKey] = {}
        for kid, pem in stored.items():
            key = self._keys.get(kid) or load_pem_private_key(pem.encode(), None)
            assert isinstance(key, rsa.RSAPrivateKey)   # noqa: S101 - made here
            found[kid] = key
        self._keys = found
