"""Requests that are no HTTP leave one short line each, and nothing of what they said; errors of ours are told whole."""

import asyncio
import logging

import pytest
import structlog

from api import malformed
from tests.api_client import Site

SECRET = b"049301234567"
NO_HTTP = (
    b"GET /" + SECRET + b" HTTP/9.9\r\n\r\n", b"GET /\xff\xfe" + SECRET + b"\x00 HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost x" + SECRET + b"\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + SECRET * 1000 + b"\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: " + SECRET + b"\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: -" + SECRET + b"\r\n\r\n",
)


async def _refused(site: Site, data: bytes) -> None:
    host, _, port = site.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        async with asyncio.timeout(10):
            writer.write(data)
            assert b" 400 " in await reader.read()
    finally:
        writer.transport.abort()


@pytest.mark.parametrize("data", NO_HTTP, ids=range(len(NO_HTTP)))
async def test_what_is_no_http_is_one_short_line_without_its_bytes(
        site: Site, caplog: pytest.LogCaptureFixture, data: bytes) -> None:
    with structlog.testing.capture_logs() as lines:
        await _refused(site, data)
    told = [it for it in lines if it["event"] != "api.request"]
    assert [(it["event"], it["log_level"]) for it in told] == [("api.malformed", "info")]
    assert SECRET.decode() not in str(told) and len(str(told)) < 100
    assert not caplog.records


def test_an_error_of_ours_keeps_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    with structlog.testing.capture_logs() as lines:
        try:
            raise KeyError("ours")
        except KeyError:
            malformed.SERVER.exception("Unhandled exception")
        malformed.SERVER.warning("a word")
    assert not lines and [it.levelno for it in caplog.records] == [logging.ERROR, logging.WARNING]
    assert "KeyError" in caplog.text
