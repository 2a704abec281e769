"""A relay between engine and Asterisk that counts AMI messages and bytes, for one run of `engine_cost.py`.

The engine reads where its Asterisk is from run/settings.json when it starts: that file gets the relay's port, the
engine is killed, and the supervisor starts it again. Afterwards the same back.
"""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator

from bench.own_system import OwnSystem, until

END = b"\r\n\r\n"


class Relay:
    """`messages`, `octets`: of both directions, since the beginning."""

    def __init__(self, host: str, port: int) -> None:
        self._to = host, port
        self.port = self.messages = self.octets = self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        there, to_there = await asyncio.open_connection(*self._to)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pass_on(reader, to_there))
                tasks.create_task(self._pass_on(there, writer))
        except* ConnectionError:
            pass
        finally:
            writer.transport.abort()
            to_there.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tail = b""
        while data := await reader.read(1 << 16):
            self.octets += len(data)
            self.messages += (tail + data).count(END)
            tail = data[-len(END) + 1:]
            writer.write(data)
            await writer.drain()
        raise ConnectionError("closed")


@contextlib.asynccontextmanager
async def relayed(on: OwnSystem) -> AsyncIterator[Relay]:
    relay = Relay(on.settings.ami_host, on.settings.ami_port)
    server = await asyncio.start_server(relay.serve, on.settings.ami_host, 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        await _engine_at(on, relay.port)
        yield relay
    finally:
        await _engine_at(on, on.settings.ami_port)
        server.close()


async def _engine_at(on: OwnSystem, port: int) -> None:
    """A new engine that reaches its Asterisk at this port, and takes calls."""
    file = on.system.home / "run" / "settings.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "ami_port": port}))
    old = on.pid("engine")
    os.kill(old, signal.SIGKILL)
    await until(lambda: on.takes_calls(before=old))
