"""Facts of Asterisk's Dial that the dialplan's own ringing stands on: why there is a Local channel between."""

import asyncio
import itertools
import time

import pytest

from tests.contract.conftest import Bench
from tests.contract.sip_peer import Behaviour, Dialog

NEVER = Behaviour()
MAILBOX = Behaviour(answer_s=0.05)


async def fall(bench: Bench, *numbers: str, is_direct: bool = False) -> tuple[str, str, Dialog]:
    """A caller for whom these numbers ring, on direct legs or through Local channels."""
    leg, channel, dialog = await bench.caller()
    direct = "&".join(f"PJSIP/trunk/sip:{number}@{bench.peer.address}" for number in numbers)
    legs = direct if is_direct else "&".join(f"Local/{number}@leg/n" for number in numbers)
    for name, value in (("__TO", bench.peer.address), ("LIST", legs), ("CONFIRM", "U(confirm)" if is_direct else "")):
        await bench.ami.ask(Action="Setvar", Channel=leg, Variable=name, Value=value)
    await bench.ami.ask(Action="Redirect", Channel=leg, Context="fall", Exten="s", Priority="1")
    for number in numbers:
        await bench.peer.rung(number)
    return leg, channel, dialog


async def test_direct_legs_are_dropped_at_the_first_answer(bench: Bench) -> None:
    bench.peer.behaviour |= {"4931": MAILBOX, "4932": NEVER}
    await fall(bench, "4931", "4932", is_direct=True)
    await within(bench.peer.calls_to("4932")[0].ended, 2)


async def test_with_local_legs_the_first_who_confirms_wins_not_the_first_who_answers(bench: Bench) -> None:
    bench.peer.behaviour |= {"4933": MAILBOX, "4934": NEVER, "4935": Behaviour(answer_s=0.3, keys="1", key_s=0.3)}
    caller, _, _ = await fall(bench, "4933", "4934", "4935")
    await bench.ami.said("asked", 1)
    assert not bench.peer.calls_to("4934")[0].ended.is_set()      # a mailbox answered, the other phone rings on
    await bench.ami.said("confirmed")
    await within(bench.peer.calls_to("4934")[0].ended, 2)
    assert not bench.peer.calls_to("4935")[0].ended.is_set()
    await bridged(bench, caller)


async def test_the_caller_hears_music_without_a_gap_until_somebody_confirms(bench: Bench) -> None:
    bench.peer.behaviour["4936"] = Behaviour(answer_s=0.2, keys="1", key_s=0.8)
    _, _, dialog = await fall(bench, "4936")
    await bench.ami.said("confirmed")
    heard = dialog.rtp.received
    gaps = [after - before for before, after in itertools.pairwise(heard)]
    assert max(gaps) < 0.3


@pytest.mark.parametrize("is_direct", [True, False])
async def test_a_redirect_in_the_question_acts_at_once_only_with_a_local_leg(bench: Bench, is_direct: bool) -> None:
    bench.peer.behaviour["4937"] = MAILBOX
    caller, _, _ = await fall(bench, "4937", is_direct=is_direct)
    await bench.ami.said("asked")
    await bench.ami.ask(Action="Redirect", Channel=caller, Context="music", Exten="s", Priority="1")
    if is_direct:
        with pytest.raises(AssertionError):
            await bench.ami.said("music", timeout_s=1, Uniqueid=caller)
    else:
        await bench.ami.said("music", timeout_s=1, Uniqueid=caller)


@pytest.mark.parametrize("is_direct", [True, False])
async def test_the_callers_hang_up_in_the_question_acts_at_once_only_with_a_local_leg(
    bench: Bench, is_direct: bool
) -> None:
    bench.peer.behaviour["4938"] = MAILBOX
    caller, _, dialog = await fall(bench, "4938", is_direct=is_direct)
    await bench.ami.said("asked")
    bench.peer.hang_up(dialog)
    if is_direct:
        with pytest.raises(AssertionError):
            await bench.gone(caller, 1)
    else:
        await bench.gone(caller, 1)


