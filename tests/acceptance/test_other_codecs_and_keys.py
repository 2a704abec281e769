"""A line that has only PCMU, and a phone whose keys are tones in the audio (no RFC 4733)."""

from engine.softphone import Behaviour
from tests.acceptance.endings import ends
from tests.acceptance.voices import they_talk


async def test_pcmu_only_and_a_key_as_a_tone(town):
    await town.hotline(agents=1)
    town.phone(1, Behaviour(codecs=("PCMU",), events=False))
    caller = await town.calls(codecs=("PCMU",), events=False)
    await caller.answered()
    assert caller.media.codec.name == "PCMU"
    await town.accepts(1)
    assert town.phone(1).call.media.event_type is None
    await they_talk(caller, town.phone(1).call)
    caller.hang_up()
    await town.phone(1).ended(timeout_s=1)
    talk = ["agentCalled 1", "agentAnswered 1", "agentAccepted 1", "bridged 1"]
    await ends(
        town, "answered", ["callerConnected", *talk, "callerHangup"], ["caller answered 16", "phone 1 answered 16"])


async def test_a_pcmu_caller_talks_to_a_pcma_agent(town):
    await town.hotline(agents=1)
    town.phone(1, Behaviour(codecs=("PCMA",)))
    caller = await town.calls(codecs=("PCMU",))
    await town.accepts(1)
    await they_talk(caller, town.phone(1).call)
    town.phone(1).hang_up()
    await caller.ended(timeout_s=1)
    talk = ["agentCalled 1", "agentAnswered 1", "agentAccepted 1", "bridged 1", "agentHangup 1"]
    await ends(town, "answered", ["callerConnected", *talk], ["caller answered 16", "phone 1 answered 16"])
