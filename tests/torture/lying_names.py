"""The other side of `lonely_net.py`: run as a program inside of it, with nothing but the standard library.

It answers every name by a script, step by step, and listens on every address that there is; each question and each
connection is a line of its record. What comes to a Unix socket it passes on to the api, which nobody else can reach.

Script: `{name: [step, …]}`; a step is a list of addresses, before which `=other` may stand: the name is another's
(CNAME). The last step stays. Each kind of question (A, AAAA) has its own place in the script: a look-up asks for both.
"""

import asyncio
import contextlib
import json
import socket
import struct
import sys
from collections import Counter
from pathlib import Path
from typing import Any

DNS, RECEIVER, API = ("127.53.0.1", 53), 8443, ("127.0.0.1", 8080)
A, CNAME, AAAA = 1, 5, 28
ITSELF = b"\xc0\x0c"        # the name that was asked for


class Names(asyncio.DatagramProtocol):
    def __init__(self, script: dict[str, list[list[str]]], record: "Record") -> None:
        self._script = script
        self._record = record
        self._asked: Counter[tuple[str, int]] = Counter()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        name, after = _name(data)
        kind = struct.unpack_from(">H", data, after)[0]
        steps = self._script.get(name.lower(), [[]])
        step = steps[min(self._asked[name, kind], len(steps) - 1)]
        self._asked[name, kind] += 1
        answers = list(_answers(step, kind))
        self._record(asked=name, kind=kind, answered=step)
        head = data[:2] + struct.pack(">HHHHH", 0x8180, 1, len(answers), 0, 0)
        self._transport.sendto(head + data[12:after + 4] + b"".join(answers), address)


def _name(data: bytes) -> tuple[str, int]:
    labels, at = [], 12
    while length := data[at]:
        labels.append(data[at + 1:at + 1 + length].decode("latin-1"))
        at += 1 + length
    return ".".join(labels), at + 1


def _answers(step: list[str], kind: int) -> Any:
    owner = ITSELF
    for one in step:
        if one.startswith("="):
            other = b"".join(bytes([len(it)]) + it.encode() for it in one[1:].split(".")) + b"\0"
            yield _row(owner, CNAME, other)
            owner = other
        elif (":" in one) == (kind == AAAA):
            yield _row(owner, kind, socket.inet_pton(socket.AF_INET6 if kind == AAAA else socket.AF_INET, one))


def _row(owner: bytes, kind: int, data: bytes) -> bytes:
    """Not to be kept for a second: the next answer is another one."""
    return owner + struct.pack(">HHIH", kind, 1, 0, len(data)) + data


class Record:
    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)

    def __call__(self, **line: Any) -> None:
        self._file.write(json.dumps(line) + "\n")


def _everywhere() -> socket.socket:
    listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.bind(("::", RECEIVER))
    return listener


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A client of the api, until one of both has enough."""
    async def one_way(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(1 << 16):
                sink.write(data)
                await sink.drain()
        sink.close()
    try:
        there, back = await asyncio.open_connection(*API)
    except OSError:
        writer.close()
        return
    await asyncio.gather(one_way(reader, back), one_way(there, writer))


async def main(folder: Path) -> None:
    record = Record(folder / "record")
    script = json.loads((folder / "script").read_text())

    async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        record(connected=writer.get_extra_info("sockname")[0].removeprefix("::ffff:"))
        writer.close()

    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: Names(script, record), DNS)
    await asyncio.start_server(connected, sock=_everywhere())
    await asyncio.start_unix_server(_pass_on, folder / "api")
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)        # until the test has ended


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
