"""One test, two switches: the memory twin with its scripted people, and a real Asterisk with phones on its trunk."""

import asyncio
import contextlib
import itertools
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from engine.app import push_of
from engine.ports import Connected, Switch, SwitchEvent
from engine.runtime.asterisk import Asterisk
from engine.switch.asterisk.switch import AsteriskSwitch
from engine.switch.memory import MemorySwitch, Phone
from engine.vocabulary.commands import HangUp
from engine.vocabulary.events import CallArrived
from engine.vocabulary.values import AlarmAsk
from tests.contract.sip_peer import Behaviour, SipPeer

E = TypeVar("E")
SOUND = "cache/contract"
_numbers = itertools.count(1)


def fresh_number(prefix: str = "4930") -> str:
    """Numbers are not shared between tests: the real switch remembers."""
    return f"{prefix}555{next(_numbers):05d}"


class World(Protocol):
    switch: Switch
    claim_s: float

    def phone(self, number: str, phone: Phone) -> None: ...

    async def arrive(self, did: str, caller: str = "4917012345") -> CallArrived: ...

    async def next(self, kind: type[E], leg: str = "", within_s: float = 8) -> E: ...

    async def quiet(self, kind: type[Any], leg: str, for_s: float = 1.5) -> None:
        """Nothing of this kind is told about the leg for a while."""

    def hang_up(self, leg: str) -> None: ...

    def press(self, leg: str, key: str) -> None: ...

    def told(self, kind: type[E], leg: str) -> list[E]: ...


class Heard:
    """Every event so far; each is given out once by `take`."""

    def __init__(self) -> None:
        self.all: list[SwitchEvent] = []
        self.taken: set[int] = set()
        self.came = asyncio.Condition()

    async def listen(self, switch: Switch) -> None:
        async for event in switch.events():
            async with self.came:
                self.all.append(event)
                self.came.notify_all()

    def take(self, kind: type[E], leg: str) -> E | None:
        for i, event in enumerate(self.all):
            if i not in self.taken and isinstance(event, kind) and (not leg or getattr(event, "leg", "") == leg):
                self.taken.add(i)
                return event
        return None

    def told(self, kind: type[E], leg: str) -> list[E]:
        return [event for event in self.all if isinstance(event, kind) and getattr(event, "leg", "") == leg]


class MemoryWorld:
    def __init__(self) -> None:
        self.switch = self.memory = MemorySwitch()
        self.claim_s = self.memory.claim_s
        self.heard = Heard()

    def phone(self, number: str, phone: Phone) -> None:
        self.memory.phones[number] = phone

    async def arrive(self, did: str, caller: str = "4917012345") -> CallArrived:
        leg = self.memory.arrive(did, caller)
        return await self.next(CallArrived, leg)

    async def next(self, kind: type[E], leg: str = "", within_s: float = 8) -> E:
        for _ in range(int(within_s * 100) + 1):
            await self._drain()
            if found := self.heard.take(kind, leg):
                return found
            self.memory.advance(0.01)
        raise AssertionError(f"no {kind.__name__}; told: {self.heard.all[-8:]}")

    async def quiet(self, kind: type[Any], leg: str, for_s: float = 1.5) -> None:
        self.memory.advance(for_s)
        await self._drain()
        assert self.heard.take(kind, leg) is None

    def hang_up(self, leg: str) -> None:
        self.memory.hang_up(leg)

    def press(self, leg: str, key: str) -> None:
        self.memory.press(leg, key)

    def told(self, kind: type[E], leg: str) -> list[E]:
        return self.heard.told(kind, leg)

    async def _drain(self) -> None:
        for _ in range(3):
            await asyncio.sleep(0)


