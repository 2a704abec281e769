"""The switch and its people in a crash sweep, the time that goes by them, and a voice that has spoken already."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from engine.switch.memory import MemorySwitch
from engine.vocabulary.commands import Dial, Play


@dataclass(slots=True)
class Town(MemorySwitch):
    """The switch and its people, with a memory of who ever talked with whom. Acts out that a fallback rings in vain."""

    joins: set[frozenset[str]] = field(default_factory=set)
    in_vain_s: float = 6.0
    lines: int = 500    # of the trunk
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
