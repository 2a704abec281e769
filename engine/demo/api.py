"""A public API as a client uses it. What is not a success, or does not come in time, ends the demonstration."""

import csv
import io
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from engine.demo.checks import DemoFailed

SILENT_S = 30  # no event, not even a sign of life


class Refused(DemoFailed):
    """The API answered, and said no."""

    def __init__(self, what: str, status: int, answer: str) -> None:
        super().__init__(f"{what} answered {status}: {answer}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Event:
    """One of `/ringward/v1/events`; the first is ours: `listening`."""

    type: str
    data: dict[str, Any]
    at: str = ""  # RFC 3339


class Api:
    """All below one URL, as the user whom `headers` name."""

    def __init__(self, session: aiohttp.ClientSession, url: str, headers: Mapping[str, str]) -> None:
        self._session, self._url, self._headers = session, url, headers

    async def get(self, path: str, **query: str | int) -> Any:
        return json.loads(await self._send("GET", path, params=query))

    async def post(
        self, path: str, body: dict[str, Any] | None = None, *, key: str = "", **query: str | int,
    ) -> Any:
        """`key`: so that the same POST, sent again, does nothing a second time."""
        headers = {"Idempotency-Key": key} if key else {}
        return json.loads(await self._send("POST", path, json=body, params=query, headers=headers))

    async def put(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return json.loads(await self._send("PUT", path, json=body))

    async def post_csv(self, path: str, rows: str) -> Any:
        return json.loads(await self._send("POST", path, data=rows.encode(), headers={"Content-Type": "text/csv"}))

    async def put_file(self, path: str, content: bytes, type: str) -> Any:
        return json.loads(await self._send("PUT", path, data=content, headers={"Content-Type": type}))

    async def get_csv(self, path: str) -> list[dict[str, str]]:
        """The rows of a CSV with a header."""
        return list(csv.DictReader(io.StringIO(await self._send("GET", path), newline="")))

    async def events(self) -> AsyncIterator[Event]:
        """What happens from now on, as it happens (server-sent events)."""
        timeout = aiohttp.ClientTimeout(total=None, sock_read=SILENT_S)
        try:
            async with self._session.get(self._url + "/events", headers=self._headers, timeout=timeout) as answer:
                if answer.status != 200:
                    raise Refused("GET /events", answer.status, await answer.text())
                yield Event("listening", {})
                async for line in answer.content:
                    if line.startswith(b"data:"):
                        told = json.loads(line.removeprefix(b"data:"))
                        yield Event(told["type"], told["data"], told["at"])
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DemoFailed(f"GET /events: {error!r}") from error

    async def _send(self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any) -> str:
        sent = {**self._headers, **(headers or {})}
        try:
            async with self._session.request(method, self._url + path, headers=sent, **options) as response:
                answer = await response.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DemoFailed(f"{method} {path}: {error!r}") from error
        if response.status not in (200, 201):
            raise Refused(f"{method} {path}", response.status, answer)
        return answer
