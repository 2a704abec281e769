"""Messages as events."""

from datetime import UTC, datetime
from typing import Any

import pytest

from engine.switch.asterisk.facts import Facts
from engine.vocabulary.events import (
    Acknowledged,
    Answered,
    CallArrived,
    Declined,
    DialRefused,
    DigitsEntered,
    FallbackExhausted,
    FallbackStarted,
    HungUp,
    Joined,
    MachineHeard,
    NoKey,
    PinWrong,
    Played,
    StepDone,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
AT = datetime(2026, 11, 21, 11, 59, 59, 500000, tzinfo=UTC)
STAMP = str(AT.timestamp())
CALLER, AGENT = "1795291439.7", "6b8f6d0e-1111-4222-8333-444455556666"
CHANNEL = "PJSIP/trunk-0000000a"


def said(what: str, leg: str = CALLER, **more: str) -> dict[str, str]:
    return {"event": "UserEvent", "userevent": "Rw", "timestamp": STAMP, "channel": CHANNEL, "uniqueid": leg, "v": what,
            **more}


def originated(response: str, reason: str = "0") -> dict[str, str]:
    return {"event": "OriginateResponse", "response": response, "reason": reason, "actionid": AGENT, "timestamp": STAMP,
            "uniqueid": AGENT}


def hangup(leg: str, cause: str, tech: str = "", linked: str = "", channel: str = CHANNEL) -> dict[str, str]:
    message = {"event": "Hangup", "timestamp": STAMP, "channel": channel, "uniqueid": leg, "linkedid": linked or leg,
               "cause": cause}
    return {**message, "techcause": tech} if tech else message


def read(*messages: dict[str, str], facts: Facts | None = None) -> list[Any]:
    facts = facts or Facts()
    return [event for message in messages for event in facts.read(message, NOW)]


@pytest.mark.parametrize(("message", "event"), [
    (said("in", n="4930123", c="4917012"), CallArrived(AT, CALLER, CHANNEL, "4930123", "4917012")),
    (said("in", n="4930123", c=""), CallArrived(AT, CALLER, CHANNEL, "4930123", "")),
    (said("in", n="4930123", c="004917012"), CallArrived(AT, CALLER, CHANNEL, "4930123", "4917012")),
    (said("played"), Played(AT, CALLER)),
    (said("fall", n="4930123", c="49170"), FallbackStarted(AT, CALLER, CHANNEL, "4930123", "49170")),
    (said("exhausted"), FallbackExhausted(AT, CALLER)),
    (said("ack"), Acknowledged(AT, CALLER)),
    (said("decline"), Declined(AT, CALLER)),
    (said("nokey"), NoKey(AT, CALLER)),
    (said("pin"), PinWrong(AT, CALLER)),
    (said("machine"), MachineHeard(AT, CALLER)),
])
def test_what_the_dialplan_says_is_an_event(message: dict[str, str], event: object) -> None:
    assert read(message) == [event]


@pytest.mark.parametrize("message", [
    said("h"), said(""), {"event": "UserEvent", "userevent": "Other", "v": "in"}, {"event": "FullyBooted"}, {},
    said("in") | {"channel": "Surrogate/PJSIP/trunk-1"}, {k: v for k, v in said("in").items() if k != "channel"},
    {"response": "Success", "actionid": "order:1.2"}, {"response": "Error"},
])
def test_everything_else_is_none(message: dict[str, str]) -> None:
    assert read(message) == []


def test_a_message_without_a_time_happened_now() -> None:
    assert read({k: v for k, v in said("played").items() if k != "timestamp"}) == [Played(NOW, CALLER)]


@pytest.mark.parametrize("messages", [
    (originated("Success"), said("ask", AGENT, d="1")),
    (said("ask", AGENT, d="1"), originated("Success")),
    (originated("Success"), said("ask", AGENT, d="1"), said("joined", AGENT, p=CALLER), originated("Success")),
])
def test_an_answer_is_told_once_and_first_whatever_comes_first(messages: tuple[dict[str, str], ...]) -> None:
    events = read(*messages)
    assert events[:2] == [Answered(AT, AGENT), DigitsEntered(AT, AGENT, "1")]
    assert sum(isinstance(event, Answered) for event in events) == 1


def test_the_question_that_ended_without_a_key_has_no_digits() -> None:
    assert read(said("ask", AGENT, d=""))[1] == DigitsEntered(AT, AGENT, "")


def test_the_dialplans_own_join_and_ours() -> None:
    assert read(said("joined", AGENT, p=CALLER))[1] == Joined(AT, AGENT, CALLER)
    ours = {"response": "Success", "actionid": f"bridge:{CALLER}:{AGENT}"}
    assert read(ours) == [Joined(NOW, CALLER, AGENT)]
    assert read(ours | {"response": "Error"}) == []


@pytest.mark.parametrize(("messages", "cause", "sip"), [
    ((originated("Failure"), hangup(AGENT, "17", "486")), 17, 486),
    ((hangup(AGENT, "17", "486"), originated("Failure")), 17, 486),
    ((originated("Failure", "3"), hangup(AGENT, "19", "480")), 19, 0),
    ((originated("Success"), hangup(AGENT, "0")), 16, 0),
    ((hangup(AGENT, "26"),), 26, 0),
    ((hangup(CALLER, "127", "487"),), 16, 0),
    ((hangup(CALLER, "17", "486"),), 17, 0),
    ((hangup(AGENT, "16", linked=CALLER),), 16, 0),
])
def test_a_hang_up_has_its_cause_and_the_far_sides_refusal(
    messages: tuple[dict[str, str], ...], cause: int, sip: int
) -> None:
    events = [event for event in read(*messages) if not isinstance(event, Answered)]
    assert len(events) == 1
    assert (events[0].cause, events[0].sip) == (cause, sip)


def test_our_own_cancellation_is_no_refusal_of_the_far_side() -> None:
    (gone,) = read(hangup(AGENT, "26", "603"))
    assert (gone.cause, gone.sip) == (26, 0)


@pytest.mark.parametrize("message", [
    hangup("1795291439.9", "16", linked=CALLER), hangup("1795291439.8", "16", channel="Local/4917@rw-leg-1;2")])
def test_the_fallbacks_own_channels_are_no_legs(message: dict[str, str]) -> None:
    assert read(message) == []


def test_a_failed_dial_is_refused_only_when_no_channel_is_found() -> None:
    facts = Facts()
    assert read(originated("Failure"), facts=facts) == []
    assert facts.suspects == {AGENT}
    assert read({"response": "Error", "actionid": f"alive:{AGENT}"}, facts=facts) == [DialRefused(NOW, AGENT)]
    assert facts.suspects == set()


def test_a_second_dial_of_a_live_leg_says_nothing() -> None:
    facts = Facts()
    read(originated("Failure"), facts=facts)
    assert read({"response": "Success", "actionid": f"alive:{AGENT}"}, facts=facts) == []
    assert facts.suspects == set()
    assert read(hangup(AGENT, "16"), facts=facts) == [HungUp(AT, AGENT, 16, 0)]


def test_a_failure_heard_after_the_hang_up_makes_no_suspect() -> None:
    facts = Facts()
    read(hangup(AGENT, "17", "486"), originated("Failure"), facts=facts)
    assert facts.suspects == set()


def test_an_originate_that_asterisk_did_not_take_is_refused() -> None:
    assert read({"response": "Error", "actionid": AGENT}) == [DialRefused(NOW, AGENT)]


def test_after_a_reconnect_legs_that_are_up_are_not_answered_again() -> None:
    facts = Facts()
    facts.saw({AGENT: True})
    assert read(said("ask", AGENT, d="1"), facts=facts) == [DigitsEntered(AT, AGENT, "1")]
    facts.saw({AGENT: False})
    assert read(originated("Success"), facts=facts) == [Answered(AT, AGENT)]


@pytest.mark.parametrize(("told", "event"), [
    ({"p": "3", "d": "", "s": ""}, StepDone(AT, AGENT, 3)),
    ({"p": "3", "d": "12*"}, StepDone(AT, AGENT, 3, "12*")),
    ({"p": "4", "d": "", "s": "machine"}, StepDone(AT, AGENT, 4, "", "machine")),
    ({"p": "", "d": "1; x"}, StepDone(AT, AGENT, 0, "1")),
    ({"p": "-1"}, StepDone(AT, AGENT, 0)),
    ({}, StepDone(AT, AGENT, 0)),
])
def test_a_step_that_is_done_also_says_that_its_leg_was_answered(told: dict[str, str], event: StepDone) -> None:
    assert read(said("step", AGENT, **told)) == [Answered(AT, AGENT), event]


def test_a_step_tells_of_the_answer_once() -> None:
    assert read(originated("Success"), said("step", AGENT, p="1"), said("step", AGENT, p="2")) == [
        Answered(AT, AGENT), StepDone(AT, AGENT, 1), StepDone(AT, AGENT, 2)]


def test_a_leg_that_was_handed_to_a_hotline_arrives_like_a_caller() -> None:
    assert read(originated("Success"), said("in", AGENT, n="4930555", c="4917012345")) == [
        Answered(AT, AGENT), CallArrived(AT, AGENT, CHANNEL, "4930555", "4917012345")]
