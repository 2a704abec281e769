"""An agent hangs up while the question is read out: declined, and not rung again for this caller."""

from tests.acceptance.endings import ends
from tests.acceptance.voices import they_talk


async def test_who_hangs_up_in_the_question_is_not_rung_again_but_who_is_busy_is(town):
    await town.hotline(agents=2)
    caller = await town.calls()
    await town.phone(1).rung()
    await town.phone(2).rung()
    town.phone(1).answer()
    await town.phone(1).heard(0.1)
    town.phone(1).hang_up()
    await town.has_entry("agentRejected")
    town.phone(2).reject(486)

    await town.phone(2).rung(times=2)
    await town.accepts(2, times=2)
    await they_talk(caller, town.phone(2).call)
    town.phone(2).hang_up()
    await caller.ended(timeout_s=1)
    await ends(
        town, "answered",
        log=[
            "callerConnected", "agentCalled 1", "agentCalled 2", "agentAnswered 1", "agentRejected 1", "agentBusy 2",
            "agentCalled 2", "agentAnswered 2", "agentAccepted 2", "bridged 2", "agentHangup 2",
        ],
        legs=["caller answered 16", "phone 1 rejected 16", "phone 2 busy 17", "phone 2 answered 16"],
    )
