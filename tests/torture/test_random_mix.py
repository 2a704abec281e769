"""Everything at once: callers, alarms, campaigns, and for some minutes faults of all kinds one after the other, by a
schedule that the seed repeats."""

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.runtime.postgres import Postgres
from tests.torture.busy_world import busy_world, strikes
from tests.torture.faults import PARTS, Fault, Strike, strike
from tests.torture.faults_of_receivers import Receivers
from tests.torture.mix import Grounds
from tests.torture.plugin import not_run
from tests.torture.report import Tally
from tests.torture.test_service_faults import own_database as own_plain_database

__all__ = ["own_plain_database"]

A_MINUTE = 60.0
PEOPLE, CONTACTS, WHO_SPEAK = 50, 30, 10    # for each minute
POSTS_AT_ONCE = 4


@pytest.fixture
def grounds(tmp_path: Path) -> Iterator[Grounds]:
    with Grounds.open(tmp_path) as made:
        yield made


@pytest.fixture
def own_database(grounds: Grounds, own_plain_database: Postgres) -> Postgres:
    """Its data and its WAL on disks that may be filled."""
    grounds.under_database(own_plain_database)
    return own_plain_database


def schedule(rng: random.Random, faults: list[Fault], until_s: float) -> Iterator[Strike]:
    """Every kind once in each turn, the turns in an order of their own; what strikes next does not depend on time."""
    while True:
        for fault in rng.sample(faults, len(faults)):
            if time.monotonic() > until_s:
                return
            yield strike(fault, rng)


@pytest.mark.full
@pytest.mark.timeout(0)
async def test_a_random_mix_of_all_faults(
        open_world, grounds: Grounds, rng: random.Random, request: pytest.FixtureRequest) -> None:
    minutes: float = request.config.option.torture_minutes
    people, contacts, speakers = (max(20, round(count * minutes)) for count in (PEOPLE, CONTACTS, WHO_SPEAK))
    order = random.Random(rng.random())
    async with asyncio.timeout(A_MINUTE * (2 * minutes + 6)), Receivers.open() as receivers:
        crowd = await busy_world(grounds.world_on(open_world), rng, people=people, contacts=contacts)
        crowd.last_moments, crowd.posts_at_once = True, POSTS_AT_ONCE
        await receivers.are_told(crowd.world)
        await crowd.drive(contacts=speakers, records=True)
        until_s = time.monotonic() + A_MINUTE * minutes
        await strikes(crowd, schedule(order, list(grounds.faults(receivers, order)), until_s))
        await receivers.check(crowd.world, [order.alarm_id for order in crowd.orders if order.alarm_id is not None])


@pytest.mark.full
async def test_the_mix_has_every_fault(grounds: Grounds, rng: random.Random, tally: Tally) -> None:
    """Or says which of them this machine does not permit."""
    async with Receivers.open() as receivers:
        faults = grounds.faults(receivers, rng)
    assert len({fault.name for fault in faults}) == len(faults)
    print("in the mix:", [fault.name for fault in faults])
    if grounds.refused:
        not_run("; ".join(f"{fault} in the random mix: {reason}" for fault, reason in grounds.refused.items()))
    assert {part for fault in faults for part in fault.harms} == PARTS
