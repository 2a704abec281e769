"""Requests that are made to hurt: of a million chunks, bombs of every compression, never ending, too large, too deep.

Against a real `ringward api` process: its memory stays bounded, and somebody else is answered in time meanwhile.
"""

import asyncio
import contextlib
import gzip
import io
import json
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import psutil
import pytest

from tests.acceptance.alarm_town import Muster
from tests.torture.hostile_estate import Estate
from tests.torture.hostile_routes import Route
from tests.torture.report import Tally

MEGABYTE = 1 << 20
GROWS = 150 * MEGABYTE      # that the process may have grown by, whatever came
ANSWERS_WITHIN_S = 5.0      # another client, on a busy machine
ALARM = Route("ringward", "POST", "/alarms")
CONTACT = Route("ringward", "POST", "/contacts")
OLD_CONTACT = Route("ictcore", "POST", "/contacts")
GROUP = Route("sensaphone", "create", "/contactgroup")
PHONE = Route("first-responder", "POST", "/agents")
JSONS = (ALARM, CONTACT, OLD_CONTACT, PHONE)


class Patient:
    """Somebody else who asks all the while: how long the longest answer took, how large the process grew."""

    def __init__(self, estate: Estate, pid: int) -> None:
        self._estate = estate
        self._process = psutil.Process(pid)
        self.before = self.largest = self._process.memory_info().rss
        self.longest_s = 0.0
        self.busy = 0           # a connection to the database took too long: on a machine that does too much

    async def asks(self) -> None:
        loop, route = asyncio.get_running_loop(), Route("ringward", "GET", "/contacts")
        while True:
            began = loop.time()
            got = await self._estate.ask(route)
            assert got.status in (200, 503), got
            self.busy += got.status == 503
            self.longest_s = max(self.longest_s, loop.time() - began)
            self.largest = max(self.largest, self._process.memory_info().rss)
            await asyncio.sleep(0.02)

    def check(self) -> None:
        print(f"grew by {(self.largest - self.before) // MEGABYTE} MB, {self.longest_s:.2f} s, {self.busy} busy")
        assert self.largest - self.before < GROWS, f"grew by {(self.largest - self.before) // MEGABYTE} MB"
        assert self.busy < 3
        assert self.longest_s < ANSWERS_WITHIN_S, f"another client waited {self.longest_s:.1f} s"


@pytest.fixture
async def api(open_muster: Callable, quick_asterisk: Any) -> AsyncIterator[tuple[Muster, Estate]]:
    muster = await open_muster(quick_asterisk, engine=False)
    yield muster, await Estate.built(muster.session, muster.url, muster.town.database)


@contextlib.asynccontextmanager
async def patient(api: tuple[Muster, Estate], tally: Tally) -> AsyncIterator[Patient]:
    muster, estate = api
    one = Patient(estate, muster.api.pid)
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(one.asks())
        yield one
        asking.cancel()
    tally.faults += 1
    one.check()


# --- connections of our own: what no polite client sends

class Wire:
    """A connection to which bytes are written as they are."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, muster: Muster) -> "Wire":
        host, _, port = muster.url.removeprefix("http://").partition(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    async def sends(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            self.writer.write(data)
            await self.writer.drain()

    async def status(self, timeout_s: float = 30) -> int:
        """0: it was closed without an answer."""
        try:
            async with asyncio.timeout(timeout_s):
                line = await self.reader.readline()
        except ConnectionError:
            return 0
        return int(line.split()[1]) if line else 0

    def close(self) -> None:
        self.writer.transport.abort()


def head(estate: Estate, path: str = "/ringward/v1/contacts", **headers: str) -> bytes:
    lines = {"Host": "x", "Content-Type": "application/json", **estate.headers["ringward"],
             **{name.replace("_", "-"): value for name, value in headers.items()}}
    return "\r\n".join([f"POST {path} HTTP/1.1", *(f"{name}: {it}" for name, it in lines.items()), "", ""]).encode()


async def test_a_body_of_a_million_chunks_ends_at_the_limit(api: tuple[Muster, Estate], tally: Tally) -> None:
    muster, estate = api
    wire = await Wire.to(muster)
    async with patient(api, tally), asyncio.TaskGroup() as tasks:
        await wire.sends(head(estate, Transfer_Encoding="chunked"))
        answer = tasks.create_task(wire.status())
        for _ in range(1000):
            await wire.sends(b"1\r\n \r\n" * 1000)
            if answer.done():
                break
    assert answer.result() in (0, 400, 413)
    wire.close()


def bombs() -> Iterator[tuple[str, bytes]]:
    zeros = b'{"firstName": "' + b" " * (64 * MEGABYTE) + b'"}'
    yield "gzip", gzip.compress(zeros, 9)
    yield "deflate", zlib.compress(zeros, 9)
    twice = gzip.compress(gzip.compress(zeros, 9), 9)
    yield "gzip, gzip", twice
    with contextlib.suppress(ImportError):
        import brotli  # type: ignore[import-not-found]
        yield "br", brotli.compress(zeros)


async def test_bombs_of_every_compression_are_refused_without_being_unpacked(
        api: tuple[Muster, Estate], tally: Tally) -> None:
    _, estate = api
    made = await asyncio.to_thread(lambda: list(bombs()))
    async with patient(api, tally):
        for encoding, bomb in made:
            for route in JSONS:
                got = await estate.ask(route, data=bomb, headers={
                    "Content-Type": "application/json", "Content-Encoding": encoding})
                assert 400 <= got.status < 500, (encoding, route.name, got)


async def test_archives_and_pictures_that_unpack_to_more_than_there_is_are_refused(
        api: tuple[Muster, Estate], tally: Tally) -> None:
    """As a recording, a document, a CSV file, a mail's template."""
    _, estate = api
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("../../x", bytes(50 * MEGABYTE))
    huge = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\x7f\xff\xff\xff" * 2 + b"\x08\6\0\0\0" + bytes(8)
    pdf = b"%PDF-1.4\n1 0 obj<</Length 99/Filter[" + b"/FlateDecode" * 1000 + b"]>>stream\n" + zlib.compress(
        bytes(20 * MEGABYTE), 9) + b"\nendstream endobj\ntrailer<</Root 1 0 R>>"
    wav = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\1\0\1\0\x40\x1f\0\0\x80\x3e\0\0\2\0\x10\0data\xff\xff\xff\x7f"
    csv = b"a," * (2 * MEGABYTE)
    uploads = [("recordings", "recording_id", "audio/wav", it) for it in (archive.getvalue(), wav)] + [
        ("documents", "document_id", kind, it) for kind in ("application/pdf", "image/png", "image/tiff")
        for it in (archive.getvalue(), pdf, b"II*\0" + b"\4\0\0\0" * 100)] + [("groups", "group_id", "text/csv", csv)]
    async with patient(api, tally):
        for folder, name, kind, data in uploads:
            path = f"/{folder}/{{{name}}}/" + ("csv" if folder == "groups" else "media")
            got = await estate.ask(Route("ictcore", "POST" if folder == "groups" else "PUT", path), data=data,
                                   headers={"Content-Type": kind})
            assert 400 <= got.status < 500, (folder, kind, got)
        drawn = await estate.ask(Route("ictcore", "PUT", "/documents/{document_id}/media"), data=huge,
                                 headers={"Content-Type": "image/png"})
        assert drawn.status < 500, "its size is told, it is never drawn"


