"""What every switch promises, on the memory twin and on a real Asterisk with the dialplan of dialplans/asterisk."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest

from engine.ports import FallbackRow
from engine.switch.memory import Phone
from engine.vocabulary.commands import Bridge, Dial, HangUp, Hold, Play, Reject
from engine.vocabulary.events import (
    Answered,
    CallArrived,
    DialRefused,
    DigitsEntered,
    FallbackStarted,
    HungUp,
    Joined,
    OrderExpired,
    Played,
)
from engine.vocabulary.values import AgentPhone, Hotline, LiveLeg, Provider
from tests.contract.switch_worlds import SOUND, World, fresh_number, open_asterisk, open_memory


@pytest.fixture(params=["memory", "asterisk"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "memory":
        async with open_memory() as memory:
            yield memory
    else:
        async with open_asterisk(request.getfixturevalue("asterisk")) as real:
            yield real


def hotline(number: str, **changes: Any) -> Hotline:
    fields: dict[str, Any] = {
        "hotline_id": 7, "organisation_id": 1, "number": number, "language": "de", "is_active": True,
        "channels_inbound": 2, "channels_outbound": 5, "greeting": SOUND, "ask": SOUND,
        "phones": (AgentPhone(1, 1, fresh_number("49171")),)}
    return Hotline(**{**fields, **changes})


def dial(world: World, number: str, peer: str = "", **changes: Any) -> Dial:
    order = Dial(leg=str(uuid.uuid4()), number=number, caller_id="4930123", ring_timeout_s=20, ask=SOUND, taken=SOUND,
                 tries=1, peer=peer)
    order = Dial(**{**{name: getattr(order, name) for name in order.__slots__}, **changes})
    getattr(world, "numbers", {})[order.leg] = number
    world.switch.send([order])
    return order


async def accepted(world: World, caller: CallArrived, **phone: Any) -> str:
    """An agent who has just pressed 1. Returns the leg."""
    number = fresh_number("49172")
    world.phone(number, Phone(answers_s=0.0, keys="1", key_s=0.3, **phone))
    leg = dial(world, number, caller.channel).leg
    assert (await world.next(DigitsEntered, leg)).digits == "1"
    return leg


async def waiting(world: World) -> CallArrived:
    """A caller who hears music."""
    caller = await world.arrive(fresh_number())
    world.switch.send([Hold(caller.leg)])
    return caller


async def test_a_caller_is_told_greeted_and_held(world: World) -> None:
    did = fresh_number()
    caller = await world.arrive(did, "4917099")
    assert (caller.did, caller.caller) == (did, "4917099")
    assert abs((world.switch.now() - caller.at).total_seconds()) < 1
    world.switch.send([Play(caller.leg, SOUND)])
    await world.next(Played, caller.leg)
    live = await until_in(world, caller.leg, "rw-hold")
    assert live.is_up and live.channel == caller.channel and live.bridge == ""


async def test_a_caller_hears_the_farewell_and_is_hung_up(world: World) -> None:
    caller = await waiting(world)
    world.switch.send([Play(caller.leg, SOUND, then="bye", cause=16)])
    await world.next(Played, caller.leg)
    assert (await world.next(HungUp, caller.leg)).cause == 16
    assert caller.leg not in await world.switch.live()


async def test_a_caller_who_gives_up_is_told(world: World) -> None:
    caller = await waiting(world)
    await until(world, caller.leg, lambda live: live.is_up)
    world.hang_up(caller.leg)
    gone = await world.next(HungUp, caller.leg)
    assert (gone.cause, gone.sip) == (16, 0)


@pytest.mark.parametrize("cause", [1, 17, 20])
async def test_an_inbound_leg_is_refused(world: World, cause: int) -> None:
    caller = await world.arrive(fresh_number())
    world.switch.send([Reject(caller.leg, cause)])
    gone = await world.next(HungUp, caller.leg)
    assert (gone.cause, gone.sip) == (cause, 0)


async def test_an_order_that_is_too_late_is_dropped_with_all_that_follow_it(world: World) -> None:
    caller = await world.arrive(fresh_number())
    number = fresh_number("49173")
    late = world.switch.now() - timedelta(seconds=0.1)
    order = Dial(str(uuid.uuid4()), number, "4930", 20, SOUND, SOUND, 1, caller.channel)
    world.switch.send([Play(caller.leg, SOUND, not_after=late), order])
    assert (await world.next(OrderExpired, caller.leg)).leg == caller.leg
    live = await world.switch.live()
    assert not live[caller.leg].is_up and order.leg not in live
    world.switch.send([Play(caller.leg, SOUND, not_after=world.switch.now() + timedelta(seconds=1))])
    await world.next(Played, caller.leg)


@pytest.mark.parametrize(("status", "cause"), [(486, 17), (603, 21), (403, 21), (480, 19), (404, 1), (503, 34),
                                               (500, 38), (600, 17), (408, 18)])
async def test_a_phone_that_refuses_is_told_with_cause_and_status(world: World, status: int, cause: int) -> None:
    number = fresh_number("49174")
    world.phone(number, Phone(refuses=status))
    leg = dial(world, number).leg
    gone = await world.next(HungUp, leg)
    assert (gone.cause, gone.sip) == (cause, status)
    assert world.told(Answered, leg) == []


async def test_a_phone_that_rings_for_ever_is_no_answer_and_no_refusal(world: World) -> None:
    number = fresh_number("49175")
    world.phone(number, Phone())
    leg = dial(world, number, ring_timeout_s=1).leg
    assert not (await until_in(world, leg, "")).is_up
    gone = await world.next(HungUp, leg)
    assert gone.cause == 19
    assert gone.sip in (0, 480)     # 480 is Asterisk's own, when the hang-up is told before the time-out


async def test_an_answer_is_told_once_and_before_the_key(world: World) -> None:
    caller = await waiting(world)
    leg = await accepted(world, caller)
    answered = world.told(Answered, leg)
    assert len(answered) == 1
    assert answered[0].at <= world.told(DigitsEntered, leg)[0].at


async def test_a_wrong_key_is_asked_again(world: World) -> None:
    number = fresh_number("49176")
    world.phone(number, Phone(answers_s=0.0, keys="51", key_s=0.5))
    leg = dial(world, number, tries=2).leg
    assert (await world.next(DigitsEntered, leg)).digits == "1"


async def test_a_mailbox_never_accepts(world: World) -> None:
    number = fresh_number("49177")
    world.phone(number, Phone(answers_s=0.0))
    leg = dial(world, number, tries=1).leg
    assert (await world.next(DigitsEntered, leg)).digits == ""
    assert (await world.next(HungUp, leg)).cause == 16


async def test_a_ringing_phone_is_called_off(world: World) -> None:
    number = fresh_number("49178")
    world.phone(number, Phone())
    leg = dial(world, number).leg
    await until_in(world, leg, "")
    world.switch.send([HangUp(leg, 26)])
    gone = await world.next(HungUp, leg)
    assert (gone.cause, gone.sip) == (26, 0)


async def test_a_leg_id_that_is_in_use_is_not_dialled_again(world: World) -> None:
    number = fresh_number("49179")
    world.phone(number, Phone())
    order = dial(world, number)
    await until_in(world, order.leg, "")
    world.switch.send([order])
    await world.quiet(HungUp, order.leg)
    assert order.leg in await world.switch.live()


async def test_two_legs_are_joined(world: World) -> None:
    caller = await waiting(world)
    agent = await accepted(world, caller)
    world.switch.send([Bridge(caller.leg, caller.channel, agent)])
    joined = await world.next(Joined, caller.leg)
    assert joined.peer == agent
    live = await world.switch.live()
    assert live[caller.leg].bridge == live[agent].bridge != ""
    assert live[agent].linked == caller.leg


@pytest.mark.parametrize("who", ["caller", "agent"])
async def test_whoever_ends_a_talk_ends_it_for_both(world: World, who: str) -> None:
    caller = await waiting(world)
    agent = await accepted(world, caller)
    world.switch.send([Bridge(caller.leg, caller.channel, agent)])
    await world.next(Joined, caller.leg)
    world.hang_up(caller.leg if who == "caller" else agent)
    callers_end, agents_end = await world.next(HungUp, caller.leg, 1), await world.next(HungUp, agent, 1)
    assert callers_end.cause == agents_end.cause == 16
    assert (callers_end.was_left, agents_end.was_left) == (who == "agent", who == "caller")
    assert not {caller.leg, agent} & set(await world.switch.live())


async def test_a_talk_has_no_lease(world: World) -> None:
    caller = await waiting(world)
    agent = await accepted(world, caller)
    world.switch.renew([caller.leg], 1)
    world.switch.send([Bridge(caller.leg, caller.channel, agent)])
    await world.next(Joined, caller.leg)
    await world.quiet(FallbackStarted, caller.leg, 1.6)
    assert (await world.switch.live())[caller.leg].bridge


async def test_without_an_order_the_switch_joins_who_accepted(world: World) -> None:
    caller = await waiting(world)
    agent = await accepted(world, caller)
    joined = await world.next(Joined, agent, world.claim_s + 2)
    assert joined.peer == caller.leg
    assert (await until(world, agent, lambda leg: leg.bridge)).bridge == (await world.switch.live())[caller.leg].bridge


async def test_a_lease_that_is_not_renewed_ends_in_fallback(world: World) -> None:
    did = fresh_number()
    await world.switch.put_hotlines([hotline(did, phones=())])
    caller = await world.arrive(did, "4917055")
    world.switch.send([Hold(caller.leg)])
    await until_in(world, caller.leg, "rw-hold")
    world.switch.renew([caller.leg], 1)
    fell = await world.next(FallbackStarted, caller.leg, 4)
    assert (fell.did, fell.caller, fell.channel) == (did, "4917055", caller.channel)


async def test_a_lease_that_comes_after_the_fallback_began_does_not_cost_the_caller_his_call(world: World) -> None:
    did, number = fresh_number(), fresh_number("49171")
    world.phone(number, Phone())
    await world.switch.put_hotlines([hotline(did, phones=(AgentPhone(1, 1, number),))])
    caller = await world.arrive(did)
    await world.next(FallbackStarted, caller.leg)
    world.switch.renew([caller.leg], 1)
    await world.quiet(HungUp, caller.leg, 1.6)
    assert caller.leg in await world.switch.live()


async def test_a_renewed_lease_does_not_run_out(world: World) -> None:
    caller = await waiting(world)
    await until_in(world, caller.leg, "rw-hold")
    world.switch.renew([caller.leg], 1)
    await world.quiet(FallbackStarted, caller.leg, 0.6)
    world.switch.renew([caller.leg], 5)
    await world.quiet(FallbackStarted, caller.leg, 1.2)


async def test_without_an_engine_the_switch_knows_unknown_paused_and_full_numbers(world: World) -> None:
    unknown, paused, full = fresh_number(), fresh_number(), fresh_number()
    await world.switch.put_hotlines([hotline(paused, is_active=False), hotline(full, channels_inbound=1)])
    callers = [await world.arrive(number) for number in (unknown, paused, full, full)]
    within_s = world.claim_s + 2
    assert (await world.next(HungUp, callers[0].leg, within_s)).cause == 1
    assert (await world.next(HungUp, callers[1].leg, within_s)).cause == 20
    refused = await next_of(world, HungUp, [caller.leg for caller in callers[2:]], within_s)
    assert refused.cause == 17
    assert len([caller for caller in callers[2:] if world.told(FallbackStarted, caller.leg)]) <= 1


async def test_an_unclaimed_call_falls_back_and_leaves_rows_until_they_are_forgotten(world: World) -> None:
    did = fresh_number()
    await world.switch.put_hotlines([hotline(did, phones=())])
    caller = await world.arrive(did, "4917056")
    await world.next(FallbackStarted, caller.leg, world.claim_s + 2)
    await rows_of(world, caller.leg)
    world.hang_up(caller.leg)
    await world.next(HungUp, caller.leg)
    rows = await rows_of(world, caller.leg)
    assert (rows[0].step, rows[-1].step) == ("start", "ended")
    assert {(row.did, row.caller) for row in rows} == {(did, "4917056")}
    assert all(abs((row.at - caller.at).total_seconds()) < 10 for row in rows)
    await world.switch.forget(rows)
    assert caller.leg not in [row.leg for row in await world.switch.fallback_rows()]


async def test_a_fallback_that_begins_as_the_caller_hangs_up_has_an_end(world: World) -> None:
    numbers = [fresh_number() for _ in range(15)]
    await world.switch.put_hotlines([hotline(number, phones=()) for number in numbers])
    callers = [await world.arrive(number) for number in numbers]
    for caller in callers:
        world.switch.send([Hold(caller.leg)])
    for caller in callers:
        await until(world, caller.leg, lambda live: live.is_up)
    world.switch.renew([caller.leg for caller in callers], 1)
    for caller in callers:
        await world.next(FallbackStarted, caller.leg)
        world.hang_up(caller.leg)
    for caller in callers:
        await world.next(HungUp, caller.leg)
        steps = [row.step for row in await world.switch.fallback_rows() if row.leg == caller.leg]
        assert not steps or "ended" in steps


async def test_orders_for_a_leg_that_is_gone_do_nothing(world: World) -> None:
    gone = str(uuid.uuid4())
    caller = await waiting(world)
    world.switch.send([Play(gone, SOUND), Bridge(caller.leg, caller.channel, gone), HangUp(gone, 16), Hold(gone)])
    world.switch.renew([gone], 5)
    await world.quiet(Joined, caller.leg, 0.5)
    assert (await world.switch.live())[caller.leg].bridge == ""


async def test_a_hang_up_right_behind_its_dial_ends_the_leg(world: World) -> None:
    """The channel is not there yet: a real switch finds nothing to hang up."""
    number = fresh_number("49171")
    world.phone(number, Phone())
    leg = dial(world, number).leg
    world.switch.send([HangUp(leg, 26)])
    await world.next(HungUp, leg, 2)


async def test_a_hang_up_of_a_leg_that_was_never_dialled_tells_that_there_is_none(world: World) -> None:
    leg = str(uuid.uuid4())
    world.switch.send([HangUp(leg, 16)])
    await world.next(DialRefused, leg, 2)


async def test_two_orders_in_quick_succession_end_with_the_second(world: World) -> None:
    for _ in range(5):
        caller = await world.arrive(fresh_number())
        world.switch.send([Hold(caller.leg)])
        await asyncio.sleep(0)
        world.switch.send([Play(caller.leg, SOUND)])
        await world.next(Played, caller.leg, 2)


async def next_of(world: World, kind: type[HungUp], legs: list[str], within_s: float) -> HungUp:
    """The first event of this kind about any of these legs."""
    while True:
        event = await world.next(kind, "", within_s)
        if event.leg in legs:
            return event


async def rows_of(world: World, leg: str) -> list[FallbackRow]:
    for _ in range(300):
        if rows := [row for row in await world.switch.fallback_rows() if row.leg == leg]:
            return rows
        await asyncio.sleep(0.01)
    raise AssertionError("the fallback left no row within 3 s")


async def until(world: World, leg: str, holds: Callable[[LiveLeg], object]) -> LiveLeg:
    live = None
    for _ in range(300):
        live = (await world.switch.live()).get(leg)
        if live is not None and holds(live):
            return live
        await asyncio.sleep(0.01)
    raise AssertionError(f"not so within 3 s: {live}")


async def until_in(world: World, leg: str, place: str) -> LiveLeg:
    return await until(world, leg, lambda live: live.place == place)


# --- trunks that organisations bring


def provider(provider_id: int) -> Provider:
    return Provider(provider_id, 1, "127.0.0.1", 9, "joe", "right", "", False, 10)


async def test_exactly_the_providers_that_were_put_are_there(world: World) -> None:
    assert await world.switch.put_trunks([provider(1), provider(2)]) == {"p1", "p2"}
    assert await world.switch.put_trunks([provider(2), provider(3)]) == {"p2", "p3"}
    assert await world.switch.put_trunks([]) == set()


async def test_a_dial_by_a_provider_that_is_not_there_is_refused_and_what_came_with_it_is_done(world: World) -> None:
    caller = await world.arrive(fresh_number())
    order = dial(world, fresh_number(), trunk="p9")
    await world.next(DialRefused, order.leg)
    gone = Dial(**{**{name: getattr(order, name) for name in order.__slots__}, "leg": str(uuid.uuid4())})
    world.switch.send([gone, Reject(caller.leg, 17)])
    await world.next(DialRefused, gone.leg)
    await world.next(HungUp, caller.leg)
