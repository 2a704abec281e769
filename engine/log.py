"""Logging of every process: structlog, for people on a terminal, as JSON lines otherwise, always to stderr.

Lines of libraries (aiohttp, asyncpg, …) look the same. Ours do not go through the standard library's logging: a busy
engine writes hundreds in a second, those of one turn of its loop in one piece. What looks like a secret by its key is
never written, and a phone number goes through `mask` first.
"""

import asyncio
import atexit
import json
import logging
import sys
from collections import deque
from collections.abc import MutableMapping
from contextlib import suppress
from functools import cache
from typing import Any, TextIO

import orjson
import structlog

SECRET_WORDS = ("token", "secret", "password", "authorization", "digest", "database_url", "dsn")


def setup(level: str = "info", stream: TextIO | None = None) -> None:
    """Called once, when a process starts."""
    out = stream or sys.stderr
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_secrets,
    ]
    is_terminal = out.isatty()
    # plain: the tracebacks that people would get otherwise show variables, pins and numbers among them
    for_people = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    render: list[Any] = [for_people] if is_terminal else [
        structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_json)]
    structlog.configure(
        processors=[*shared, *render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=_Lines(out), cache_logger_on_first_use=True)
    handler = logging.StreamHandler(out)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render]))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())


class _Lines:
    """structlog's logger, and its factory: what is written in one turn of the event loop is one write."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._waiting: deque[str] = deque()     # threads write as well
        self._asked: asyncio.AbstractEventLoop | None = None    # to flush
        atexit.register(self._flush)

    def __call__(self, *_: Any) -> "_Lines":
        return self

    def msg(self, line: str) -> None:
        self._waiting.append(line + "\n")
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:    # of another thread, or before and after the loop
            self._flush()
            return
        if loop is not self._asked:
            self._asked = loop
            loop.call_soon(self._flush)

    log = debug = info = warn = warning = error = critical = exception = fatal = msg

    def _flush(self) -> None:
        self._asked = None
        lines = []
        with suppress(IndexError):
            while True:
                lines.append(self._waiting.popleft())
        if lines:
            self._out.write("".join(lines))
            self._out.flush()


def without_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in event:
        if _is_secret(key):
            event[key] = "***"
    return event


@cache
def _is_secret(key: str) -> bool:
    return any(word in key.lower() for word in SECRET_WORDS)


def _json(event: MutableMapping[str, Any], default: Any) -> str:
    """Text from outside may hold halves of surrogate pairs, of which orjson makes an error: a line is never lost."""
    try:
        return orjson.dumps(event, default=default, option=orjson.OPT_NON_STR_KEYS).decode()
    except orjson.JSONEncodeError:
        return json.dumps(event, default=repr, skipkeys=True)


def mask(number: str) -> str:
    """A phone number as it may stand in a log: `+493…55`."""
    return f"{number[:4]}…{number[-2:]}" if len(number) > 7 else "…" + number[-2:] * (len(number) > 3)
