"""Whoever of the two hangs up, the other's line ends within a second and nothing is left."""

import pytest

from tests.acceptance.endings import ends
from tests.acceptance.voices import they_talk

TALK = ["callerConnected", "agentCalled 1", "agentAnswered 1", "agentAccepted 1", "bridged 1"]


@pytest.mark.parametrize("first", ["caller", "agent"])
async def test_the_other_line_ends_within_a_second(town, first):
    await town.hotline(agents=1)
    caller = await town.calls()
    await town.accepts(1)
    await they_talk(caller, town.phone(1).call)
    who_leaves, other = (caller, town.phone(1).call) if first == "caller" else (town.phone(1).call, caller)
    who_leaves.hang_up()
    await other.ended(timeout_s=1)
    assert other.ended_at - who_leaves.ended_at < 0.5
    assert other.cause == 16
    await town.no_channels(timeout_s=1)
    end = ["callerHangup"] if first == "caller" else ["agentHangup 1"]
    await ends(town, "answered", [*TALK, *end], ["caller answered 16", "phone 1 answered 16"])
