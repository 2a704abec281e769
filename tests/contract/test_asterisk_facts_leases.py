"""Facts of Asterisk about TIMEOUT(absolute), which is our lease, and what becomes of it in a talk."""

import asyncio

import pytest

from tests.contract.conftest import Bench
from tests.contract.private_asterisk import events


async def lease(bench: Bench, leg: str, seconds: int) -> dict[str, str]:
    return await bench.ami.ask(Action="AbsoluteTimeout", Channel=leg, Timeout=str(seconds))


async def joined(bench: Bench) -> tuple[str, str]:
    caller, channel, _ = await bench.caller("music")
    agent = await bench.agent("music")
    await bench.ami.said("music", Uniqueid=agent)
    await lease(bench, caller, 1)
    await lease(bench, agent, 1)
    answer = await bench.ami.ask(Action="Bridge", Channel1=channel, Channel2=agent, Tone="no")
    assert answer["Response"] == "Success"
    return caller, agent


async def test_a_lease_runs_out_into_extension_t(bench: Bench) -> None:
    leg, _, _ = await bench.caller("music")
    await lease(bench, leg, 1)
    await bench.ami.said("lease", Uniqueid=leg)
    await bench.gone(leg)
    assert "after" not in list(events(bench.ami.seen, leg))


async def test_a_context_without_t_hangs_up(bench: Bench) -> None:
    leg, _, _ = await bench.caller("bare")
    await lease(bench, leg, 1)
    await bench.gone(leg)


async def test_a_renewed_lease_does_not_run_out(bench: Bench) -> None:
    leg, _, _ = await bench.caller("music")
    await lease(bench, leg, 1)
    await lease(bench, leg, 30)
    await asyncio.sleep(1.3)
    assert leg in await bench.ami.channels()


async def test_zero_is_refused_and_the_function_clears(bench: Bench) -> None:
    leg, _, _ = await bench.caller("music")
    await lease(bench, leg, 1)
    assert (await lease(bench, leg, 0))["Response"] == "Error"
    answer = await bench.ami.ask(Action="Setvar", Channel=leg, Variable="TIMEOUT(absolute)", Value="0")
    assert answer["Response"] == "Success"
    await asyncio.sleep(1.3)
    assert leg in await bench.ami.channels()


async def test_bridge_discards_the_lease_of_both(bench: Bench) -> None:
    caller, agent = await joined(bench)
    await asyncio.sleep(1.5)
    live = await bench.ami.channels()
    assert live[caller]["BridgeId"] == live[agent]["BridgeId"] != ""


async def test_a_lease_renewed_in_a_talk_cuts_it_without_t(bench: Bench) -> None:
    caller, agent = await joined(bench)
    await lease(bench, caller, 1)
    await bench.gone(caller)
    assert "lease" not in list(events(bench.ami.seen, caller))
    await bench.ami.said("after", Uniqueid=agent)


async def test_the_survivor_of_a_talk_goes_on_at_the_next_priority_without_a_lease(bench: Bench) -> None:
    caller, agent = await joined(bench)
    await bench.ami.ask(Action="Hangup", Channel=agent, Cause="16")
    after = await bench.ami.said("after", Uniqueid=caller)
    assert after["L"] == "0"
    assert after["P"] == ""      # BRIDGEPEER is gone with the talk


async def test_the_h_of_a_joined_channel_runs_on_a_surrogate_when_the_talk_begins(bench: Bench) -> None:
    """So an `h` that writes something must look at its channel's name."""
    caller, agent = await joined(bench)
    names = [(await bench.ami.said("h", n))["N"] for n in (1, 2)]
    assert all(name.startswith("Surrogate/") for name in names)
    assert {caller, agent} <= set(await bench.ami.channels())


@pytest.mark.parametrize("clear", ["", "1"])
async def test_the_application_bridge_discards_the_targets_lease_but_not_its_own(bench: Bench, clear: str) -> None:
    caller, channel, _ = await bench.caller("music")
    await lease(bench, caller, 1)
    agent = await bench.agent("join", PEER=channel, CLEAR=clear)
    await bench.ami.said("joining", Uniqueid=agent)
    if clear:
        await asyncio.sleep(2.5)
        live = await bench.ami.channels()
        assert live[caller]["BridgeId"] == live[agent]["BridgeId"] != ""
    else:
        await bench.ami.said("lease", Uniqueid=agent)
        await bench.ami.said("after", Uniqueid=caller)
    assert "lease" not in list(events(bench.ami.seen, caller))
