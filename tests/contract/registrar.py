"""A provider's far side: a SIP peer that takes registrations and calls from nobody who does not know its password."""

import asyncio
import contextlib
import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from tests.contract.sip_peer import Message, SipPeer

REALM, NONCE = "carrier", "3f2a"


@dataclass(frozen=True, slots=True)
class Registered:
    """What a REGISTER said whose password was right."""

    aor: str
    contact: str
    expires: int


class Registrar(SipPeer):
    """`passwords` by user. `registered`: in the order in which they came; an expiry of 0 is a farewell."""

    def __init__(self) -> None:
        super().__init__()
        self.passwords: dict[str, str] = {}
        self.registered: list[Registered] = []
        self.refused: list[str] = []        # methods of requests whose password was wrong
        self._came = asyncio.Event()

    async def refusal(self, timeout_s: float = 8) -> None:
        """Somebody came with a wrong password."""
        async with asyncio.timeout(timeout_s):
            while not self.refused:
                self._came.clear()
                await self._came.wait()

    async def registration(self, n: int, timeout_s: float = 8) -> Registered:
        """The nth."""
        async with asyncio.timeout(timeout_s):
            while len(self.registered) < n:
                self._came.clear()
                await self._came.wait()
        return self.registered[n - 1]

    def _on_request(self, message: Message) -> None:
        is_known = message.headers["call-id"] in self.dialogs
        if message.method not in ("INVITE", "REGISTER") or is_known:
            super()._on_request(message)
        elif not self._is_right(message):
            challenge = f'WWW-Authenticate: Digest realm="{REALM}", nonce="{NONCE}", algorithm=MD5, qop="auth"'
            self._respond(message, "401 Unauthorized", challenge)
        elif message.method == "INVITE":
            super()._on_request(message)
        else:
            self._register(message)

    def _register(self, message: Message) -> None:
        contact = message.headers["contact"]
        expires = re.search(r"expires=(\d+)", contact) or re.match(r"(\d+)", message.headers.get("expires", ""))
        assert expires
        self.registered.append(Registered(message.headers["to"], contact, int(expires[1])))
        self._came.set()
        self._respond(message, "200 OK", f"Contact: {contact}", f"Expires: {expires[1]}")

    def _respond(self, message: Message, status: str, *more: str) -> None:
        same = (f"{name.title()}: {message.headers[name]}" for name in ("via", "from", "call-id", "cseq"))
        head = [f"SIP/2.0 {status}", *same, f"To: {message.headers['to']};tag=r", *more]
        self._write(head, "", self._switch)

    def _is_right(self, message: Message) -> bool:
        said = dict(re.findall(r'(\w+)="?([^",]*)"?', message.headers.get("authorization", "")))
        if not said:
            return False
        one = _md5(f"{said['username']}:{REALM}:{self.passwords.get(said['username'])}")
        two = _md5(f"{message.method}:{said['uri']}")
        is_right = said["response"] == _md5(f"{one}:{NONCE}:{said['nc']}:{said['cnonce']}:{said['qop']}:{two}")
        if not is_right:
            self.refused.append(message.method)
            self._came.set()
        return is_right


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@contextlib.asynccontextmanager
async def registrar(host: str = "127.0.0.2", **passwords: str) -> AsyncIterator[Any]:
    """On an address of its own: the trunk of the tests is 127.0.0.1."""
    async with Registrar.open(host=host) as one:
        one.passwords = passwords
        yield one
