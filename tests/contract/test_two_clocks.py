"""Two engines, each on a switch of its own, share one Postgres; the clock of one switch is an hour ahead, or behind.
Nobody is dialled twice, nobody too soon, nobody outside his window, and no cap is exceeded."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.app import Engine
from engine.settings import Settings
from engine.store.alarms import PostgresAlarms
from engine.store.calls import PostgresCalls
from engine.store.campaign_claims import PostgresCampaignClaims
from engine.store.hotlines import PostgresHotlines
from engine.store.providers import PostgresProviders
from engine.switch.memory import MemorySwitch, Phone
from tests.alarm_stores import PostgresAlarmWorld, person
from tests.campaign_stores import OTHER, SWITCH, PostgresCampaignWorld, campaign_world
from tests.unit.test_provision import Voice

HOUR = timedelta(hours=1)
ANSWERS, BUSY, ACKNOWLEDGES = Phone(answers_s=0.3), Phone(refuses=486), Phone(answers_s=0.3, keys="1", pins=("0711",))
BERLIN = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True)
class Dial:
    """One leg, in seconds of this machine's monotonic clock."""

    number: str
    switch: str
    began_s: float
    ended_s: float


@dataclass
class Pair:
    """Both engines. Their switches go by this machine's time, but for what their clocks are wrong."""

    campaigns: PostgresCampaignWorld
    alarms: PostgresAlarmWorld
    switches: dict[str, MemorySwitch]
    began_s: float

    def dials(self) -> list[Dial]:
        found = []
        for name, switch in self.switches.items():
            for call in switch.calls:
                began, ended = ((at - switch.start).total_seconds() for at in (
                    call.began_at, call.ended_at or switch.now()))
                found.append(Dial(call.number, name, self.began_s + began, self.began_s + ended))
        return sorted(found, key=lambda one: one.began_s)

    async def go_on(self) -> None:
        """Time passes for the switches as it does here."""
        while True:
            for switch in self.switches.values():
                passed_s = (switch.now() - switch.start).total_seconds()
                switch.advance(time.monotonic() - self.began_s - passed_s)
            await asyncio.sleep(0.01)   # that is how their time goes on


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("engine.reconcile.SETTLED_S", 0.01)
    yield


@asynccontextmanager
async def engines(database_url: str, off: timedelta, phones: dict[str, Phone]) -> AsyncIterator[Pair]:
    async with campaign_world(database_url) as world:
        assert isinstance(world, PostgresCampaignWorld)
        now = datetime.now(UTC)
        switches = {name: MemorySwitch(phones=phones, start=start, lease_s=3600)
                    for name, start in ((SWITCH, now), (OTHER, now + off))}
        pair = Pair(world, PostgresAlarmWorld(database_url, world.pool), switches, time.monotonic())
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(pair.go_on())]
            for name, switch in switches.items():
                running.append(tasks.create_task(_engine(database_url, world, name, switch).run()))
            try:
                await until(lambda: _are_taking(world), "both engines take calls")
                yield pair
            finally:
                for task in running:
                    task.cancel()


def _engine(url: str, world: PostgresCampaignWorld, name: str, switch: MemorySwitch) -> Engine:
    return Engine(
        Settings(), switch, PostgresCalls(url, name), PostgresHotlines(url, world.pool),
        PostgresAlarms(url, world.pool, name), PostgresCampaignClaims(url, world.pool, name), Voice(),
        providers=PostgresProviders(url, world.pool))


async def _are_taking(world: PostgresCampaignWorld) -> bool:
    ready: int = await world.pool.fetchval("SELECT count(*) FROM engines WHERE (state->>'taking_calls')::boolean")
    return ready == 2


async def until(condition: Callable[[], Awaitable[bool]], what: str, within_s: float = 25) -> None:
    try:
        async with asyncio.timeout(within_s):
            while not await condition():    # noqa: ASYNC110 -- rows tell nobody
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"not in {within_s} s: {what}") from None


def numbers(count: int) -> list[str]:
    return [f"493055510{place:02}" for place in range(count)]


def window(since_min: int, until_min: int) -> str:
    """Open from so many minutes from now on, in Berlin."""
    now = datetime.now(BERLIN)
    start, end = (f"{now + timedelta(minutes=minutes):%H:%M}" for minutes in (since_min, until_min))
    return json.dumps({"from": start, "to": end})


@pytest.mark.parametrize("off", [HOUR, -HOUR], ids=["ahead", "behind"])
async def test_each_is_called_by_one_of_them_as_often_as_he_may_be_and_within_his_window(
        database_url: str, off: timedelta) -> None:
    everybody = numbers(12)
    phones = {number: BUSY if place % 3 == 0 else ANSWERS for place, number in enumerate(everybody)}
    async with engines(database_url, off, phones) as pair:
        facts: dict[str, Any] = {"try_allowed": 2, "retry": json.dumps({"busyS": 3}), "cpm": 600}
        opened = await pair.campaigns.start(*everybody, call_window=window(-30, 30), **facts)
        minutes = (30, 90) if off > timedelta(0) else (-90, -30)
        closed = await pair.campaigns.start("493055510", call_window=window(*minutes), **facts)

        async def is_over() -> bool:
            return await pair.campaigns.status(opened) == "completed"
        await until(is_over, "the campaign is completed")
        dials = pair.dials()
        spools = await pair.campaigns.pool.fetchval("SELECT count(*) FROM spools")
        assert await pair.campaigns.status(closed) in ("ready", "running")
    assert Counter(one.number for one in dials) == {
        number: 2 if phones[number] is BUSY else 1 for number in everybody}
    assert spools == len(dials) == 16
    assert {one.switch for one in dials} == {SWITCH, OTHER}, "both have called"
    for number in everybody:
        for former, later in pairwise([one for one in dials if one.number == number]):
            assert later.began_s - former.ended_s >= 2.9, "who was busy has his pause"


@pytest.mark.parametrize("off", [HOUR, -HOUR], ids=["ahead", "behind"])
async def test_they_keep_one_cap_together(database_url: str, off: timedelta) -> None:
    everybody = numbers(20)
    async with engines(database_url, off, dict.fromkeys(everybody, ANSWERS)) as pair:
        await pair.campaigns.allows(6)
        await pair.campaigns.start(*everybody, cpm=600)

        async def has_called() -> bool:
            return len(pair.dials()) >= 6
        await until(has_called, "as many are called as may be")
        await asyncio.sleep(1.5)    # more than one claim of each, and than what they remember
        assert len(pair.dials()) == 6
        await pair.campaigns.age(61)

        async def goes_on() -> bool:
            return len(pair.dials()) > 6
        await until(goes_on, "a minute later there are more")
        await asyncio.sleep(1)
        assert len(pair.dials()) == 12


@pytest.mark.parametrize("off", [HOUR, -HOUR], ids=["ahead", "behind"])
async def test_an_alarm_rings_each_once(database_url: str, off: timedelta) -> None:
    everybody = numbers(8)
    async with engines(database_url, off, dict.fromkeys(everybody, ACKNOWLEDGES)) as pair:
        alarms = [await pair.alarms.post(person("", number)) for number in everybody]

        async def are_over() -> bool:
            return {await pair.alarms.state(one) for one in alarms} == {"acknowledged"}
        await until(are_over, "all alarms are acknowledged")
        dials = pair.dials()
    assert sorted(one.number for one in dials) == everybody
