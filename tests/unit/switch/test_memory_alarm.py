"""What the twin's people do when an alarm is spoken to them."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.switch.memory import MemorySwitch, Phone
from engine.vocabulary.commands import AskAlarm, DialAlarm, Play
from engine.vocabulary.events import (
    Acknowledged,
    Answered,
    CallArrived,
    Declined,
    HungUp,
    MachineHeard,
    NoKey,
    PinWrong,
    Played,
)
from engine.vocabulary.values import AlarmAsk

NUMBER = "4917155"


@pytest.fixture
async def switch() -> AsyncIterator[MemorySwitch]:
    one = MemorySwitch()
    one.restore()
    one._events.get_nowait()
    yield one


def ask(**changes: Any) -> AlarmAsk:
    return AlarmAsk(**{"message": "cache/9f", "voice": "de", "key": "1", "decline_key": "9", **changes})


def ring(switch: MemorySwitch, phone: Phone, trunk: str = "trunk", **changes: Any) -> str:
    switch.phones[NUMBER] = phone
    leg = str(uuid.uuid4())
    switch.send([DialAlarm(leg, NUMBER, trunk, "4930", 25, ask(**changes))])
    return leg


def told(switch: MemorySwitch) -> list[type]:
    kinds = []
    while not switch._events.empty():
        kinds.append(type(switch._events.get_nowait()))
    return kinds


@pytest.mark.parametrize(("phone", "changes", "kinds"), [
    (Phone(answers_s=1, keys="1"), {}, [Acknowledged, Played, HungUp]),
    (Phone(answers_s=1, keys="*1"), {}, [Acknowledged, Played, HungUp]),
    (Phone(answers_s=1, keys="*" * 10 + "1"), {}, [Acknowledged, Played, HungUp]),
    (Phone(answers_s=1, keys="551"), {}, [Acknowledged, Played, HungUp]),
    (Phone(answers_s=1, keys="555"), {}, [NoKey, HungUp]),
    (Phone(answers_s=1), {}, [NoKey, HungUp]),
    (Phone(answers_s=1, keys="9"), {}, [Declined, HungUp]),
    (Phone(answers_s=1, keys="1", hangs_up_s=0.1), {}, [HungUp]),
    (Phone(answers_s=1, keys="1", pins=("4711",)), {"pin": "4711"}, [Acknowledged, Played, HungUp]),
    (Phone(answers_s=1, keys="1", pins=("1", "", "4711")), {"pin": "4711"}, [PinWrong, Acknowledged, Played, HungUp]),
    (Phone(answers_s=1, keys="1", pins=("1", "2", "3")), {"pin": "4711"}, [PinWrong] * 3 + [NoKey, HungUp]),
    (Phone(answers_s=1, keys="1", pins=("1", "4711")), {"pin": "4711", "pin_tries": 1}, [PinWrong, NoKey, HungUp]),
    (Phone(answers_s=1, keys="1", pins=("4711",)), {"pin": "4711", "pin_tries": 0}, [NoKey, HungUp]),
    (Phone(answers_s=1, keys="1"), {"pin_tries": 0}, [Acknowledged, Played, HungUp]),
    (Phone(answers_s=1, keys="1", is_machine=True), {"amd": True}, [MachineHeard, Acknowledged, Played, HungUp]),
    (Phone(answers_s=1, keys="1", is_machine=True), {}, [Acknowledged, Played, HungUp]),
])
async def test_what_people_do_is_told(
    switch: MemorySwitch, phone: Phone, changes: dict[str, Any], kinds: list[type],
) -> None:
    ring(switch, phone, **changes)
    switch.advance(60)
    assert told(switch) == [Answered, *kinds]
    assert switch.calls[0].has_heard("alarm-confirmed") is (Acknowledged in kinds)


async def test_the_note_is_there_while_the_engine_is_not_and_stays_until_it_is_forgotten(switch: MemorySwitch) -> None:
    leg = ring(switch, Phone(answers_s=1, keys="1"))
    switch.cut()
    switch.advance(60)
    (note,) = await switch.acknowledgements()
    assert note.leg == leg and note.at == switch.calls[0].heard[-2][0]
    switch.restart()
    assert await switch.acknowledgements() == [note]
    await switch.forget_acknowledgements([note])
    assert await switch.acknowledgements() == []


async def test_who_is_told_something_else_hears_first_that_he_has_acknowledged(switch: MemorySwitch) -> None:
    leg = ring(switch, Phone(answers_s=1, keys="1"))
    switch.advance(1.6)
    assert told(switch) == [Answered, Acknowledged]
    switch.send([Play(leg, "de/alarm-enough", "bye")])
    switch.advance(5)
    assert [sound for _, sound in switch.calls[0].heard] == [
        "alarm", "alarm-confirmed", "alarm-confirmed", "de/alarm-enough"]
    assert told(switch) == [Played, HungUp]


async def test_the_closing_comes_in_time_or_the_switch_says_good_bye(switch: MemorySwitch) -> None:
    leg = ring(switch, Phone(answers_s=1, keys="1"))
    switch.advance(2.6)
    switch.send([Play(leg, "cache/closing", "bye")])
    switch.advance(5)
    ring(switch, Phone(answers_s=1, keys="1"))
    switch.advance(10)
    assert [[sound for _, sound in call.heard][2:] for call in switch.calls] == [["cache/closing"], ["alarm-bye"]]


async def test_somebody_who_calls_back_is_asked(switch: MemorySwitch) -> None:
    leg = switch.arrive("4930", NUMBER)
    switch.send([AskAlarm(leg, ask())])
    switch.advance(0.1)
    switch.press(leg, "1")
    switch.advance(10)
    assert told(switch) == [CallArrived, Acknowledged, Played, HungUp]


async def test_a_trunk_that_is_down_refuses(switch: MemorySwitch) -> None:
    switch.trunks_down.add("other")
    ring(switch, Phone(answers_s=1, keys="1"), trunk="other")
    switch.advance(5)
    (gone,) = [switch._events.get_nowait() for _ in range(switch._events.qsize())]
    assert isinstance(gone, HungUp) and (gone.cause, gone.sip) == (34, 503)
