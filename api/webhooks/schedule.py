"""When a delivery that failed is tried again. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

MINUTE_S = 60
HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Schedule:
    """The pause after the first try, the second, … After the last one there is no further try: the delivery is dead.

    The pauses add up to 23 h 42 min. Jitter only shortens a pause, by up to `jitter` of it: what failed together must
    not come back together.
    """

    pauses_s: Sequence[float] = (
        5, 30, 2 * MINUTE_S, 10 * MINUTE_S, 30 * MINUTE_S, HOUR_S, 2 * HOUR_S, 4 * HOUR_S, 6 * HOUR_S, 10 * HOUR_S)
    jitter: float = 0.2
    longest_wish_s: float = HOUR_S      # a receiver may ask for more time (Retry-After), up to this

    def again_after_s(self, tries: int, chance: float, wish_s: float = 0) -> float | None:
        """Seconds until the next try after `tries` tries; None: no more. `chance` is a random number of [0, 1)."""
        if tries > len(self.pauses_s):
            return None
        pause_s = self.pauses_s[tries - 1] * (1 - self.jitter * chance)
        return max(pause_s, min(wish_s, self.longest_wish_s))
