"""A phone's line that plays something before anybody answers (183, early media) has not answered."""

from engine.softphone import Behaviour
from engine.softphone.audio import chirp
from engine.softphone.listening import correlation
from tests.acceptance.endings import ends, entries
from tests.acceptance.voices import they_talk

COLOUR_RING = chirp(8, 1.0)


async def test_early_media_is_no_answer_and_the_caller_does_not_hear_it(town):
    await town.hotline(agents=1)
    town.phone(1, Behaviour(early_media=COLOUR_RING))
    caller = await town.calls()
    await town.phone(1).saw("183 sent")
    await caller.heard(1.5)
    assert "agentAnswered 1" not in await entries(town)
    town.phone(1).press("1")  # nobody has answered, so nobody can have accepted
    await caller.heard(caller.recording.sound_s + 0.5)
    assert "agentAccepted 1" not in await entries(town)
    assert correlation(COLOUR_RING, caller.received) < 0.3

    await town.accepts(1)
    await they_talk(caller, town.phone(1).call)
    caller.hang_up()
    await town.phone(1).ended(timeout_s=1)
    talk = ["agentCalled 1", "agentAnswered 1", "agentAccepted 1", "bridged 1"]
    await ends(
        town, "answered", ["callerConnected", *talk, "callerHangup"], ["caller answered 16", "phone 1 answered 16"])
