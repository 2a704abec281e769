"""How often a password may be tried: one at a time from an address, so that many at once are not many tries.

In memory of this process: a restart forgets, and several api processes count on their own. Five wrong ones a minute of
a user from an address, thirty of an address; who exceeds it is told 423 until the minute is over.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from api.errors import ApiError
from engine.store.directory_port import StoreFailed

OF_ONE_USER = 5
OF_ONE_ADDRESS = 30
WINDOW_S = 60.0
MOST_KEPT = 20_000
Key = tuple[str, ...]


class LogIns:
    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._wrong: OrderedDict[Key, deque[float]] = OrderedDict()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def one_try(self, username: str, address: str) -> AsyncIterator[None]:
        """A try was right if nothing is raised within. Raises ApiError 423 when there is none left."""
        turn = self._turns.setdefault(address, asyncio.Lock())
        async with turn:
            self.check(username, address)
            try:
                yield
            except StoreFailed:
                raise
            except BaseException:       # also of a client that went away meanwhile
                self._count(username, address)
                raise

    def check(self, username: str, address: str) -> None:
        """Raises ApiError 423 when no try is left, whatever the password is."""
        now = self._now()
        for key, most in _keys(username, address):
            wrong: deque[float] = self._wrong.get(key, deque())
            while wrong and wrong[0] <= now - WINDOW_S:
                wrong.popleft()
            if len(wrong) >= most:
                raise ApiError(423, "too many failed log-ins, try again later",
                               headers={"Retry-After": str(int(wrong[0] + WINDOW_S - now) + 1)})

    def _count(self, username: str, address: str) -> None:
        for key, _ in _keys(username, address):
            self._wrong.setdefault(key, deque()).append(self._now())
            self._wrong.move_to_end(key)
        while len(self._wrong) > MOST_KEPT:
            self._wrong.popitem(last=False)


def _keys(username: str, address: str) -> Iterator[tuple[Key, int]]:
    yield (address, username.strip().lower()[:128]), OF_ONE_USER
    yield (address,), OF_ONE_ADDRESS
