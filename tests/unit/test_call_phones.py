"""The live calls and the phones: who is rung when, within what hotline and trunk allow."""

import asyncio
from dataclasses import replace

import pytest

import engine.ledger
from engine.vocabulary.commands import Dial, HangUp
from engine.vocabulary.values import AgentPhone, Cause, EntryType
from tests.desk import ACCEPTS, Desk, desk, turns, until
from tests.playbook import a_hotline, phone


async def test_the_longest_waiting_caller_gets_the_phone_that_becomes_free() -> None:
    async with desk(a_hotline(1)) as at:
        first = await at.arrives()
        channel = _channel(at, first)
        at.switch.advance(0.1)
        second = await at.arrives()
        at.switch.advance(0.1)
        await at.arrives()
        assert at.dialled() == ["49300001"]
        at.switch.hang_up(first)
        await at.passes(0.5)
        assert [order.peer for order in at.sent(Dial)] == [channel, _channel(at, second)]


def _channel(at: Desk, leg: str) -> str:
    return next(call.state["channel"] for call in at.shelf.calls.values() if call.caller_leg == leg)


async def test_a_hotline_never_has_more_outbound_legs_than_it_may() -> None:
    async with desk(a_hotline(5, channels_outbound=2)) as at:
        await at.arrives()
        await at.arrives()
        assert at.dialled() == ["49300001", "49300002"]
        at.switch.hang_up(at.sent(Dial)[0].leg)  # a phone that rejects: the next one rings
        await at.settles()
        assert len(at.dialled()) == 3


async def test_more_callers_than_the_hotline_takes_hear_busy_until_one_has_gone() -> None:
    async with desk(a_hotline(1, channels_inbound=2)) as at:
        first = await at.arrives()
        await at.arrives()
        third = await at.arrives()
        assert third not in await at.switch.live()
        at.switch.hang_up(first)
        await at.settles()
        assert await at.arrives() in await at.switch.live()


async def test_the_trunks_calls_a_second_are_kept_and_the_rest_is_dialled_as_soon_as_they_allow() -> None:
    async with desk(a_hotline(5), trunk_cps=4) as at:
        begun = asyncio.get_running_loop().time()
        await at.arrives()
        assert len(at.dialled()) == 4
        await until(lambda: len(at.dialled()) == 5)
        assert asyncio.get_running_loop().time() - begun >= 0.2
        assert at.calls.phases() == ["waiting"]


async def test_the_trunks_channels_are_kept_and_the_first_caller_has_right_of_way() -> None:
    second = replace(a_hotline(0), hotline_id=8, number="4930556", phones=(phone(8), phone(9)))
    async with desk(a_hotline(3), second, trunk_channels=4) as at:
        await at.arrives()
        at.switch.advance(0.01)
        await at.arrives("4930556")
        assert at.dialled() == ["49300001", "49300002", "49300003"]
        at.switch.hang_up("1767268800.1")
        await at.settles()
        await until(lambda: at.dialled()[3:] == ["49300008", "49300009"])


async def test_a_budget_that_is_used_up_does_not_make_the_engine_spin(monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk(a_hotline(3), trunk_channels=2) as at:
        await at.arrives()
        looks: list[object] = []
        allocate = engine.ledger.allocate
        monkeypatch.setattr(engine.ledger, "allocate", lambda *asked: looks.append(asked) or allocate(*asked))
        for _ in range(200):  # each makes a round
            at.calls.mailbox.wake()
            await turns(3)
        looks.clear()
        began = asyncio.get_running_loop().time()
        await until(lambda: asyncio.get_running_loop().time() - began > 0.3)
        assert len(looks) <= 20


async def test_callers_whose_phones_all_talk_wait_without_using_up_a_round() -> None:
    async with desk(a_hotline(1), phones={"49300001": ACCEPTS}) as at:
        first = await at.arrives()
        await at.passes(2)
        await at.arrives()
        await at.passes(60)
        assert at.dialled() == ["49300001"]
        assert sorted(at.calls.phases()) == ["talking", "waiting"]
        at.switch.hang_up(first)
        await at.passes(2)
        assert at.dialled() == ["49300001", "49300001"]
        assert at.calls.phases() == ["talking"]


async def test_a_phone_of_two_hotlines_has_one_leg_at_a_time() -> None:
    shared = AgentPhone(1, 1, "49300001")
    other = replace(a_hotline(0), hotline_id=8, number="4930556", phones=(shared,))
    async with desk(a_hotline(1), other) as at:
        first = await at.arrives()
        await at.arrives("4930556")
        assert at.dialled() == ["49300001"]
        at.switch.hang_up(first)
        await at.settles()
        assert [order.cause for order in at.sent(HangUp)] == [Cause.NORMAL]
        assert at.dialled() == ["49300001", "49300001"]
        assert EntryType.AGENT_CALLED.value in at.entries()
