"""A CSV file as it arrives: put on disk, so that neither memory nor a database connection waits for a slow client.

What is longer than any row may be is not received any further: the reader then finds it in what is there. The alphabet
is what the bytes say (UTF-8, else Latin-1), because what clients call it is often wrong.
"""

import asyncio
import codecs
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import BinaryIO

from aiohttp import web

from api.errors import ApiError
from api.ictcore.csv_rows import LATIN_1, LONGEST_ROW, UTF_8
from api.json_body import READ_TIMEOUT_S, SLOWEST

LARGEST = 512 * 1024 * 1024     # bytes
LONGEST_LINE = 4 * LONGEST_ROW  # bytes: a character has up to four
_LINE_END = re.compile(rb"[\r\n]")


@dataclass(slots=True)
class Spool:
    """A file that grows. Its methods are called in threads, one after the other."""

    file: BinaryIO
    size: int = 0
    is_utf_8: bool = True
    is_cut: bool = False            # a line is too long: nothing more is taken
    _line: int = 0                  # bytes since the last line end
    _decoder: codecs.IncrementalDecoder = field(default_factory=codecs.getincrementaldecoder("utf-8"))

    @property
    def encoding(self) -> str:
        return UTF_8 if self.is_utf_8 else LATIN_1

    def add(self, chunk: bytes) -> None:
        self.file.write(chunk)
        self.size += len(chunk)
        first, *others = _LINE_END.split(chunk)
        self.is_cut = self._line + len(first) > LONGEST_LINE or any(len(it) > LONGEST_LINE for it in others)
        self._line = len(others[-1]) if others else self._line + len(first)
        self._read(chunk)

    def end(self) -> None:
        if not self.is_cut:
            self._read(b"", is_end=True)

    def _read(self, chunk: bytes, *, is_end: bool = False) -> None:
        if self.is_utf_8:
            try:
                self._decoder.decode(chunk, is_end)
            except UnicodeDecodeError:
                self.is_utf_8 = False


@asynccontextmanager
async def received(request: web.Request) -> AsyncIterator[Spool]:
    """The body of a request. Raises ApiError 411 when it is empty, 408; HTTPRequestEntityTooLarge."""
    if (request.content_length or 0) > LARGEST:
        raise web.HTTPRequestEntityTooLarge(LARGEST, request.content_length or 0)
    with tempfile.TemporaryFile() as file:
        spool = Spool(file)
        try:
            async with asyncio.timeout(READ_TIMEOUT_S + LARGEST / SLOWEST):
                await _receive(request, spool)
        except TimeoutError:
            raise ApiError(408, "the body did not arrive in time") from None
        yield spool


async def _receive(request: web.Request, spool: Spool) -> None:
    async for chunk in request.content.iter_any():
        await asyncio.to_thread(spool.add, chunk)
        if spool.size > LARGEST:
            raise web.HTTPRequestEntityTooLarge(LARGEST, spool.size)
        if spool.is_cut:
            break
    spool.end()
    if spool.size == 0:
        raise ApiError(411, "the body is empty")
