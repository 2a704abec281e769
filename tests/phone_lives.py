"""From when to when each call lived, by the order in which the phones got and sent what is in their journal.

Not by its times: an INVITE has the kernel's, an end that of a process which may be kept from running for a while.

A phone that has said nothing yet cannot be called off: the CANCEL waits for its first answer (RFC 3261 section 9.1),
while for the switch that call is over (`test_asterisk_facts_hangups.py`). What it was sent before it answered is no
second call: with a phone that hears in time there had been a CANCEL between the two.

Used by `torture/invariants.py` and `acceptance/alarm_town.py`.
"""

import bisect
from collections.abc import Iterable, Sequence
from itertools import pairwise

from engine.softphone.call import Call
from engine.softphone.journal import Journal
from engine.softphone.taken_call import TakenCall

CANCELLED = 487
CROSSES_S = 0.05        # an INVITE on its way, the CANCEL behind it


class Lives:
    """Of all calls in a journal; made anew after more was written."""

    def __init__(self, journal: Journal) -> None:
        self._entries = journal.entries
        self._began: dict[str, int] = {}
        self._ended: dict[str, int] = {}
        for place, entry in enumerate(self._entries):
            self._began.setdefault(entry.call, place)
            if entry.what == "ended":
                self._ended.setdefault(entry.call, place)

    def of(self, call: Call) -> tuple[float, float]:
        """The places in the journal of its begin and its end."""
        began = self._began[call.id]
        if call.id in self._ended:
            return began, self._ended[call.id]
        if call.ended_at is None:
            return began, float("inf")
        # forgotten, with a switch that died: that is no entry
        return began, bisect.bisect_left(self._entries, call.ended_at, key=lambda entry: entry.at) - 0.5

    def overlapping(self, calls: Sequence[TakenCall]) -> Iterable[tuple[TakenCall, TakenCall]]:
        """Of one phone, oldest first: those that came before another one had ended, or could be ended."""
        return [(earlier, later) for earlier, later in pairwise(calls)
                if self.of(later)[0] < self.of(earlier)[1] and not is_called_off_late(earlier, later)]

    def most_at_once(self, calls: Sequence[Call]) -> int:
        edges = sorted((place, step) for call in calls for place, step in zip(self.of(call), (1, -1), strict=True))
        most = now = 0
        for _, step in edges:
            now += step
            most = max(most, now)
        return most


def is_called_off_late(earlier: TakenCall, later: TakenCall) -> bool:
    """Cancelled, and the phone had said nothing of it when it was sent the later one."""
    return earlier.status == CANCELLED and later.invited_at <= earlier.tried_at + CROSSES_S
