"""Nobody answers: every phone is rung in each round, then the caller hears the apology to its end and is hung up."""

from engine.softphone.listening import hears
from tests.acceptance.endings import ends
from tests.acceptance.voices import sound


async def test_nobody_answers_in_any_round(quick_asterisk, open_town):
    town = await open_town(quick_asterisk, ring_timeout_s=1, rounds=2)
    await town.hotline(agents=2)
    caller = await town.calls()
    first = (await town.phone(1).rung()).at
    second = (await town.phone(1).rung(times=2)).at
    await town.phone(2).rung(times=2)
    assert 0.9 < second - first < 2
    await caller.ended(timeout_s=17)
    apology = sound(town, "de/apology")
    assert hears(caller.received, apology)
    assert hears(caller.received, apology[-16000:], length_s=2)
    assert caller.cause == 16
    await ends(
        town, "noAgentAvailable",
        log=[
            "callerConnected", "agentCalled 1", "agentCalled 2", ("agentNoAnswer 1", "agentNoAnswer 2"),
            "agentCalled 1", "agentCalled 2", ("agentNoAnswer 1", "agentNoAnswer 2"), "noAgentAvailable",
            "apologyPlayed",
        ],
        legs=["caller answered 16", *["phone 1 noAnswer 19"] * 2, *["phone 2 noAnswer 19"] * 2],
    )
