"""What keeps a phone from being rung too often, and a pin from being guessed.

Asked before a number is granted. Counted per number over all alarms, in seconds of a clock that nobody puts forward or
back, with `now_s` as an argument; the counts come from the store, so that the limits hold across restarts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.vocabulary.values import PIN_TRIES


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` in any `window_s` seconds."""

    count: int
    window_s: float


STORM = (Limit(3, 900), Limit(7, 3600))
PIN = Limit(5, 900)


def rests_until_s(dials_s: Iterable[float], now_s: float, limits: Sequence[Limit] = STORM) -> float | None:
    """Until when a number that was dialled at these times must rest before it is dialled again; None: it may now."""
    newest_first = sorted(dials_s, reverse=True)
    free_s = [
        newest_first[limit.count - 1] + limit.window_s for limit in limits if len(newest_first) >= limit.count
    ]
    latest_s = max(free_s, default=now_s)
    return latest_s if latest_s > now_s else None


def pin_tries(failures_s: Iterable[float], now_s: float, limit: Limit = PIN) -> int:
    """How many pins may be guessed in this number's next call; 0: so many were wrong of late that none is right."""
    since_s = now_s - limit.window_s
    return max(0, min(PIN_TRIES, limit.count - sum(1 for at_s in failures_s if at_s > since_s)))
