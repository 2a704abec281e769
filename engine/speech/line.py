"""Who waits for which sound: `service.py` has one line for texts and one for recordings.

The lowest urgency comes first, of one urgency the oldest. A sound asked for again with a lower one moves up. Every
FAIR-th is the one that has waited longest, so that what is ahead of time is made in the end. A sound for which nobody
waits any more is not made.
"""

import asyncio
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar

from engine.ports import SpeechFailed

FAIR = 8
Order = TypeVar("Order")


@dataclass(eq=False, slots=True)
class Job(Generic[Order]):
    name: str
    order: Order
    urgency: int
    done: asyncio.Future[None]
    waiting: int = 0
    is_taken: bool = False


class Line(Generic[Order]):
    def __init__(self) -> None:
        self._jobs: dict[str, Job[Order]] = {}  # oldest first
        self._queue: asyncio.PriorityQueue[tuple[int, int, Job[Order]]] = asyncio.PriorityQueue()
        self._numbers = count(1)
        self._taken = 0
        self._is_closed = False

    def open(self) -> None:
        self._is_closed = False

    def close(self, reason: str) -> None:
        """Fail everybody who waits and everybody who asks."""
        self._is_closed = True
        for job in list(self._jobs.values()):
            self.end(job, SpeechFailed(reason))
        self._queue = asyncio.PriorityQueue()

    async def ask(self, name: str, order: Order, urgency: int) -> None:
        """Wait until the sound is made. Raises SpeechFailed."""
        if self._is_closed:
            raise SpeechFailed("speech was stopped")
        job = self._job(name, order, urgency)
        job.waiting += 1
        try:
            await asyncio.shield(job.done)
        finally:
            job.waiting -= 1
            if not job.waiting and not job.is_taken and self._jobs.get(name) is job:
                del self._jobs[name]

    def _job(self, name: str, order: Order, urgency: int) -> Job[Order]:
        job = self._jobs.get(name)
        if job is None:
            job = self._jobs[name] = Job(name, order, urgency, asyncio.get_running_loop().create_future())
        elif job.is_taken or job.urgency <= urgency:
            return job
        job.urgency = urgency
        self._queue.put_nowait((urgency, next(self._numbers), job))
        return job

    async def take(self) -> Job[Order]:
        """The next one, when there is one. Its taker calls `end`."""
        while True:
            entry = await self._queue.get()
            job = entry[2]
            if job.is_taken or self._jobs.get(job.name) is not job:
                continue  # it moved up, or nobody wants it any more
            self._taken += 1
            if self._taken % FAIR == 0:
                self._queue.put_nowait(entry)
                job = next(job for job in self._jobs.values() if not job.is_taken)
            job.is_taken = True
            return job

    def end(self, job: Job[Order], error: SpeechFailed | None) -> None:
        if self._jobs.get(job.name) is not job:
            return  # the line was closed meanwhile
        del self._jobs[job.name]
        if error is None:
            job.done.set_result(None)
        else:
            job.done.set_exception(error)
            job.done.exception()  # seen, also when nobody waits any more
