"""The baselines of `throughput.py`: the same calls on the same Asterisk, driven by as little as can drive them.

`AmiLoop` keeps so many calls alive by one AMI connection of its own: Originate, and another one at each Hangup; no
other event reaches it. `CallFiles` drops files into Asterisk's spool, and another one when one is gone. Both dial into
a static dialplan: Read of the sound that the product's campaign plays, then Hangup. They know no outcome and store
nothing. `Campaign` is the product, driven alike.
"""

import asyncio
import ctypes
import itertools
import os
import struct
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from bench.asterisk_console import console
from bench.campaign_system import FIRST_NUMBER, CampaignSystem

CONTEXT, USER = "bench", "bench"
CALLER = "493023125500"
RAMP_S = 1.1            # the length of a call: so they end as evenly as they began
NUMBERS = 100_000
KEY_WITHIN_S = 5
_DELETED = 0x200        # IN_DELETE of inotify(7)
_libc = ctypes.CDLL(None, use_errno=True)


Channel = Callable[[int], str]


class Driver(Protocol):
    async def start(self, live: int) -> None:
        """Bring up so many calls, and keep as many alive."""

    async def stop(self) -> None:
        """Dial no more. Calls that live end by themselves."""


async def prepare(on: CampaignSystem) -> None:
    """The static dialplan, an AMI user who hears Hangup alone, and call files: beside the product, in its Asterisk."""
    asterisk = on.pid("asterisk")
    read = f"Read(D,{on.prompt.sound},1,,1,{KEY_WITHIN_S})"
    for priority, application in enumerate((read, "Hangup()"), 1):
        await console(asterisk, f"dialplan add extension s,{priority},{application} into {CONTEXT}")
    await console(asterisk, "module load pbx_spool.so")
    _add_user(on.private / "asterisk" / "manager.conf", on.settings.ami_secret)
    await console(asterisk, "manager reload")


def _add_user(configuration: Path, secret: str) -> None:
    user = [f"[{USER}]", f"secret = {secret}", "read = call", "write = call,originate", "eventfilter(name(Hangup)) ="]
    with configuration.open("a") as file:
        file.write("\n".join(["", *user, ""]))


class Baseline(ABC):
    """So many calls alive: another one whenever one is over. `channel` makes of a number what Asterisk dials."""

    def __init__(self, channel: Channel) -> None:
        self._channels = map(channel, itertools.cycle(range(FIRST_NUMBER, FIRST_NUMBER + NUMBERS)))
        self._wanted = False

    async def start(self, live: int) -> None:
        self._wanted = True
        for _ in range(live):
            self._dial(next(self._channels))
            await asyncio.sleep(RAMP_S / live)

    async def stop(self) -> None:
        self._wanted = False

    def _one_is_over(self) -> None:
        if self._wanted:
            self._dial(next(self._channels))

    @abstractmethod
    def _dial(self, channel: str) -> None: ...


class AmiLoop(Baseline, asyncio.Protocol):
    """`address`, `secret`: of AMI, for USER."""

    def __init__(self, address: tuple[str, int], secret: str, channel: Channel) -> None:
        super().__init__(channel)
        self._address, self._secret = address, secret
        self._alive: set[bytes] = set()     # channel ids that were dialled and have not hung up
        self._rest = b""
        self._transport: asyncio.WriteTransport | None = None

    async def start(self, live: int) -> None:
        if self._transport is None:
            self._transport, _ = await asyncio.get_running_loop().create_connection(lambda: self, *self._address)
            self._transport.write(f"Action: Login\r\nUsername: {USER}\r\nSecret: {self._secret}\r\n\r\n".encode())
        await super().start(live)

    def shut(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        *messages, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for message in messages:
            if message.startswith(b"Event: Hangup"):
                self._over(_header(message, b"Uniqueid"))
            elif message.startswith(b"Response: Error"):
                self._over(_header(message, b"ActionID"))

    def _over(self, leg: bytes) -> None:
        if leg in self._alive:
            self._alive.remove(leg)
            self._one_is_over()

    def _dial(self, channel: str) -> None:
        leg = str(uuid.uuid4())
        self._alive.add(leg.encode())
        assert self._transport is not None
        self._transport.write(
            f"Action: Originate\r\nActionID: {leg}\r\nChannelId: {leg}\r\nChannel: {channel}\r\n"
            f"Context: {CONTEXT}\r\nExten: s\r\nPriority: 1\r\nTimeout: 5000\r\nCallerID: {CALLER}\r\n"
            "Async: true\r\n\r\n".encode())


class CallFiles(Baseline):
    """`spool`: the folder that has `outgoing`, which Asterisk watches."""

    def __init__(self, spool: Path, channel: Channel) -> None:
        super().__init__(channel)
        self._spool = spool
        self._watch = -1
        (self._spool / "tmp").mkdir(exist_ok=True)

    async def start(self, live: int) -> None:
        if self._watch < 0:
            self._watch = _watched(self._spool / "outgoing")
            asyncio.get_running_loop().add_reader(self._watch, self._some_ended)
        await super().start(live)

    def shut(self) -> None:
        if self._watch >= 0:
            asyncio.get_running_loop().remove_reader(self._watch)
            os.close(self._watch)

    def _some_ended(self) -> None:
        """A file goes when its call has ended."""
        events, at = os.read(self._watch, 1 << 16), 0
        while at < len(events):
            length = struct.unpack_from("iIII", events, at)[3]
            at += 16 + length
            self._one_is_over()

    def _dial(self, channel: str) -> None:
        """Written elsewhere and renamed, or Asterisk would read half of it."""
        file = self._spool / "tmp" / uuid.uuid4().hex
        file.write_text(
            f"Channel: {channel}\nCallerID: {CALLER}\nMaxRetries: 0\nWaitTime: 5\n"
            f"Context: {CONTEXT}\nExtension: s\nPriority: 1\n")
        file.rename(self._spool / "outgoing" / file.name)


class Campaign:
    """Ours: live calls are limited by the trunk's channels."""

    def __init__(self, on: CampaignSystem) -> None:
        self._on = on
        self.campaign = 0

    async def start(self, live: int) -> None:
        self.campaign = await self._on.start()
        await asyncio.sleep(RAMP_S)

    async def stop(self) -> None:
        await self._on.stop(self.campaign)


def _header(message: bytes, name: bytes) -> bytes:
    return message.partition(b"\r\n" + name + b": ")[2].partition(b"\r\n")[0]


def _watched(folder: Path) -> int:
    fd = _libc.inotify_init1(os.O_NONBLOCK)
    if fd < 0 or _libc.inotify_add_watch(fd, os.fsencode(folder), _DELETED) < 0:
        raise OSError(ctypes.get_errno(), "inotify")
    return int(fd)
