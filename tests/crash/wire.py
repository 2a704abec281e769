"""A relay in front of a real Postgres: an engine's connection that can be cut between any two steps of a save.

It knows as much of the wire protocol as that takes: a statement has been executed (its rows have come), it commits with
the client's Sync, and has committed when the server says ReadyForQuery. Each is a boundary of the engine's `Fate`: at
the first the server has written every row and has not committed, at the second it has, and the engine has not heard of
it. One engine at a time; a dead one's connections are cut, and it gets no new ones.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from tests.crash.mortal_engine import Fate, Killed

EXECUTE, FLUSH, SYNC = b"E", b"H", b"S"  # the client's
COMPLETE, SUSPENDED, ERROR, READY = b"C", b"s", b"E", b"Z"  # the server's; suspended: as many rows as asked for
FLUSH_NOW = FLUSH + (4).to_bytes(4)


@dataclass
class Line:
    """One connection, both ways. `in_save`: from the first Execute of a save on, until the server is ready again."""

    client: asyncio.StreamReader
    to_client: asyncio.StreamWriter
    server: asyncio.StreamReader
    to_server: asyncio.StreamWriter
    in_save: bool = False
    has_committed: bool = False
    executed: asyncio.Event = field(default_factory=asyncio.Event)

    def cut(self) -> None:
        for writer in (self.to_client, self.to_server):
            if writer.transport:
                writer.transport.abort()


class Wire:
    def __init__(self, url: str) -> None:
        self._to = url
        self._lines: list[Line] = []
        self.url = ""
        self.fate = Fate()
        self.is_saving = False  # what is executed now is part of a save of calls

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator["Wire"]:
        wire = cls(url)
        server = await asyncio.start_server(wire._serve, "127.0.0.1", 0)
        wire.url = _through(url, server.sockets[0].getsockname()[1])
        try:
            yield wire
        finally:
            wire.cut()
            server.close()
            await asyncio.sleep(0.01)  # the relays hear of it

    def begin(self, fate: Fate) -> None:
        """From now on the connections are those of the engine with this fate."""
        self.fate = fate
        fate.on_death = self.cut

    def cut(self) -> None:
        for line in self._lines:
            line.cut()
        self._lines.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.fate.is_dead:
            writer.transport.abort()
            return
        line = Line(reader, writer, *await _connect(self._to))
        self._lines.append(line)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._orders(line, self.fate))
                tasks.create_task(self._answers(line, self.fate))
        except* (ConnectionError, EOFError, Killed, asyncio.CancelledError):
            pass
        finally:
            line.cut()

    async def _orders(self, line: Line, fate: Fate) -> None:
        length = await line.client.readexactly(4)  # the first message has no kind
        line.to_server.write(length + await line.client.readexactly(int.from_bytes(length) - 4))
        async for messages in _read(line.client):
            passed = b""
            for kind, message in messages:
                if kind == EXECUTE and self.is_saving:
                    line.in_save = True
                    line.executed.clear()
                if kind == SYNC and line.in_save:
                    line.to_server.write(passed + FLUSH_NOW)
                    passed = b""
                    await line.executed.wait()
                    fate.boundary("before the commit, all is written")
                    line.has_committed = True
                passed += message
            line.to_server.write(passed)

    async def _answers(self, line: Line, fate: Fate) -> None:
        held = b""
        async for messages in _read(line.server):
            for kind, message in messages:
                held += message
                if line.in_save and kind in (COMPLETE, SUSPENDED, ERROR):
                    line.executed.set()
                if line.has_committed and kind == READY:
                    line.in_save = line.has_committed = False
                    fate.boundary("after the commit, before the engine hears of it")
            if not line.in_save:
                line.to_client.write(held)
                held = b""


async def _read(reader: asyncio.StreamReader) -> AsyncIterator[list[tuple[bytes, bytes]]]:
    """Whole messages with their kinds, as many as have come."""
    rest = b""
    while data := await reader.read(1 << 16):
        rest += data
        messages: list[tuple[bytes, bytes]] = []
        while len(rest) > 4 and len(rest) > (length := int.from_bytes(rest[1:5])):
            messages.append((rest[:1], rest[:length + 1]))
            rest = rest[length + 1:]
        yield messages
    raise ConnectionError("closed")


async def _connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    given = parse_qs(parts.query)
    host = given["host"][0] if "host" in given else unquote(parts.hostname or "127.0.0.1")
    port = int(given["port"][0]) if "port" in given else parts.port or 5432
    if host.startswith("/"):
        return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
    return await asyncio.open_connection(host, port)


def _through(url: str, port: int) -> str:
    """The same database by way of our port."""
    parts = urlsplit(url)
    who = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{who}@127.0.0.1:{port}", query="sslmode=disable"))
