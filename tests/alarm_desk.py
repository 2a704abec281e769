"""The live calls on twins, with all that an alarm needs beside them: dispatcher, speech, notes, reconciliation.

    async with alarm_desk(phones={"4930100": Phone(answers_s=1, keys="1")}) as at:
        await at.posts(an_alarm("4930100"))
        await at.desk.passes(3)
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.acknowledgements import Acknowledgements
from engine.dispatcher import Dispatcher
from engine.ports import QueuedAlarm, SpeechFailed
from engine.reconcile import Reconcile
from engine.rendering import Rendering
from engine.store.memory_hotlines import MemoryHotlines
from engine.switch.memory_stage import NOON
from engine.vocabulary.commands import DialAlarm, WriteNote
from engine.vocabulary.values import AlarmPlan, AlarmState, Person
from tests.desk import Desk, desk, turns, until
from tests.directories import world

PLAN = AlarmPlan(
    alarm_id=1, organisation_id=1, caller_id="4930555", created_at=NOON, message=(("de", "Brand"),),
    recording_id=None, closing=(("de", "{acknowledged} von {needed}"),), needed=1, by_role=(), key="1",
    decline_key="9", pin="", strategy="parallel", waves=(), rounds=1, pause_s=60,
    retry_on=("busy", "noAnswer", "mailbox", "failed"), ring_timeout_s=25, expires_s=1800, amd=False,
)


def an_alarm(*numbers: str, **plan: Any) -> QueuedAlarm:
    """Each number is somebody's only phone."""
    persons = tuple(
        Person(place, f"P{place}", "", "de", "de", (number,)) for place, number in enumerate(numbers, start=1))
    return QueuedAlarm(str(uuid.uuid4()), replace(PLAN, **plan), persons)


@dataclass
class Parrot:
    """ports.Speech: says everything but what is unspeakable; hangs while `may_speak` is not set."""

    said: list[tuple[str, int]] = field(default_factory=list)
    may_speak: asyncio.Event = field(default_factory=asyncio.Event)
    ready: bool = True

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def render(self, text: str, language: str, *, urgency: int = 0) -> str:
        self.said.append((text, urgency))
        await self.may_speak.wait()
        if "unspeakable" in text:
            raise SpeechFailed("no such word")
        if "defect" in text:
            raise ZeroDivisionError
        return f"cache/{text.replace(' ', '-')}"

    async def convert(self, wav: bytes) -> str:
        return f"rec/{len(wav)}"

    async def prune(self, in_use: Collection[str]) -> None: ...

    def path(self, sound: str) -> Path:
        return Path(sound)


@dataclass
class AlarmDesk:
    desk: Desk
    speech: Parrot
    acknowledgements: Acknowledgements
    reconcile: Reconcile
    dispatcher: Dispatcher
    hotlines: MemoryHotlines
    may_begin: bool = True

    async def posts(self, *alarms: QueuedAlarm) -> None:
        for alarm in alarms:
            self.desk.book.post(alarm)
        await until(lambda: all(self.has_begun(alarm) for alarm in alarms))
        await self.settles()

    def has_begun(self, alarm: QueuedAlarm) -> bool:
        return self.desk.book.lives(alarm.call_id) or self.desk.book.is_over(alarm.call_id)

    async def orders(self, alarm: QueuedAlarm, kind: str, recipient_id: int | None = None) -> None:
        self.desk.book.order(alarm.call_id, kind, recipient_id)
        await until(lambda: not self.desk.book.orders)
        await self.settles()

    async def compares(self) -> None:
        self.reconcile.soon()
        await until(lambda: self.desk.calls._is_open)
        await self.settles()

    async def settles(self) -> None:
        await turns(60)
        await self.desk.settles()

    def state(self, alarm: QueuedAlarm) -> AlarmState:
        return self.desk.book.state(alarm.call_id)

    def rung(self) -> list[str]:
        return [order.number for order in self.desk.sent(DialAlarm)]

    def notes(self) -> list[str]:
        return [row.type for _, row in self.desk.book.said(WriteNote)]


@asynccontextmanager
async def alarm_desk(**changes: Any) -> AsyncIterator[AlarmDesk]:
    """`changes` as of `desk`."""
    async with world(None) as directory, desk(**changes) as at:
        speech = Parrot()
        speech.may_speak.set()
        notes = Acknowledgements(at.switch, at.alarms, at.calls)
        hotlines = MemoryHotlines(directory.directory)  # type: ignore[arg-type]
        reconcile = Reconcile(at.switch, at.store, hotlines, at.calls, notes)
        dispatcher = Dispatcher(at.alarms, at.calls, at.switch, lambda: made.may_begin)
        made = AlarmDesk(at, speech, notes, reconcile, dispatcher, hotlines)
        async with asyncio.TaskGroup() as tasks:
            at.calls.executing.on_render = Rendering(speech, at.alarms, at.switch, at.calls.mailbox, tasks).order
            at.calls.executing.call_later = at.switch._at  # timers go by the switch's time
            running = [tasks.create_task(reconcile.run()), tasks.create_task(dispatcher.run())]
            await made.compares()
            try:
                yield made
            finally:
                for task in running:
                    task.cancel()
