"""The hotline is changed while somebody is on the line: calls go on as they began, the next call sees the change."""

from dataclasses import replace

from tests.acceptance.endings import ends
from tests.acceptance.voices import they_talk

TALK = ["callerConnected", "agentCalled 1", "agentAnswered 1", "agentAccepted 1", "bridged 1"]


async def test_a_hotline_deleted_during_a_talk_does_not_end_it(town):
    hotline = await town.hotline(agents=1)
    caller = await town.calls()
    await town.accepts(1)
    await they_talk(caller, town.phone(1).call)
    assert await town.directory.delete_hotline(town.organisation_id, hotline.hotline_id)
    late = await town.calls("4917022222")
    assert await late.final() == 404
    await they_talk(caller, town.phone(1).call)
    caller.hang_up()
    await town.phone(1).ended(timeout_s=1)
    await ends(town, "answered", [*TALK, "callerHangup"], ["caller answered 16", "phone 1 answered 16"])


async def test_a_hotline_paused_and_given_other_agents_while_a_caller_waits(town):
    await town.people(agents=2)
    hotline = await town.hotline(agents=1)
    caller = await town.calls()
    await town.phone(1).rung()
    changed = replace(hotline.data, is_active=False, agents=(town.users[1],))
    await town.directory.replace_hotline(town.organisation_id, hotline.hotline_id, changed)
    late = await town.calls("4917022222")
    assert await late.final() == 480
    await ends(town, "paused", [], ["caller failed 20"], rung=False)

    await town.accepts(1)
    await they_talk(caller, town.phone(1).call)
    town.phone(1).hang_up()
    await caller.ended(timeout_s=1)
    legs = ["caller answered 16", "phone 1 answered 16"]
    await ends(town, "answered", [*TALK, "agentHangup 1"], legs, nth=0)
