"""One try: a signed POST, and what came of it.

Called by `sender.py`. Invariant: whatever the receiver does, `post` returns within the time-out and keeps nothing of
the answer but its status and Retry-After: no redirect is followed, no cookie kept, no proxy asked, nothing unpacked.
Answers' bodies are not stored either: what a receiver inside says is not for who only may name its URL.
"""

import asyncio
import os
import ssl
from dataclasses import dataclass
from datetime import datetime

from aiohttp import ClientConnectorError, ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar

from api.webhooks.guard import Guard, Refused, read
from api.webhooks.signature import signed
from engine.store.webhooks import Claimed

USER_AGENT = "Ringward-Webhooks/1"
READ_BYTES = 64 * 1024      # of an answer's body, so that the receiver may finish politely
READ_TIMEOUT_S = 1.0
SHOWN_ERROR = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` None: there was none, and `says` tells why."""

    status: int | None
    says: str
    retry_after_s: float = 0

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        return self.status == 410


class Post:
    """The way out, for as long as the context is entered: one session for each scheme."""

    def __init__(self, guard: Guard, timeout_s: float) -> None:
        self._guard = guard
        self._timeout_s = timeout_s
        self._sessions: dict[str, ClientSession] = {}

    async def __aenter__(self) -> "Post":
        self._sessions = {scheme: ClientSession(
            connector=self._guard.gate(scheme).connector(), timeout=ClientTimeout(total=None), trust_env=False,
            cookie_jar=DummyCookieJar(), auto_decompress=False,
            headers={"User-Agent": USER_AGENT, "Content-Type": "application/json"}) for scheme in ("http", "https")}
        return self

    async def __aexit__(self, *_: object) -> None:
        for session in self._sessions.values():
            await session.close()

    async def __call__(self, claimed: Claimed, at: datetime) -> Answer:
        body = claimed.body.encode()
        secrets = [it.value for it in claimed.secrets if it.is_valid(at)]
        try:
            url = read(claimed.url)
            async with asyncio.timeout(self._timeout_s):
                response = await self._sessions[url.scheme].post(
                    url, data=body, headers=signed(claimed.message_id, at, body, secrets), allow_redirects=False)
        except TimeoutError:
            return Answer(None, f"no answer within {self._timeout_s:g} s")
        except (ClientError, OSError, ValueError) as error:     # ValueError: what some client thinks of a URL
            return Answer(None, _words(error)[:SHOWN_ERROR])
        try:
            await _finish(response)
        finally:
            response.close()
        return Answer(response.status, f"answered {response.status}", _retry_after_s(response))


async def _finish(response: ClientResponse) -> None:
    """The status is known: what follows changes nothing."""
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            left = READ_BYTES
            while left > 0 and (chunk := await response.content.read(left)):
                left -= len(chunk)
    except (TimeoutError, ClientError, OSError):
        pass


def _retry_after_s(response: ClientResponse) -> float:
    """In its form of seconds, which is what those send who know how long; 0 otherwise."""
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _words(error: Exception) -> str:
    """What an organisation's admin may know and can use. Not the URL: it may hold a token."""
    cause = error.os_error if isinstance(error, ClientConnectorError) else error
    match cause:
        case Refused():
            return cause.why
        case ssl.SSLCertVerificationError():
            return f"certificate: {cause.verify_message}"
        case ssl.SSLError():
            return f"TLS: {cause.reason or type(cause).__name__}"
        case OSError() if cause.errno and cause.errno > 0:
            return os.strerror(cause.errno)
        case OSError():                         # of a look-up, or of several addresses in different ways
            return cause.strerror or "could not connect"
        case _:
            return type(cause).__name__
