"""What keeps a phone from being rung too often, and a pin from being guessed.

Called by the allocator before a number is granted. Counted per number over all alarms, with `now` as an argument;
the counts come from the store, so that the limits hold across restarts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.vocabulary.values import PIN_TRIES


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` in any `window_s` seconds."""

    count: int
    window_s: float


STORM = (Limit(3, 900), Limit(7, 3600))
PIN = Limit(5, 900)


def rests_until(dials: Iterable[datetime], now: datetime, limits: Sequence[Limit] = STORM) -> datetime | None:
    """Until when a number that was dialled at these times must rest before it is dialled again; None: it may now."""
    newest_first = sorted(dials, reverse=True)
    free_at = [
        newest_first[limit.count - 1] + timedelta(seconds=limit.window_s)
        for limit in limits if len(newest_first) >= limit.count
    ]
    latest = max(free_at, default=now)
    return latest if latest > now else None


def pin_tries(failures: Iterable[datetime], now: datetime, limit: Limit = PIN) -> int:
    """How many pins may be guessed in this number's next call; 0: so many were wrong of late that none is right."""
    since = now - timedelta(seconds=limit.window_s)
    return max(0, min(PIN_TRIES, limit.count - sum(1 for at in failures if at > since)))
