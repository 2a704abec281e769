"""What the store of campaigns does when its wall clock jumps, in memory and in Postgres: nobody waits longer than he
was to wait, nobody is called sooner or once more."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from engine.campaign_ports import Attempt
from engine.ports import CallStore
from engine.vocabulary.commands import Finish, WriteSpool
from engine.vocabulary.program import CallDisposition, SpoolStatus, TransmissionStatus
from tests.campaign_stores import (
    OTHER,
    SWITCH,
    CampaignWorld,
    Doors,
    always,
    campaign_world,
    claimed,
    ended,
    live,
    saving,
    several,
)

ANNA, BEN, CLEO = "493055510", "493055511", "493055512"
HOUR_S = 3600.0


@pytest.fixture
async def w(url: str | None) -> AsyncIterator[CampaignWorld]:
    async with campaign_world(url) as made:
        yield made


async def is_busy(
        w: CampaignWorld, calls: CallStore, attempt: Attempt, again_s: float | None, off_s: float = 0) -> None:
    """He is called, and ends at a time of the switch, whose clock is off by so much."""
    at = w.now() + timedelta(seconds=off_s)
    status = TransmissionStatus.FAILED if again_s is None else TransmissionStatus.PENDING_RETRY
    rows = ended(attempt, at, CallDisposition.BUSY, status, again_s)
    await calls.save(saving(live(attempt)))
    await calls.save(saving(live(attempt, is_new=False), *rows, Finish(at, "busy")))


@pytest.mark.parametrize("off_s", [-HOUR_S, HOUR_S])
async def test_the_next_attempt_is_due_by_the_clock_that_says_what_is_due(w: CampaignWorld, off_s: float) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    await w.start(ANNA, try_allowed=2)
    [attempt] = (await campaigns.claim(40, always)).attempts
    await is_busy(w, calls, attempt, 60, off_s)
    assert await claimed(campaigns) == []
    await w.age(50)
    assert await claimed(campaigns) == []
    await w.age(11)
    assert await claimed(campaigns) == [ANNA]


@pytest.mark.parametrize("pace", [{"cpm": 60}, {"calls_per_second": 1.0}])
async def test_a_campaign_goes_on_at_its_pace_after_the_clock_was_put_back(
        w: CampaignWorld, pace: dict[str, float]) -> None:
    await w.calls()
    campaigns = w.campaigns()
    await w.start(ANNA, BEN, CLEO, **pace)
    assert await claimed(campaigns) == [ANNA]
    await w.jumps(-HOUR_S)
    assert await claimed(campaigns) == []
    for number in (BEN, CLEO):
        await w.age(1.4)
        assert await claimed(campaigns) == [number]


async def test_whoever_waits_when_the_clock_is_put_back_waits_as_long_from_then_on(w: CampaignWorld) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    campaign = await w.start(ANNA, try_allowed=2)
    [attempt] = (await campaigns.claim(40, always)).attempts
    await is_busy(w, calls, attempt, 60)
    await w.age(30)
    await w.jumps(-HOUR_S)
    assert await claimed(campaigns) == []
    await w.age(1)
    claim = await campaigns.claim(40, always)
    assert (claim.attempts, claim.again_in_s) == ([], pytest.approx(59, abs=2))
    await w.age(49)
    assert await claimed(campaigns) == []
    await w.age(11)
    [again] = (await campaigns.claim(40, always)).attempts
    await is_busy(w, calls, again, None)
    await w.age(2)
    assert await claimed(campaigns) == []
    assert await w.transmissions(campaign) == {ANNA: ("failed", 2)}
    assert await w.status(campaign) == "completed"


async def test_a_single_transmission_waits_no_longer_either(w: CampaignWorld) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    await w.send(ANNA, try_allowed=2)
    [attempt] = (await campaigns.claim(40, always)).attempts
    await is_busy(w, calls, attempt, 60)
    await w.jumps(-HOUR_S)
    assert await claimed(campaigns) == []
    await w.age(61)
    assert await claimed(campaigns) == [ANNA]


async def test_two_engines_put_it_right_once(w: CampaignWorld) -> None:
    await w.calls(OTHER)
    calls = await w.calls()
    both = w.campaigns(SWITCH), w.campaigns(OTHER)
    campaign = await w.start(ANNA, try_allowed=2)
    [attempt] = (await both[0].claim(40, always)).attempts
    await is_busy(w, calls, attempt, 60)
    await w.jumps(-HOUR_S)
    for seconds in (40, 15):    # each of them looks, again and again
        assert await asyncio.gather(*(claimed(one) for one in both)) == [[], []]
        await w.age(seconds)
    await w.age(6)
    assert sorted(await asyncio.gather(*(claimed(one) for one in both))) == [[], [ANNA]]
    assert await w.transmissions(campaign) == {ANNA: ("processing", 2)}


async def test_windows_stay_what_the_wall_clock_says(w: CampaignWorld) -> None:
    """Put back, they open as much later; who is asked about too soon is put off again."""
    calls, campaigns, doors = await w.calls(), w.campaigns(), Doors()
    await w.start(ANNA, try_allowed=2)
    [attempt] = (await campaigns.claim(40, doors)).attempts
    await is_busy(w, calls, attempt, 1)
    await w.age(2)
    doors.opens_in_s = 600
    assert await claimed(campaigns, 40, doors) == []
    await w.jumps(-HOUR_S)
    doors.opens_in_s = HOUR_S + 600
    for _ in range(3):
        await w.age(601)
        assert await claimed(campaigns, 40, doors) == []
    doors.opens_in_s = 0
    await w.age(HOUR_S + 601)
    assert await claimed(campaigns, 40, doors) == [ANNA]


@pytest.mark.parametrize("by_s", [HOUR_S, -HOUR_S])
async def test_whoever_is_on_the_line_is_not_called_again_whatever_the_clock_says(
        w: CampaignWorld, by_s: float) -> None:
    await w.calls(OTHER)
    calls, campaigns = await w.calls(), w.campaigns()
    campaign = await w.start(ANNA, BEN, channels=1, try_allowed=3)
    [attempt] = (await campaigns.claim(40, always)).attempts
    await calls.save(saving(live(attempt)))
    await w.jumps(by_s)
    await w.dies(SWITCH)    # so it looks to the other one
    for one in (campaigns, w.campaigns(OTHER)):
        assert await one.free_lost([]) == 0
        assert await claimed(one) == []
    assert await w.transmissions(campaign) == {ANNA: ("processing", 1)}


async def are_dialled(w: CampaignWorld, calls: CallStore, attempts: Sequence[Attempt], off_s: float = 0) -> None:
    """By a switch whose clock is off by so much."""
    at = w.now() + timedelta(seconds=off_s)
    for attempt in attempts:
        begun = WriteSpool(attempt.spool_id, SpoolStatus.STARTED, trunk="trunk", started_at=at)
        await calls.save(saving(live(attempt), begun))


@pytest.mark.parametrize("off_s", [HOUR_S, -HOUR_S])
async def test_a_cap_counts_what_was_dialled_whatever_the_switch_says_when(w: CampaignWorld, off_s: float) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    await w.allows(2)
    await w.start(ANNA, BEN, CLEO, cpm=60_000)
    await are_dialled(w, calls, await several(w, campaigns, 2), off_s)
    await w.age(50)
    assert await claimed(campaigns) == []
    await w.age(11)
    assert await claimed(campaigns) == [CLEO]


@pytest.mark.parametrize("by_s", [HOUR_S, -HOUR_S])
async def test_a_cap_is_kept_and_stops_nobody_for_longer_when_the_clock_jumps(w: CampaignWorld, by_s: float) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    await w.allows(2)
    await w.start(ANNA, BEN, CLEO, cpm=60_000)
    await are_dialled(w, calls, await several(w, campaigns, 2))
    assert await claimed(campaigns) == []
    await w.age(20)
    await w.jumps(by_s)
    for _ in range(3):
        assert await claimed(campaigns) == []
        await w.age(10)
    await w.age(11)
    assert await claimed(campaigns) == [CLEO]


@pytest.mark.parametrize("by_s", [HOUR_S, -HOUR_S])
async def test_what_was_dialled_before_anybody_saw_that_the_clock_jumped_counts_as_long_as_everything(
        w: CampaignWorld, by_s: float) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    await w.allows(2)
    await w.start(ANNA, BEN, CLEO, cpm=60_000)
    attempts = await several(w, campaigns, 2)
    await w.jumps(by_s)
    await are_dialled(w, calls, attempts)
    assert await claimed(campaigns) == []
    await w.age(61)
    assert await claimed(campaigns) == [CLEO]


async def test_of_two_engines_one_sees_that_the_clock_jumped_and_both_know(w: CampaignWorld) -> None:
    await w.calls(OTHER)
    calls = await w.calls()
    both = w.campaigns(SWITCH), w.campaigns(OTHER)
    await w.allows(2)
    await w.start(ANNA, BEN, CLEO, cpm=60_000)
    await are_dialled(w, calls, await several(w, both[0], 2))
    assert await claimed(both[1]) == []
    await w.jumps(HOUR_S)
    assert await asyncio.gather(*(claimed(one) for one in both)) == [[], []]
    await w.age(50)
    assert await asyncio.gather(*(claimed(one) for one in both)) == [[], []]
    await w.age(11)
    assert sorted(await asyncio.gather(*(claimed(one) for one in both))) == [[], [CLEO]]
