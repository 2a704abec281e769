"""Everything at once: callers, alarms, a campaign, and for some minutes faults of all kinds one after the other, by a
schedule that the seed repeats."""

import asyncio
import random
import time
from collections.abc import Iterator

import pytest

from tests.torture.busy_world import busy_world, strikes
from tests.torture.faults import Fault, Strike, of_all_kinds, strike

A_MINUTE = 60.0
PEOPLE, CONTACTS = 50, 30   # for each minute


def schedule(rng: random.Random, faults: list[Fault], until_s: float) -> Iterator[Strike]:
    """Every kind once in each turn, the turns in an order of their own; what strikes next does not depend on time."""
    while True:
        for fault in rng.sample(faults, len(faults)):
            if time.monotonic() > until_s:
                return
            yield strike(fault, rng)


@pytest.mark.full
@pytest.mark.timeout(0)
async def test_a_random_mix_of_all_faults(open_world, rng: random.Random, request: pytest.FixtureRequest) -> None:
    minutes: float = request.config.option.torture_minutes
    people, contacts = (max(20, round(count * minutes)) for count in (PEOPLE, CONTACTS))
    order = random.Random(rng.random())
    async with asyncio.timeout(A_MINUTE * (2 * minutes + 5)):
        crowd = await busy_world(open_world, rng, people=people, contacts=contacts)
        until_s = time.monotonic() + A_MINUTE * minutes
        await strikes(crowd, schedule(order, list(of_all_kinds()), until_s))
