"""An engine that dies at a chosen boundary, and the world that goes on without it.

A boundary is a moment between two effects: before and after each commit, before and after each order written to the
switch, before and after each event taken from it. `Fate` counts them; at the chosen one the engine is gone as after
SIGKILL: nothing of it has an effect any more, what it had in memory is lost, what the switch tells meanwhile is told to
nobody. A new engine then takes over the same store and the same switch.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from engine.app import Engine
from engine.ports import (
    AckNote,
    AlarmOrder,
    AlarmStore,
    Batch,
    CallBack,
    CallStore,
    FallbackRow,
    HotlineStore,
    QueuedAlarm,
    Restraints,
    SavedCall,
    SwitchEvent,
)
from engine.settings import Settings
from engine.switch.memory import MemorySwitch
from engine.vocabulary.commands import Dial, Play, SwitchCommand
from engine.vocabulary.values import Hotline, LiveLeg

NEVER = 1 << 30


class Killed(BaseException):
    """Nothing of the engine catches this."""


class Fate:
    """Passes boundaries until the chosen one."""

    def __init__(self, at: int = NEVER) -> None:
        self.at = at
        self.passed: list[str] = []
        self.is_dead = False

    def boundary(self, name: str) -> None:
        if not self.is_dead:
            self.passed.append(name)
            self.is_dead = len(self.passed) == self.at
        if self.is_dead:
            raise Killed(name)


class MortalStore:
    """A CallStore in the hands of an engine that may die."""

    def __init__(self, store: CallStore, fate: Fate) -> None:
        self._store = store
        self._fate = fate

    async def take_over(self, stale_after_s: float) -> bool:
        return await self._store.take_over(stale_after_s)

    async def save(self, batch: Batch) -> None:
        if batch.calls:
            self._fate.boundary("before save")
        await self._store.save(batch)
        if batch.calls:
            self._fate.boundary("after save")

    async def load_calls(self) -> Sequence[SavedCall]:
        return await self._store.load_calls()

    async def call_of_leg(self, caller_leg: str) -> str | None:
        return await self._store.call_of_leg(caller_leg)

    async def close(self) -> None:
        await self._store.close()


class MortalAlarms:
    """An AlarmStore in the hands of an engine that may die."""

    def __init__(self, alarms: AlarmStore, fate: Fate) -> None:
        self._alarms = alarms
        self._fate = fate

    async def claim(self, limit: int) -> Sequence[QueuedAlarm]:
        if queued := await self._alarms.claim(limit):
            self._fate.boundary("after claim")
        return queued

    async def orders(self) -> Sequence[AlarmOrder]:
        return await self._alarms.orders()

    async def forget_orders(self, order_ids: Sequence[int]) -> None:
        self._fate.boundary("before orders are forgotten")
        await self._alarms.forget_orders(order_ids)

    async def call_of_attempt(self, leg: str) -> str | None:
        return await self._alarms.call_of_attempt(leg)

    async def acknowledge_late(self, note: AckNote) -> None:
        self._fate.boundary("before a late acknowledgement")
        await self._alarms.acknowledge_late(note)

    async def call_back(self, did: str, caller: str) -> CallBack | None:
        return await self._alarms.call_back(did, caller)

    async def restraints(self, since: datetime) -> Restraints:
        return await self._alarms.restraints(since)

    async def recording(self, organisation_id: int, recording_id: int) -> bytes | None:
        return await self._alarms.recording(organisation_id, recording_id)

    async def changes(self) -> AsyncIterator[None]:
        async for _ in self._alarms.changes():
            yield None


class MortalLink:
    """A Switch in the hands of an engine that may die. Orders go out one by one, with a boundary before each."""

    def __init__(self, switch: "Town", fate: Fate) -> None:
        self._switch = switch
        self._fate = fate

    @property
    def lag_s(self) -> float:
        return 0.0

    async def run(self) -> None:
        await self._switch.run()

    async def events(self) -> AsyncIterator[SwitchEvent]:
        async for event in self._switch.events():
            self._fate.boundary(f"before {type(event).__name__}")
            yield event
            self._fate.boundary(f"after {type(event).__name__}")

    def now(self) -> datetime:
        return self._switch.now()

    def send(self, commands: Sequence[SwitchCommand]) -> None:
        for command in commands:
            self._fate.boundary(f"before {type(command).__name__}")
            before = len(self._switch.sent)
            self._switch.send([command])
            if len(self._switch.sent) == before:  # it came too late: the rest of the step is dropped as well
                return
        if commands:
            self._fate.boundary("after all orders")

    def renew(self, legs: Sequence[str], lease_s: int) -> None:
        if not self._fate.is_dead:
            self._switch.renew(legs, int(self._switch.lease_s))

    async def live(self) -> Mapping[str, LiveLeg]:
        return await self._switch.live()

    async def put_hotlines(self, hotlines: Sequence[Hotline]) -> None:
        await self._switch.put_hotlines(hotlines)

    async def fallback_rows(self) -> Sequence[FallbackRow]:
        return await self._switch.fallback_rows()

    async def forget(self, rows: Sequence[FallbackRow]) -> None:
        if self._fate.is_dead:
            raise Killed("forget")
        await self._switch.forget(rows)

    async def acknowledgements(self) -> Sequence[AckNote]:
        return await self._switch.acknowledgements()

    async def forget_acknowledgements(self, notes: Sequence[AckNote]) -> None:
        self._fate.boundary("before the notes are forgotten")
        await self._switch.forget_acknowledgements(notes)


@dataclass(slots=True)
class Town(MemorySwitch):
    """The switch and its people, with a memory of who ever talked with whom. Acts out that a fallback rings in vain."""

    joins: set[frozenset[str]] = field(default_factory=set)
    in_vain_s: float = 6.0
    apologies: int = 0  # spoken by the dialplan itself

    def _join(self, leg, peer) -> None:  # type: ignore[no-untyped-def]
        self.joins.add(frozenset((leg.leg, peer.leg)))
        MemorySwitch._join(self, leg, peer)

    def _fall(self, leg) -> None:  # type: ignore[no-untyped-def]
        MemorySwitch._fall(self, leg)
        if leg.place == "rw-fall":
            self._later(leg, self.in_vain_s, lambda: self._give_up(leg))

    def _give_up(self, leg) -> None:  # type: ignore[no-untyped-def]
        self.exhaust(leg.leg)
        self._later(leg, self.claim_s, lambda: self._say_sorry(leg))

    def _say_sorry(self, leg) -> None:  # type: ignore[no-untyped-def]
        self.apologies += 1
        self.leave_row(leg.leg, "apology")
        self._later(leg, 1.0, lambda: self.hang_up(leg.leg))

    def lose_engine(self) -> None:
        """The connection is gone, and what was told but not read with it."""
        self.cut()
        while not self._events.empty():
            self._events.get_nowait()

    def call_later(self, after_s: float, act: Callable[[], None]) -> None:
        """An engine's timers go by the time of its people."""
        self._at(after_s, act)

    def next_s(self, at_most: float) -> float:
        """Seconds until something is due."""
        due = min((at for at, _, _ in self._due), default=self._now + timedelta(seconds=at_most))
        return min(at_most, max(0.0, (due - self._now).total_seconds()))

    def partner_of(self, leg: str) -> str:
        return self._legs[leg].partner if leg in self._legs else ""

    @property
    def living(self) -> list[str]:
        return list(self._legs)

    def rung(self) -> dict[str, int]:
        """How often each number was dialled."""
        times: dict[str, int] = {}
        for order in self.sent:
            if isinstance(order, Dial):
                times[order.number] = times.get(order.number, 0) + 1
        return times

    def apologised(self, leg: str) -> bool:
        said = any(isinstance(one, Play) and one.leg == leg and one.sound.endswith("/apology") for one in self.sent)
        return said or self.apologies > 0


