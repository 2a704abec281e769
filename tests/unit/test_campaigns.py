"""Campaigns on twins: who is due is called, halted ones are not, and what fails harms nobody else."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import datetime

import pytest

from engine.campaign_ports import Attempt, Claim, OpensAt
from engine.flows import program
from engine.flows.flow import Step
from engine.flows.program_state import State
from engine.ports import StoreFailed
from engine.store.memory_campaigns import MemoryCampaigns
from engine.switch.memory import Phone
from engine.vocabulary.commands import DialProgram
from engine.vocabulary.events import Answered
from engine.vocabulary.program import ProgramPlan, TransmissionStatus
from tests.campaign_desk import CampaignDesk, campaign_desk
from tests.desk import turns, until

ANSWERS = Phone(answers_s=1)
BUSY = Phone(refuses=486)


def number(n: int) -> str:
    return f"493055510{n:02}"


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "reconcile.SETTLED_S": 0.01, "campaigns.SHORTEST_PAUSE_S": 0.0005, "campaigns.LONGEST_PAUSE_S": 0.001,
        "campaigns.FREE_EVERY_S": 0.0, "campaigns.AHEAD_EVERY_S": 0.002, "kept_recordings.EVERY_S": 0.001,
        "kept_recordings.LATER_S": 0.001,
    }.items():
        monkeypatch.setattr(f"engine.{name}", value)
    yield


@pytest.fixture
async def at() -> AsyncIterator[CampaignDesk]:
    async with campaign_desk(phones={number(n): ANSWERS for n in range(20)}) as made:
        yield made


async def ends(at: CampaignDesk, campaign: object, within_s: int = 60) -> None:
    for _ in range(within_s):
        await at.passes(1)
        if getattr(campaign, "status", "") == "completed":
            return
    raise AssertionError(f"it is {getattr(campaign, 'status', '')}")


async def test_everybody_is_called_once_hears_his_own_words_and_the_campaign_is_completed(at: CampaignDesk) -> None:
    campaign = at.starts(*(number(n) for n in range(10)))
    await ends(at, campaign)
    assert sorted(at.rung()) == [number(n) for n in range(10)]
    assert set(at.became(campaign).values()) == {("completed", 1)}
    heard = {call.number: [sound for _, sound in call.heard] for call in at.switch.calls}
    assert heard[number(3)] == ["cache/Guten-Tag-P4"]
    assert at.book.figures == {(1, "answered"): 10, (1, "transmission completed"): 10}


async def test_who_is_busy_is_called_again_when_it_is_due_and_no_more_than_allowed(at: CampaignDesk) -> None:
    at.switch.phones[number(0)] = BUSY
    campaign = at.starts(number(0), try_allowed=3)
    await at.passes(2)
    assert at.rung() == [number(0)]
    at.switch.advance(290)
    await at.passes(2)
    assert len(at.rung()) == 1
    at.switch.advance(8)
    await at.passes(2)
    assert len(at.rung()) == 2
    at.switch.advance(300)
    await ends(at, campaign)
    assert len(at.rung()) == 3 and at.became(campaign) == {number(0): ("failed", 3)}


async def test_what_nobody_waits_for_is_saved_together(
    at: CampaignDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.call.LINGER_S", 0.2)
    desk = at.at.desk
    at.starts(number(0), number(1))
    await at.passes(0.5)
    assert len(at.rung()) == 2
    await desk.calls.settled()
    saves = desk.shelf.saves
    for order in desk.sent(DialProgram):
        desk.calls.mailbox.post(Answered(desk.switch.now(), order.leg))
        await turns(20)
    assert desk.shelf.saves == saves
    await until(lambda: desk.shelf.saves > saves)
    assert desk.shelf.saves == saves + 1
    assert [call.phase for call in desk.shelf.calls.values()] == ["running", "running"]


async def test_what_is_urgent_takes_along_what_could_have_waited(
    at: CampaignDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.call.LINGER_S", 60.0)
    desk = at.at.desk
    at.starts(number(0))
    await until(lambda: at.rung())
    desk.calls.mailbox.post(Answered(desk.switch.now(), desk.sent(DialProgram)[0].leg))
    await turns(20)
    async with asyncio.timeout(5):
        await desk.calls.settled()
    assert [call.phase for call in desk.shelf.calls.values()] == ["running"]


async def test_a_single_transmission_is_called(at: CampaignDesk) -> None:
    spool = at.book.send(at.contact(number(0)), "voicetts", {"text": "Hallo"})
    await at.passes(4)
    at.book.catch_up()
    assert (spool.status, spool.transmission.status) == ("completed", "completed")


async def test_nobody_is_called_while_nobody_may_begin(at: CampaignDesk) -> None:
    at.may_begin = False
    await at.settles()
    at.starts(number(0))
    await at.passes(2)
    assert at.rung() == []
    at.may_begin = True
    await at.passes(2)
    assert at.rung() == [number(0)]


async def test_a_pause_withdraws_whoever_waits_for_a_line() -> None:
    async with campaign_desk(phones={number(n): ANSWERS for n in range(9)}, trunk_channels=2, headroom=0) as at:
        campaign = at.starts(*(number(n) for n in range(6)))
        await at.passes(0.5)
        await until(lambda: len(at.rung()) == 2 and at.at.desk.calls.waiting_for_a_line())
        campaign.status = "paused"
        await at.settles()
        await until(lambda: not at.at.desk.calls.waiting_for_a_line())
        await at.passes(10)
        assert len(at.rung()) == 2
        assert sorted(at.became(campaign).values()) == [("completed", 1)] * 2 + [("pending", 0)] * (
            len(at.became(campaign)) - 2)
        campaign.status = "running"
        await ends(at, campaign)
        assert sorted(at.rung()) == [number(n) for n in range(6)]


async def test_a_pause_also_holds_who_is_being_prepared(at: CampaignDesk) -> None:
    at.speech.may_speak.clear()
    campaign = at.starts(number(0))
    await at.settles()
    campaign.status = "paused"
    await at.settles()
    at.speech.may_speak.set()
    await at.passes(5)
    assert at.rung() == [] and at.became(campaign) == {number(0): ("pending", 0)}
    campaign.status = "running"
    await ends(at, campaign)
    assert at.rung() == [number(0)]


async def test_whoever_took_too_long_to_prepare_is_looked_at_again(
    at: CampaignDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.campaigns.PREPARED_WITHIN_S", -1.0)
    campaign = at.starts(number(0))
    await at.passes(2)
    assert at.rung() == []
    at.book.opted_out.add(f"+{number(0)}")
    monkeypatch.setattr("engine.campaigns.PREPARED_WITHIN_S", 30.0)
    await ends(at, campaign)
    assert at.rung() == [] and at.became(campaign)[number(0)][0] == "invalid"


async def test_no_more_are_in_hand_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.campaigns.MOST_IN_HAND", 3)
    async with campaign_desk(trunk_channels=1, headroom=0) as at:
        at.starts(*(number(n) for n in range(20)))
        await at.passes(3)
        assert len(at.book.spools) <= 4 and len(at.rung()) == 1


async def test_who_waits_too_long_for_a_line_is_given_back_and_claimed_anew() -> None:
    async with campaign_desk(phones={number(n): ANSWERS for n in range(2)}, trunk_channels=1, headroom=0) as at:
        campaign = at.starts(number(0), number(1), program={"text": "lang", "delay": 60})
        await at.passes(40)
        assert at.rung() == [number(0)]
        withdrawn = [one for one in at.book.spools.values() if one.disposition == "withdrawn"]
        assert withdrawn and at.became(campaign)[number(1)] == ("processing", 1)
        await ends(at, campaign, 90)
        assert at.rung() == [number(0), number(1)]


async def test_what_cannot_be_spoken_is_given_up_and_tried_later_and_others_go_on(at: CampaignDesk) -> None:
    bad = at.starts(number(0), program={"text": "unspeakable"}, try_allowed=2)
    good = at.starts(number(1))
    await ends(at, good)
    assert at.became(bad) == {number(0): ("pending_retry", 1)}
    at.switch.advance(600)
    await ends(at, bad)
    assert at.became(bad) == {number(0): ("failed", 2)} and at.rung() == [number(1)]


@pytest.mark.parametrize("data", [{"text": "defect"}, {}, {"text": ""}])
async def test_a_program_that_breaks_or_cannot_be_run_fails_for_good_and_others_go_on(
    at: CampaignDesk, data: dict[str, str]
) -> None:
    bad = at.starts(number(0), program=data, try_allowed=5)
    good = at.starts(number(1))
    await ends(at, good)
    assert at.became(bad) == {number(0): ("failed", 1)} and at.rung() == [number(1)]


async def test_the_speech_of_those_who_come_next_is_made_ahead(at: CampaignDesk) -> None:
    at.starts(number(0), number(1), cpm=2)
    await at.settles()
    await until(lambda: ("Guten Tag P2", 2) in at.speech.said)
    assert at.rung() == [number(0)]


async def test_a_voice_with_a_defect_ahead_of_time_stops_nothing(at: CampaignDesk) -> None:
    campaign = at.starts(number(0), number(1), cpm=2, program={"text": "defect {first_name}"})
    await at.settles()
    await until(lambda: len(at.speech.said) > 2)
    good = at.starts(number(2))
    await ends(at, good)
    assert at.became(campaign)[number(0)] == ("failed", 1)


class Failing(MemoryCampaigns):
    """The database is away for those who claim."""

    fails = False

    async def claim(self, limit: int, opens_at: OpensAt) -> Claim:
        if self.fails:
            raise StoreFailed("gone")
        return await super().claim(limit, opens_at)

    async def give_up(self, attempt: Attempt, why: str, is_final: bool = False) -> None:
        raise StoreFailed("gone")


async def test_a_database_that_is_away_is_asked_again(at: CampaignDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Failing, "fails", True)
    monkeypatch.setattr(at.store, "__class__", Failing)
    campaign = at.starts(number(0))
    await at.passes(1)
    assert at.rung() == []
    monkeypatch.setattr(Failing, "fails", False)
    await ends(at, campaign)
    assert at.rung() == [number(0)]


async def test_who_could_not_be_given_up_is_free_again(at: CampaignDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at.store, "__class__", Failing)
    campaign = at.starts(number(0), program={"text": "unspeakable"}, cpm=2)
    await at.settles()
    await turns(50)
    assert at.became(campaign)[number(0)][1] in (0, 1)
    assert [one for one in at.book.spools.values() if one.disposition == "withdrawn"]
    assert {one.status for one in at.book.of(campaign)} <= {TransmissionStatus.PENDING, TransmissionStatus.PROCESSING}


async def test_a_defect_in_a_call_fails_it_and_no_other(at: CampaignDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    start = program.start

    def broken(plan: ProgramPlan, now: datetime) -> Step[State]:
        if plan.number == number(0):
            raise ZeroDivisionError
        return start(plan, now)

    monkeypatch.setattr("engine.flows.program.start", broken)
    campaign = at.starts(number(0), number(1))
    await ends(at, campaign)
    assert at.became(campaign) == {number(0): ("failed", 1), number(1): ("completed", 1)}
