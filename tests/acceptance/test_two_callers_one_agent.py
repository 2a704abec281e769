"""More callers than agents: the longest-waiting comes first, the others hear music until the talk ends."""

from engine.softphone.listening import longest_silence_s
from tests.acceptance.endings import ends, nobody_else_was_rung
from tests.acceptance.voices import AGENTS, ANOTHERS, CALLERS, they_talk

TAKEN = ["agentCalled 1", "agentAnswered 1", "agentAccepted 1", "bridged 1"]


async def test_the_second_caller_hears_music_and_gets_the_agent_when_the_first_talk_ends(town):
    await town.hotline(agents=1)
    first = await town.calls("4917011111")
    await first.answered()
    second = await town.calls("4917022222")
    await second.answered()
    third = await town.calls("4917033333")
    await third.answered()
    await town.accepts(1)
    await they_talk(first, town.phone(1).call, CALLERS, AGENTS)
    assert longest_silence_s(second.received) < 1

    first.hang_up()
    freed = (await town.phone(1).ended(timeout_s=1)).at
    again = (await town.phone(1).rung(times=2)).at
    assert again - freed < 1
    await town.accepts(1, times=2)
    await they_talk(second, town.phone(1).call, ANOTHERS, AGENTS)  # and not the third
    third.hang_up()
    second.hang_up()
    await town.phone(1).ended(timeout_s=1, times=2)

    legs = ["caller answered 16", "phone 1 answered 16"]
    await ends(town, "answered", ["callerConnected", *TAKEN, "callerHangup"], legs, nth=0, rung=False)
    await ends(town, "answered", ["callerConnected", *TAKEN, "callerHangup"], legs, nth=1, rung=False)
    waited = ["callerConnected", "callerHangup"]
    await ends(town, "callerHangup", waited, ["caller answered 16"], nth=2, rung=False)
    await nobody_else_was_rung(town)