class Silence:
    """ports.Speech that is always ready and has spoken everything already."""

    ready = True

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def render(self, text: str, language: str, *, urgency: int = 0) -> str:
        return "cache/00"

    async def convert(self, wav: bytes) -> str:
        return "rec/00"

    async def prune(self, in_use: Collection[str]) -> None: ...

    def path(self, sound: str) -> Path:
        return Path(sound)


class TownClock:
    """ports.Clock by the switch's time."""

    def __init__(self, switch: MemorySwitch) -> None:
        self._switch = switch

    def now(self) -> datetime:
        return self._switch.now()

    def monotonic(self) -> float:
        return (self._switch.now() - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds()


@cache
def settings() -> Settings:
    """Rounds follow at once, a trunk takes every call. `lease_s` 0: leases are renewed at every tick (by the switch's
    own time)."""
    made = Settings(
        round_min_s=0, ring_timeout_s=8, rounds=3, claim_s=2, trunk_cps=100_000, throttle_15min=100, throttle_hour=100)
    return made.model_copy(update={"lease_s": 0})


class MortalEngine:
    """One life of an engine."""

    def __init__(
        self, town: Town, store: CallStore, hotlines: HotlineStore, alarms: AlarmStore, fate: Fate
    ) -> None:
        self.fate = fate
        self.engine = Engine(
            settings(), MortalLink(town, fate), MortalStore(store, fate), hotlines, MortalAlarms(alarms, fate),
            Silence())
        self.engine.calls.executing.call_later = town.call_later

    async def live(self) -> None:
        try:
            await self.engine.run()
        except* Killed:
            pass

    def tick(self) -> None:
        self.engine.calls.mailbox.tick()
