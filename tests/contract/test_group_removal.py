"""What becomes of campaigns and alarms when a group is deleted, by each API's store: as rows, with several at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest

from engine.store.campaigns import CampaignNotReady
from engine.store.group_removal import WHY, GroupRemoval
from engine.store.ictcore_people import IctcorePeople
from engine.store.people import PostgresPeople
from engine.store.sensaphone_groups import NotThere, SensaphoneGroups
from tests.campaign_rows import ORG, CampaignRows, campaign_rows

UNKNOWN = 999_999


@pytest.fixture
async def w(database_url: str) -> AsyncIterator[CampaignRows]:
    async with campaign_rows(database_url) as made:
        yield made


async def group_of(w: CampaignRows, campaign_id: int) -> int:
    return int((await w.row("campaigns", campaign_id))["group_id"])


WAYS: list[Callable[[CampaignRows, int], Awaitable[object]]] = [
    lambda w, group_id: PostgresPeople(w.pool).delete_group(ORG, group_id),
    lambda w, group_id: IctcorePeople(w.pool).delete_group(ORG, group_id, None),
    lambda w, group_id: SensaphoneGroups(w.pool).delete(ORG, [group_id], [], None),
]


@pytest.mark.parametrize("delete", WAYS)
@pytest.mark.parametrize("status", ["ready", "running", "paused"])
async def test_a_campaign_that_was_started_is_broken_and_calls_nobody_else(
    w: CampaignRows, status: str, delete: Callable[[CampaignRows, int], Awaitable[object]]) -> None:
    campaign_id = await w.running(contacts=3)
    await w.pool.execute("UPDATE campaigns SET status = $1", status)
    waiting = [await w.transmission(campaign_id, it) for it in ("pending", "pending_retry")]
    live, done = [await w.transmission(campaign_id, it) for it in ("processing", "completed")]
    await w.pool.execute("INSERT INTO campaign_postponed VALUES ($1, 5, 5, now())", campaign_id)
    await delete(w, await group_of(w, campaign_id))
    row = await w.row("campaigns", campaign_id)
    assert (row["status"], row["problem"], row["wakes_at"], row["contact_total"]) == ("broken", WHY, None, 3)
    for one in waiting:
        told = await w.row("transmissions", one)
        assert (told["status"], told["response"], told["due_at"]) == ("failed", WHY, None)
    assert [(await w.row("transmissions", it))["status"] for it in (live, done)] == ["processing", "completed"]
    figures = await w.campaigns.figures(ORG, campaign_id)
    assert figures is not None and (figures.pending, figures.postponed, figures.figures) == (
        0, 0, {"transmission failed": 2})
    assert (await w.told())[-1 - 2] == "campaign.broken"
    for again in (w.campaigns.start, w.campaigns.resume):
        with pytest.raises(CampaignNotReady, match="broken"):
            await again(ORG, campaign_id)
    assert await w.pool.fetchval("SELECT count(*) FROM contact_group_members") == 0
    assert await w.pool.fetchval("SELECT count(*) FROM contacts") == 3


@pytest.mark.parametrize("delete", WAYS)
async def test_a_campaign_that_was_not_started_cannot_start_until_it_has_another_group(
    w: CampaignRows, delete: Callable[[CampaignRows, int], Awaitable[object]]) -> None:
    campaign_id = await w.campaign(contacts=2)
    await delete(w, await group_of(w, campaign_id))
    row = await w.row("campaigns", campaign_id)
    assert (row["status"], row["problem"]) == ("new", WHY)
    with pytest.raises(CampaignNotReady, match="its group is gone"):
        await w.campaigns.start(ORG, campaign_id)
    await w.campaigns.update(ORG, campaign_id, None, {"cpm": 7})
    assert (await w.row("campaigns", campaign_id))["problem"] == WHY
    await w.campaigns.update(ORG, campaign_id, None, {"group_id": await w.group(1)})
    assert (await w.row("campaigns", campaign_id))["problem"] == ""
    assert await w.campaigns.start(ORG, campaign_id)


async def test_an_attempt_that_ends_later_has_none_after_it(w: CampaignRows) -> None:
    campaign_id = await w.running(contacts=1)
    live = await w.transmission(campaign_id, "processing")
    await GroupRemoval(w.pool).remove(ORG, await group_of(w, campaign_id))
    await w.pool.execute(
        "UPDATE transmissions SET status = 'pending_retry', due_at = now() + $2::interval WHERE id = $1", live,
        timedelta(minutes=5))
    told = await w.row("transmissions", live)
    assert (told["status"], told["response"], told["due_at"]) == ("failed", WHY, None)


async def test_an_attempt_that_ends_meanwhile_has_none_after_it(w: CampaignRows) -> None:
    """Its engine has saved before the removal is committed."""
    campaign_id = await w.running(contacts=1)
    live, group_id = await w.transmission(campaign_id, "processing"), await group_of(w, campaign_id)
    removal = GroupRemoval(w.pool)
    async with w.pool.acquire() as connection, connection.transaction():
        _, campaigns = await removal.take(connection, ORG, [group_id], None)
        await w.pool.execute("UPDATE transmissions SET status = 'pending_retry', due_at = now() WHERE id = $1", live)
    assert (await w.row("transmissions", live))["status"] == "pending_retry"
    await removal.settle(ORG, campaigns)
    assert (await w.row("transmissions", live))["status"] == "failed"


async def test_other_campaigns_and_those_that_are_over_stay_as_they_are(w: CampaignRows) -> None:
    other, over = await w.running(contacts=1), await w.running(contacts=1)
    await w.campaigns.finish(ORG, over)
    campaign_id = await w.running(contacts=1)
    before = [await w.row("campaigns", it) for it in (other, over)]
    await GroupRemoval(w.pool).remove(ORG, await group_of(w, campaign_id))
    await GroupRemoval(w.pool).remove(ORG, await group_of(w, over))
    assert [await w.row("campaigns", it) for it in (other, over)] == before


async def test_what_is_not_there_or_not_seen_changes_nothing(w: CampaignRows) -> None:
    campaign_id = await w.running(contacts=1)
    group_id = await group_of(w, campaign_id)
    removal = GroupRemoval(w.pool)
    assert not await removal.remove(ORG, UNKNOWN)
    assert not await removal.remove(ORG + 1, group_id)
    assert not await removal.remove(ORG, group_id, seen_by=UNKNOWN)
    with pytest.raises(NotThere):
        await SensaphoneGroups(w.pool).delete(ORG, [group_id, UNKNOWN], [], None)
    assert await w.status(campaign_id) == "running"
    assert await w.pool.fetchval("SELECT count(*) FROM contact_groups WHERE id = $1", group_id) == 1


async def test_a_start_and_a_removal_at_once_leave_no_campaign_that_runs_without_a_group(w: CampaignRows) -> None:
    for _ in range(12):
        campaign_id = await w.campaign(contacts=2)
        group_id = await group_of(w, campaign_id)
        started, removed = await asyncio.gather(
            w.campaigns.start(ORG, campaign_id), GroupRemoval(w.pool).remove(ORG, group_id), return_exceptions=True)
        assert removed is True
        if isinstance(started, CampaignNotReady):
            assert await w.status(campaign_id) == "new"
        else:
            assert started is True and await w.status(campaign_id) == "broken"
