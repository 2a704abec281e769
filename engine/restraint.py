"""What was dialled and which pins were wrong of late, by number: what limits that hold across restarts go by.

`engine/call.py` tells it what is durable; the ledger asks it before a number is granted. Loaded from the store when an
engine begins. The limits themselves are `policy/throttle.py`.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from engine.policy.throttle import PIN, STORM, Limit, pin_tries, rests_until

REMEMBERED = timedelta(hours=1)  # no limit looks further back


class _Times:
    """By number, the last few; numbers of whom nothing is young enough any more are dropped."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._of: OrderedDict[str, deque[datetime]] = OrderedDict()

    def note(self, number: str, at: datetime) -> None:
        self._of.setdefault(number, deque(maxlen=self._kept)).append(at)
        self._of.move_to_end(number)
        while self._of and self._of[next(iter(self._of))][-1] < at - REMEMBERED:
            self._of.popitem(last=False)

    def of(self, number: str) -> Sequence[datetime]:
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
    def __init__(self, storm: Sequence[Limit] = STORM, pin: Limit = PIN) -> None:
        self._storm = storm
        self._pin = pin
        self._dials = _Times(max(limit.count for limit in storm))
        self._pin_failures = _Times(pin.count)
        self._resting: dict[str, datetime] = {}  # numbers asked for, so that each is reckoned once

    def load(self, dials: Iterable[tuple[str, datetime]], pin_failures: Iterable[tuple[str, datetime]]) -> None:
        for times, told in ((self._dials, dials), (self._pin_failures, pin_failures)):
            times.clear()
            self._resting.clear()
            for number, at in sorted(told, key=lambda one: one[1]):
                times.note(number, at)

    def dialled(self, number: str, at: datetime) -> None:
        self._dials.note(number, at)

    def never_rang(self, number: str) -> None:
        """The last dial of this number ended on its way: nobody was disturbed."""
        self._dials.take_back(number)
        self._resting.pop(number, None)

    def pin_failed(self, number: str, at: datetime) -> None:
        self._pin_failures.note(number, at)

    def rests_until(self, number: str, now: datetime) -> datetime | None:
        """Until when the storm throttle lets this number rest; None: it may be rung."""
        until = self._resting.get(number)
        if until is not None and until > now:
            return until
        until = rests_until(self._dials.of(number), now, self._storm)
        if until is None:
            self._resting.pop(number, None)
        else:
            self._resting[number] = until
        return until

    def pin_tries(self, number: str, now: datetime) -> int:
        return pin_tries(self._pin_failures.of(number), now, self._pin)
