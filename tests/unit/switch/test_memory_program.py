"""What the twin's people do when a program is run with them."""

import uuid
from collections.abc import AsyncIterator

import pytest

from engine.switch.memory import MemorySwitch, Phone
from engine.switch.memory_program import HEARD
from engine.vocabulary.commands import Bridge, DialProgram, Hold, RunStep, Transfer
from engine.vocabulary.events import Answered, CallArrived, FallbackStarted, HungUp, Joined, StepDone
from engine.vocabulary.program import Prompt

NUMBER = "4917155"


@pytest.fixture
async def switch() -> AsyncIterator[MemorySwitch]:
    one = MemorySwitch()
    one.restore()
    one._events.get_nowait()
    yield one


def ring(switch: MemorySwitch, phone: Phone, first: Prompt, number: str = NUMBER) -> str:
    switch.phones[number] = phone
    leg = str(uuid.uuid4())
    switch.send([DialProgram(leg, number, "trunk", "4930", 25, first)])
    return leg


def told(switch: MemorySwitch) -> list[object]:
    found = []
    while not switch._events.empty():
        found.append(switch._events.get_nowait())
    return found


def after(switch: MemorySwitch, seconds: float) -> list[str]:
    """What was told meanwhile, in short."""
    switch.advance(seconds)
    return [f"{type(one).__name__}{one.number}{one.digits}{one.status}" if isinstance(one, StepDone)
            else type(one).__name__ for one in told(switch)]


@pytest.mark.parametrize(("phone", "first", "happens"), [
    (Phone(), Prompt("play", 1, "a"), ["HungUp"]),
    (Phone(refuses=486), Prompt("play", 1, "a"), ["HungUp"]),
    (Phone(answers_s=1), Prompt("play", 1, "a", is_last=True), ["Answered", "StepDone1", "HungUp"]),
    (Phone(answers_s=1), Prompt("play", 1, "a"), ["Answered", "StepDone1", "HungUp"]),
    (Phone(answers_s=1, enters=("123",)), Prompt("collect", 2, "a", digits=2, timeout_s=5),
     ["Answered", "StepDone212", "HungUp"]),
    (Phone(answers_s=1), Prompt("collect", 2, "a", digits=2, timeout_s=5), ["Answered", "StepDone2", "HungUp"]),
    (Phone(answers_s=1), Prompt("amd", 3), ["Answered", "StepDone3human", "HungUp"]),
    (Phone(answers_s=1, is_machine=True), Prompt("amd", 3), ["Answered", "StepDone3machine", "HungUp"]),
    (Phone(answers_s=1), Prompt("record", 4, seconds=9, file="7-1"), ["Answered", "StepDone4recorded", "HungUp"]),
    (Phone(answers_s=1), Prompt("pause", 5, seconds=3), ["Answered", "StepDone5", "HungUp"]),
    (Phone(answers_s=1, hangs_up_s=0.5), Prompt("pause", 5, seconds=3), ["Answered", "HungUp"]),
])
def test_a_step_and_what_it_tells(switch: MemorySwitch, phone: Phone, first: Prompt, happens: list[str]) -> None:
    ring(switch, phone, first)
    assert after(switch, 60) == happens


def test_the_last_step_hangs_up_at_once_but_not_when_a_key_was_pressed(switch: MemorySwitch) -> None:
    last = Prompt("collect", 1, "a", digits=1, timeout_s=1, is_last=True)
    ring(switch, Phone(answers_s=0.1), last)
    assert after(switch, 2.2) == ["Answered", "StepDone1", "HungUp"]
    leg = ring(switch, Phone(answers_s=0.1, enters=("9",)), last)
    assert after(switch, 2.2) == ["Answered", "StepDone19"]
    switch.send([RunStep(leg, Prompt("play", 2, "b", is_last=True))])
    assert after(switch, 1.1) == ["StepDone2", "HungUp"]


def test_the_last_question_hangs_up_when_a_key_was_pressed(switch: MemorySwitch) -> None:
    last = Prompt("collect", 1, "a", digits=1, timeout_s=1, is_last_by_key=True)
    ring(switch, Phone(answers_s=0.1, enters=("9",)), last)
    assert after(switch, 2.2) == ["Answered", "StepDone19", "HungUp"]
    ring(switch, Phone(answers_s=0.1), last)
    assert after(switch, 2.2) == ["Answered", "StepDone1"]


def test_the_next_step_comes_in_time(switch: MemorySwitch) -> None:
    leg = ring(switch, Phone(answers_s=0.1, enters=("", "5")), Prompt("collect", 1, "a", digits=1, timeout_s=1))
    after(switch, 3)
    switch.send([RunStep(leg, Prompt("collect", 2, "b", digits=1, timeout_s=1))])
    assert after(switch, 3) == ["StepDone25"]
    assert after(switch, 10) == ["HungUp"]
    assert [sound for _, sound in switch.calls[0].heard] == ["a", "b"]


async def test_a_recording_is_there_when_it_is_whole_also_when_the_person_hangs_up(switch: MemorySwitch) -> None:
    leg = ring(switch, Phone(answers_s=0.1), Prompt("record", 1, seconds=9, file="7-2"))
    after(switch, 0.5)
    assert await switch.recorded() == []
    switch.hang_up(leg)
    [one] = await switch.recorded()
    assert (one.spool_id, one.application_id, await switch.recorded_audio(one)) == (7, 2, HEARD)
    await switch.forget_recorded(one)
    assert await switch.recorded() == [] and await switch.recorded_audio(one) == b""


def test_who_is_handed_to_a_hotline_is_a_caller_like_any_other(switch: MemorySwitch) -> None:
    leg = ring(switch, Phone(answers_s=0.1), Prompt("play", 1, "a"))
    after(switch, 1.2)
    switch.send([Transfer(leg, "4930555", NUMBER)])
    [arrived] = told(switch)
    assert isinstance(arrived, CallArrived) and (arrived.leg, arrived.did, arrived.caller) == (leg, "4930555", NUMBER)
    switch.advance(3)
    assert any(isinstance(one, FallbackStarted) for one in told(switch))


def test_two_legs_that_we_dialled_talk(switch: MemorySwitch) -> None:
    person = ring(switch, Phone(answers_s=0.1), Prompt("pause", 1))
    after(switch, 0.5)
    switch.send([Hold(person)])
    peer = ring(switch, Phone(answers_s=0.1), Prompt("pause", 0, seconds=10), "4917156")
    after(switch, 0.5)
    switch.send([Bridge(person, "", peer)])
    assert [type(one) for one in told(switch)] == [Joined]
    assert after(switch, 30) == []      # neither the lease nor the pause ends a talk
    switch.hang_up(person)
    assert [(one.leg, one.was_left) for one in told(switch) if isinstance(one, HungUp)] == [
        (person, False), (peer, True)]
    assert not any(isinstance(one, Answered) for one in told(switch))