class AsteriskWorld:
    def __init__(self, asterisk: Asterisk, peer: SipPeer, switch: AsteriskSwitch) -> None:
        host, _, port = asterisk.sip.rpartition(":")
        self.address = (host, int(port))
        self.peer = peer
        self.switch = self.real = switch
        self.claim_s = asterisk.settings.claim_s
        self.heard = Heard()
        self.running: list[asyncio.Task[None]] = []

    def phone(self, number: str, phone: Phone) -> None:
        self.peer.behaviour[number] = Behaviour(
            status=phone.refuses, answer_s=phone.answers_s, keys=phone.keys or "".join(phone.enters), key_s=phone.key_s,
            hang_up_s=phone.hangs_up_s, pins=phone.pins)

    async def arrive(self, did: str, caller: str = "4917012345") -> CallArrived:
        await self.peer.call(did, self.address, caller)
        return await self._until(lambda: next(
            (event for i, event in enumerate(self.heard.all) if i not in self.heard.taken
             and isinstance(event, CallArrived) and event.did == did and not self.heard.taken.add(i)), None), 5, "call")

    async def next(self, kind: type[E], leg: str = "", within_s: float = 8) -> E:
        return await self._until(lambda: self.heard.take(kind, leg), within_s, kind.__name__)

    async def _until(self, search: Callable[[], E | None], within_s: float, what: str) -> E:
        async with self.heard.came:
            try:
                async with asyncio.timeout(within_s):
                    while (found := search()) is None:
                        await self.heard.came.wait()
            except TimeoutError:
                raise AssertionError(f"no {what} within {within_s} s; told: {self.heard.all[-8:]}") from None
            return found

    async def quiet(self, kind: type[Any], leg: str, for_s: float = 1.5) -> None:
        try:
            found = await self.next(kind, leg, for_s)
        except AssertionError:
            return
        raise AssertionError(f"{found} was told")

    def hang_up(self, leg: str) -> None:
        """By the SIP call whose channel this is: found by what only the wire and the event have in common."""
        self.peer.hang_up(self.dialog(leg))

    def press(self, leg: str, key: str) -> None:
        self.peer.start(self.dialog(leg), self.dialog(leg).rtp.press(key))

    def dialog(self, leg: str) -> Any:
        arrived = self.told(CallArrived, leg)
        number = arrived[0].did if arrived else self.numbers[leg]
        return next(d for d in reversed(self.peer.dialogs.values()) if d.number == number)

    def stop(self) -> None:
        """No engine any more; nothing is said to the switch."""
        for task in self.running:
            task.cancel()

    numbers: dict[str, str] = {}  # noqa: RUF012 -- one per world, see open_asterisk

    def told(self, kind: type[E], leg: str) -> list[E]:
        return self.heard.told(kind, leg)


def write_sound(folder: Path, name: str, seconds: float) -> None:
    path = folder / f"{name}.ulaw"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_bytes((b"\x90" * 16 + b"\x10" * 16) * int(seconds * 250))


# Short prompts of a language of the tests' own, each of one level, so that a phone can tell which one it hears.
VOICE = "zz"
PROMPTS = ("intro", "key-1", "decline-9", "repeat", "pin", "pin-wrong", "pin-refused", "confirmed", "declined",
           "enough", "bye")
MESSAGE, CLOSING = "cache/alarm", "cache/closing"
LEVELS = {name: 0x81 + i for i, name in enumerate((*PROMPTS, MESSAGE, CLOSING))}


def alarm_ask(**changes: Any) -> AlarmAsk:
    return AlarmAsk(**{"message": MESSAGE, "voice": VOICE, "key": "1", "decline_key": "9", **changes})


def write_prompts(folder: Path, seconds: float = 0.1) -> None:
    for name, level in LEVELS.items():
        path = folder / (f"{name}.ulaw" if "/" in name else f"{VOICE}/alarm-{name}.ulaw")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([level]) * int(seconds * 8000))


@contextlib.asynccontextmanager
async def open_memory() -> AsyncIterator[MemoryWorld]:
    world = MemoryWorld()
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(world.switch.run()), tasks.create_task(world.heard.listen(world.switch))]
        await world.next(Connected)
        try:
            yield world
        finally:
            for task in running:
                task.cancel()


@contextlib.asynccontextmanager
async def open_asterisk(asterisk: Asterisk) -> AsyncIterator[AsteriskWorld]:
    write_sound(asterisk.sounds, SOUND, 0.4)
    write_prompts(asterisk.sounds)
    switch = AsteriskSwitch("127.0.0.1", asterisk.ami_port, asterisk.settings.ami_user, asterisk.ami_secret,
                            asterisk.settings.trunk_addresses(), asterisk.settings.acks,
                            asterisk.settings.recordings, push_of(asterisk.settings))
    match = re.fullmatch(r".*:(\d+)", asterisk.trunk)
    assert match
    async with SipPeer.open(int(match[1])) as peer, asyncio.TaskGroup() as tasks:
        world = AsteriskWorld(asterisk, peer, switch)
        world.numbers = {}
        world.running = [tasks.create_task(switch.run()), tasks.create_task(world.heard.listen(switch))]
        try:
            await world.next(Connected)
            yield world
            if switch.is_up:
                switch.send([HangUp(leg.leg, 16) for leg in (await switch.live()).values()])
        finally:
            world.stop()
