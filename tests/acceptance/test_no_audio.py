"""A leg from which no audio comes is hung up when the RTP timeout is over: a caller's, and an agent's."""

from engine.softphone import Behaviour
from tests.acceptance.endings import ends


async def test_legs_without_audio_are_hung_up(start_asterisk, open_town):
    asterisk = start_asterisk(rtp_timeout_s=1, ask_tries=3, voice="null")
    town = await open_town(asterisk, ask_tries=3)
    await town.hotline(agents=1)
    caller = await town.calls(rtp=False)
    await town.phone(1).rung()
    await caller.ended(timeout_s=4)
    assert 0.9 < caller.ended_at - caller.answered_at < 3
    await town.phone(1).cancelled(timeout_s=1)
    log = ["callerConnected", "agentCalled 1", "callerHangup", "agentCancelled 1"]
    await ends(town, "callerHangup", log, ["caller answered 44", "phone 1 cancelled 16"])

    town.phone(1, Behaviour(rtp=False))
    caller = await town.calls()
    await town.phone(1).rung(times=2)
    town.phone(1).answer()
    await town.phone(1).ended(timeout_s=4, times=2)
    await town.has_entry("agentFailed")
    await town.phone(1).rung(times=3)  # a dead line is no person who declined
    caller.hang_up()
    await town.phone(1).cancelled(times=2)
    log = ["callerConnected", "agentCalled 1", "agentAnswered 1", "agentFailed 1", "agentCalled 1", "callerHangup",
           "agentCancelled 1"]
    await ends(town, "callerHangup", log, ["caller answered 16", "phone 1 failed 44", "phone 1 cancelled 16"])
