"""Callers who wait, as a process of its own: the calls that are up while something else is measured.

Each calls a hotline, hears its music and speaks as long: what is heard goes back (`bench/media.py`). They take orders
by standard input, a line of JSON each, and answer with a line: `LoadCallers` sends them.
"""

import asyncio
import contextlib
import json
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, NamedTuple

from bench.media import TICK_S, Media
from engine.runtime.child import command
from engine.runtime.ports import Address
from engine.softphone.endpoint import Endpoint
from engine.softphone.journal import Journal
from engine.softphone.placed_call import PlacedCall
from engine.softphone.sdp import EVENT_TYPE, describe

HOST = "127.0.0.1"
MEDIA_EVERY_S = 0.005
NEVER = 1 << 40         # packets after which `Media.tick` would name a call
APART_S = 0.02          # between two INVITEs
ANSWERED_WITHIN_S = 20
GREETED_S = 8.0         # whoever was up so long has heard the greeting, of which the engine is told
FIRST_CALLER = 4917012340000


class Waited(NamedTuple):
    """What calls heard since they were asked last: the share of packets due that came to the one that heard least,
    packets lost on the way, and how many calls have ended by themselves."""

    calls: int
    least: float
    lost: int
    ended: int


class Heard(NamedTuple):
    """What one call heard in so many seconds."""

    packets: int
    lasted_s: float
    lost: int


class _Caller(PlacedCall):
    """Its audio goes by a port that all share."""

    def __init__(self, media: Media, *arguments: Any, **options: Any) -> None:
        self._shared = media
        self.place: int | None = None
        self.since = 0.0
        super().__init__(*arguments, rtp=False, **options)

    def _describe(self) -> str:
        self._sdp = describe(HOST, self._shared.port, ("PCMA",), EVENT_TYPE)
        return self._sdp

    def listen(self) -> None:
        """From now on it counts what it hears."""
        assert self.media is not None
        self.place, self.since = self._shared.open(self.media.remote[1], NEVER), time.monotonic()

    def counted(self) -> Heard:
        """What it heard since it was asked last; it listens anew."""
        assert self.place is not None
        heard, lasted_s = self._shared.close(self.place), time.monotonic() - self.since
        self.listen()
        return Heard(heard.packets, lasted_s, heard.lost)


class Callers:
    """The process."""

    def __init__(self, at: tuple[str, int], numbers: Sequence[str]) -> None:
        self._at, self._numbers = at, numbers
        self._media = Media(HOST)
        self._endpoint = Endpoint(lambda *_: 404)
        self._journal = Journal()
        self._calls: list[_Caller] = []

    async def serve(self) -> None:
        """Until standard input ends."""
        await self._endpoint.open(HOST, 0)
        async with asyncio.TaskGroup() as tasks:
            media = tasks.create_task(self._play())
            while line := await asyncio.to_thread(sys.stdin.readline):
                print(json.dumps(await self._obey(json.loads(line))), flush=True)
            media.cancel()
        for call in self._calls:
            call.hang_up()
        await self._endpoint.close()

    async def _play(self) -> None:
        while True:
            for _ in self._media.tick(time.monotonic()):
                pass
            await asyncio.sleep(MEDIA_EVERY_S)

    async def _obey(self, order: Any) -> Any:
        if order["do"] == "up":
            await self._up(order["calls"])
        return self._heard()

    async def _up(self, calls: int) -> None:
        """So many are up, and hear music: more call, or the last hang up."""
        for call in self._calls[calls:]:
            call.hang_up()
            call.forget()
        del self._calls[calls:]
        while len(self._calls) < calls:
            place = len(self._calls)
            self._calls.append(_Caller(
                self._media, self._endpoint, self._journal, str(FIRST_CALLER + place),
                self._numbers[place % len(self._numbers)], self._at))
            await asyncio.sleep(APART_S)
        for call in self._calls:
            if call.place is None:
                await call.answered(ANSWERED_WITHIN_S)
                call.listen()
        if self._calls:
            await asyncio.sleep(max(0.0, self._calls[-1].since + GREETED_S - time.monotonic()))
        self._journal.forget()

    def _heard(self) -> Waited:
        heard = [call.counted() for call in self._calls if call.ended_at is None]
        return waited(heard, ended=len(self._calls) - len(heard))


def waited(heard: Sequence[Heard], ended: int) -> Waited:
    """Of a call each that is up, and so many that are not."""
    shares = [packets * TICK_S / lasted_s for packets, lasted_s, _ in heard]
    return Waited(len(heard), min(shares, default=1.0), sum(lost for _, _, lost in heard), ended)


class LoadCallers:
    """The process as a bench sees it."""

    def __init__(self, process: Process) -> None:
        self._process, self.pid = process, process.pid

    @classmethod
    @contextlib.asynccontextmanager
    async def started(cls, at: Address, numbers: Sequence[str]) -> AsyncIterator["LoadCallers"]:
        """They share these numbers among them, a call each in turn."""
        process = await asyncio.create_subprocess_exec(
            *command([sys.executable, "-m", "bench.load_callers", str(at), *numbers]), stdin=PIPE, stdout=PIPE)
        assert process.stdin is not None
        try:
            yield cls(process)
        finally:
            process.stdin.close()
            await process.wait()

    async def up(self, calls: int) -> None:
        """Until so many are up and hear their music."""
        await self._ask({"do": "up", "calls": calls})

    async def heard(self) -> Waited:
        """Since this was asked last."""
        return await self._ask({"do": "heard"})

    async def _ask(self, order: dict[str, Any]) -> Waited:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        return Waited(*json.loads(await self._process.stdout.readline()))


def main(at: str, numbers: Iterator[str]) -> None:
    address = Address.parse(at)
    asyncio.run(Callers((address.host, address.port), list(numbers)).serve())


if __name__ == "__main__":
    main(sys.argv[1], iter(sys.argv[2:]))
