"""A claimed attempt becomes a plan: steps, words, and sounds that are made before anybody is dialled."""

from collections.abc import Mapping
from typing import Any

import pytest

from engine.campaign_ports import Attempt
from engine.preparing import CannotBePrepared, Preparing
from engine.store.memory_calls import Shelf
from engine.store.memory_campaign_book import CampaignBook
from engine.store.memory_campaigns import MemoryCampaigns
from engine.switch.memory import MemorySwitch
from engine.vocabulary.program import RetryRules
from tests.alarm_desk import Parrot
from tests.clocks import SwitchClock

TO = "493055599"


def attempt(program_type: str = "voicetts", program: Mapping[str, Any] | None = None, **facts: Any) -> Attempt:
    data = {"text": "Guten Tag {first_name}"} if program is None else program
    return Attempt(**{
        "call_id": "c", "spool_id": 7, "transmission_id": 5, "campaign_id": 3, "organisation_id": 1,
        "program_type": program_type, "program": data, "number": "49301", "caller_id": "4930100", "language": "de-AT",
        "fields": {"first_name": "Anna"}, "tries_left": 2, "retry": RetryRules(1, 2, 3), "opt_out_key": "9",
        "countries": frozenset({"DE"}), **facts})


class Room:
    def __init__(self) -> None:
        self.speech = Parrot()
        self.speech.may_speak.set()
        self.book = CampaignBook(Shelf(SwitchClock(MemorySwitch())))
        self.preparing = Preparing(MemoryCampaigns(self.book), self.speech, 25, lambda language: language[:2])


@pytest.fixture
def room() -> Room:
    return Room()


async def test_a_plan_has_everything_of_its_attempt_and_the_persons_own_words(room: Room) -> None:
    plan = await room.preparing.plan(attempt())
    assert (plan.spool_id, plan.transmission_id, plan.campaign_id, plan.organisation_id) == (7, 5, 3, 1)
    assert (plan.number, plan.caller_id, plan.language, plan.voice) == ("49301", "4930100", "de-AT", "de")
    assert (plan.ring_timeout_s, plan.tries_left, plan.retry, plan.opt_out_key) == (25, 2, RetryRules(1, 2, 3), "9")
    [step] = plan.steps
    assert (step.text, plan.sounds) == ("Guten Tag Anna", ("cache/Guten-Tag-Anna",))


async def test_a_persons_own_words_are_urgent_and_what_all_hear_is_made_first_and_once(room: Room) -> None:
    for name in ("Anna", "Ben"):
        await room.preparing.plan(attempt(fields={"first_name": name}))
        await room.preparing.plan(attempt(program={"text": "Guten Tag"}))
    assert room.speech.said == [("Guten Tag Anna", 1), ("Guten Tag", 0), ("Guten Tag Ben", 1)]


async def test_what_all_hear_is_asked_for_again_after_a_moment(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [100.0]
    monkeypatch.setattr("engine.preparing.time.monotonic", lambda: now_s[0])
    for later_s in (0, 9, 2):
        now_s[0] += later_s
        await room.preparing.plan(attempt(program={"text": "Guten Tag"}))
    assert len(room.speech.said) == 2


async def test_no_more_is_remembered_than_may_be(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.preparing.MOST_KEPT", 2)
    for text in ("eins", "zwei", "drei", "eins"):
        await room.preparing.plan(attempt(program={"text": text}))
    assert [text for text, _ in room.speech.said] == ["eins", "zwei", "drei", "eins"]


async def test_a_text_twice_is_made_once(room: Room) -> None:
    plan = await room.preparing.plan(attempt(program={"text": "Guten Tag", "delay": 2}))
    assert plan.sounds == ("cache/Guten-Tag", "", "cache/Guten-Tag")
    assert len(room.speech.said) == 1


async def test_a_recording_of_the_organisation_is_converted(room: Room) -> None:
    room.book.recordings[1, 4] = b"RIFF\x00"
    plan = await room.preparing.plan(attempt("voicemessage", {"recording_id": 4}))
    assert plan.sounds == ("rec/5",)
    with pytest.raises(CannotBePrepared) as other:
        await room.preparing.plan(attempt("voicemessage", {"recording_id": 4}, organisation_id=2))
    assert other.value.is_final


async def test_the_phone_behind_an_extension_is_called(room: Room) -> None:
    plan = await room.preparing.plan(attempt("agent", {"extension_id": 3}, extension=TO))
    assert [(step.kind, step.to) for step in plan.steps] == [("transfer", TO)]
    assert plan.sounds == ("",)
    with pytest.raises(CannotBePrepared):
        await room.preparing.plan(attempt("agent", {"extension_id": 3}))


@pytest.mark.parametrize("number", ["499001234567", "49112", "33123456789"])
async def test_nobody_is_handed_over_to_a_number_that_is_never_dialled(room: Room, number: str) -> None:
    with pytest.raises(CannotBePrepared, match="the number to transfer to is") as refused:
        await room.preparing.plan(attempt("agent", {"extension_id": 3}, extension=number))
    assert refused.value.is_final


async def test_a_transfer_to_a_hotline_is_no_call_to_a_number(room: Room) -> None:
    plan = await room.preparing.plan(attempt("forward", {}, extension=TO, hotlines=frozenset({TO})))
    assert [(step.kind, step.to) for step in plan.steps] == [("hotline", TO)]


async def test_speech_that_fails_is_tried_later(room: Room) -> None:
    with pytest.raises(CannotBePrepared) as failed:
        await room.preparing.plan(attempt(program={"text": "unspeakable"}))
    assert not failed.value.is_final


@pytest.mark.parametrize(("program_type", "program"), [
    ("voicetts", {}), ("sendfax", {"text": "x"}), ("", {}), ("ivr", {"ivr_scheme": 7}), ("voicemessage", {}),
])
async def test_what_can_never_be_run_is_final(room: Room, program_type: str, program: dict[str, Any]) -> None:
    with pytest.raises(CannotBePrepared) as failed:
        await room.preparing.plan(attempt(program_type, program))
    assert failed.value.is_final


async def test_ahead_of_time_only_a_persons_own_words_are_made(room: Room) -> None:
    await room.preparing.ahead(attempt())
    await room.preparing.ahead(attempt(program={"text": "Guten Tag"}))
    assert room.speech.said == [("Guten Tag Anna", 2)]


@pytest.mark.parametrize("program", [{"text": "unspeakable {first_name}"}, {}, {"text": 7}])
async def test_what_fails_ahead_of_time_is_asked_for_again_in_time(room: Room, program: dict[str, Any]) -> None:
    await room.preparing.ahead(attempt(program=program))
