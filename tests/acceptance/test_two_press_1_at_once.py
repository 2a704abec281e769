"""Two agents press 1 within 5 ms: exactly one of them talks, the other hears that the call is taken."""

import asyncio

import pytest

from engine.softphone.listening import hears
from tests.acceptance.endings import ends
from tests.acceptance.voices import sound, they_talk


@pytest.mark.parametrize(("first", "second"), [(1, 2), (2, 1)])
async def test_exactly_one_of_two_who_press_1_within_5_ms_talks(town, first, second):
    await town.hotline(agents=2)
    caller = await town.calls()
    for n in (1, 2):
        await town.phone(n).rung()
        town.phone(n).answer()
    for n in (1, 2):
        await town.phone(n).heard(0.2)
    town.phone(first).press("1")
    await asyncio.sleep(0.005)
    town.phone(second).press("1")

    loser = await town.first_ended(1, 2, timeout_s=8)
    winner = 3 - loser
    assert town.phone(loser).call.cause == 26
    assert hears(town.phone(loser).call.received, sound(town, "de/taken"), length_s=2)
    assert not hears(town.phone(winner).call.received, sound(town, "de/taken"), length_s=2)
    await they_talk(caller, town.phone(winner).call)

    caller.hang_up()
    await town.phone(winner).ended(timeout_s=1)
    await ends(
        town, "answered",
        log=[
            "callerConnected", "agentCalled 1", "agentCalled 2", ("agentAnswered 1", "agentAnswered 2"),
            f"agentAccepted {winner}", f"agentTaken {loser}", f"bridged {winner}", f"agentCancelled {loser}",
            "callerHangup",
        ],
        legs=["caller answered 16", *sorted([f"phone {winner} answered 16", f"phone {loser} cancelled 26"])],
    )
