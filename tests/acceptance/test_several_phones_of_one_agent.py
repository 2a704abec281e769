"""An agent with several phones: all active ones ring at once, an inactive one never does."""

from tests.acceptance.endings import ends
from tests.acceptance.voices import they_talk


async def test_all_active_phones_of_an_agent_ring_and_an_inactive_one_does_not(town):
    await town.people(agents=2)
    await town.another_phone(11, agent=1)
    await town.another_phone(12, agent=1, is_active=False)
    await town.hotline(agents=2)
    caller = await town.calls()
    for n in (1, 2, 11):
        await town.phone(n).rung()
    await town.accepts(11)
    assert (await town.phone(1).cancelled()).cause == 26
    assert (await town.phone(2).cancelled()).cause == 26
    await they_talk(caller, town.phone(11).call)
    caller.hang_up()
    await town.phone(11).ended(timeout_s=1)
    assert not town.phone(12).calls
    await ends(
        town, "answered",
        log=[
            "callerConnected", ("agentCalled 1", "agentCalled 2", "agentCalled 11"), "agentAnswered 11",
            "agentAccepted 11", ("bridged 11", "agentCancelled 1", "agentCancelled 2"), "callerHangup",
        ],
        legs=["caller answered 16", "phone 1 cancelled 26", "phone 2 cancelled 26", "phone 11 answered 16"],
    )
