"""Logging: JSON when nobody watches, no secrets, masked numbers."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from engine.log import mask, setup


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_lines_are_json_when_nobody_watches() -> None:
    out = io.StringIO()
    setup("info", out)
    structlog.get_logger().info("call.step", phase="ring")
    logging.getLogger("aiohttp").warning("of a library")
    structlog.get_logger().debug("not this")
    first, second = [json.loads(line) for line in out.getvalue().splitlines()]
    assert (first["event"], first["phase"], first["level"]) == ("call.step", "ring", "info")
    assert (second["event"], second["level"]) == ("of a library", "warning")


def test_a_terminal_gets_lines_for_people() -> None:
    out = Terminal()
    setup("debug", out)
    structlog.get_logger().debug("call.step", phase="ring")
    assert "call.step" in out.getvalue() and not out.getvalue().startswith("{")


def test_an_exception_is_told_in_one_json_line() -> None:
    out = io.StringIO()
    setup("info", out)
    try:
        raise ValueError("broken")
    except ValueError:
        structlog.get_logger().exception("api.failed")
    [line] = out.getvalue().splitlines()
    assert "ValueError: broken" in json.loads(line)["exception"]


@pytest.mark.parametrize("out", [io.StringIO(), Terminal()])
def test_an_exception_is_told_without_the_values_of_variables(out: io.StringIO) -> None:
    setup("info", out)
    pin = "-".join(("47", "11"))
    try:
        raise ValueError(f"broken {len(pin)}")
    except ValueError:
        structlog.get_logger().exception("api.failed")
    assert "broken 5" in out.getvalue() and "47-11" not in out.getvalue()


def test_secrets_are_not_written() -> None:
    out = io.StringIO()
    setup("info", out)
    structlog.get_logger().info("x", token="rwo_1", ami_secret="s1", password_hash="h1", database_url="postgresql://p1")
    assert not any(secret in out.getvalue() for secret in ("rwo_1", "s1", "h1", "p1"))


def test_a_line_is_whole_whatever_is_in_it() -> None:
    out = io.StringIO()
    setup("info", out)
    structlog.get_logger().info("call.step", caller="\n{\"event\": \"forged\"}\x00\ud800", of={1, 2}, who=object)
    [line] = out.getvalue().splitlines()
    assert json.loads(line)["caller"] == "\n{\"event\": \"forged\"}\x00\ud800"


class Pieces(io.StringIO):
    """Counts the writes."""

    pieces = 0

    def write(self, text: str) -> int:
        self.pieces += 1
        return super().write(text)


async def test_lines_of_one_turn_of_the_loop_are_one_write() -> None:
    out = Pieces()
    setup("info", out)
    for n in range(3):
        structlog.get_logger().info("call.step", n=n)
    await asyncio.sleep(0)
    assert out.pieces == 1 and [json.loads(line)["n"] for line in out.getvalue().splitlines()] == [0, 1, 2]
    structlog.get_logger().info("call.step", n=3)
    await asyncio.sleep(0)
    assert json.loads(out.getvalue().splitlines()[-1])["n"] == 3


def test_what_a_loop_left_behind_does_not_keep_the_lines_of_the_next_one_back() -> None:
    out = io.StringIO()
    setup("info", out)

    async def tells() -> None:
        structlog.get_logger().info("call.step", n=1)
        await asyncio.sleep(0)

    ended = asyncio.new_event_loop()
    ended.call_soon(lambda: (structlog.get_logger().info("call.step", n=0), ended.stop()))
    ended.run_forever()
    ended.close()
    asyncio.run(tells())
    assert [json.loads(line)["n"] for line in out.getvalue().splitlines()] == [0, 1]


async def test_a_threads_line_is_written_at_once() -> None:
    out = io.StringIO()
    setup("info", out)
    await asyncio.to_thread(structlog.get_logger().info, "speech.made")
    assert json.loads(out.getvalue())["event"] == "speech.made"


@pytest.mark.parametrize(("number", "masked"), [
    ("+4930123455", "+493…55"), ("004930123455", "0049…55"), ("112", "…"), ("", "…"), ("12345", "…45")])
def test_numbers_are_masked(number: str, masked: str) -> None:
    assert mask(number) == masked
