"""An inbound call that no engine claims: the switch alone knows paused, full and unknown, and rings the phones."""

import asyncio
import time

import pytest

from tests.acceptance.conftest import QUICK


@pytest.fixture
async def quiet_town(town):
    """A town whose engine is gone after it told the switch about its hotline."""
    async def leave(**options):
        await town.hotline(**options)
        town.engine.kill()
        return town
    return leave


async def test_the_phones_ring_and_the_first_key_wins(quiet_town):
    town = await quiet_town(agents=2)
    began = time.monotonic()
    caller = await town.calls()
    await caller.answered(timeout_s=QUICK["claim_s"] + 1)
    await town.phone(1).rung()
    await town.phone(2).rung()
    assert time.monotonic() - began < QUICK["claim_s"] + 1
    town.phone(1).answer()
    await town.phone(1).heard(0.2)
    town.phone(1).press("1")
    await town.phone(2).cancelled()
    town.phone(1).hang_up()
    await caller.ended(timeout_s=1)
    town.engine.start()
    assert await town.outcome(timeout_s=10) == "answered"
    assert await town.records() == {"4917012345": "answered", "4930111001": "answered", "4930111002": "cancelled"}
    assert await town.is_fallback()
    assert (await town.entries())[-2:] == ["agentHangup", "callEnded"]


async def test_unknown_is_404(quiet_town):
    town = await quiet_town(agents=1)
    assert await (await town.carrier.call("4917012345", "4930999")).final() == 404


async def test_paused_is_480(quiet_town):
    town = await quiet_town(agents=1, is_active=False)
    assert await (await town.calls()).final() == 480
    assert not town.phone(1).calls


async def test_full_is_486(quiet_town):
    town = await quiet_town(agents=1, channels_inbound=1)
    first = await town.calls()
    await first.answered()
    assert await (await town.calls(caller="4917099999")).final() == 486
    first.hang_up()
    await town.no_channels()


async def test_of_two_callers_who_wait_for_a_claim_the_earlier_is_served(quiet_town):
    town = await quiet_town(agents=1, channels_inbound=1)
    first = await town.calls()
    await asyncio.sleep(0.1)  # a known order, within the claim time
    second = await town.calls(caller="4917099999")
    assert await second.final() == 486
    await first.answered()
    first.hang_up()
    await town.no_channels()
