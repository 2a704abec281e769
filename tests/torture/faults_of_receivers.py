"""Receivers of webhooks that turn hostile for a while: they never answer, drip, redirect without end, send megabytes.

A receiver is well-behaved until its fault strikes, and again when it heals; what it did not answer then is tried again
later. Used by the random mix (`mix.py`); the behaviours also by `test_hostile_receivers.py`.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from tests.receivers import TYPES, Behaviour, Receiver, Request, answering, dripping, never
from tests.torture.faults import Fault
from tests.torture.world import World

LOOPBACK = "127.0.0.0/8"
DRIP_S = 1.0
MEGABYTE = 1 << 20
SENT = 10 * MEGABYTE
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
TOLD_WITHIN_S = 90.0        # of what an api that was killed had in hand: its lease is over, and then some
FINISHED = b'"alarm.finished"'


async def sends_ten_megabytes(_: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + f"Content-Length: {SENT}\r\n\r\n".encode())
    for _ in range(SENT // MEGABYTE):
        writer.write(bytes(MEGABYTE))
        await writer.drain()


async def sends_a_head_without_end(_: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD)
    for _ in range(SENT // MEGABYTE):
        writer.write(b"X-More: " + b"a" * MEGABYTE + b"\r\n")
        await writer.drain()


async def drips_its_body(_: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Content-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(DRIP_S)


def redirecting(to: str) -> Behaviour:
    async def redirect(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 307 X\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
    return redirect


def hostilities(elsewhere: str) -> Mapping[str, Behaviour]:
    """`elsewhere`: where the redirects lead to."""
    return {
        "never answers": never, "drips its head": dripping(HEAD, DRIP_S), "drips its body": drips_its_body,
        "sends 10 MB": sends_ten_megabytes, "sends a head of 10 MB": sends_a_head_without_end,
        "redirects": redirecting(elsewhere),
    }


@dataclass(frozen=True, slots=True)
class ReceiverTurnsHostile:
    receiver: Receiver
    behaviour: Behaviour
    name: str
    harms: frozenset[str] = frozenset({"webhooks"})
    lasts_s: tuple[float, float] = (2.0, 12.0)

    async def strike(self, world: World) -> None:
        self.receiver.behave = self.behaviour

    async def heal(self, world: World) -> None:
        self.receiver.behave = answering(204)


@dataclass(frozen=True, slots=True)
class Receivers:
    """`polite` is told everything, whatever the others do; nobody follows a redirect to `elsewhere`."""

    polite: Receiver
    elsewhere: Receiver
    moody: Mapping[str, Receiver]

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator["Receivers"]:
        async with AsyncExitStack() as stack:
            polite, elsewhere = [await stack.enter_async_context(Receiver()) for _ in range(2)]
            yield cls(polite, elsewhere, {
                name: await stack.enter_async_context(Receiver()) for name in hostilities(elsewhere.url)})

    def faults(self) -> Sequence[Fault]:
        behaviours = hostilities(self.elsewhere.url)
        return [ReceiverTurnsHostile(self.moody[name], behave, f"receiver {name}")
                for name, behave in behaviours.items()]

    async def are_told(self, world: World) -> None:
        """Of whatever happens in this world from now on."""
        for receiver in (*self.moody.values(), self.polite):
            await world.muster.post("/webhooks", {"url": receiver.url, "types": list(TYPES)})

    async def check(self, world: World, alarms: Sequence[int]) -> None:
        """The polite one hears of the end of each of these alarms, in one message (which may come again)."""
        def missing() -> set[int]:
            return set(alarms) - {alarm for alarm, _ in self._ends()}

        async def all_told() -> bool:
            return not missing()
        try:
            await world.town.until(all_told, "the polite receiver is told of every alarm's end", TOLD_WITHIN_S)
        finally:
            if missing():
                print("not told of the end of", missing(), [dict(row) for row in await world.fetch(
                    "SELECT d.* FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id "
                    "WHERE w.url = $1 AND d.state <> 'delivered'", self.polite.url)])
        ends = self._ends()
        assert sorted(alarm for alarm, _ in ends) == sorted(alarms), f"ends told twice, or of nobody's alarm: {ends}"
        assert not self.elsewhere.requests, "a redirect was followed"

    def _ends(self) -> set[tuple[int, str]]:
        """Alarm and message, of each end that the polite one was told of."""
        return {(alarm_of(request), request.message_id) for request in self.polite.requests
                if FINISHED in request.body}


def alarm_of(request: Request) -> int:
    return int(json.loads(request.body)["data"]["alarmID"])


IN_MIX: Sequence[Fault] = ()    # each needs its receiver
