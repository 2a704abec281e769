"""A channel arrived: looked up, begun, refused, or left to the dialplan; and what follows it keeps its order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from engine.inbound import Inbound
from engine.ports import StoreFailed
from engine.preparing import Preparing
from engine.store.memory_calls import Shelf
from engine.store.memory_campaign_book import CampaignBook
from engine.store.memory_campaigns import MemoryCampaigns
from engine.store.memory_hotlines import MemoryHotlines
from engine.vocabulary.commands import AskAlarm, Play, Reject
from engine.vocabulary.events import CallArrived, Event, FallbackStarted, HungUp
from engine.vocabulary.values import Hotline
from tests.alarm_desk import AlarmDesk, alarm_desk, an_alarm
from tests.desk import RULES, Desk, desk, turns, until
from tests.directories import world
from tests.unit.test_provision import Voice


def programs(shelf: Shelf) -> tuple[MemoryCampaigns, Preparing]:
    """Nobody's: no number is one of a program."""
    campaigns = MemoryCampaigns(CampaignBook(shelf))
    return campaigns, Preparing(campaigns, Voice(), 25, lambda language: language)


class SlowHotlines(MemoryHotlines):
    """A directory that answers when the test says so, or not at all."""

    may_answer: asyncio.Event
    is_down = False

    async def by_number(self, number: str) -> Hotline | None:
        await self.may_answer.wait()
        if self.is_down:
            raise StoreFailed("no answer")
        return await super().by_number(number)


class Desks:
    """An Inbound in front of live calls."""

    def __init__(self, at: Desk, inbound: Inbound, hotlines: SlowHotlines, did: str) -> None:
        self.at = at
        self.inbound = inbound
        self.hotlines = hotlines
        self.did = did

    def arrival(self, did: str | None = None, leg: str = "") -> CallArrived:
        leg = leg or self.at.switch.arrive(did or self.did)
        return CallArrived(self.at.switch.now(), leg, "PJSIP/trunk-1", did or self.did, "4917012345")

    def told(self, event: Event) -> None:
        if not self.inbound.holds(event):
            self.at.calls.mailbox.post(event)

    async def settles(self) -> None:
        await turns(20)
        await self.at.settles()


@asynccontextmanager
async def front() -> AsyncIterator[Desks]:
    async with world(None) as directory:
        org = await directory.organisation()
        stored = await org.hotline()
        await org.phone(org.users[0], "+4930111")
        hotlines = SlowHotlines(directory.directory)  # type: ignore[arg-type]
        hotlines.may_answer = asyncio.Event()
        hotlines.may_answer.set()
        async with desk() as at, asyncio.TaskGroup() as tasks:
            at.hotlines.clear()  # nobody but the Inbound begins calls here
            inbound = Inbound(at.switch, hotlines, at.alarms, *programs(at.shelf), at.calls, RULES, tasks)
            yield Desks(at, inbound, hotlines, stored.number[1:])


async def test_a_known_number_begins_a_call() -> None:
    async with front() as desks:
        desks.inbound.arrived(desks.arrival())
        await desks.settles()
        assert desks.at.dialled() == ["4930111"]


async def test_an_unknown_number_is_refused_with_404_and_leaves_no_row() -> None:
    async with front() as desks:
        event = desks.arrival("4999")
        desks.inbound.arrived(event)
        await desks.settles()
        [refused] = desks.at.sent(Reject)
        assert (refused.leg, refused.cause) == (event.leg, 1)
        assert refused.not_after is not None
        assert desks.at.shelf.calls == {} and desks.at.shelf.rows == []


async def test_an_arrival_that_is_too_old_belongs_to_the_dialplan() -> None:
    async with front() as desks:
        event = desks.arrival()
        desks.at.switch.advance(1.6)
        desks.inbound.arrived(event)
        await desks.settles()
        assert desks.at.shelf.calls == {} and desks.at.switch.sent == []


async def test_an_arrival_told_twice_is_looked_up_once() -> None:
    async with front() as desks:
        event = desks.arrival()
        desks.inbound.arrived(event)
        desks.inbound.arrived(event)
        await desks.settles()
        assert len(desks.at.shelf.calls) == 1


async def test_what_happens_to_a_leg_while_it_is_looked_up_follows_in_order() -> None:
    async with front() as desks:
        desks.hotlines.may_answer.clear()
        event = desks.arrival()
        desks.inbound.arrived(event)
        await turns()
        desks.told(HungUp(desks.at.switch.now(), event.leg, 16, 0))
        assert not desks.inbound.holds(HungUp(desks.at.switch.now(), "another", 16, 0))
        desks.hotlines.may_answer.set()
        await desks.settles()
        assert desks.at.entries()[0] == "callerConnected" and "callerHangup" in desks.at.entries()
        assert not desks.at.calls.knows(event.leg)
        assert not desks.inbound.holds(HungUp(desks.at.switch.now(), event.leg, 16, 0))


