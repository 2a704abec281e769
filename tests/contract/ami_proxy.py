"""A TCP relay in front of a real AMI that can be cut, stopped, or made to deliver byte by byte."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class AmiProxy:
    def __init__(self, port: int) -> None:
        self._to = port
        self.port = 0
        self.connections = 0
        self.written: list[bytes] = []          # what our side wrote, as it came
        self.is_stopped = False                 # nothing passes, nothing closes
        self.step = 1 << 16                     # bytes of one delivery towards us
        self._writers: list[asyncio.StreamWriter] = []
        self._go = asyncio.Event()
        self._go.set()

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, port: int) -> AsyncIterator["AmiProxy"]:
        proxy = cls(port)
        server = await asyncio.start_server(proxy._serve, "127.0.0.1", 0)
        proxy.port = server.sockets[0].getsockname()[1]
        try:
            yield proxy
        finally:
            proxy.go_on()
            proxy.cut()
            server.close()
            await asyncio.sleep(0.01)

    def cut(self) -> None:
        for writer in self._writers:
            if writer.transport:
                writer.transport.abort()
        self._writers.clear()

    def stop(self) -> None:
        self._go.clear()

    def go_on(self) -> None:
        self._go.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            there, to_there = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        self._writers += [writer, to_there]
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._relay(reader, to_there, None))
                tasks.create_task(self._relay(there, writer, self))
        except* (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            to_there.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, towards_us: object) -> None:
        while data := await reader.read(1 << 16):
            if towards_us is None:
                self.written.append(data)
            await self._go.wait()
            step = self.step if towards_us else len(data)
            for start in range(0, len(data), step):
                writer.write(data[start:start + step])
                await writer.drain()
                if step < len(data):
                    await asyncio.sleep(0)
        raise ConnectionError("closed")
