"""The engine as a whole, on twins: it owns its switch, takes calls, drains, and stops when it is told to."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from engine.app import Engine, rules
from engine.ports import AckNote, FencedOut
from engine.settings import Settings
from engine.store.memory_alarms import AlarmBook, MemoryAlarms
from engine.store.memory_calls import MemoryCalls, Shelf
from engine.store.memory_campaign_book import CampaignBook
from engine.store.memory_campaigns import MemoryCampaigns
from engine.store.memory_providers import MemoryProviders
from engine.switch.memory import MemorySwitch, Phone
from engine.switch.memory_stage import NOON
from engine.vocabulary.commands import Bridge, DialAlarm, Reject, WriteAttempt, WriteRecipient
from engine.vocabulary.values import AlarmState, Provider, RecipientState
from tests.alarm_desk import an_alarm
from tests.clocks import SwitchClock
from tests.desk import ACCEPTS, turns, until
from tests.directories import world
from tests.unit.test_provision import Voice


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("engine.reconcile.SETTLED_S", 0.01)
    yield


@dataclass
class Life:
    engine: Engine
    switch: MemorySwitch
    shelf: Shelf
    book: AlarmBook
    did: str
    task: "asyncio.Task[None]"
    providers: MemoryProviders
    organisation_id: int

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
        book = AlarmBook(shelf)
        alarms = MemoryAlarms(book, wake_s=0.005)
        campaigns = MemoryCampaigns(CampaignBook(shelf), wake_s=0.005)
        providers = MemoryProviders(wake_s=0.005)
        made = Engine(Settings(), switch, MemoryCalls(shelf), directory.hotlines, alarms, campaigns, Voice(),
                      providers=providers)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(made.run())
            await turns(60)
            yield Life(made, switch, shelf, book, hotline.number[1:], task, providers, org.id)
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


async def test_handing_over_ends_at_once_and_refuses_nobody() -> None:
    async with engine() as life:
        talking = await life.arrives()
        await life.passes(3)
        waiting = await life.arrives()
        await turns(30)
        life.engine.hand_over()
        await until(life.task.done)
        assert not [order for order in life.switch.sent if isinstance(order, Reject)]
        assert {talking, waiting} <= set(await life.switch.live())
        assert len(life.shelf.calls) == 2


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


# --- alarms


async def test_a_posted_alarm_is_rung_and_ends() -> None:
    async with engine() as life:
        alarm = an_alarm("4930222")
        life.book.post(alarm)
        life.switch.phones["4930222"] = ACCEPTS
        await until(lambda: life.book.lives(alarm.call_id))
        await until(lambda: any(isinstance(order, DialAlarm) for order in life.switch.sent))
        await life.passes(8)
        assert life.book.state(alarm.call_id) is AlarmState.ACKNOWLEDGED and life.book.is_over(alarm.call_id)
        assert 'ringward_alarms_total{outcome="acknowledged"} 1.0' in life.engine._figures.text()


async def test_a_stop_waits_for_who_listens_to_an_alarm() -> None:
    async with engine() as life:
        alarm = an_alarm("4930222")
        life.switch.phones["4930222"] = Phone(answers_s=0.0)
        life.book.post(alarm)
        await until(lambda: life.switch.calls)
        life.switch.advance(0.1)
        await until(life.engine.calls.has_somebody)
        life.engine.stop()
        await turns(50)
        assert not life.task.done()
        life.switch.hang_up(life.switch.calls[0].leg)
        await until(life.task.done, 2)


async def test_an_alarm_does_not_hold_a_stop_up_and_none_begins_after_it() -> None:
    async with engine() as life:
        alarm, late = an_alarm("4930222"), an_alarm("4930333")
        life.book.post(alarm)
        await until(lambda: life.book.lives(alarm.call_id))
        life.engine.stop()
        life.book.post(late)
        await until(life.task.done, 2)
        assert alarm.call_id in life.shelf.calls and late.call_id not in life.shelf.calls


async def test_what_was_dialled_before_a_restart_still_counts() -> None:
    switch = MemorySwitch()
    shelf = Shelf(SwitchClock(switch))
    for number in range(3):
        shelf.write("former", WriteAttempt(f"leg-{number}", 1, "4930222", "trunk", NOON))
        switch.advance(60)
    async with engine(shelf) as life:
        assert life.engine._restraint.rests_s("4930222") == pytest.approx(12 * 60, abs=5)


async def test_who_acknowledged_while_nobody_listened_is_known_before_his_hang_up_is_heard() -> None:
    async with engine() as life:
        alarm = an_alarm("4930222", "4930333", needed=2, rounds=3, pause_s=0)
        life.book.post(alarm)
        await until(lambda: sum(isinstance(order, DialAlarm) for order in life.switch.sent) == 2)
        leg = next(order.leg for order in life.switch.sent if isinstance(order, DialAlarm))
        life.switch.cut()
        life.switch._notes[leg] = AckNote(leg, life.switch.now())
        life.switch.restore()
        life.switch.hang_up(leg)
        await until(lambda: life.book.recipient(alarm.call_id, 1) is RecipientState.ACKNOWLEDGED)
        await life.passes(2)
        assert sum(isinstance(order, DialAlarm) for order in life.switch.sent) == 2
        assert [row.state for _, row in life.book.said(WriteRecipient, alarm.call_id) if row.recipient_id == 1] == [
            RecipientState.RINGING, RecipientState.ACKNOWLEDGED]


# --- organisations' own trunks


def provider(organisation_id: int, provider_id: int = 7) -> Provider:
    return Provider(provider_id, organisation_id, "192.0.2.7", 5060, "joe", "right", "", False, 10)


async def test_a_provider_carries_the_next_call_and_one_that_was_removed_none() -> None:
    async with engine() as life:
        async def goes_by() -> str:
            caller = await life.arrives()
            dialled = [call.trunk for call in life.switch.calls if not call.is_inbound]
            life.switch.hang_up(caller)
            await life.passes(2)
            return dialled[-1]

        life.providers.put(provider(life.organisation_id))
        life.providers.put(provider(life.organisation_id + 1, 6))
        await until(lambda: len(life.switch.providers) == 2)
        assert await goes_by() == "p7"
        life.providers.rows.clear()
        await until(lambda: not life.switch.providers)
        assert await goes_by() == "trunk"


async def test_after_a_new_connection_the_switch_gets_what_it_lost() -> None:
    async with engine() as life:
        life.providers.put(provider(life.organisation_id))
        await until(lambda: bool(life.switch.providers))
        life.switch.cut()
        life.switch.providers.clear()
        life.switch.restore()
        await until(lambda: bool(life.switch.providers))
