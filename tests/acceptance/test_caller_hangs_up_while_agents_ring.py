"""The caller gives up: ringing phones stop at once, and whoever is in the question is hung up."""

from engine.softphone import Behaviour
from tests.acceptance.endings import ends


async def test_every_agents_leg_ends_at_once(town):
    await town.hotline(agents=3)
    town.phone(3, Behaviour(ring_after_s=None))  # has not even begun to ring
    caller = await town.calls()
    for n in (1, 2, 3):
        await town.phone(n).rung()
    town.phone(2).answer()
    await town.phone(2).heard(0.2)

    caller.hang_up()
    for n in (1, 2, 3):
        ended = await town.phone(n).ended(timeout_s=1)
        assert ended.at - caller.ended_at < 0.5
    assert town.phone(1).happened("cancel")
    assert town.phone(2).happened("bye")
    assert town.phone(3).happened("cancel")
    await town.no_channels(timeout_s=1)
    cancelled = ("agentCancelled 1", "agentCancelled 2", "agentCancelled 3")
    await ends(
        town, "callerHangup",
        log=["callerConnected", "agentCalled 1", "agentCalled 2", "agentCalled 3", "agentAnswered 2", "callerHangup",
             cancelled],
        legs=["caller answered 16", "phone 1 cancelled 16", "phone 2 cancelled 16", "phone 3 cancelled 16"],
    )


async def test_a_caller_who_gives_up_before_hearing_anything_rings_nobody_for_long(town):
    await town.hotline(agents=1)
    caller = await town.calls()
    caller.hang_up()
    await caller.ended()
    await town.no_channels(timeout_s=2)
    assert all(call.ended_at is not None for call in town.phone(1).calls)
