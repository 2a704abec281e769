"""What was dialled and which pins were wrong of late, by number: what limits that hold across restarts go by.

`engine/call.py` tells it what is durable; the ledger asks it before a number is granted. Loaded from the store when an
engine begins. The limits themselves are `policy/throttle.py`. Its clock is the monotonic one: nobody is rung too often
when the wall clock is put forward, and nobody rests an hour longer when it is put back.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

from engine.policy.throttle import PIN, STORM, Limit, pin_tries, rests_until_s

REMEMBERED = timedelta(hours=1)  # no limit looks further back


class _Times:
    """By number, the last few; numbers of whom nothing is young enough any more are dropped."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._of: OrderedDict[str, deque[float]] = OrderedDict()

    def note(self, number: str, at_s: float) -> None:
        self._of.setdefault(number, deque(maxlen=self._kept)).append(at_s)
        self._of.move_to_end(number)
        while self._of and self._of[next(iter(self._of))][-1] < at_s - REMEMBERED.total_seconds():
            self._of.popitem(last=False)

    def of(self, number: str) -> Sequence[float]:
        return self._of.get(number, ())

    def take_back(self, number: str) -> None:
        """The last one does not count."""
        if times := self._of.get(number):
            times.pop()
            if not times:
                del self._of[number]

    def clear(self) -> None:
        self._of.clear()


class Restraint:
    def __init__(
        self, storm: Sequence[Limit] = STORM, pin: Limit = PIN, clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._storm = storm
        self._pin = pin
        self._clock_s = clock_s
        self._dials = _Times(max(limit.count for limit in storm))
        self._pin_failures = _Times(pin.count)
        self._resting: dict[str, float] = {}  # numbers asked for, so that each is reckoned once

    def load(self, dials: Iterable[tuple[str, float]], pin_failures: Iterable[tuple[str, float]]) -> None:
        """How many seconds ago each was."""
        now_s = self._clock_s()
        for times, told in ((self._dials, dials), (self._pin_failures, pin_failures)):
            times.clear()
            self._resting.clear()
            for number, age_s in sorted(told, key=lambda one: -one[1]):
                times.note(number, now_s - age_s)

    def dialled(self, number: str) -> None:
        self._dials.note(number, self._clock_s())

    def never_rang(self, number: str) -> None:
        """The last dial of this number ended on its way: nobody was disturbed."""
        self._dials.take_back(number)
        self._resting.pop(number, None)

    def pin_failed(self, number: str) -> None:
        self._pin_failures.note(number, self._clock_s())

    def rests_s(self, number: str) -> float | None:
        """For how long the storm throttle lets this number rest; None: it may be rung."""
        now_s = self._clock_s()
        until_s = self._resting.get(number)
        if until_s is None or until_s <= now_s:
            until_s = rests_until_s(self._dials.of(number), now_s, self._storm)
        if until_s is None:
            self._resting.pop(number, None)
            return None
        self._resting[number] = until_s
        return until_s - now_s

    def pin_tries(self, number: str) -> int:
        return pin_tries(self._pin_failures.of(number), self._clock_s(), self._pin)
