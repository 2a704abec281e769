"""Facts of Asterisk that steering by AMI stands on (ARCHITECTURE.md, "Verbs live in the dialplan")."""

import asyncio
import time
import uuid

import pytest

from tests.contract.conftest import Bench
from tests.contract.private_asterisk import PrivateAsterisk, events
from tests.contract.sip_peer import Behaviour


async def test_every_order_takes_the_unique_id_as_channel(bench: Bench) -> None:
    leg, _, _ = await bench.caller("music")
    for order in ({"Action": "Setvar", "Variable": "X", "Value": "1"},
                  {"Action": "Getvar", "Variable": "X"},
                  {"Action": "AbsoluteTimeout", "Timeout": "30"},
                  {"Action": "Redirect", "Context": "play", "Exten": "s", "Priority": "1"},
                  {"Action": "Hangup", "Cause": "16"}):
        answer = await bench.ami.ask(**order, Channel=leg)
        assert answer["Response"] == "Success", order
        if order["Action"] == "Getvar":
            assert answer["Value"] == "1"
    await bench.gone(leg)


@pytest.mark.parametrize("verb", ["music", "play", "read"])
async def test_redirect_interrupts_what_runs(bench: Bench, verb: str) -> None:
    leg, _, _ = await bench.caller(verb)
    sent = time.monotonic()
    await bench.ami.ask(Action="Redirect", Channel=leg, Context="bare", Exten="s", Priority="1")
    await bench.ami.said("bare", Uniqueid=leg)
    assert time.monotonic() - sent < 0.5
    assert "after" not in list(events(bench.ami.seen, leg))


async def test_a_redirect_right_after_another_is_refused(bench: Bench) -> None:
    answers = []
    for _ in range(15):
        leg, _, _ = await bench.caller()
        for verb in ("music", "play"):
            bench.ami.send([("Action", "Redirect"), ("ActionID", f"{verb}{leg}"), ("Channel", leg), ("Context", verb),
                            ("Exten", "s"), ("Priority", "1")])
        answers.append(await bench.ami.until(
            lambda m, leg=leg: "Response" in m and m.get("ActionID") == f"play{leg}"))
    refused = [answer["Message"] for answer in answers if answer["Response"] == "Error"]
    assert refused and set(refused) == {"Redirect failed, channel not up."}


@pytest.mark.parametrize("verb", ["music", "play", "read"])
async def test_bridge_takes_two_channels_out_of_whatever_they_run(bench: Bench, verb: str) -> None:
    caller, channel, _ = await bench.caller(verb)
    agent = await bench.agent()
    assert (await bench.ami.ask(Action="Bridge", Channel1=channel, Channel2=agent, Tone="no"))["Response"] == "Success"
    live = await bench.ami.channels()
    assert live[caller]["BridgeId"] == live[agent]["BridgeId"] != ""
    assert live[agent]["Linkedid"] == caller


async def test_bridge_matches_prefixes(bench: Bench) -> None:
    """So it is given a whole channel name, or an id of fixed length."""
    caller, _, _ = await bench.caller("music")
    stem = str(uuid.uuid4())
    longer = await bench.agent(leg=f"{stem}-x12")
    answer = await bench.ami.ask(Action="Bridge", Channel1=caller, Channel2=f"{stem}-x1", Tone="no")
    assert answer["Response"] == "Success"
    assert (await bench.ami.channels())[longer]["BridgeId"]


async def test_a_live_leg_id_cannot_be_dialled_again(bench: Bench) -> None:
    bench.peer.behaviour["4911"] = Behaviour()
    leg = await bench.dial("4911")
    await bench.peer.rung("4911")
    await bench.dial("4911", leg=leg)
    await bench.ami.until(lambda m: m.get("Event") == "OriginateResponse" and m.get("Response") == "Failure")
    assert len(bench.peer.calls_to("4911")) == 1
    assert leg in await bench.ami.channels()


async def test_an_ended_leg_id_dials_again(bench: Bench) -> None:
    """So a leg id is never used twice."""
    bench.peer.behaviour["4912"] = Behaviour(status=486)
    leg = await bench.dial("4912")
    await bench.gone(leg)
    await bench.dial("4912", leg=leg)
    await bench.peer.rung("4912", n=2)


async def test_leg_ids_are_compared_as_prefixes_without_case(bench: Bench) -> None:
    """So they are lower-case UUIDs, all of one length."""
    bench.peer.behaviour["4913"] = Behaviour()
    await bench.dial("4913", leg="zz-20")
    await bench.peer.rung("4913")
    for leg, is_taken in (("zz-2", True), ("ZZ-20", True), ("zz-201", False)):
        start = len(bench.ami.seen)
        await bench.dial("4913", leg=leg)
        if is_taken:
            await bench.ami.until(
                lambda m, leg=leg: m.get("Event") == "OriginateResponse" and m.get("ActionID") == leg, after=start)
    await bench.peer.rung("4913", n=2)
    assert len(bench.peer.calls_to("4913")) == 2


async def test_values_are_stored_as_they_come(bench: Bench) -> None:
    leg, _, _ = await bench.caller()
    value = "a,b;c ${UNIQUEID} $[1+1] \"q\""
    await bench.ami.ask(Action="Setvar", Channel=leg, Variable="X", Value=value)
    assert await bench.ami.var(leg, "X") == value


async def test_channels_outlive_the_connection_and_nothing_is_told_again(
    bench: Bench, facts_asterisk: PrivateAsterisk
) -> None:
    leg, _, dialog = await bench.caller("music")
    bench.ami.writer.transport.abort()
    async with facts_asterisk.ami() as again:
        live = await again.channels()
        assert live[leg]["Context"] == "music"
        dialog.rtp.heard.clear()
        async with asyncio.timeout(3):
            await dialog.rtp.heard.wait()      # the music goes on
        assert [m for m in again.seen if m.get("Event") in ("UserEvent", "Hangup")] == []
        await again.ask(Action="Hangup", Channel=leg)
        await again.hung_up(leg)


async def test_originate_runs_the_verb_a_moment_after_the_answer(bench: Bench) -> None:
    bench.peer.behaviour["4914"] = Behaviour(answer_s=0.05)
    leg = await bench.dial("4914", "music")
    said = await bench.ami.said("music", Uniqueid=leg)
    response = await bench.ami.until(lambda m: m.get("Event") == "OriginateResponse" and m.get("ActionID") == leg)
    assert response["Response"] == "Success"
    # they come in either order
    assert abs(float(said["Timestamp"]) - float(response["Timestamp"])) < 0.1


async def test_early_media_is_no_answer(bench: Bench) -> None:
    bench.peer.behaviour["4915"] = Behaviour()
    leg = await bench.dial("4915", "music")
    dialog = await bench.peer.rung("4915")
    bench.peer.progress(dialog)
    await asyncio.sleep(0.3)
    assert (await bench.ami.channels())[leg]["ChannelStateDesc"] != "Up"
    assert list(events(bench.ami.seen, leg)) == []
