"""What every switch promises of programs, on the twin and on a real Asterisk (dialplans/asterisk/program.conf)."""

import itertools
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.ports import Recorded
from engine.runtime.asterisk import Asterisk
from engine.sound.recording import read
from engine.switch.memory import Phone
from engine.vocabulary.commands import Bridge, DialProgram, HangUp, Hold, Play, RunStep, Transfer
from engine.vocabulary.events import Answered, CallArrived, FallbackStarted, HungUp, Joined, Played, StepDone
from engine.vocabulary.program import Prompt
from tests.contract.switch_worlds import SOUND, World, fresh_number, open_asterisk, open_memory

NEXT_WITHIN_S = 10
_files = itertools.count(1)


@pytest.fixture(params=["memory", "asterisk"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "memory":
        async with open_memory() as memory:
            yield memory
    else:
        async with open_asterisk(request.getfixturevalue("asterisk")) as real:
            yield real


def ring(world: World, first: Prompt, phone: Phone | None = None, **facts: Any) -> str:
    number, leg = fresh_number("49176"), str(uuid.uuid4())
    world.phone(number, phone or Phone(answers_s=0.0, **facts))
    getattr(world, "numbers", {})[leg] = number
    world.switch.send([DialProgram(leg, number, "trunk", "4930123", 20, first)])
    return leg


def collect(number: int = 1, **facts: Any) -> Prompt:
    return Prompt("collect", number, **{"sound": SOUND, "digits": 1, "timeout_s": 1, **facts})


# --- saying ------------------------------------------------------------------------------------------------------


async def test_a_sound_is_played_and_the_next_step_follows(world: World) -> None:
    leg = ring(world, Prompt("play", 1, SOUND))
    done = await world.next(StepDone, leg)
    assert (done.number, done.digits, done.status) == (1, "", "")
    assert len(world.told(Answered, leg)) == 1
    world.switch.send([RunStep(leg, Prompt("play", 2, SOUND, is_last=True))])
    assert (await world.next(StepDone, leg)).number == 2
    assert (await world.next(HungUp, leg, 2)).cause == 16
    assert len(world.told(Answered, leg)) == 1


async def test_behind_the_last_step_the_switch_hangs_up_by_itself(world: World) -> None:
    leg = ring(world, Prompt("play", 1, SOUND, is_last=True))
    await world.next(StepDone, leg)
    assert (await world.next(HungUp, leg, 2)).cause == 16


async def test_without_an_engine_the_call_ends(world: World) -> None:
    leg = ring(world, Prompt("play", 1, SOUND))
    await world.next(StepDone, leg)
    await world.quiet(HungUp, leg, NEXT_WITHIN_S - 3)
    assert (await world.next(HungUp, leg, 6)).cause == 16


async def test_a_pause_is_as_long_as_it_is_said_to_be(world: World) -> None:
    leg = ring(world, Prompt("pause", 1, seconds=1.5))
    answered = await world.next(Answered, leg)
    done = await world.next(StepDone, leg)
    assert 1.3 < (done.at - answered.at).total_seconds() < 2.2


async def test_a_step_takes_over_while_another_one_is_not_done(world: World) -> None:
    leg = ring(world, Prompt("pause", 1, seconds=5))
    await world.next(Answered, leg)
    await world.quiet(StepDone, leg, 0.5)
    world.switch.send([RunStep(leg, Prompt("play", 2, SOUND, is_last=True))])
    assert (await world.next(StepDone, leg)).number == 2


async def test_who_does_not_answer_is_told_as_for_any_leg(world: World) -> None:
    leg = ring(world, Prompt("play", 1, SOUND), Phone(refuses=486))
    gone = await world.next(HungUp, leg)
    assert (gone.cause, gone.sip) == (17, 486) and world.told(Answered, leg) == []


async def test_who_hangs_up_in_the_middle_has_done_no_step(world: World) -> None:
    leg = ring(world, Prompt("pause", 1, seconds=5), hangs_up_s=0.3)
    assert (await world.next(HungUp, leg)).cause == 16
    assert world.told(Answered, leg) and world.told(StepDone, leg) == []


# --- keys --------------------------------------------------------------------------------------------------------


async def test_a_key_ends_the_sound(world: World) -> None:
    leg = ring(world, collect(), enters=("5",), key_s=0.2)
    assert (await world.next(StepDone, leg)).digits == "5"


@pytest.mark.parametrize(("entered", "digits"), [
    ("12", "12"),       # fewer than there may be: after a while
    ("123", "123"), ("1234", "123"),    # too many: the first ones
    ("12#", "12"), ("*1#", "*1"), ("#", ""),
])
async def test_digits_are_taken_up_to_their_number_or_the_hash(world: World, entered: str, digits: str) -> None:
    leg = ring(world, collect(digits=3, timeout_s=2), enters=(entered,), key_s=0.25)
    assert (await world.next(StepDone, leg, 8)).digits == digits


async def test_silence_is_no_digits(world: World) -> None:
    leg = ring(world, collect(digits=2))
    assert (await world.next(StepDone, leg)).digits == ""


async def test_keys_are_taken_without_a_sound_as_well(world: World) -> None:
    leg = ring(world, collect(sound=""), enters=("7",), key_s=0.4)
    assert (await world.next(StepDone, leg)).digits == "7"


async def test_a_key_in_the_last_step_leaves_the_word_to_the_engine(world: World) -> None:
    leg = ring(world, collect(is_last=True), enters=("9",), key_s=0.2)
    assert (await world.next(StepDone, leg)).digits == "9"
    await world.quiet(HungUp, leg, 0.5)
    world.switch.send([Play(leg, SOUND, then="bye")])
    await world.next(Played, leg)
    await world.next(HungUp, leg, 2)


async def test_a_key_that_answers_the_last_question_ends_the_call(world: World) -> None:
    leg = ring(world, collect(is_last_by_key=True), enters=("9",), key_s=0.2)
    assert (await world.next(StepDone, leg)).digits == "9"
    await world.next(HungUp, leg, 2)


async def test_silence_after_the_last_question_leaves_the_word_to_the_engine(world: World) -> None:
    leg = ring(world, collect(is_last_by_key=True))
    assert (await world.next(StepDone, leg)).digits == ""
    await world.quiet(HungUp, leg, 0.5)


async def test_silence_in_the_last_step_ends_the_call(world: World) -> None:
    leg = ring(world, collect(is_last=True))
    assert (await world.next(StepDone, leg)).digits == ""
    await world.next(HungUp, leg, 2)


# --- mailboxes, recordings ---------------------------------------------------------------------------------------


async def test_the_switch_says_what_it_takes_the_far_side_for(world: World) -> None:
    leg = ring(world, Prompt("amd", 1))
    assert (await world.next(StepDone, leg, 10)).status in ("human", "machine")


async def kept(world: World, file: str) -> Recorded | None:
    return next((one for one in await world.switch.recorded() if one.name == file), None)


async def kept_within(world: World, leg: str, file: str) -> Recorded:
    for _ in range(100):
        if found := await kept(world, file):
            return found
        await world.quiet(StepDone, leg, 0.02)
    raise AssertionError("nothing is kept")


async def test_what_is_recorded_is_there_when_the_step_is_done(world: World) -> None:
    file = f"{uuid.uuid4().int % 10**12}-{next(_files)}"
    leg = ring(world, Prompt("record", 1, seconds=1, file=file))
    assert (await world.next(StepDone, leg)).status == "recorded"
    one = await kept(world, file)
    assert one is not None
    sound = read(await world.switch.recorded_audio(one))
    assert 0.05 < len(sound.samples) / sound.rate < 2
    await world.switch.forget_recorded(one)
    assert await kept(world, file) is None and await world.switch.recorded_audio(one) == b""


async def test_a_key_ends_a_recording(world: World) -> None:
    file = f"{uuid.uuid4().int % 10**12}-{next(_files)}"
    leg = ring(world, Prompt("record", 1, seconds=20, file=file), enters=("#",), key_s=1.0)
    assert (await world.next(StepDone, leg, 4)).status == "recorded"
    assert await kept(world, file)


async def test_a_recording_is_kept_when_the_person_hangs_up_in_the_middle(world: World) -> None:
    file = f"{uuid.uuid4().int % 10**12}-{next(_files)}"
    leg = ring(world, Prompt("record", 1, seconds=20, file=file), hangs_up_s=0.8)
    await world.next(HungUp, leg)
    one = await kept_within(world, leg, file)
    sound = read(await world.switch.recorded_audio(one))
    assert len(sound.samples) > 0 and world.told(StepDone, leg) == []
    await world.switch.forget_recorded(one)


# --- handed over -------------------------------------------------------------------------------------------------


async def test_who_is_handed_to_a_hotline_arrives_there_with_his_own_number(world: World) -> None:
    leg, did = ring(world, Prompt("play", 1, SOUND)), fresh_number()
    await world.next(StepDone, leg)
    world.switch.send([Transfer(leg, did, "4917099999")])
    arrived = await world.next(CallArrived, leg)
    assert (arrived.did, arrived.caller) == (did, "4917099999")
    world.switch.send([Play(leg, SOUND, "hold")])
    await world.next(Played, leg)
    await world.quiet(HungUp, leg, 0.5)


async def test_whom_no_engine_takes_there_the_fallback_serves(world: World) -> None:
    leg, did = ring(world, Prompt("play", 1, SOUND)), fresh_number()
    await world.next(StepDone, leg)
    world.switch.send([Transfer(leg, did, "4917099999")])
    await world.next(CallArrived, leg)
    fallen = await world.next(FallbackStarted, leg, world.claim_s + 2)
    assert (fallen.did, fallen.caller) == (did, "4917099999")


async def a_talk(world: World) -> tuple[str, str]:
    person = ring(world, Prompt("pause", 1))
    await world.next(StepDone, person)
    world.switch.send([Hold(person)])
    peer = ring(world, Prompt("pause", 0, seconds=10))
    await world.next(Answered, peer)
    world.switch.send([Bridge(person, "", peer)])
    joined = await world.next(Joined)
    assert {joined.leg, joined.peer} == {person, peer}
    return person, peer


async def test_two_legs_that_we_dialled_talk_and_the_lease_does_not_end_it(world: World) -> None:
    person, peer = await a_talk(world)
    await world.quiet(HungUp, person, 1.5)
    live = await world.switch.live()
    assert live[person].bridge and live[person].bridge == live[peer].bridge
    assert world.told(HungUp, peer) == []


@pytest.mark.parametrize("first", [0, 1])
async def test_when_one_hangs_up_the_other_one_can_be_hung_up_as_well(world: World, first: int) -> None:
    talk = await a_talk(world)
    gone, other = talk[first], talk[1 - first]
    await world.quiet(HungUp, gone, 0.3)
    world.hang_up(gone)
    await world.next(HungUp, gone)
    world.switch.send([HangUp(other, 16)])
    await world.next(HungUp, other, 3)


# --- what it costs -----------------------------------------------------------------------------------------------


async def test_a_message_costs_six_ami_messages_and_two_kilobytes_at_most(asterisk: Asterisk) -> None:
    async with open_asterisk(asterisk) as world:
        async def one() -> None:
            leg = ring(world, Prompt("play", 1, SOUND, is_last=True))
            await world.next(StepDone, leg)
            await world.next(HungUp, leg)
            await world.quiet(HungUp, leg, 0.3)
        await one()
        figures = world.real.figures
        before = figures.messages_in + figures.messages_out, figures.bytes_in + figures.bytes_out
        await one()
        messages = figures.messages_in + figures.messages_out - before[0]
        size = figures.bytes_in + figures.bytes_out - before[1]
    print(f"\n{messages} messages, {size} bytes")
    assert messages <= 6 + 2 and size <= 2000   # a ping and its answer may fall into it
