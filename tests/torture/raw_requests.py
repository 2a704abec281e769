"""Requests as no polite client sends them: any bytes in the path and in headers, each over a connection of its own from
an address of its own, so that nobody's limit of log-ins is anybody else's.

    answer = await raw.sends(estate.request(route, body=…), headers={"API-TOKEN": text})

What `hostile_spots.py` composes is sent by this; the answer is its head alone.
"""

import asyncio
import itertools
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from tests.torture.hostile_estate import Request

TIMEOUT_S = 30.0
NETWORK = (127 << 24) + (64 << 16)      # 127.64.0.0 and on: addresses of the loopback that nobody uses


@dataclass(frozen=True, slots=True)
class Head:
    """`status` 0: the connection was closed without an answer."""

    status: int
    data: bytes = b""


@dataclass
class RawClient:
    host: str
    port: int
    _addresses: Any = field(default_factory=lambda: itertools.count(NETWORK + 1))

    @classmethod
    def to(cls, url: str) -> "RawClient":
        host, _, port = url.removeprefix("http://").partition(":")
        return cls(host, int(port))

    async def sends(self, request: Request, headers: Mapping[str, str] | None = None, target: bytes = b"") -> Head:
        """`headers` take the place of the request's own; `target`: what stands for the path, as it is."""
        address = socket.inet_ntoa(next(self._addresses).to_bytes(4, "big"))
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await asyncio.open_connection(self.host, self.port, local_addr=(address, 0))
            try:
                writer.write(_bytes(request, headers or {}, target))
                with suppress(ConnectionError):
                    await writer.drain()
                return await _head(reader)
            finally:
                writer.transport.abort()


def _bytes(request: Request, headers: Mapping[str, str], target: bytes) -> bytes:
    own = {"Host": "x", "Connection": "close", "Content-Length": str(len(request.data or b"")), **request.headers}
    given = {name.lower() for name in headers}
    lines = {**{name: it for name, it in own.items() if name.lower() not in given}, **headers}
    first = request.method.encode() + b" " + (target or request.target.encode()) + b" HTTP/1.1"
    return b"\r\n".join([first, *(f"{name}: ".encode() + as_bytes(it) for name, it in lines.items()), b"",
                         request.data or b""])


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


async def _head(reader: asyncio.StreamReader) -> Head:
    try:
        data = await reader.readuntil(b"\r\n\r\n")
    except (ConnectionError, asyncio.IncompleteReadError):
        return Head(0)
    return Head(int(data.split(b" ", 2)[1]), data)
