"""The memory twin of `alarms.py`, for unit and crash tests: a test posts alarms and orders into an `AlarmBook`.

The book is about the same `Shelf` as the twin of the live calls, so what flows have written is what it knows: states,
acknowledgements, attempts and ends are read from the shelf's rows. Several engines may share one book.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import TypeVar

from engine.ports import AckNote, AlarmOrder, CallBack, QueuedAlarm, Restraints
from engine.store.memory_calls import Shelf
from engine.vocabulary.commands import (
    Finish,
    RowCommand,
    WriteAlarm,
    WriteAttempt,
    WriteNote,
    WritePinFailure,
    WriteRecipient,
)
from engine.vocabulary.values import AlarmState, Direction, Disposition, RecipientState

Row = TypeVar("Row", bound=RowCommand)
DONE = (RecipientState.ACKNOWLEDGED, RecipientState.DECLINED)


@dataclass(slots=True)
class AlarmBook:
    """What people ordered, and what became of it. `own_numbers`: digits → organisation and language of its prompts."""

    shelf: Shelf
    alarms: dict[str, QueuedAlarm] = field(default_factory=dict)
    orders: list[AlarmOrder] = field(default_factory=list)
    own_numbers: dict[str, tuple[int, str]] = field(default_factory=dict)
    recordings: dict[tuple[int, int], bytes] = field(default_factory=dict)
    posted: asyncio.Event = field(default_factory=asyncio.Event)
    _last_order: int = 0

    def post(self, alarm: QueuedAlarm) -> None:
        self.alarms[alarm.call_id] = alarm
        self.posted.set()

    def order(self, call_id: str, kind: str, recipient_id: int | None = None, by: str = "operator") -> None:
        self._last_order += 1
        self.orders.append(AlarmOrder(self._last_order, call_id, kind, recipient_id, by))
        self.posted.set()

    def said(self, kind: type[Row], call_id: str | None = None) -> Iterator[tuple[str, Row]]:
        """Rows of this kind with their calls, in order; of one call or of all."""
        for said_by, row in self.shelf.rows:
            if isinstance(row, kind) and call_id in (None, said_by):
                yield said_by, row

    def aged(self) -> Iterator[tuple[float, RowCommand]]:
        """All rows, oldest first, by how many seconds ago they were saved."""
        now_s = self.shelf.clock.monotonic()
        for (_, row), saved_s in zip(self.shelf.rows, self.shelf.saved_s, strict=True):
            yield now_s - saved_s, row

    def state(self, call_id: str) -> AlarmState:
        return next((row.state for _, row in reversed([*self.said(WriteAlarm, call_id)])), AlarmState.QUEUED)

    def recipient(self, call_id: str, recipient_id: int) -> RecipientState:
        of_one = [row for _, row in self.said(WriteRecipient, call_id) if row.recipient_id == recipient_id]
        return of_one[-1].state if of_one else RecipientState.PENDING

    def attempts(self, call_id: str | None = None) -> dict[str, tuple[str, WriteAttempt]]:
        """By leg, with the call: of all words about a leg the last one that is not None."""
        merged: dict[str, tuple[str, WriteAttempt]] = {}
        for said_by, row in self.said(WriteAttempt, call_id):
            known = merged.get(row.leg)
            merged[row.leg] = (said_by, row if known is None else _merged(known[1], row))
        return merged

    def notes(self, call_id: str) -> list[str]:
        """Types, in order."""
        return [row.type for _, row in self.said(WriteNote, call_id)]

    def lives(self, call_id: str) -> bool:
        call = self.shelf.calls.get(call_id)
        return call is not None and call.phase != "failed"

    def is_over(self, call_id: str) -> bool:
        failed = call_id in self.shelf.calls and not self.lives(call_id)
        return failed or any(self.said(Finish, call_id))


class MemoryAlarms:
    """ports.AlarmStore on an AlarmBook: one engine's."""

    def __init__(self, book: AlarmBook, wake_s: float = 0.05) -> None:
        self._all = book
        self._wake_s = wake_s
        self._claimed: set[str] = set()

    async def claim(self, limit: int) -> Sequence[QueuedAlarm]:
        book = self._book
        free = [
            replace(alarm, orders=tuple(one for one in book.orders if one.call_id == call_id),
                    age_s=max(0.0, (book.shelf.clock.now() - alarm.plan.created_at).total_seconds()))
            for call_id, alarm in book.alarms.items()
            if call_id not in self._claimed and call_id not in book.shelf.calls
            and book.state(call_id) is AlarmState.QUEUED and not book.is_over(call_id)
        ][:limit]
        self._claimed.update(alarm.call_id for alarm in free)
        return free

    async def orders(self) -> Sequence[AlarmOrder]:
        book = self._book
        return [one for one in book.orders if one.call_id in book.shelf.calls or book.is_over(one.call_id)]

    async def forget_orders(self, order_ids: Sequence[int]) -> None:
        book = self._book
        book.orders = [one for one in book.orders if one.order_id not in order_ids]

    async def call_of_attempt(self, leg: str) -> str | None:
        book = self._book
        call_id = next((call_id for call_id, row in book.said(WriteAttempt) if row.leg == leg), None)
        return call_id if call_id is not None and book.lives(call_id) else None

    async def acknowledge_late(self, note: AckNote) -> None:
        book = self._book
        call_id, attempt = book.attempts().get(note.leg, (None, None))
        if call_id is None or attempt is None or book.lives(call_id):
            return
        who, write = attempt.recipient_id, book.shelf.write
        write(call_id, replace(
            attempt, disposition=Disposition.ACKNOWLEDGED, answered_at=attempt.answered_at or note.at,
            ended_at=attempt.ended_at or note.at))
        if book.recipient(call_id, who) is not RecipientState.ACKNOWLEDGED:
            write(call_id, WriteRecipient(who, RecipientState.ACKNOWLEDGED, note.at))
            write(call_id, WriteNote(note.at, "acknowledged", who, note.leg, attempt.number))

    async def call_back(self, did: str, caller: str) -> CallBack | None:
        book = self._book
        if did not in book.own_numbers:
            return None
        organisation_id, voice = book.own_numbers[did]
        wanted = [
            alarm.call_id for alarm in book.alarms.values() for person in alarm.persons
            if alarm.plan.organisation_id == organisation_id and book.lives(alarm.call_id)
            and caller in person.phones and book.recipient(alarm.call_id, person.recipient_id) not in DONE
        ]
        wanted.sort(key=lambda call_id: book.state(call_id) in (AlarmState.QUEUED, AlarmState.RINGING))
        return CallBack(organisation_id, voice, wanted[-1] if wanted else None)

    async def restraints(self, within: timedelta) -> Restraints:
        book, attempts = self._book, self._book.attempts()
        dials, failures = [], []
        for age_s, row in book.aged():
            is_young = age_s <= within.total_seconds()
            if isinstance(row, WriteAttempt) and row.leg in attempts:   # its first word: it was dialled
                _, told = attempts.pop(row.leg)
                if is_young and told.direction is Direction.OUTBOUND and not told.never_rang:
                    dials.append((row.number, age_s))
            elif isinstance(row, WritePinFailure) and is_young:
                failures.append((row.number, age_s))
        return Restraints(dials, failures)

    async def recording(self, organisation_id: int, recording_id: int) -> bytes | None:
        return self._book.recordings.get((organisation_id, recording_id))

    async def changes(self) -> AsyncGenerator[None, None]:
        while True:
            self._all.posted.clear()
            yield None
            try:
                async with asyncio.timeout(self._wake_s):
                    await self._all.posted.wait()
            except TimeoutError:
                pass

    @property
    def _book(self) -> AlarmBook:
        """Raises StoreFailed."""
        self._all.shelf.reach()
        return self._all


def _merged(known: WriteAttempt, row: WriteAttempt) -> WriteAttempt:
    later = {one.name: getattr(row, one.name) for one in fields(row)}
    return replace(known, **{name: value for name, value in later.items() if value is not None})
