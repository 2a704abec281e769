"""What every switch promises of alarms, on the memory twin and on a real Asterisk (dialplans/asterisk/alarm.conf)."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.ports import AckNote
from engine.switch.memory import Phone
from engine.vocabulary.commands import AskAlarm, DialAlarm, HangUp, Play
from engine.vocabulary.events import (
    Acknowledged,
    Answered,
    Declined,
    HungUp,
    NoKey,
    PinWrong,
    Played,
)
from tests.contract.switch_worlds import CLOSING, World, alarm_ask, fresh_number, open_asterisk, open_memory


@pytest.fixture(params=["memory", "asterisk"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "memory":
        async with open_memory() as memory:
            yield memory
    else:
        async with open_asterisk(request.getfixturevalue("asterisk")) as real:
            yield real


def ring(world: World, phone: Phone, ring_timeout_s: int = 20, trunk: str = "trunk", **ask: Any) -> str:
    number, leg = fresh_number("49176"), str(uuid.uuid4())
    world.phone(number, phone)
    getattr(world, "numbers", {})[leg] = number
    world.switch.send([DialAlarm(leg, number, trunk, "4930123", ring_timeout_s, alarm_ask(**ask))])
    return leg


async def note_of(world: World, leg: str) -> AckNote | None:
    return next((note for note in await world.switch.acknowledgements() if note.leg == leg), None)


async def test_a_key_acknowledges_and_is_written_down_until_it_is_forgotten(world: World) -> None:
    leg = ring(world, Phone(answers_s=0.0, keys="1", key_s=0.3))
    acknowledged = await world.next(Acknowledged, leg)
    note = await note_of(world, leg)
    assert note and abs((note.at - acknowledged.at).total_seconds()) < 1
    assert len(world.told(Answered, leg)) == 1
    await world.next(Played, leg)
    await world.switch.forget_acknowledgements([note])
    assert await note_of(world, leg) is None


async def test_after_the_thank_you_the_engine_says_the_closing(world: World) -> None:
    leg = ring(world, Phone(answers_s=0.0, keys="1", key_s=0.3))
    await world.next(Played, leg)
    world.switch.send([Play(leg, CLOSING, "bye")])
    await world.next(Played, leg)
    assert (await world.next(HungUp, leg, 1)).cause == 16


async def test_without_an_engine_the_switch_says_good_bye(world: World) -> None:
    leg = ring(world, Phone(answers_s=0.0, keys="1", key_s=0.3))
    await world.next(Played, leg)
    assert (await world.next(HungUp, leg, world.claim_s + 2)).cause == 16


async def test_a_star_repeats_and_is_no_try(world: World) -> None:
    leg = ring(world, Phone(answers_s=0.0, keys="**501", key_s=0.3), tries=3)
    await world.next(Acknowledged, leg)
    assert world.told(NoKey, leg) == []


async def test_a_wrong_key_is_a_try(world: World) -> None:
    leg = ring(world, Phone(answers_s=0.0, keys="501", key_s=0.3), tries=3)
    await world.next(Acknowledged, leg)
    leg = ring(world, Phone(answers_s=0.0, keys="501", key_s=0.3), tries=2)
    await world.next(NoKey, leg)
    await world.next(HungUp, leg)
    assert await note_of(world, leg) is None


@pytest.mark.parametrize("key", ["0", "7"])
async def test_any_digit_may_be_the_key(world: World, key: str) -> None:
    leg = ring(world, Phone(answers_s=0.0, keys=key, key_s=0.3), key=key, tries=1)
    await world.next(Acknowledged, leg)


async def test_silence_is_not_reached(world: World) -> None:
    leg = ring(world, Phone(answers_s=0.0), tries=1)
    await world.next(NoKey, leg)
    assert (await world.next(HungUp, leg)).cause == 16
    assert await note_of(world, leg) is None and world.told(Acknowledged, leg) == []


async def test_who_declines_hears_so_and_is_hung_up(world: World) -> None:
    leg = ring(world, Phone(answers_s=0.0, keys="9", key_s=0.3))
    await world.next(Declined, leg)
    assert (await world.next(HungUp, leg)).cause == 16
    note = await note_of(world, leg)
    assert note and note.is_declined and world.told(NoKey, leg) == []
    await world.switch.forget_acknowledgements([note])
    assert await note_of(world, leg) is None


async def test_where_nobody_can_decline_neither_9_nor_silence_does(world: World) -> None:
    leg = ring(world, Phone(answers_s=0.0, keys="9", key_s=0.3), decline_key="", tries=2)
    await world.next(NoKey, leg, 20)
    assert world.told(Declined, leg) == []


async def test_who_hangs_up_before_the_key_has_not_acknowledged(world: World) -> None:
    leg = ring(world, Phone(answers_s=0.0, hangs_up_s=0.2))
    assert (await world.next(HungUp, leg)).cause == 16
    assert world.told(Answered, leg) and not world.told(NoKey, leg) and not world.told(Acknowledged, leg)
    assert await note_of(world, leg) is None


async def test_the_pin_is_asked_after_the_key(world: World) -> None:
    leg = ring(world, Phone(answers_s=0.0, keys="1", key_s=0.3, pins=("0471",)), pin="0471")
    await world.next(Acknowledged, leg)
    assert world.told(PinWrong, leg) == [] and await note_of(world, leg)


async def test_a_wrong_pin_is_told_and_may_be_entered_again(world: World) -> None:
    leg = ring(world, Phone(answers_s=0.0, keys="1", key_s=0.3, pins=("471", "0471")), pin="0471")
    await world.next(Acknowledged, leg)
    assert len(world.told(PinWrong, leg)) == 1


async def test_three_wrong_pins_end_the_call(world: World) -> None:
    leg = ring(world, Phone(answers_s=0.0, keys="1", key_s=0.3, pins=("1", "*", "00471")), pin="0471")
    await world.next(NoKey, leg)
    assert len(world.told(PinWrong, leg)) == 3
    await world.next(HungUp, leg)
    assert await note_of(world, leg) is None


async def test_no_more_pins_are_asked_for_than_are_left(world: World) -> None:
    leg = ring(world, Phone(answers_s=0.0, keys="1", key_s=0.3, pins=("1", "0471")), pin="0471", pin_tries=1)
    await world.next(NoKey, leg)
    assert len(world.told(PinWrong, leg)) == 1
    await world.next(HungUp, leg)
    assert not world.told(Acknowledged, leg) and await note_of(world, leg) is None


async def test_no_pin_is_right_when_it_is_refused(world: World) -> None:
    leg = ring(world, Phone(answers_s=0.0, keys="1", key_s=0.3, pins=("0471",)), pin="0471", pin_tries=0)
    await world.next(NoKey, leg)
    await world.next(HungUp, leg)
    assert not world.told(Acknowledged, leg) and not world.told(PinWrong, leg)


async def test_who_calls_back_is_asked_and_falls_nowhere(world: World) -> None:
    caller = await world.arrive(fresh_number(), fresh_number("49176"))
    world.switch.send([AskAlarm(caller.leg, alarm_ask(), not_after=None)])
    while "rw-alarm" not in [leg.place for leg in (await world.switch.live()).values()]:
        await world.quiet(HungUp, caller.leg, 0.02)
    await world.quiet(HungUp, caller.leg, 0.3)
    world.press(caller.leg, "1")
    await world.next(Acknowledged, caller.leg)
    assert await note_of(world, caller.leg)
    await world.next(Played, caller.leg)
    assert (await world.next(HungUp, caller.leg, world.claim_s + 2)).cause == 16


async def test_an_alarm_that_rings_is_called_off(world: World) -> None:
    leg = ring(world, Phone())
    while leg not in await world.switch.live():
        await world.quiet(HungUp, leg, 0.02)
    world.switch.send([HangUp(leg, 26)])
    gone = await world.next(HungUp, leg)
    assert (gone.cause, gone.sip) == (26, 0)


@pytest.mark.parametrize(("status", "cause"), [(486, 17), (503, 34)])
async def test_a_refusal_is_told(world: World, status: int, cause: int) -> None:
    leg = ring(world, Phone(refuses=status))
    gone = await world.next(HungUp, leg)
    assert (gone.cause, gone.sip) == (cause, status)
