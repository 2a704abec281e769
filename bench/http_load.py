"""A load of HTTP: so many connections, each sends its next request when the last answer is whole.

The client is as small as it can be (raw sockets, no library), so that what is measured is the server. Used by
`bench/api.py` for both of its arms.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

Request = Callable[[int], bytes]    # of a connection its next request, whole


@dataclass(slots=True)
class Load:
    """What came back. `wrong`: answers with another status than the wanted one, the first few of them."""

    answered: int = 0
    took_s: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def a_second(self) -> float:
        return self.answered / self.seconds


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    if body:
        headers = {**headers, "Content-Type": "application/json", "Content-Length": str(len(body))}
    lines = [f"{method} {path} HTTP/1.1", "Host: bench", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, number: int, make: Request, wanted: int, load: Load, until: float) -> None:
        self._number, self._make, self._load, self._until = number, make, load, until
        self._wanted = f"HTTP/1.1 {wanted} ".encode()
        self._buffer = b""
        self._at = 0.0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or len(self._buffer) < end + 4 + _length(self._buffer[:end]):
            return
        now = time.monotonic()
        self._load.took_s.append(now - self._at)
        self._load.answered += 1
        if not self._buffer.startswith(self._wanted) and len(self._load.wrong) < 5:
            self._load.wrong.append(self._buffer[:300].decode(errors="replace"))
        self._buffer = b""
        if now < self._until:
            self._send()
        else:
            self._transport.close()
            self.done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed the connection"))

    def _send(self) -> None:
        self._at = time.monotonic()
        self._transport.write(self._make(self._number))


def _length(head: bytes) -> int:
    _, _, after = head.lower().partition(b"\r\ncontent-length:")
    return int(after.partition(b"\r\n")[0] or 0)


async def loaded(url: str, make: Request, connections: int, seconds: float, wanted: int = 200) -> Load:
    """Raises RuntimeError when an answer was not the wanted one."""
    address, load = urlsplit(url), Load()
    assert address.hostname and address.port
    began = time.monotonic()
    made = [await asyncio.get_running_loop().create_connection(
        lambda number=number: _Connection(number, make, wanted, load, began + seconds),  # type: ignore[misc]
        address.hostname, address.port) for number in range(connections)]
    async with asyncio.timeout(seconds + 30):
        await asyncio.gather(*(protocol.done for _, protocol in made))
    load.seconds = time.monotonic() - began
    if load.wrong:
        raise RuntimeError(f"not a {wanted}: {load.wrong[0]}")
    return load
