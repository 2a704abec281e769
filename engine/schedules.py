"""Schedules that are due: looked for every second, each done once. `engine/app.py` runs it; several engines may, at the
same time.

Decides by `policy/schedule.py` what is too late and when it is due again; what is done, and that it was, is one
transaction of the store, in which a schedule is locked: whoever comes second passes it over.
"""

import asyncio
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog

from engine.policy.schedule import is_missed, next_due, parse
from engine.ports import StoreFailed
from engine.vocabulary.schedules import DueSchedule, ScheduleDecision, ScheduleDone

log = structlog.get_logger()
AGAIN_S = 1.0


class ScheduleStore(Protocol):
    async def do_next(self, now: datetime, decide: Callable[[DueSchedule], ScheduleDecision],
                      but: Collection[int] = ()) -> ScheduleDone | None:
        """The one that is due the longest, but for these; None: nothing is due. Raises StoreFailed."""


class Schedules:
    def __init__(self, store: ScheduleStore, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._now = now

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.apply(self._now())
            except StoreFailed as error:
                log.warning("schedules.failed", error=str(error))
            except Exception:  # a defect in here is told, and harms no call
                log.exception("schedules.crashed")
            await asyncio.sleep(AGAIN_S)

    async def apply(self, now: datetime) -> int:
        """Everything that is due; how many were. Raises StoreFailed: the rest follows next time."""
        done: list[int] = []
        while one := await self._store.do_next(now, lambda due: decided(due, now), done):
            done.append(one.schedule_id)
            log.info("schedules.done", schedule_id=one.schedule_id, problem=one.problem, put_off=one.is_put_off)
        return len(done)


def decided(due: DueSchedule, now: datetime) -> ScheduleDecision:
    """One that was missed is due again at its next time, as if it had been done."""
    again = None
    if due.is_recurring and due.fields:
        again = next_due(parse(due.fields), ZoneInfo(due.time_zone), now)
    return ScheduleDecision(is_missed(due.due_at, due.expiry_s, now), again)
