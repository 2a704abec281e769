"""The sender: takes deliveries that are due, posts them, writes down what came of it. One in each api process.

`run` lives in the api's lifespan and touches neither engine nor telephony: a receiver that is slow or dead costs a
waiting task here. Senders share the work by rows (`PostgresDeliveries.claim`), so there may be several, and one that is
killed leaves its deliveries to the others as soon as `lease_s` is over. Invariants: a delivery is marked after its
answer, never before (at least once); one webhook has at most `at_once_each` tries in hand, so that it delays no other.
"""

import asyncio
import random
from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client import Counter as Figure

from api.webhooks.guard import Guard
from api.webhooks.posting import Answer, Post
from api.webhooks.schedule import Schedule
from engine.ports import StoreFailed
from engine.store.webhooks import Claimed, PostgresDeliveries

log = structlog.get_logger()
SWITCHED_OFF = "the webhook is switched off"


@dataclass(frozen=True, slots=True)
class Pace:
    """`lease_s` must be longer than a try and the writing down of it."""

    timeout_s: float = 10
    lease_s: float = 30
    poll_s: float = 1
    at_once: int = 256
    at_once_each: int = 4
    mark_again_s: float = 1
    grace_s: float = 2              # at the end, for those in hand
    schedule: Schedule = field(default_factory=Schedule)


class Sender:
    def __init__(self, deliveries: PostgresDeliveries, guard: Guard, registry: CollectorRegistry,
                 pace: Pace | None = None) -> None:
        self._deliveries = deliveries
        self._guard = guard
        self._pace = pace or Pace()
        self._busy: Counter[int] = Counter()        # by webhook
        self._wake = asyncio.Event()
        self._figure = Figure("ringward_webhook_tries", "Tries to deliver, by what came of them", ["outcome"],
                              registry=registry)
        for outcome in ("delivered", "again", "dead"):
            self._figure.labels(outcome)

    async def run(self) -> None:
        """Until cancelled. What is in hand then has `grace_s`; the rest is sent again when its lease is over."""
        async with Post(self._guard, self._pace.timeout_s) as post, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            in_hand: set[asyncio.Task[None]] = set()
            try:
                while True:
                    await self._wake.wait()
                    self._wake.clear()
                    for claimed in await self._claim():
                        self._busy[claimed.webhook_id] += 1
                        task = tasks.create_task(self._deliver(post, claimed))
                        in_hand.add(task)
                        task.add_done_callback(in_hand.discard)
            except asyncio.CancelledError:
                if in_hand:
                    await asyncio.wait(in_hand, timeout=self._pace.grace_s)
                raise

    async def _listen(self) -> None:
        async with aclosing(self._deliveries.wakes(self._pace.poll_s)) as wakes:
            async for _ in wakes:
                self._wake.set()

    async def _claim(self) -> list[Claimed]:
        free = self._pace.at_once - self._busy.total()
        if free <= 0:
            return []
        try:
            return list(await self._deliveries.claim(free, self._pace.at_once_each, self._busy, self._pace.lease_s))
        except StoreFailed as error:
            log.warning("webhook.no_database", error=str(error))
            return []

    async def _deliver(self, post: Post, claimed: Claimed) -> None:
        """What fails in a way nobody thought of is sent again when its lease is over, and takes no other with it."""
        try:
            if claimed.is_active:
                await self._mark(claimed, await post(claimed, datetime.now(UTC)))
            else:
                await self._deliveries.failed(claimed, None, SWITCHED_OFF, None)
        except StoreFailed as error:
            log.warning("webhook.no_database", error=str(error))
        except Exception:
            log.exception("webhook.failed", webhook=claimed.webhook_id, message=claimed.message_id)
        finally:
            self._busy[claimed.webhook_id] -= 1
            self._busy += Counter()                 # drops the zeros
            self._wake.set()                        # there may be more for the place that is free now

    async def _mark(self, claimed: Claimed, answer: Answer) -> None:
        """Again and again while the delivery is ours: what is not written down is sent a second time."""
        again_s = None if answer.is_success or answer.is_gone else self._pace.schedule.again_after_s(
            claimed.tries, random.random(), answer.retry_after_s)  # noqa: S311 - jitter is no secret
        until = monotonic() + self._pace.lease_s - self._pace.timeout_s     # it has been ours for a try at most
        while True:
            try:
                await self._write(claimed, answer, again_s)
                break
            except StoreFailed:
                if monotonic() > until:
                    raise
                await asyncio.sleep(self._pace.mark_again_s)
        outcome = "delivered" if answer.is_success else "dead" if again_s is None else "again"
        self._figure.labels(outcome).inc()
        log.info("webhook.tried", webhook=claimed.webhook_id, message=claimed.message_id, type=claimed.type,
                 tries=claimed.tries, outcome=outcome, says=answer.says)

    async def _write(self, claimed: Claimed, answer: Answer, again_s: float | None) -> None:
        if answer.is_success:
            await self._deliveries.delivered(claimed, answer.status)
        elif answer.is_gone:
            await self._deliveries.gone(claimed, answer.status, answer.says)
        else:
            await self._deliveries.failed(claimed, answer.status, answer.says, again_s)
