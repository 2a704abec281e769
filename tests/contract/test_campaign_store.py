"""Campaigns as the engine needs them (`campaign_ports.CampaignStore`) and as it saves them, in memory and in Postgres
alike.
"""

import asyncio
import json
import time as clock
from collections.abc import AsyncIterator
from datetime import time, timedelta

import pytest

from engine.campaign_ports import Attempt, CampaignStore
from engine.ports import CallStore, Recorded
from engine.store.campaign_claims import AHEAD, CATCH_UP
from engine.vocabulary.commands import Finish, WriteOptOut, WriteSpool, WriteTransmission
from engine.vocabulary.program import (
    CallDisposition,
    CallingHours,
    RetryRules,
    SpoolStatus,
    TransmissionStatus,
)
from tests.campaign_stores import (
    OTHER,
    OWN_NUMBER,
    TEXT,
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

ANSWERED, BUSY = CallDisposition.ANSWERED, CallDisposition.BUSY
COMPLETED, RETRY = TransmissionStatus.COMPLETED, TransmissionStatus.PENDING_RETRY


def number(n: int) -> str:
    return f"493055510{n:02}"


ANNA, BEN, CLEO, DORA = map(number, range(4))


@pytest.fixture
async def w(url: str | None) -> AsyncIterator[CampaignWorld]:
    async with campaign_world(url) as made:
        yield made


async def begin(w: CampaignWorld, calls: CallStore, attempt: Attempt) -> None:
    """It is dialled."""
    await calls.save(saving(live(attempt, phase="dialling"), WriteSpool(
        attempt.spool_id, SpoolStatus.STARTED, number=attempt.number, trunk="trunk", started_at=w.now())))


async def finish(
    w: CampaignWorld, calls: CallStore, attempt: Attempt, how: CallDisposition = ANSWERED,
    status: TransmissionStatus = COMPLETED, again_s: float | None = None,
) -> None:
    await calls.save(saving(
        live(attempt, is_new=False), *ended(attempt, w.now(), how, status, again_s), Finish(w.now(), how.value)))


async def called(w: CampaignWorld, calls: CallStore, campaigns: CampaignStore) -> list[str]:
    """Everybody who is due is called, and answers."""
    attempts = (await campaigns.claim(40, always)).attempts
    for attempt in attempts:
        await begin(w, calls, attempt)
        await finish(w, calls, attempt)
    return [one.number for one in attempts]


# --- what an attempt is ------------------------------------------------------------------------------------------


async def test_an_attempt_knows_everything_that_the_call_needs(w: CampaignWorld) -> None:
    await w.calls()
    campaign = await w.start(ANNA, names=["Anna"], try_allowed=3, opt_out_key="9")
    [one] = (await w.campaigns().claim(40, always)).attempts
    assert (one.campaign_id, one.organisation_id, one.number, one.caller_id) == (campaign, 1, ANNA, OWN_NUMBER)
    assert (one.program_type, one.program, one.language) == ("voicetts", TEXT, "de")
    assert (one.tries_left, one.retry, one.opt_out_key, one.hotlines) == (2, RetryRules(), "9", frozenset())
    assert (one.fields["first_name"], one.fields["number"]) == ("Anna", f"+{ANNA}")
    assert one.fields["transmission:destination:phone"] == f"+{ANNA}"
    assert await w.transmissions(campaign) == {ANNA: ("processing", 1)}
    assert await w.spools() == [("queued", None)]


async def test_contacts_are_claimed_in_the_order_of_the_list_and_no_more_than_asked_for(w: CampaignWorld) -> None:
    await w.calls()
    await w.start(*(number(n) for n in range(7)))
    campaigns, got = w.campaigns(), []
    for _ in range(6):
        found = await claimed(campaigns, 2)
        assert len(found) <= 2
        got += found
        await w.age(1)
    assert got == [number(n) for n in range(7)]


async def test_several_campaigns_share_what_may_be_in_hand(w: CampaignWorld) -> None:
    await w.calls()
    first = await w.start(*(number(n) for n in range(20)))
    second = await w.start(*(number(n) for n in range(20, 40)))
    await w.campaigns().claim(10, always)
    await w.age(1)
    attempts = (await w.campaigns().claim(10, always)).attempts
    assert sorted(one.campaign_id or 0 for one in attempts) == [first] * 5 + [second] * 5


# --- pace --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pace", [{"cpm": 2}, {"cpm": 600, "calls_per_second": 1 / 30}])
async def test_the_slower_of_calls_a_minute_and_calls_a_second_is_the_pace(
    w: CampaignWorld, pace: dict[str, float]
) -> None:
    await w.calls()
    await w.start(ANNA, BEN, CLEO, **pace)
    campaigns = w.campaigns()
    claim = await campaigns.claim(40, always)
    assert [one.number for one in claim.attempts] == [ANNA]
    assert claim.again_in_s == pytest.approx(30, abs=2)
    await w.age(25)
    assert await claimed(campaigns) == []
    await w.age(8)
    assert await claimed(campaigns) == [BEN]
    await w.age(300)    # what was not called in time is not caught up with
    assert await claimed(campaigns) == [CLEO]


async def test_a_fast_campaign_keeps_its_pace_however_often_it_is_asked(w: CampaignWorld) -> None:
    await w.calls()
    await w.start(*(number(n) for n in range(90)), cpm=60_000, calls_per_second=20)
    campaigns, got, began_s = w.campaigns(), 0, clock.monotonic()
    for _ in range(25):
        await w.age(0.04)
        got += len(await claimed(campaigns))
    longest_s = 1 + clock.monotonic() - began_s + AHEAD.total_seconds() + CATCH_UP.total_seconds()
    assert 15 <= got <= 20 * longest_s + 1


async def test_never_more_calls_live_than_the_campaign_has_channels(w: CampaignWorld) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    await w.start(ANNA, BEN, CLEO, channels=2)
    first, *others = (await campaigns.claim(40, always)).attempts
    await w.age(1)
    others += (await campaigns.claim(40, always)).attempts
    assert [one.number for one in (first, *others)] == [ANNA, BEN]
    await w.age(1)
    assert await claimed(campaigns) == []
    await begin(w, calls, first)
    await w.age(1)
    assert await claimed(campaigns) == []
    await finish(w, calls, first)
    await w.age(1)
    assert await claimed(campaigns) == [CLEO]


async def test_what_is_claimed_counts_for_the_limit_of_the_organisation(w: CampaignWorld) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    await w.allows(3)
    await w.start(*(number(n) for n in range(8)))
    await w.start(*(number(n) for n in range(10, 18)))
    got = [*(await campaigns.claim(40, always)).attempts]
    for _ in range(3):
        await w.age(0.3)
        got += (await campaigns.claim(40, always)).attempts
    assert len(got) == 3
    for one in got:
        await begin(w, calls, one)
        await finish(w, calls, one)
    await w.age(1)
    assert await claimed(campaigns) == []
    await w.age(61)
    assert len(await claimed(w.campaigns())) > 0    # one engine asks every few seconds how many were placed


# --- whom nobody calls -------------------------------------------------------------------------------------------


async def test_do_not_call_lists_and_who_opted_out_are_not_called(w: CampaignWorld) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    campaign = await w.start(ANNA, BEN, CLEO)
    await w.refuses(campaign, ANNA)
    await w.opts_out(BEN)
    got = await called(w, calls, campaigns)
    for _ in range(3):
        await w.age(2)
        got += await called(w, calls, campaigns)
    assert got == [CLEO]
    assert await w.transmissions(campaign) == {ANNA: ("invalid", 0), BEN: ("invalid", 0), CLEO: ("completed", 1)}
    assert await w.figures(campaign) == {"transmission invalid": 2, "transmission completed": 1, "answered": 1}
    assert await w.status(campaign) == "completed"


async def test_who_opts_out_in_a_call_is_called_by_no_campaign_any_more(w: CampaignWorld) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    first = await w.start(ANNA)
    [attempt] = (await campaigns.claim(40, always)).attempts
    await begin(w, calls, attempt)
    await calls.save(saving(live(attempt, is_new=False), WriteOptOut(w.now(), 1, ANNA), WriteOptOut(w.now(), 1, ANNA)))
    await finish(w, calls, attempt, CallDisposition.DECLINED)
    second = await w.start(ANNA, BEN)
    assert await claimed(campaigns) == [BEN]
    assert (await w.transmissions(second))[ANNA] == ("invalid", 0)
    assert await w.transmissions(first) == {ANNA: ("completed", 1)}


async def test_who_opted_out_between_two_attempts_is_not_called_again(w: CampaignWorld) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    campaign = await w.start(ANNA, try_allowed=3)
    [attempt] = (await campaigns.claim(40, always)).attempts
    await begin(w, calls, attempt)
    await finish(w, calls, attempt, BUSY, RETRY, 60)
    await w.opts_out(ANNA)
    await w.age(61)
    assert await claimed(campaigns) == []
    assert await w.transmissions(campaign) == {ANNA: ("invalid", 1)}


async def test_who_has_no_number_or_one_that_is_never_dialled_is_invalid(w: CampaignWorld) -> None:
    await w.calls()
    campaign = await w.start(None, "49900123456", "15551234567", ANNA)
    campaigns = w.campaigns()
    assert await claimed(campaigns) == [ANNA]
    became = sorted(status for status, _ in (await w.transmissions(campaign)).values())
    assert became == ["invalid"] * 3 + ["processing"]


@pytest.mark.parametrize("who", [(None,), (None, None)])
async def test_a_list_whose_last_ones_are_never_called_is_completed(w: CampaignWorld, who: tuple[None, ...]) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    campaign = await w.start(ANNA, *who)
    for _ in range(4):
        await called(w, calls, campaigns)
        await w.age(2)
    assert await w.status(campaign) == "completed"


async def test_an_empty_list_is_completed(w: CampaignWorld) -> None:
    await w.calls()
    campaign = await w.start()
    assert await claimed(w.campaigns()) == []
    assert await w.status(campaign) == "completed"


async def test_who_joins_later_is_not_called(w: CampaignWorld) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    campaign = await w.start(ANNA)
    await w.joins(campaign, BEN)
    got = []
    for _ in range(3):
        got += await called(w, calls, campaigns)
        await w.age(2)
    assert got == [ANNA]
    assert await w.status(campaign) == "completed"


async def test_who_left_before_his_turn_is_not_called(w: CampaignWorld) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    campaign = await w.start(ANNA, BEN, CLEO, cpm=60)
    assert await called(w, calls, campaigns) == [ANNA]
    await w.leaves(campaign, BEN)
    await w.age(2)
    assert await called(w, calls, campaigns) == [CLEO]
    await w.age(2)
    assert await called(w, calls, campaigns) == []
    assert await w.status(campaign) == "completed"
    assert set(await w.transmissions(campaign)) == {ANNA, CLEO}


async def test_who_left_between_two_attempts_is_not_called_again(w: CampaignWorld) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    campaign = await w.start(ANNA, try_allowed=2)
    [attempt] = (await campaigns.claim(40, always)).attempts
    await begin(w, calls, attempt)
    await finish(w, calls, attempt, BUSY, RETRY, 60)
    await w.leaves(campaign, ANNA)
    await w.age(61)
    assert await claimed(campaigns) == []
    await w.age(2)
    assert await claimed(campaigns) == []
    assert await w.transmissions(campaign) == {ANNA: ("invalid", 1)}
    assert await w.status(campaign) == "completed"


# --- windows -----------------------------------------------------------------------------------------------------


async def test_whose_window_is_closed_is_called_when_it_opens(w: CampaignWorld) -> None:
    calls, campaigns, doors = await w.calls(), w.campaigns(), Doors()
    campaign = await w.start(ANNA, BEN)
    doors.opens_in_s = 3600
    claim = await campaigns.claim(40, doors)
    assert (claim.attempts, claim.again_in_s) == ([], pytest.approx(60, abs=5))    # looked at every minute
    await w.age(3000)
    assert await claimed(campaigns, 40, doors) == []
    assert await w.status(campaign) in ("ready", "running")
    doors.opens_in_s = 0
    await w.age(601)
    got = (await campaigns.claim(40, doors)).attempts
    await w.age(1)
    got = [*got, *(await campaigns.claim(40, doors)).attempts]
    assert [one.number for one in got] == [ANNA, BEN]
    for attempt in got:
        await begin(w, calls, attempt)
        await finish(w, calls, attempt)
    await w.age(2)
    assert await claimed(campaigns, 40, doors) == []
    assert await w.status(campaign) == "completed"


async def test_a_window_that_opens_is_asked_about_again_at_that_moment(w: CampaignWorld) -> None:
    await w.calls()
    campaigns, doors = w.campaigns(), Doors()
    campaign = await w.start(ANNA)
    doors.opens_in_s = 60
    assert await claimed(campaigns, 40, doors) == []
    await w.age(61)
    assert await claimed(campaigns, 40, doors) == []    # closed again, for another minute
    await w.refuses(campaign, ANNA)
    await w.age(61)
    doors.opens_in_s = 0
    assert await claimed(campaigns, 40, doors) == []    # the lists are looked at when his turn comes
    assert await w.transmissions(campaign) == {ANNA: ("invalid", 0)}


async def test_another_attempt_waits_for_the_window_as_well(w: CampaignWorld) -> None:
    calls, campaigns, doors = await w.calls(), w.campaigns(), Doors()
    campaign = await w.start(ANNA, try_allowed=2)
    [attempt] = (await campaigns.claim(40, doors)).attempts
    await begin(w, calls, attempt)
    await finish(w, calls, attempt, BUSY, RETRY, 60)
    await w.age(61)
    doors.opens_in_s = 600
    assert await claimed(campaigns, 40, doors) == []
    await w.age(601)
    doors.opens_in_s = 0
    assert await claimed(campaigns, 40, doors) == [ANNA]
    assert await w.transmissions(campaign) == {ANNA: ("processing", 2)}


async def test_who_can_never_be_called_within_the_window_is_invalid(w: CampaignWorld) -> None:
    await w.calls()
    doors = Doors()
    doors.opens_in_s = None
    campaign = await w.start(ANNA)
    assert await claimed(w.campaigns(), 40, doors) == []
    assert await w.transmissions(campaign) == {ANNA: ("invalid", 0)}
    assert await w.status(campaign) == "completed"


async def test_the_windows_hours_are_asked_in_the_zone_of_the_number(w: CampaignWorld, url: str | None) -> None:
    await w.calls()
    doors, hours = Doors(), CallingHours(time(9), time(20), frozenset({1, 2}))
    window = {"call_window": json.dumps({"from": "09:00", "to": "20:00", "weekdays": [1, 2], "holidays": True})}
    await w.start(ANNA, **({"hours": hours} if url is None else window))
    await w.campaigns().claim(40, doors)
    [(asked, zones)] = doors.asked
    assert (asked, [str(zone) for zone in zones]) == (hours, ["Europe/Berlin"])


# --- again -------------------------------------------------------------------------------------------------------


async def test_the_next_attempt_comes_when_it_is_due_and_no_more_than_allowed(w: CampaignWorld) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    campaign = await w.start(ANNA, try_allowed=3)
    for tries_left in (2, 1, 0):
        [attempt] = (await campaigns.claim(40, always)).attempts
        assert attempt.tries_left == tries_left
        await begin(w, calls, attempt)
        status = RETRY if tries_left else TransmissionStatus.FAILED
        await finish(w, calls, attempt, BUSY, status, 60 if tries_left else None)
        await w.age(50)
        assert await claimed(campaigns) == []
        await w.age(11)
    assert await claimed(campaigns) == []
    assert await w.transmissions(campaign) == {ANNA: ("failed", 3)}
    assert await w.status(campaign) == "completed"
    assert await w.figures(campaign) == {"busy": 3, "transmission failed": 1}
    assert await w.spools() == [("failed", "busy")] * 3


async def test_who_waits_for_another_attempt_goes_before_the_list(w: CampaignWorld) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    await w.start(ANNA, BEN, CLEO, try_allowed=2, cpm=60)
    [attempt] = (await campaigns.claim(40, always)).attempts
    await begin(w, calls, attempt)
    await finish(w, calls, attempt, BUSY, RETRY, 0.5)
    await w.age(1.1)
    assert await claimed(campaigns) == [ANNA]
    await w.age(1.1)
    assert await claimed(campaigns) == [BEN]


async def test_a_withdrawn_attempt_is_none(w: CampaignWorld) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    campaign = await w.start(ANNA)
    [attempt] = (await campaigns.claim(40, always)).attempts
    await calls.save(saving(
        live(attempt), WriteSpool(attempt.spool_id, SpoolStatus.INVALID, ended_at=w.now(),
                                  disposition=CallDisposition.WITHDRAWN),
        WriteTransmission(attempt.transmission_id, TransmissionStatus.PENDING, "", 0.0, is_withdrawn=True),
        Finish(w.now(), "withdrawn")))
    assert await w.transmissions(campaign) == {ANNA: ("pending", 0)}
    await w.age(2)
    [again] = (await campaigns.claim(40, always)).attempts
    assert (again.number, again.tries_left) == (ANNA, 0)
    assert await w.figures(campaign) == {}


async def test_what_is_said_of_an_attempt_that_has_ended_changes_nothing(w: CampaignWorld) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    campaign = await w.start(ANNA)
    [attempt] = (await campaigns.claim(40, always)).attempts
    await begin(w, calls, attempt)
    await finish(w, calls, attempt)
    await finish(w, calls, attempt, CallDisposition.LOST, TransmissionStatus.FAILED)
    assert await w.transmissions(campaign) == {ANNA: ("completed", 1)}
    assert await w.figures(campaign) == {"answered": 1, "transmission completed": 1}


# --- whose an attempt is -----------------------------------------------------------------------------------------


async def test_two_engines_never_get_the_same_contact(w: CampaignWorld) -> None:
    await w.calls()
    await w.calls(OTHER)
    numbers = [number(n) for n in range(30)]
    await w.start(*numbers, cpm=600_000)
    engines = w.campaigns(), w.campaigns(OTHER)
    got: list[str] = []
    for _ in range(30):
        for found in await asyncio.gather(*(claimed(one, 2) for one in (*engines, *engines))):
            got += found
        await w.age(0.2)
        if len(got) == len(numbers):
            break
    assert sorted(got) == numbers


async def test_what_was_claimed_and_never_began_is_as_if_it_never_had_been(w: CampaignWorld) -> None:
    await w.calls()
    campaign = await w.start(ANNA)
    [attempt] = (await w.campaigns().claim(40, always)).attempts
    assert await w.campaigns().free_lost([attempt.call_id]) == 0     # it is about to begin
    assert await w.campaigns().free_lost([]) == 1
    assert await w.transmissions(campaign) == {ANNA: ("pending", 0)}
    await w.age(2)
    [again] = (await w.campaigns().claim(40, always)).attempts
    assert (again.number, again.tries_left) == (ANNA, 0)
    assert again.call_id != attempt.call_id
    assert await w.spools() == [("invalid", "withdrawn"), ("queued", None)]


async def test_what_has_begun_is_not_freed(w: CampaignWorld) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    campaign = await w.start(ANNA, BEN, cpm=60_000)
    first, second = await several(w, campaigns, 2)
    await calls.save(saving(live(first)))
    await begin(w, calls, second)
    assert await campaigns.free_lost([]) == 0
    assert await w.transmissions(campaign) == {ANNA: ("processing", 1), BEN: ("processing", 1)}


@pytest.mark.parametrize("ago_s", [60, -3600])
async def test_an_engine_frees_what_one_that_is_gone_has_claimed_but_not_of_one_that_lives(
        w: CampaignWorld, ago_s: float) -> None:
    await w.calls()
    await w.calls(OTHER)
    await w.start(ANNA)
    [_] = (await w.campaigns(OTHER).claim(40, always)).attempts
    assert await w.campaigns().free_lost([]) == 0
    await w.dies(OTHER, ago_s)
    assert await w.campaigns().free_lost([]) == 1


async def test_a_single_transmission_is_claimed_once_and_keeps_its_spool(w: CampaignWorld) -> None:
    await w.calls()
    spool = await w.send(ANNA)
    [attempt] = (await w.campaigns().claim(40, always)).attempts
    assert (attempt.spool_id, attempt.campaign_id, attempt.number, attempt.tries_left) == (spool, None, ANNA, 0)
    assert await claimed(w.campaigns()) == []
    assert await w.campaigns().free_lost([]) == 1
    [again] = (await w.campaigns().claim(40, always)).attempts
    assert (again.spool_id, again.call_id) == (spool, attempt.call_id)
    assert await w.transmissions() == {ANNA: ("processing", 1)}


async def test_a_single_transmission_is_tried_again_by_itself(w: CampaignWorld) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    await w.send(ANNA, try_allowed=2)
    [attempt] = (await campaigns.claim(40, always)).attempts
    await begin(w, calls, attempt)
    await finish(w, calls, attempt, BUSY, RETRY, 60)
    claim = await campaigns.claim(40, always)
    assert (claim.attempts, claim.again_in_s) == ([], pytest.approx(60, abs=2))
    await w.age(61)
    [again] = (await campaigns.claim(40, always)).attempts
    assert (again.number, again.tries_left) == (ANNA, 0)
    assert await w.transmissions() == {ANNA: ("processing", 2)}


# --- it cannot go on ---------------------------------------------------------------------------------------------


async def test_who_could_not_be_prepared_is_tried_later_if_he_may_be(w: CampaignWorld) -> None:
    await w.calls()
    campaigns = w.campaigns()
    campaign = await w.start(ANNA, try_allowed=2)
    [attempt] = (await campaigns.claim(40, always)).attempts
    await campaigns.give_up(attempt, "speech failed")
    assert await w.transmissions(campaign) == {ANNA: ("pending_retry", 1)}
    await w.age(attempt.retry.failed_s - 5)
    assert await claimed(campaigns) == []
    await w.age(6)
    [attempt] = (await campaigns.claim(40, always)).attempts
    await campaigns.give_up(attempt, "speech failed")
    await campaigns.give_up(attempt, "speech failed")
    assert await w.transmissions(campaign) == {ANNA: ("failed", 2)}
    assert await w.figures(campaign) == {"failed": 2, "transmission failed": 1}


async def test_what_cannot_be_run_at_all_is_not_tried_again(w: CampaignWorld) -> None:
    await w.calls()
    campaign = await w.start(ANNA, try_allowed=5)
    [attempt] = (await w.campaigns().claim(40, always)).attempts
    await w.campaigns().give_up(attempt, "there is no recording 7", is_final=True)
    assert await w.transmissions(campaign) == {ANNA: ("failed", 1)}


async def test_a_campaign_without_its_program_is_broken(w: CampaignWorld) -> None:
    await w.calls()
    campaign = await w.start(ANNA)
    await w.loses_program(campaign)
    assert await claimed(w.campaigns()) == []
    assert (await w.status(campaign), await w.problem(campaign)) == ("broken", "its program was deleted")
    assert await w.transmissions(campaign) == {}


async def test_a_campaign_without_its_group_is_broken(w: CampaignWorld) -> None:
    await w.calls()
    campaign = await w.start(ANNA)
    await w.loses_group(campaign)
    assert await claimed(w.campaigns()) == []
    assert (await w.status(campaign), await w.problem(campaign)) == ("broken", "its group was deleted")
    assert await w.transmissions(campaign) == {}


async def test_without_a_number_to_show_nobody_is_called(w: CampaignWorld) -> None:
    await w.calls()
    await w.loses_numbers()
    campaign = await w.start(ANNA)
    assert await claimed(w.campaigns()) == []
    assert await w.transmissions(campaign) == {ANNA: ("failed", 1)}


async def test_numbers_of_the_campaign_are_shown_in_turn(w: CampaignWorld) -> None:
    await w.calls()
    await w.start(*(number(n) for n in range(4)), caller_ids=["+4930101", "+4930102"], cpm=60_000)
    attempts = await several(w, w.campaigns(), 4)
    assert sorted(one.caller_id for one in attempts) == ["4930101"] * 2 + ["4930102"] * 2


# --- people halt it ----------------------------------------------------------------------------------------------


async def test_a_paused_campaign_calls_nobody_and_goes_on_where_it_was(w: CampaignWorld) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    campaign = await w.start(ANNA, BEN, cpm=60)
    assert await called(w, calls, campaigns) == [ANNA]
    await w.becomes(campaign, "paused")
    await w.age(5)
    assert await claimed(campaigns) == []
    assert set(await campaigns.halted([campaign, 999])) == {campaign, 999}
    await w.becomes(campaign, "running")
    assert set(await campaigns.halted([campaign, 999])) == {999}
    assert await called(w, calls, campaigns) == [BEN]


async def test_a_stopped_campaign_calls_nobody_again(w: CampaignWorld) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    campaign = await w.start(ANNA, BEN, cpm=60, try_allowed=2)
    [attempt] = (await campaigns.claim(40, always)).attempts
    await begin(w, calls, attempt)
    await w.becomes(campaign, "completed")
    await finish(w, calls, attempt, BUSY, RETRY, 1)
    await w.age(60)
    assert await claimed(campaigns) == []
    assert await w.status(campaign) == "completed"


async def test_a_campaign_is_completed_only_when_nobody_is_on_the_line(w: CampaignWorld) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    campaign = await w.start(ANNA)
    [attempt] = (await campaigns.claim(40, always)).attempts
    await begin(w, calls, attempt)
    await w.age(2)
    assert await claimed(campaigns) == []
    assert await w.status(campaign) == "running"
    await finish(w, calls, attempt)
    await w.age(2)
    assert await claimed(campaigns) == []
    assert await w.status(campaign) == "completed"


# --- speech, recordings, wakes -----------------------------------------------------------------------------------


async def test_who_comes_next_is_known_ahead(w: CampaignWorld) -> None:
    await w.calls()
    campaigns = w.campaigns()
    await w.start(ANNA, None, BEN, CLEO, names=["Anna", "", "Ben", "Cleo"], cpm=60)
    await w.start(DORA, program={"text": "Guten Tag"})
    assert await claimed(campaigns, 1) == [ANNA]
    coming = await campaigns.coming(2)
    assert [(one.number, one.fields["first_name"], one.program) for one in coming] == [
        (BEN, "Ben", TEXT), (CLEO, "Cleo", TEXT)]


async def test_a_recording_belongs_to_its_organisation(w: CampaignWorld) -> None:
    recording_id = await w.upload(b"RIFF\x00")
    campaigns = w.campaigns()
    assert await campaigns.recording(1, recording_id) == b"RIFF\x00"
    assert await campaigns.recording(2, recording_id) is None
    assert await campaigns.recording(1, recording_id + 1) is None


async def test_what_a_step_recorded_is_kept_once(w: CampaignWorld) -> None:
    await w.calls()
    campaigns = w.campaigns()
    spool = await w.send(ANNA)
    for _ in range(2):
        await campaigns.keep_recording(Recorded(f"{spool}-2", spool, 2), b"RIFF\x01", 900)
    await campaigns.keep_recording(Recorded("999-2", 999, 2), b"RIFF\x02", 900)  # nobody's
    assert await w.kept() == [b"RIFF\x01"]


async def test_when_our_switch_dialled_is_remembered(w: CampaignWorld) -> None:
    calls, campaigns = await w.calls(), w.campaigns()
    await w.start(ANNA, BEN, cpm=60)
    [attempt] = (await campaigns.claim(40, always)).attempts
    await begin(w, calls, attempt)
    await w.age(5)
    assert list(await campaigns.dialled_within(timedelta(seconds=10))) == [pytest.approx(5, abs=2)]
    assert list(await campaigns.dialled_within(timedelta(seconds=4))) == []
    assert list(await w.campaigns(OTHER).dialled_within(timedelta(seconds=10))) == []


async def test_changes_wake_now_and_then_and_when_something_was_ordered(w: CampaignWorld) -> None:
    changes = w.campaigns().changes()
    async with asyncio.timeout(10):
        for _ in range(3):
            await anext(changes)
        campaign = await w.start(ANNA)
        await anext(changes)
        await w.becomes(campaign, "paused")
        await anext(changes)
    await changes.aclose()  # type: ignore[attr-defined]
