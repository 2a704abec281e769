"""How long is kept what happened: old rows go, at the engine's start and once a day. `engine/app.py` runs it.

In small batches with a pause between them, each a transaction of its own, so that no lock is held for long and a save
never waits. Several engines may do it at once: the slower one finds nothing.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import structlog

from engine.ports import StoreFailed
from engine.store.statements import Statements

log = structlog.get_logger()

DAY = timedelta(days=1)
AGAIN_S = 86400.0
RETRY_S = 60.0
PAUSE_S = 0.02
BATCH = 500
# An alarm of 1,000 people takes thousands of rows with it; a recording is of megabytes.
SMALLER = {"alarms": 10, "recordings": 10}


@dataclass(frozen=True, slots=True)
class Keep:
    """Days; 0: for ever. `logs`: call logs, finished alarms, transmissions with their attempts and results, schedules
    that are done, events, deliveries of webhooks."""

    logs: int
    records: int
    recordings: int

    def ages(self) -> Mapping[str, timedelta]:
        """By the name of the statement: how old a row must be to go, in the order in which they are done."""
        by_setting = {
            "call_logs": self.logs, "failed_calls": self.logs, "alarms": self.logs,
            "transmissions": self.logs, "spools": self.logs, "schedules": self.logs, "events": self.logs,
            "webhook_deliveries": self.logs, "telephone_records": self.records, "recordings": self.recordings,
        }
        kept = {name: timedelta(days=days) for name, days in by_setting.items() if days}
        return {**kept, "idempotency_keys": DAY, "pin_failures": DAY}


class Retention(Statements):
    NAME = "retention"

    def __init__(self, pool: "asyncpg.Pool[Any]", keep: Keep, batch: int = BATCH) -> None:
        super().__init__(pool)
        self._keep = keep
        self._batch = batch

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                gone = await self.apply()
            except StoreFailed as error:
                log.warning("retention.failed", error=str(error))
                await asyncio.sleep(RETRY_S)
                continue
            if any(gone.values()):
                log.info("retention.applied", **gone)
            await asyncio.sleep(AGAIN_S)

    async def apply(self) -> Mapping[str, int]:
        """Once; how many rows of each kind went. Raises StoreFailed: what went is gone, the rest follows next time."""
        gone: dict[str, int] = {}
        for name, age in self._keep.ages().items():
            gone[name] = await self._remove(name, age)
        return gone

    async def _remove(self, name: str, age: timedelta) -> int:
        total, batch = 0, min(self._batch, SMALLER.get(name, self._batch))
        while True:
            row = await self._row(name, age, batch)
            removed = 0 if row is None else int(row[0])
            if removed == 0:
                return total
            total += removed
            await asyncio.sleep(PAUSE_S)
