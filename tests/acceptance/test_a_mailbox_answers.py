"""A mailbox answers and never presses a key: it is asked, let go, and never talks to the caller."""

from engine.softphone import Behaviour
from engine.softphone.audio import chirp
from engine.softphone.listening import correlation, find
from tests.acceptance.endings import ends
from tests.acceptance.voices import question

LEAVE_A_MESSAGE = chirp(9, 1.0)


async def test_a_mailbox_is_asked_twice_let_go_and_rung_again_in_the_next_round(town):
    await town.hotline(agents=1)
    town.phone(1, Behaviour.mailbox(LEAVE_A_MESSAGE))
    caller = await town.calls()
    await town.phone(1).answered()
    caller.play(chirp(1, 0.5), loop=True)
    await town.phone(1).ended(timeout_s=9)
    asked = await question(town)
    heard = town.phone(1).call.received
    assert find(asked, heard, to_s=2).value > 0.6
    assert find(asked, heard, from_s=2).value > 0.6
    assert correlation(chirp(1, 0.5), heard) < 0.3
    await town.phone(1).rung(times=2)

    caller.hang_up()
    await town.phone(1).ended(times=2)
    assert correlation(LEAVE_A_MESSAGE, caller.received) < 0.3
    log = ["callerConnected", "agentCalled 1", "agentAnswered 1", "agentNoAnswer 1", "agentCalled 1"]
    await ends(
        town, "callerHangup", log=[*log, "callerHangup", "agentCancelled 1"],
        legs=["caller answered 16", "phone 1 noAnswer 16", "phone 1 cancelled 16"],
    )
