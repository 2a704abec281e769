"""How fast a trunk is dialled: a value; `now_s` is monotonic seconds and an argument.

Never more than `cps` legs leave in any second: at most so many are granted in every stretch of WINDOW_S, which is a
little longer, because legs leave a little later than they are granted, and not all by the same. Hotlines may use the
window at once, so that a hotline's agents ring at once. Alarms and campaigns are spaced evenly, all of them together;
who comes late by up to CATCH_UP_S does not lose that time. What campaigns may dial within GROUP_S is granted, saved and
sent together: a commit for each call costs more than all the rest of it. Campaigns leave a share of every window to
hotlines, which would wait for the next leg to become old otherwise, and to alarms.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import floor

CAMPAIGN = 2    # the ranks are those of routing.py
WINDOW_S = 1.05
CATCH_UP_S = 0.02
GROUP_S = 0.05


@dataclass(frozen=True, slots=True)
class Pace:
    """`headroom`: the share that campaigns leave; `dialled_s`: when the legs of the last window were dialled; `due_s`:
    when the next one that is spaced may be."""

    cps: float
    headroom: float = 0.0
    dialled_s: tuple[float, ...] = ()
    due_s: float = float("-inf")

    @property
    def legs(self) -> int:
        """How many a window takes."""
        return max(1, int(self.cps))

    @property
    def span_s(self) -> float:
        """The window; longer for a trunk of less than one leg a second."""
        return WINDOW_S * max(1.0, 1 / self.cps)

    def _room(self, rank: int) -> int:
        """Legs in a window up to which one of this rank may be added."""
        return self.legs if rank < CAMPAIGN else max(1, floor(round(self.legs * (1 - self.headroom), 6)))

    def wait_s(self, rank: int, now_s: float) -> float:
        """Seconds until one more leg of this rank may be dialled; 0: now."""
        room = self._room(rank)
        wait_s = self.dialled_s[-room] + self.span_s - now_s if len(self.dialled_s) >= room else 0.0
        return max(0.0, wait_s, self.due_s - now_s if rank else 0.0)

    def take(self, rank: int, now_s: float) -> "Pace":
        """One more leg is granted."""
        apart_s = WINDOW_S / self.cps * self.legs / self._room(rank)
        catch_up_s = CATCH_UP_S if rank < CAMPAIGN else CATCH_UP_S + GROUP_S
        due_s = max(self.due_s, now_s - catch_up_s) + apart_s if rank else self.due_s
        return replace(self, dialled_s=(*self.dialled_s[-self.legs + 1:], now_s)[-self.legs:], due_s=due_s)

    def after(self, ages_s: Iterable[float], now_s: float) -> "Pace":
        """Legs that were dialled so many seconds ago, before this pace was kept."""
        times = sorted(now_s - age_s for age_s in ages_s if 0 <= age_s < self.span_s)
        return replace(self, dialled_s=tuple(times)[-self.legs:], due_s=max(times, default=self.due_s))

    def left(self, legs: int, now_s: float) -> "Pace":
        """So many of the last ones granted have only now been dialled: the commit took its time."""
        kept = self.dialled_s[:max(0, len(self.dialled_s) - legs)]
        return replace(self, dialled_s=(*kept, *(now_s,) * (len(self.dialled_s) - len(kept))))
