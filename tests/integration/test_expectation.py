"""The header `Expect`: 100-continue is answered at once, anything else by 417, whatever its bytes are, on
whatever path."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.directory_site import DirectorySite, directory_site

PATHS = ("/ringward/v1/contacts", "/ictcore/contacts", "/api/v1/contact", "/api/v1/first-responder/hotlines")
UNSERVED = ("/", "/nothing", "//", "http://x/nothing", "/ringward/v1/nothing", "/docs/nothing", "/healthz")


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[DirectorySite]:
    async with directory_site(database_url) as made:
        yield made


async def _status(site: DirectorySite, path: str, expect: bytes) -> int:
    host, _, port = site.root.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(b"POST " + path.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: " + expect
                     + b"\r\n\r\n")
        async with asyncio.timeout(10):
            return int((await reader.readline()).split()[1])
    finally:
        writer.transport.abort()


@pytest.mark.parametrize("path", PATHS)
async def test_what_is_expected_is_continue_or_refused(site: DirectorySite, path: str) -> None:
    assert await _status(site, path, b"100-Continue") == 100
    for unknown in (b"x", "é".encode(), b"\xed\xbf\xbf", b"\xff", b"100-continue, x"):
        assert await _status(site, path, unknown) == 417, unknown


@pytest.mark.parametrize("path", UNSERVED)
async def test_it_is_no_error_of_ours_where_nothing_is_served_either(site: DirectorySite, path: str) -> None:
    for unknown in (b"nonsense", b"\xff", b"100-continue, \xc3("):
        assert await _status(site, path, unknown) == 417, unknown
    assert await _status(site, path, b"") in (404, 405)
    assert await _status(site, path, b"100-continue") in (100, 404, 405)
