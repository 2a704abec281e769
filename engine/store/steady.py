"""What time it must be by the steady clock (migration 0015), for one who asks it again and again. Used by the claims of
campaigns, which ask at least once a second, whatever there is to do.

How much time has passed is measured by the monotonic clock, from the moment at which an answer was there to the one at
which the next question is asked: rather too little than too much. So whoever is slow, or stood still, says that it is
earlier than it is, which lets caps count a call for longer, never shorter.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic


class Steady:
    """One asker's. `at`: the last answer."""

    def __init__(self, clock_s: Callable[[], float] = monotonic) -> None:
        self._clock_s = clock_s
        self._seen_s = 0.0
        self.at: datetime | None = None

    def expected(self) -> datetime | None:
        """None before the first answer."""
        return self.at and self.at + timedelta(seconds=self._clock_s() - self._seen_s)

    def saw(self, at: datetime) -> None:
        self.at, self._seen_s = at, self._clock_s()
