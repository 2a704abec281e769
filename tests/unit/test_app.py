"""The engine as a whole, on twins: it owns its switch, takes calls, drains, and stops when it is told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from engine.app import Engine, rules
from engine.ports import FencedOut
from engine.settings import Settings
from engine.store.memory_alarms import AlarmBook, MemoryAlarms
from engine.store.memory_calls import MemoryCalls, Shelf
from engine.switch.memory import MemorySwitch
from engine.vocabulary.commands import Bridge, Reject
from tests.clocks import SwitchClock
from tests.desk import ACCEPTS, turns, until
from tests.directories import world
from tests.unit.test_provision import Voice


@dataclass
class Life:
    engine: Engine
    switch: MemorySwitch
    shelf: Shelf
    did: str
    task: "asyncio.Task[None]"

    async def arrives(self, did: str = "") -> str:
        leg = self.switch.arrive(did or self.did)
        await turns(60)
        return leg

    async def passes(self, seconds: float) -> None:
        for _ in range(int(seconds * 4)):
            self.switch.advance(0.25)
            await turns(30)


@asynccontextmanager
async def engine(shelf: Shelf | None = None) -> AsyncIterator[Life]:
    async with world(None) as directory:
        org = await directory.organisation()
        hotline = await org.hotline()
        await org.phone(org.users[0], "+4930111")
        switch = MemorySwitch(phones={"4930111": ACCEPTS}, lease_s=3600)
        shelf = shelf or Shelf(SwitchClock(switch))
        alarms = MemoryAlarms(AlarmBook(shelf))
        made = Engine(Settings(), switch, MemoryCalls(shelf), directory.hotlines, alarms, Voice())
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(made.run())
            await turns(60)
            yield Life(made, switch, shelf, hotline.number[1:], task)
            task.cancel()


async def test_a_call_from_the_ring_to_the_end() -> None:
    async with engine() as life:
        caller = await life.arrives()
        await life.passes(3)
        assert len([order for order in life.switch.sent if isinstance(order, Bridge)]) == 1
        assert life.engine.calls.phases() == ["talking"]
        life.switch.hang_up(caller)
        await life.passes(1)
        assert life.shelf.calls == {}


async def test_an_unknown_number_is_refused_and_leaves_no_row() -> None:
    async with engine() as life:
        leg = await life.arrives("4999")
        assert [(order.leg, order.cause) for order in life.switch.sent if isinstance(order, Reject)] == [(leg, 1)]
        assert life.shelf.rows == [] and life.shelf.calls == {}


async def test_the_heartbeat_says_what_works() -> None:
    async with engine() as life:
        await until(lambda: life.shelf.heartbeat.get("taking_calls"))
        assert life.shelf.heartbeat["switch"] is True and life.shelf.heartbeat["speech"] is True
        life.switch.cut()
        await until(lambda: life.shelf.heartbeat["switch"] is False)
        assert life.shelf.heartbeat["taking_calls"] is False


async def test_the_first_stop_takes_no_new_calls_and_waits_for_those_that_live() -> None:
    async with engine() as life:
        caller = await life.arrives()
        await life.passes(3)
        life.engine.stop()
        await turns(30)
        late = await life.arrives()
        assert [(order.leg, order.cause) for order in life.switch.sent if isinstance(order, Reject)] == [(late, 34)]
        assert not life.task.done() and life.engine.calls.phases() == ["talking"]
        life.switch.hang_up(caller)
        await until(life.task.done)


async def test_a_talk_that_does_not_end_is_left_to_the_next_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.app.DRAIN_S", 0.2)
    async with engine() as life:
        caller = await life.arrives()
        await life.passes(3)
        life.engine.stop()
        await until(life.task.done)
        assert caller in await life.switch.live()
        assert len(life.shelf.calls) == 1


async def test_a_standby_waits_for_the_owner_to_go_and_does_nothing_meanwhile() -> None:
    shelf = Shelf(SwitchClock(MemorySwitch()))
    assert await MemoryCalls(shelf).take_over(10)
    async with engine(shelf) as life:
        await life.arrives()
        assert life.switch.sent == [] and shelf.saves == 0
        shelf.owner_is_dead = True
        await until(lambda: shelf.saves)


async def test_a_standby_stops_when_it_is_told_to() -> None:
    shelf = Shelf(SwitchClock(MemorySwitch()))
    assert await MemoryCalls(shelf).take_over(10)
    async with engine(shelf) as life:
        life.engine.stop()
        await until(life.task.done)


async def test_an_engine_without_a_database_waits_for_it() -> None:
    shelf = Shelf(SwitchClock(MemorySwitch()), is_down=True)
    async with engine(shelf) as life:
        assert not life.task.done()
        shelf.is_down = False
        await until(lambda: shelf.saves)


async def test_another_owner_ends_the_engine() -> None:
    with pytest.raises(ExceptionGroup) as raised:
        async with engine() as life:
            life.shelf.fencing += 1
            await until(life.task.done)
    assert raised.group_contains(FencedOut)


def test_the_rules_of_a_call_come_from_the_settings() -> None:
    made = rules(Settings(ring_timeout_s=7, rounds=2, claim_s=2, ask_tries=4))
    assert (made.ring_timeout_s, made.rounds, made.ask_tries, made.claim_within_s) == (7, 2, 4, 1.5)
    assert rules(Settings(claim_s=0.5)).claim_within_s == 0.25
