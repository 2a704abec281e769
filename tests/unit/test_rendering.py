"""Speech for flows: every order is answered, whatever becomes of it, and what many wait for comes first."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from engine.mailbox import ForCall, Mailbox
from engine.rendering import Rendering
from engine.store.memory_alarms import AlarmBook, MemoryAlarms
from engine.store.memory_calls import Shelf
from engine.switch.memory import MemorySwitch
from engine.vocabulary.commands import Render
from engine.vocabulary.events import Rendered
from tests.alarm_desk import Parrot, alarm_desk, an_alarm
from tests.clocks import SwitchClock
from tests.desk import turns, until


@dataclass
class Booth:
    rendering: Rendering
    speech: Parrot
    book: AlarmBook
    mailbox: Mailbox

    def order(self, key: str, text: str = "Brand", **changes: object) -> None:
        self.rendering.order("call", 1, Render(key, "de", text, **changes))  # type: ignore[arg-type]

    async def answers(self, count: int) -> dict[str, str]:
        await until(lambda: len(self.mailbox._items) >= count)
        events = [item.event for item in self.mailbox._items if isinstance(item, ForCall)]
        return {event.key: event.sound for event in events if isinstance(event, Rendered)}


@asynccontextmanager
async def booth() -> AsyncIterator[Booth]:
    switch, speech, mailbox = MemorySwitch(), Parrot(), Mailbox()
    speech.may_speak.set()
    book = AlarmBook(Shelf(SwitchClock(switch)))
    async with asyncio.TaskGroup() as tasks:
        yield Booth(Rendering(speech, MemoryAlarms(book), switch, mailbox, tasks), speech, book, mailbox)


async def test_a_text_and_a_recording_become_sounds() -> None:
    async with booth() as at:
        at.book.recordings[1, 7] = b"1234"
        at.order("m:de", "Brand in Halle 3")
        at.order("r", "", recording_id=7)
        assert await at.answers(2) == {"m:de": "cache/Brand-in-Halle-3", "r": "rec/4"}


async def test_what_cannot_be_spoken_is_answered_with_nothing() -> None:
    async with booth() as at:
        at.order("m:de", "unspeakable")
        at.order("m:en", "a defect")
        at.order("r", "", recording_id=8)
        assert await at.answers(3) == {"m:de": "", "m:en": "", "r": ""}


async def test_a_voice_that_hangs_is_waited_for_once_and_then_hardly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.rendering.PATIENCE_S", 0.2)
    monkeypatch.setattr("engine.rendering.IMPATIENCE_S", 0.01)
    monkeypatch.setattr("engine.rendering.PERSONAL_SLOTS", 1)
    async with booth() as at:
        at.speech.may_speak.clear()
        began = asyncio.get_running_loop().time()
        for place in range(5):
            at.order(f"p:{place}", is_personal=True)
        assert set((await at.answers(5)).values()) == {""}
        assert 0.19 <= asyncio.get_running_loop().time() - began < 0.9
        at.speech.may_speak.set()
        at.order("m:de")
        assert (await at.answers(6))["m:de"] == "cache/Brand"


async def test_names_do_not_stand_in_the_way_of_what_many_wait_for() -> None:
    async with booth() as at:
        at.speech.may_speak.clear()
        for place in range(1000):
            at.order(f"p:{place}", f"Anna {place}", is_personal=True)
        at.order("m:de")
        await turns(20)
        assert ("Brand", 0) in at.speech.said and len(at.speech.said) == 9
        assert {urgency for text, urgency in at.speech.said if text != "Brand"} == {1}
        at.speech.may_speak.set()
        assert len(await at.answers(1001)) == 1001


async def test_an_order_that_is_under_way_is_not_begun_again() -> None:
    async with booth() as at:
        at.speech.may_speak.clear()
        at.order("m:de")
        at.order("m:de")
        await turns(5)
        assert len(at.speech.said) == 1
        at.speech.may_speak.set()
        await at.answers(1)
        at.order("m:de")
        await at.answers(2)


async def test_a_recording_is_waited_for_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.rendering.AGAIN_S", 0.01)
    async with booth() as at:
        at.book.recordings[1, 7] = b"1234"
        at.book.shelf.is_down = True
        at.order("r", "", recording_id=7)
        await turns(20)
        at.book.shelf.is_down = False
        assert await at.answers(1) == {"r": "rec/4"}


async def test_an_alarm_whose_text_cannot_be_spoken_rings_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.rendering.PATIENCE_S", 0.05)
    async with alarm_desk() as at:
        at.speech.may_speak.clear()
        await at.posts(an_alarm("49301"))
        await until(lambda: at.rung() == ["49301"])
