"""Receivers of webhooks as they are met: real servers on loopback, polite ones and others; and senders to serve them.

    async with webhook_desk(database_url) as desk, Receiver() as receiver, desk.sender():
        await desk.webhook(receiver.url)
        await desk.happened("alarm.created", alarmID=1)
        await receiver.has(1)
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any

from prometheus_client import CollectorRegistry
from standardwebhooks import Webhook as Verifier

from api.webhooks.guard import Guard, Lookup
from api.webhooks.schedule import Schedule
from api.webhooks.sender import Pace, Sender
from api.webhooks.signature import new_secret
from engine.store.pool import create_pool
from engine.store.webhooks import Delivery, PostgresDeliveries, PostgresWebhooks, Webhook, WebhookData
from tests.directories import World, world

LOOPBACK = [ip_network("127.0.0.0/8")]
TYPES = ("alarm.created", "alarm.acknowledged", "alarm.finished", "recipient.acknowledged", "recipient.declined",
         "call.finished")
FAR_OFF = 10**15


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """What the library of receivers makes of it: the body. Raises WebhookVerificationError."""
        return Verifier(secret).verify(self.body, self.headers)


Behaviour = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


def answering(*statuses: int, **headers: str) -> Behaviour:
    """With one status after the other, the last one for ever."""
    left = list(statuses)

    async def answer(_: Request, writer: asyncio.StreamWriter) -> None:
        status = left.pop(0) if len(left) > 1 else left[0]
        lines = [f"HTTP/1.1 {status} X", "Content-Length: 0",
                 *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        await writer.drain()
    return answer


async def never(_: Request, __: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


def dripping(text: bytes, pause_s: float) -> Behaviour:
    async def drip(_: Request, writer: asyncio.StreamWriter) -> None:
        for byte in text:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(pause_s)
        await asyncio.Event().wait()
    return drip


class Receiver:
    """`behave` answers each request that came in whole."""

    def __init__(self, behave: Behaviour | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.behave = behave or answering(204)
        self._tls = tls
        self.requests: list[Request] = []
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> "Receiver":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        self._open: set[asyncio.Task[Any]] = set()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._open.add(task)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
            body = await reader.readexactly(int(headers["content-length"]))
            request = Request(head[0].split()[1], headers, body)
            async with self._changed:
                self.requests.append(request)
                self._changed.notify_all()
            await self.behave(request, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass                # the sender had enough, or the test is over
        finally:
            self._open.discard(task)
            writer.close()

    async def has(self, count: int) -> list[Request]:
        """Waits until so many requests came."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(lambda: len(self.requests) >= count)
        return self.requests


@dataclass
class WebhookDesk:
    """An organisation with webhooks, and what happens in it."""

    world: World
    database_url: str
    organisation_id: int
    webhooks: PostgresWebhooks

    async def webhook(self, url: str, types: Sequence[str] = TYPES) -> Webhook:
        data = WebhookData(url, tuple(types), "", True)
        made = await self.webhooks.create(self.organisation_id, data, new_secret())
        assert made
        return made

    async def happened(self, type: str = "alarm.created", **data: Any) -> None:
        await self.world.pool.execute(
            "INSERT INTO events (organisation_id, at, type, data) VALUES ($1, now(), $2, $3)",
            self.organisation_id, type, json.dumps(data))

    async def deliveries(self, webhook: Webhook) -> Sequence[Delivery]:
        """Oldest first."""
        found = await self.webhooks.deliveries(self.organisation_id, webhook.webhook_id, FAR_OFF, 1000)
        return found[::-1]

    async def until(self, webhook: Webhook, *states: str) -> Sequence[Delivery]:
        """Waits until its deliveries are in these states, oldest first."""
        async with asyncio.timeout(10):
            while True:
                found = await self.deliveries(webhook)
                if tuple(it.state for it in found) == states:
                    return found
                await asyncio.sleep(0.01)

    async def tried(self, webhook: Webhook) -> Delivery:
        """Waits until something came of its one delivery."""
        async with asyncio.timeout(10):
            while True:
                [found] = await self.deliveries(webhook)
                if found.last_status or found.last_error:
                    return found
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def sender(self, *, lookup: Lookup | None = None, allow: Sequence[Any] = LOOPBACK,
                     pauses_s: Sequence[float] = (0.05, 0.05), **pace: Any) -> AsyncIterator[CollectorRegistry]:
        """One that runs meanwhile, fast; its figures."""
        registry = CollectorRegistry()
        times = {"timeout_s": 0.5, "lease_s": 20, "poll_s": 0.05, "mark_again_s": 0.05,
                 "schedule": Schedule(pauses_s), **pace}
        pool = await create_pool(self.database_url, max_size=3)
        sender = Sender(PostgresDeliveries(self.database_url, pool), Guard(allow, lookup), registry, Pace(**times))
        try:
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(sender.run())
                yield registry
                running.cancel()
        finally:
            pool.terminate()


@asynccontextmanager
async def webhook_desk(database_url: str) -> AsyncIterator[WebhookDesk]:
    async with world(database_url) as made:
        org = await made.organisation()
        yield WebhookDesk(made, database_url, org.id, PostgresWebhooks(made.pool))
