"""Facts of Asterisk by which the dialplan joins two legs without an engine, exactly once."""

import asyncio

import pytest

from tests.contract.conftest import Bench


@pytest.mark.parametrize("options", ["", "x"])
async def test_who_goes_on_after_the_applications_talk(bench: Bench, options: str) -> None:
    caller, channel, _ = await bench.caller("music")
    agent = await bench.agent("join", PEER=channel, CLEAR="1", OPTIONS=options)
    await talk(bench, caller, agent)
    await bench.ami.ask(Action="Hangup", Channel=agent, Cause="16")
    if options == "x":
        await bench.gone(caller, 1)
    else:
        await bench.ami.said("after", Uniqueid=caller)


async def test_the_joining_leg_goes_on_when_the_other_hangs_up(bench: Bench) -> None:
    caller, channel, dialog = await bench.caller("music")
    agent = await bench.agent("join", PEER=channel, CLEAR="1", OPTIONS="x")
    await talk(bench, caller, agent)
    bench.peer.hang_up(dialog)
    assert (await bench.gone(caller))["Cause"] == "16"
    assert (await bench.ami.said("parted", Uniqueid=agent))["R"] == "SUCCESS"


async def test_a_second_join_takes_the_caller_away_from_the_first(bench: Bench) -> None:
    """So whoever joins looks first, under a lock."""
    caller, channel, _ = await bench.caller("music")
    first = await bench.agent("join", PEER=channel, CLEAR="1")
    await talk(bench, caller, first)
    second = await bench.agent("join", PEER=channel, CLEAR="1")
    assert (await bench.ami.said("parted", Uniqueid=first))["R"] == "SUCCESS"
    await talk(bench, caller, second)


async def test_another_channels_life_bridge_and_variables_can_be_read(bench: Bench) -> None:
    caller, channel, dialog = await bench.caller("music")
    await bench.ami.ask(Action="Setvar", Channel=caller, Variable="FOO", Value="bar")
    await bench.ami.ask(Action="Setvar", Channel=caller, Variable="SHARED(S)", Value="mine")
    await bench.run("probe", PEER=channel)
    assert fields(await bench.ami.said("probe")) == ("1", "bar", "", "mine")
    agent = await bench.agent("join", PEER=channel, CLEAR="1", OPTIONS="x")
    live = await talk(bench, caller, agent)
    await bench.run("probe", PEER=caller)      # the unique id does as well
    assert fields(await bench.ami.said("probe", 2)) == ("1", "bar", live[agent]["Channel"], "mine")
    bench.peer.hang_up(dialog)
    await bench.gone(caller)
    await bench.run("probe", PEER=channel)
    assert fields(await bench.ami.said("probe", 3)) == ("0", "", "", "")


def fields(said: dict[str, str]) -> tuple[str, ...]:
    return tuple(said[name] for name in "EIBS")


async def test_a_lock_and_a_shared_variable_make_a_compare_and_set(bench: Bench) -> None:
    _, channel, _ = await bench.caller("music")
    for _ in range(20):
        await bench.run("count", PEER=channel)
    await bench.ami.until(lambda m: m.get("V") == "count" and m.get("N") == "1000", 20)


async def test_a_lock_is_free_when_its_holder_is_hung_up(bench: Bench) -> None:
    holder = await bench.agent("locks", exten="hold")
    assert (await bench.ami.said("locked"))["L"] == "1"
    await bench.run("locks", exten="try")
    assert (await bench.ami.said("tried"))["L"] == "0"
    await bench.ami.ask(Action="Hangup", Channel=holder)
    await bench.gone(holder)
    await bench.run("locks", exten="try")
    assert (await bench.ami.said("tried", 2))["L"] == "1"


async def test_callers_of_a_number_are_counted(bench: Bench) -> None:
    for n in (1, 2, 3):
        await bench.caller(number="4930777")
        assert (await bench.ami.said("in", n))["G"] == str(n)


@pytest.mark.parametrize("sends", [True, False])
async def test_answer_waits_for_the_callers_audio_unless_told_not_to(bench: Bench, sends: bool) -> None:
    waited, heard = await first_word(bench, "now", sends)
    assert waited < 0.05 and heard < 0.1
    waited, heard = await first_word(bench, "wait", sends)
    assert (waited > 0.4) is not sends


async def first_word(bench: Bench, exten: str, sends: bool) -> tuple[float, float]:
    """(seconds in Answer, seconds from our 200 OK to the first packet)."""
    leg, _, dialog = await bench.caller(rtp=sends)
    await bench.ami.ask(Action="Redirect", Channel=leg, Context="answers", Exten=exten, Priority="1")
    before = await bench.ami.said("before", Uniqueid=leg)
    answered = await bench.ami.said("answered", Uniqueid=leg)
    async with asyncio.timeout(3):
        await dialog.answered.wait()
        await dialog.rtp.heard.wait()
    ok = dialog.heard("SIP/2.0 200")
    assert ok is not None
    return float(answered["Timestamp"]) - float(before["Timestamp"]), dialog.rtp.received[0] - ok.at


async def talk(bench: Bench, caller: str, agent: str) -> dict[str, dict[str, str]]:
    for _ in range(200):
        live = await bench.ami.channels()
        if live[caller]["BridgeId"] and live[caller]["BridgeId"] == live.get(agent, {}).get("BridgeId"):
            return live
        await asyncio.sleep(0.01)
    raise AssertionError("they do not talk")
