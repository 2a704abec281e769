"""How often a password may be tried. Counted before it is looked at, so that many at once are not many tries.

In memory of this process: a restart forgets, and several api processes count on their own. Five wrong ones a minute of
a user from an address, thirty of an address; who exceeds it is told 423 until the minute is over.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator

from api.errors import ApiError

OF_ONE_USER = 5
OF_ONE_ADDRESS = 30
WINDOW_S = 60.0
MOST_KEPT = 20_000
Key = tuple[str, ...]


class LogIns:
    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._tries: OrderedDict[Key, deque[float]] = OrderedDict()

    def begin(self, username: str, address: str) -> None:
        """A try begins; it counts as a wrong one until `was_right`. Raises ApiError 423."""
        now = self._now()
        keys = list(_keys(username, address))
        for key, most in keys:
            tries = self._recent(key, now)
            if len(tries) >= most:
                wait_s = int(tries[0] + WINDOW_S - now) + 1
                raise ApiError(423, "too many failed log-ins, try again later", headers={"Retry-After": str(wait_s)})
        for key, _ in keys:
            self._tries[key].append(now)

    def was_right(self, username: str, address: str) -> None:
        """The try that began last is none; earlier wrong ones stay."""
        for key, _ in _keys(username, address):
            if tries := self._tries.get(key):
                tries.pop()

    def _recent(self, key: Key, now: float) -> deque[float]:
        tries = self._tries.setdefault(key, deque())
        self._tries.move_to_end(key)
        while tries and tries[0] <= now - WINDOW_S:
            tries.popleft()
        if len(self._tries) > MOST_KEPT:
            self._tries.popitem(last=False)
        return tries


def _keys(username: str, address: str) -> Iterator[tuple[Key, int]]:
    yield (address, username.strip().lower()[:128]), OF_ONE_USER
    yield (address,), OF_ONE_ADDRESS