async def test_a_loser_in_the_question_stays_until_its_end(bench: Bench) -> None:
    """So one question is short, or somebody hangs it up."""
    bench.peer.behaviour |= {"4939": MAILBOX, "4940": Behaviour(answer_s=0.05, keys="1", key_s=0.3)}
    await fall(bench, "4939", "4940")
    await bench.ami.said("confirmed")
    await asyncio.sleep(0.7)
    assert not bench.peer.calls_to("4939")[0].ended.is_set()


async def test_the_redirect_of_a_ringing_caller_calls_the_phones_off(bench: Bench) -> None:
    bench.peer.behaviour["4941"] = NEVER
    caller, _, _ = await fall(bench, "4941")
    await bench.ami.ask(Action="Redirect", Channel=caller, Context="music", Exten="s", Priority="1")
    sent = time.monotonic()
    await within(bench.peer.calls_to("4941")[0].ended, 1)
    assert time.monotonic() - sent < 0.5


async def test_the_redirect_of_a_talking_caller_hangs_up_the_agent(bench: Bench) -> None:
    """So the engine never redirects a caller in fallback."""
    bench.peer.behaviour["4942"] = Behaviour(answer_s=0.05, keys="1", key_s=0.3)
    caller, _, _ = await fall(bench, "4942")
    await bench.ami.said("confirmed")
    await bridged(bench, caller)
    await bench.ami.ask(Action="Redirect", Channel=caller, Context="music", Exten="s", Priority="1")
    await within(bench.peer.calls_to("4942")[0].ended, 1)


@pytest.mark.parametrize("who", ["caller", "agent"])
async def test_whoever_hangs_up_a_talk_of_the_fallback_ends_it_without_an_engine(bench: Bench, who: str) -> None:
    bench.peer.behaviour["4943"] = Behaviour(answer_s=0.05, keys="1", key_s=0.3)
    caller, _, dialog = await fall(bench, "4943")
    await bench.ami.said("confirmed")
    await bridged(bench, caller)
    agent = bench.peer.calls_to("4943")[0]
    bench.peer.hang_up(dialog if who == "caller" else agent)
    await within((agent if who == "caller" else dialog).ended, 1)


async def test_every_channel_of_a_fallback_carries_the_callers_id_as_linked_id(bench: Bench) -> None:
    bench.peer.behaviour["4944"] = NEVER
    caller, _, _ = await fall(bench, "4944")
    live = await bench.ami.channels()
    assert len(live) >= 4
    assert {one["Linkedid"] for one in live.values()} == {caller}
    assert live[caller]["Context"] == "fall" and live[caller]["Application"] == "Dial"


async def test_h_writes_rows_when_caller_and_legs_are_hung_up(bench: Bench) -> None:
    bench.peer.behaviour |= {"4945": Behaviour(status=486), "4946": NEVER}
    caller, _, dialog = await fall(bench, "4945", "4946")
    busy = await bench.ami.said("leg")
    assert (busy["D"], busy["C"]) == ("BUSY", "17")
    bench.peer.hang_up(dialog)
    await bench.gone(caller)
    for _ in range(200):
        rows = await bench.ami.db(f"ended/{caller}")
        if len(rows) == 3:
            break
        await asyncio.sleep(0.01)
    ended = rows.pop(f"/ended/{caller}/{caller}")
    assert ended.startswith("CANCEL")
    # the cause of a leg that was called off may be that of another one: its status counts
    assert sorted(row.partition("-")[0] for row in rows.values()) == ["BUSY", "CANCEL"]


async def bridged(bench: Bench, leg: str) -> None:
    for _ in range(200):
        if (await bench.ami.channels())[leg]["BridgeId"]:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not joined")


async def within(event: asyncio.Event, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        await event.wait()
