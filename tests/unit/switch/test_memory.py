"""The memory twin's own levers; what it promises as a switch is in tests/contract/test_switch.py."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from engine.ports import Connected, Disconnected, SwitchLost
from engine.switch.memory import MemorySwitch, Phone
from engine.vocabulary.commands import Dial, Hold
from engine.vocabulary.events import Answered, CallArrived, DigitsEntered, FallbackExhausted, FallbackStarted, HungUp

AGENT = "6b8f6d0e-1111-4222-8333-444455556666"


@pytest.fixture
async def switch() -> AsyncIterator[MemorySwitch]:
    one = MemorySwitch()
    one.restore()
    yield one


async def told(switch: MemorySwitch) -> list[Any]:
    found: list[Any] = []

    async def listen() -> None:
        async for event in switch.events():
            found.append(event)

    try:
        async with asyncio.timeout(0.01):
            await listen()
    except TimeoutError:
        return found
    return found


async def test_nothing_happens_while_the_clock_stands(switch: MemorySwitch) -> None:
    switch.phones["49171"] = Phone(answers_s=3, keys="1", key_s=1)
    switch.send([Dial(AGENT, "49171", "4930", 20, "a", "b", 3, "")])
    assert await told(switch) == [Connected(is_fresh=True)]
    switch.advance(2.9)
    assert await told(switch) == []
    switch.advance(5)
    answered, key = (await told(switch))[:2]
    assert (answered, key) == (Answered(answered.at, AGENT), DigitsEntered(key.at, AGENT, "1"))
    assert ((answered.at - switch.start).total_seconds(), (key.at - switch.start).total_seconds()) == (3, 4)


async def test_what_happens_while_the_link_is_cut_is_told_to_nobody(switch: MemorySwitch) -> None:
    leg = switch.arrive("4930")
    switch.send([Hold(leg)])
    switch.cut()
    with pytest.raises(SwitchLost):
        switch.send([Hold(leg)])
    with pytest.raises(SwitchLost):
        await switch.live()
    switch.hang_up(leg)
    switch.restore()
    kinds = [type(event) for event in await told(switch)]
    assert kinds == [Connected, CallArrived, Disconnected, Connected]
    assert await switch.live() == {}


async def test_a_restart_leaves_no_channel_and_is_fresh(switch: MemorySwitch) -> None:
    switch.arrive("4930")
    switch.restart()
    assert (await told(switch))[-1] == Connected(is_fresh=True)
    assert await switch.live() == {}


async def test_a_leased_caller_falls_back_and_the_fallback_is_told_by_hand(switch: MemorySwitch) -> None:
    leg = switch.arrive("4930", "49170")
    switch.send([Hold(leg)])
    switch.advance(switch.lease_s + 0.1)
    switch.leave_row(leg, "leg", "49171", "1.9", "BUSY", 17)
    switch.exhaust(leg)
    switch.hang_up(leg)
    kinds = [type(event) for event in await told(switch)]
    assert kinds[2:] == [FallbackStarted, FallbackExhausted, HungUp]
    assert [row.step for row in await switch.fallback_rows()] == ["start", "leg", "ended"]


async def test_a_person_hangs_up_in_the_question(switch: MemorySwitch) -> None:
    switch.phones["49171"] = Phone(answers_s=0, hangs_up_s=0.5)
    switch.send([Dial(AGENT, "49171", "4930", 20, "a", "b", 3, "")])
    switch.advance(1)
    assert [type(event) for event in await told(switch)][1:] == [Answered, HungUp]
