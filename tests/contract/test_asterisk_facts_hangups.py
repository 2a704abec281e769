"""Facts of Asterisk about how legs end: causes, SIP statuses, and who is told what."""

import asyncio

import pytest

from tests.contract.conftest import Bench
from tests.contract.private_asterisk import events
from tests.contract.sip_peer import Behaviour, Dialog

COMPLETED_ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'


@pytest.mark.parametrize(("status", "cause"), [
    (403, 21), (404, 1), (408, 18), (480, 19), (486, 17), (488, 58), (500, 38), (503, 34), (600, 17), (603, 21)])
async def test_a_refusal_is_told_with_cause_and_status(
    bench: Bench, status: int, cause: int
) -> None:
    number = f"4920{status}"
    bench.peer.behaviour[number] = Behaviour(status=status)
    leg = await bench.dial(number)
    hangup = await bench.gone(leg)
    assert (hangup["Cause"], hangup["TechCause"]) == (str(cause), str(status))
    response = await bench.ami.until(lambda m: m.get("Event") == "OriginateResponse" and m.get("ActionID") == leg)
    assert (response["Response"], response["Reason"]) == ("Failure", "0")
    # which of the two comes first is not certain


async def test_a_ring_timeout_looks_like_480_but_its_reason_is_that_it_rang(bench: Bench) -> None:
    bench.peer.behaviour["4921"] = Behaviour()
    leg = "6b8f6d0e-0000-4000-8000-000000004921"
    await bench.ami.ask(Action="Originate", ActionID=leg, Channel=f"PJSIP/trunk/sip:4921@{bench.peer.address}",
                        ChannelId=leg, Context="idle", Exten="s", Priority="1", Timeout="500", Async="true")
    hangup = await bench.gone(leg)
    assert (hangup["Cause"], hangup["TechCause"]) == ("19", "480")
    response = await bench.ami.until(lambda m: m.get("Event") == "OriginateResponse" and m.get("ActionID") == leg)
    assert response["Reason"] == "3"


async def test_a_dial_without_an_endpoint_has_no_hang_up(bench: Bench) -> None:
    answer = await bench.ami.ask(Action="Originate", ActionID="o1", Channel="PJSIP/nobody/sip:1@127.0.0.1",
                                 ChannelId="none-1", Context="idle", Exten="s", Priority="1", Async="true")
    assert answer["Response"] == "Success"
    await bench.ami.until(lambda m: m.get("Event") == "OriginateResponse" and m.get("ActionID") == "o1")
    await bench.ami.ask(Action="Ping")
    assert [m for m in bench.ami.seen if m.get("Event") == "Hangup" and m["Uniqueid"] == "none-1"] == []


async def test_cause_26_calls_off_a_ringing_phone_without_a_missed_call(bench: Bench) -> None:
    bench.peer.behaviour["4922"] = Behaviour()
    leg = await bench.dial("4922")
    dialog = await ringing(bench, leg, "4922")
    await bench.ami.ask(Action="Hangup", Channel=leg, Cause="26")
    hangup = await bench.gone(leg)
    assert (hangup["Cause"], hangup.get("TechCause")) == ("26", None)
    await ended(dialog.ended)
    cancel = dialog.heard("CANCEL")
    assert cancel and cancel.headers["reason"] == COMPLETED_ELSEWHERE


async def test_cause_26_is_told_to_an_answered_phone_too(bench: Bench) -> None:
    leg = await bench.agent()
    await bench.ami.ask(Action="Hangup", Channel=leg, Cause="26")
    dialog = await bench.peer.rung("99")
    await ended(dialog.ended)
    bye = dialog.heard("BYE")
    assert bye and bye.headers["reason"] == COMPLETED_ELSEWHERE


async def test_another_cause_calls_off_with_its_number(bench: Bench) -> None:
    bench.peer.behaviour["4923"] = Behaviour()
    leg = await bench.dial("4923")
    dialog = await ringing(bench, leg, "4923")
    await bench.ami.ask(Action="Hangup", Channel=leg, Cause="16")
    await ended(dialog.ended)
    cancel = dialog.heard("CANCEL")
    assert cancel and cancel.headers["reason"] == "Q.850;cause=16"


async def test_who_has_said_nothing_yet_is_called_off_when_he_has_though_his_leg_is_gone(bench: Bench) -> None:
    """RFC 3261 section 9.1. Whoever is dialled again meanwhile gets a second INVITE before the first one's CANCEL."""
    bench.peer.behaviour["4924"] = Behaviour(ring=False)
    leg = await bench.dial("4924")
    dialog = await bench.peer.rung("4924")
    await bench.ami.ask(Action="Hangup", Channel=leg, Cause="26")
    await bench.gone(leg)
    await bench.dial("4924")
    await bench.peer.rung("4924", 2)
    assert not dialog.heard("CANCEL")
    bench.peer.trying(dialog)
    await ended(dialog.ended)
    cancel = dialog.heard("CANCEL")
    assert cancel and "reason" not in cancel.headers


@pytest.mark.parametrize(("cause", "status"), [(1, 404), (17, 486), (20, 480), (34, 503), (16, 603), (21, 403)])
async def test_an_unanswered_caller_is_refused_with_the_causes_status(bench: Bench, cause: int, status: int) -> None:
    leg, _, dialog = await bench.caller()
    await bench.ami.ask(Action="Hangup", Channel=leg, Cause=str(cause))
    await ended(dialog.ended)
    assert dialog.final == status


async def test_a_hang_up_while_a_verb_runs_has_cause_0(bench: Bench) -> None:
    leg, _, dialog = await bench.caller("music")
    bench.peer.hang_up(dialog)
    hangup = await bench.gone(leg)
    assert (hangup["Cause"], hangup.get("TechCause")) == ("0", None)
    await bench.ami.said("h", Uniqueid=leg)


async def test_a_callers_cancel_has_cause_127_and_487(bench: Bench) -> None:
    leg, _, dialog = await bench.caller()
    bench.peer.cancel(dialog)
    hangup = await bench.gone(leg)
    assert (hangup["Cause"], hangup["TechCause"]) == ("127", "487")
    assert (await bench.ami.said("h", Uniqueid=leg))["C"] == "127"


async def test_a_hang_up_in_a_gosub_runs_the_h_of_that_context_alone(bench: Bench) -> None:
    leg, _, dialog = await bench.caller("outer")
    await bench.ami.said("inner", Uniqueid=leg)
    bench.peer.hang_up(dialog)
    await bench.gone(leg)
    said = list(events(bench.ami.seen, leg))
    assert "hinner" in said and "h" not in said


async def ringing(bench: Bench, leg: str, number: str) -> Dialog:
    """Asterisk knows that it rings: only then a CANCEL says why."""
    dialog = await bench.peer.rung(number)
    for _ in range(200):
        if (await bench.ami.channels())[leg]["ChannelStateDesc"] == "Ringing":
            return dialog
        await asyncio.sleep(0.01)
    raise AssertionError("it does not ring")


async def ended(event: asyncio.Event) -> None:
    async with asyncio.timeout(3):
        await event.wait()
