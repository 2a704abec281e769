"""A TCP relay in front of a real AMI that can be cut, frozen, slowed, made to deliver byte by byte, or to lose, repeat
and delay single messages towards us."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

END = b"\r\n\r\n"
Meddling = Callable[[bytes], Sequence[tuple[float, bytes]]]     # a message → what comes of it, after how many seconds


class AmiProxy:
    def __init__(self, port: int) -> None:
        self._to = port
        self.port = 0
        self.connections = 0
        self.written: list[bytes] = []          # what our side wrote, as it came
        self.is_closed = False                  # new connections are thrown out
        self.step = 1 << 16                     # bytes of one delivery towards us
        self.bytes_s: float | None = None       # how fast our side reads; None: at once
        self.meddle: Meddling | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._frozen: list[asyncio.Event] = []  # of each connection: cleared, it is open and nothing passes
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
        for passes in self._frozen:
            passes.set()
        self._frozen.clear()

    def freeze(self) -> None:
        """The connections of now stay open and carry nothing more; new ones are served."""
        for passes in self._frozen:
            passes.clear()

    def stop(self) -> None:
        self._go.clear()

    def go_on(self) -> None:
        self._go.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.is_closed:
            writer.transport.abort()
            return
        try:
            there, to_there = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        self._writers += [writer, to_there]
        passes = asyncio.Event()
        passes.set()
        self._frozen.append(passes)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._from_us(reader, to_there, passes))
                tasks.create_task(self._towards_us(there, writer, passes))
        except* (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            to_there.transport.abort()

    async def _from_us(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passes: asyncio.Event
    ) -> None:
        while data := await reader.read(1 << 16):
            self.written.append(data)
            await self._go.wait()
            await passes.wait()
            writer.write(data)
            await writer.drain()
        raise ConnectionError("closed")

    async def _towards_us(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passes: asyncio.Event
    ) -> None:
        rest = b""      # of a message whose end has not come
        while data := await reader.read(1 << 16 if self.bytes_s is None else 1 + int(self.bytes_s / 10)):
            await self._go.wait()
            await passes.wait()
            if self.bytes_s is not None:
                await asyncio.sleep(len(data) / self.bytes_s)
            data, rest = rest + data, b""
            if self.meddle is None:
                await self._deliver(writer, data)
                continue
            *messages, rest = data.split(END)
            for message in messages:
                for after_s, one in self.meddle(message + END):
                    if after_s:
                        asyncio.get_running_loop().call_later(after_s, _write_late, writer, one)
                    else:
                        await self._deliver(writer, one)
        raise ConnectionError("closed")

    async def _deliver(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        step = self.step
        for start in range(0, len(data), step):
            writer.write(data[start:start + step])
            await writer.drain()
            if step < len(data):
                await asyncio.sleep(0)


def _write_late(writer: asyncio.StreamWriter, data: bytes) -> None:
    if not writer.transport.is_closing():
        writer.write(data)