async def test_slow_loris_holds_nobody_else_up(
        api: tuple[Muster, Estate], tally: Tally, request: pytest.FixtureRequest) -> None:
    """Hundreds of connections that send a head or a body byte by byte; each body is given up within its time."""
    muster, estate = api
    count = 300 if request.config.option.torture else 100
    lines, body = head(estate), head(estate, Content_Length="1000") + b"{"
    async with patient(api, tally), asyncio.TaskGroup() as tasks:
        wires = [await Wire.to(muster) for _ in range(count)]
        for n, wire in enumerate(wires):
            await wire.sends(lines[:40] if n % 2 else body)
        statuses = [tasks.create_task(wire.status(40)) for wire in wires[::2]]
        for _ in range(200):
            for wire in wires:
                await wire.sends(b" ")
            if all(it.done() for it in statuses):
                break
            await asyncio.sleep(0.2)
    assert {it.result() for it in statuses} <= {408, 0}, "a body that does not come is given up"
    for wire in wires:
        wire.close()


async def test_heads_that_are_too_large_are_refused(api: tuple[Muster, Estate], tally: Tally) -> None:
    muster, estate = api
    async with patient(api, tally):
        for lines in (head(estate, X_Long="x" * (5 * MEGABYTE)), head(estate, path="/" + "x" * MEGABYTE),
                      head(estate)[:-2] + b"".join(b"X-%d: y\r\n" % n for n in range(200_000)) + b"\r\n",
                      head(estate, Content_Length="-1"), head(estate, Content_Length="1" * 400),
                      head(estate, Content_Length="5", Transfer_Encoding="chunked") + b"0\r\n\r\n",
                      head(estate, Transfer_Encoding="chunked") + b"fffffffffffffffff\r\nx\r\n",
                      b"\x16\x03\x01" + bytes(1000), b"GET / HTTP/9.9\r\n\r\n", b"\0" * 10_000):
            wire = await Wire.to(muster)
            await wire.sends(lines)
            assert await wire.status() in (0, 400, 411, 413, 414, 431, 505), lines[:80]
            wire.close()


def strange_json() -> Iterator[bytes]:
    for opening in (b"[", b'{"a":', b'[{"a":'):
        yield opening * 30_000
    yield b"[" * 30_000 + b"]" * 30_000
    yield b'{"organizationID": 1, "organizationID": 2}'
    yield b"{" + b",".join(b'"k%d": 1' % n for n in range(4000)) + b"}"
    for number in (b"9" * 60_000, b"-" + b"9" * 5000, b"1e999999", b"NaN", b"Infinity", b"-Infinity", b"1" + b"0" * 309,
                   b"0.1e-99999", b"9223372036854775808"):
        yield b'{"organizationID": ' + number + b', "id": ' + number + b', "cpm": ' + number + b"}"
        yield number
    yield from (b"\xff\xfe{\0}\0", b'"\\ud800"', b"\xef\xbb\xbf{}", b"{}\0", b"\0", b"null", b"true",
                b'"' + b"x" * 60_000, b'{"firstName": "\xff"}', b"{} {}", b"'{}'", b'{"a": "\\u0000"}')
    yield json.dumps({"firstName": "x" * (64 * 1024)}).encode()


async def test_json_that_says_no_one_thing_is_refused(api: tuple[Muster, Estate], tally: Tally) -> None:
    _, estate = api
    async with patient(api, tally):
        for data in strange_json():
            for route in (*JSONS, GROUP):
                got = await estate.ask(route, data=data, headers={"Content-Type": "application/json"})
                assert got.status < 500, (route.name, data[:60], got)
                is_refused = got.status >= 400 or got.is_refused
                assert is_refused or _means_something(data, route), (route.name, data[:60], got)


def _means_something(data: bytes, route: Route) -> bool:
    """ICTCore ignores what it does not know, and a contact needs no name below `/ringward/v1`."""
    return route.api in ("ictcore", "sensaphone") or data == b"{}"
