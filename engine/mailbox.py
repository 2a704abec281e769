"""What may be posted to the live calls, and the mailbox that keeps its order."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.ports import QueuedAlarm
from engine.vocabulary.events import CallArrived, Event, FallbackStarted
from engine.vocabulary.program import ProgramPlan
from engine.vocabulary.values import Hotline


@dataclass(frozen=True, slots=True)
class Begin:
    """A caller whose hotline was looked up: a new call."""

    event: CallArrived | FallbackStarted
    hotline: Hotline


@dataclass(frozen=True, slots=True)
class BeginAlarm:
    """An alarm that was claimed: a new call, with the id that the alarm has for it."""

    queued: QueuedAlarm
    at: datetime

    @property
    def call_id(self) -> str:
        return self.queued.call_id

    @property
    def began_at(self) -> datetime:
        return self.queued.plan.created_at


@dataclass(frozen=True, slots=True)
class BeginProgram:
    """An attempt of a campaign or of a single transmission that was claimed and prepared: a new call, with its id.
    `arrived`: somebody who called the number of a program; his leg is to be claimed by `not_after`."""

    call_id: str
    plan: ProgramPlan
    at: datetime
    arrived: CallArrived | None = None
    not_after: datetime | None = None

    @property
    def began_at(self) -> datetime:
        return self.at


@dataclass(frozen=True, slots=True)
class ForCall:
    """An event for a call by its id: timers, speech, orders of people, reconciliation."""

    call_id: str
    event: Event


@dataclass(frozen=True, slots=True)
class Tick:
    """Once a second: heartbeat and leases."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Fires once everything posted before it is durable. `as_owner`: and the store has said that the switch is ours."""

    done: asyncio.Event
    as_owner: bool = False


Item = Event | Begin | BeginAlarm | BeginProgram | ForCall | Tick | Settled


class Mailbox:
    """One reader, many writers on one event loop."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._posted = asyncio.Event()
        self._has_tick = False

    def post(self, *items: Item) -> None:
        self._items.extend(items)
        self._posted.set()

    def tick(self) -> None:
        """At most one Tick waits, however long the reader is away."""
        if not self._has_tick:
            self._has_tick = True
            self.post(Tick())

    def wake(self) -> None:
        """Let the reader run a round even without items."""
        self._posted.set()

    def put_back(self, items: Sequence[Item]) -> None:
        """To the front, in their order: a round that was not saved happens again."""
        self._items.extendleft(reversed(items))
        self._posted.set()

    async def take_all(self) -> list[Item]:
        await self._posted.wait()
        self._posted.clear()
        items = list(self._items)
        self._items.clear()
        self._has_tick = False
        return items
