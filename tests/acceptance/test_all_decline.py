"""Every agent declines, by the red button or by hanging up in the question: the caller hears so at once."""

from tests.acceptance.endings import ends
from tests.acceptance.voices import began_at, sound


async def test_all_decline_and_the_caller_hears_the_apology_at_once(town):
    await town.hotline(agents=3)
    caller = await town.calls()
    for n in (1, 2, 3):
        await town.phone(n).rung()
    town.phone(1).reject(603)
    town.phone(2).answer()
    await town.phone(2).heard(0.2)
    town.phone(2).hang_up()
    await town.has_entry("agentRejected")
    town.phone(3).reject(603)

    last_decline = (await town.phone(3).ended()).at
    await town.has_entry("noAgentAvailable")
    before = caller.recording.sound_s
    await caller.heard(before + 2)
    apology = began_at(caller, sound(town, "de/apology"))
    assert apology is not None
    assert apology - last_decline < 0.5

    caller.hang_up()
    await ends(
        town, "noAgentAvailable",
        log=[
            "callerConnected", "agentCalled 1", "agentCalled 2", "agentCalled 3",
            ("agentRejected 1", "agentAnswered 2"), "agentRejected 2", "agentRejected 3", "noAgentAvailable"
,        ],
        legs=["caller answered 16", "phone 1 rejected 21", "phone 2 rejected 16", "phone 3 rejected 21"],
    )
