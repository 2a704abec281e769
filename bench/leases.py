"""The leases of waiting callers as Asterisk has them, asked by a connection of the bench's own.

Every question of a turn is written at once and the answers are read in the order in which they come: 200 take about
20 ms, of which Asterisk works for a few.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager

from bench.bare_ami import BareAmi
from engine.settings import Settings

HOLD = "rw-hold"


class Leases(BareAmi):
    """Times are monotonic seconds."""

    @classmethod
    @asynccontextmanager
    async def of(cls, settings: Settings) -> AsyncIterator["Leases"]:
        ami = await cls.connect(settings)
        try:
            yield ami
        finally:
            await ami.close()

    async def waiting(self) -> list[str]:
        """The channels that hear music under a lease."""
        self._writer.write(b"Action: CoreShowChannels\r\n\r\n")
        found = []
        async with asyncio.timeout(10):
            while True:
                message = await self._message()
                match message.get("Event"):
                    case "CoreShowChannel" if message["Context"] == HOLD:
                        found.append(message["Channel"])
                    case "CoreShowChannelsComplete":
                        return found

    async def ends(self, channels: Collection[str]) -> Mapping[str, float]:
        """When the lease of each ends. A channel that is gone or has no lease is not there."""
        self._writer.write("".join(
            f"Action: Getvar\r\nActionID: {channel}\r\nChannel: {channel}\r\nVariable: TIMEOUT(absolute)\r\n\r\n"
            for channel in channels).encode())
        found: dict[str, float] = {}
        async with asyncio.timeout(10):
            for _ in channels:
                message = await self._message()
                left_s = float(message.get("Value") or 0)
                if left_s > 0:
                    found[message["ActionID"]] = time.monotonic() + left_s
        return found
