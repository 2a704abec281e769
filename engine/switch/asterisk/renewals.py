"""Leases that are to be renewed, once it is known that their callers still wait. Used by `switch.py`.

A renewal that reaches a talk cuts the talk when it runs out, and what the engine knows may be old: it was stopped, or
the connection is slow, and meanwhile the dialplan joined the caller to an agent or took him into its fallback. So a
renewal is asked for by a question to the switch first. Its answer comes behind everything that was told before; the
renewal goes out with it, for those of whom nothing of that kind was told, unless the answer took so long (`within_s`)
that the dialplan may have gone on since.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.vocabulary.events import CallArrived, Event, FallbackStarted, HungUp, Joined

ACTION = "renew"


@dataclass(slots=True)
class _Asked:
    legs: list[str]
    lease_s: int
    at_s: float


class Renewals:
    """Times are monotonic seconds."""

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s
        self._asked: dict[str, _Asked] = {}
        self._moved: set[str] = set()       # by the dialplan, which serves them by itself

    def ask(self, number: int, legs: Sequence[str], lease_s: int, now_s: float) -> str:
        """The id of the question."""
        self._asked = {key: one for key, one in self._asked.items() if now_s - one.at_s < self._within_s}
        self._asked[str(number)] = _Asked(list(legs), lease_s, now_s)
        return f"{ACTION}:{number}"

    def answered(self, number: str, now_s: float) -> tuple[Sequence[str], int]:
        """Whose lease may be renewed now, and for how long."""
        asked = self._asked.pop(number, None)
        if asked is None or now_s - asked.at_s >= self._within_s:
            return (), 0
        return [leg for leg in asked.legs if leg not in self._moved], asked.lease_s

    def ordered(self, leg: str) -> None:
        """An order for it goes out: he is where that brings him, with a lease of its own or none."""
        self._moved.discard(leg)
        for asked in self._asked.values():
            if leg in asked.legs:
                asked.legs.remove(leg)

    def told(self, event: CallArrived | Event) -> None:
        match event:
            case Joined(_, leg, peer):
                self._moved |= {leg, peer}
            case FallbackStarted():
                self._moved.add(event.leg)
            case HungUp():
                self._moved.discard(event.leg)

    def clear(self) -> None:
        self._asked.clear()
        self._moved.clear()