async def test_while_the_engine_drains_new_callers_are_sent_elsewhere() -> None:
    async with front() as desks:
        desks.inbound.is_draining = True
        desks.inbound.arrived(desks.arrival())
        await desks.settles()
        assert [order.cause for order in desks.at.sent(Reject)] == [34]
        assert desks.at.shelf.calls == {}


async def test_a_caller_in_fallback_is_begun_also_while_the_engine_drains_and_however_old() -> None:
    async with front() as desks:
        desks.inbound.is_draining = True
        event = FallbackStarted(desks.at.switch.now(), "1767268800.77", "PJSIP/trunk-1", desks.did, "")
        desks.at.switch.advance(60)
        desks.inbound.arrived(event)
        await desks.settles()
        assert desks.at.calls.phases() == ["fallback"]


@pytest.mark.parametrize("hangs", [False, True])
async def test_without_a_database_nobody_claims_the_caller(hangs: bool) -> None:
    async with front() as desks:
        desks.hotlines.is_down = True
        if hangs:
            desks.hotlines.may_answer.clear()
        event = desks.arrival()
        desks.inbound.arrived(event)
        await until(lambda: not desks.inbound.holds(HungUp(desks.at.switch.now(), event.leg, 16, 0)))
        assert desks.at.switch.sent == [] and desks.at.shelf.calls == {}


async def test_a_lost_connection_in_that_moment_harms_nobody() -> None:
    async with front() as desks:
        event = desks.arrival("4999")
        desks.at.switch.cut()
        desks.inbound.arrived(event)
        await desks.settles()
        desks.at.switch.restore()
        desks.inbound.arrived(desks.arrival())
        await desks.settles()
        assert desks.at.calls.phases() == ["waiting"]


# --- organisations' own numbers


OWN = "4930100"


async def test_a_caller_whom_an_alarm_wants_hears_it() -> None:
    async with alarm_desk() as at:
        at.desk.book.own_numbers[OWN] = (1, "de")
        alarm = an_alarm("4917012345")
        await at.posts(alarm)
        leg = await calls_back(at, OWN)
        assert [order.leg for order in at.desk.sent(AskAlarm)] == [leg]
        assert at.desk.calls.call_of(leg) == alarm.call_id and "calledBack" in at.notes()


async def test_a_caller_whom_no_alarm_wants_is_told_so() -> None:
    async with alarm_desk() as at:
        at.desk.book.own_numbers[OWN] = (1, "fr")
        leg = await calls_back(at, OWN)
        [play] = at.desk.sent(Play)
        assert (play.leg, play.sound, play.then) == (leg, "fr/alarm-none", "bye") and play.not_after is not None
        assert at.desk.shelf.calls == {}


async def test_a_caller_who_hung_up_while_he_was_looked_up_leaves_nothing_behind() -> None:
    async with alarm_desk() as at:
        at.desk.book.own_numbers[OWN] = (1, "de")
        await at.posts(an_alarm("4917012345"))
        leg = await calls_back(at, OWN, hangs_up=True)
        assert not at.desk.calls.knows(leg)


async def test_who_guessed_pins_before_may_guess_the_fewer_when_he_calls_back() -> None:
    async with alarm_desk() as at:
        at.desk.book.own_numbers[OWN] = (1, "de")
        await at.posts(an_alarm("4917012345", pin="4711"))
        for left in (3, 3, 3, 2, 1, 0):
            await calls_back(at, OWN)
            assert at.desk.sent(AskAlarm)[-1].ask.pin_tries == left
            at.desk.calls._restraint.pin_failed("4917012345")


async def calls_back(at: AlarmDesk, did: str, hangs_up: bool = False) -> str:
    async with asyncio.TaskGroup() as tasks:
        inbound = Inbound(
            at.desk.switch, at.hotlines, at.desk.alarms, *programs(at.desk.shelf), at.desk.calls, RULES, tasks)
        leg = at.desk.switch.arrive(did)
        inbound.arrived(CallArrived(at.desk.switch.now(), leg, "PJSIP/trunk-1", did, "4917012345"))
        if hangs_up:
            at.desk.switch.hang_up(leg)
            assert inbound.holds(HungUp(at.desk.switch.now(), leg, 16, 0))
    await at.settles()
    return leg
