"""No engine: several agents press the key in the same moment, and one of them has the caller, in the log as well."""

import asyncio
from collections import Counter

from engine.softphone import Behaviour
from tests.acceptance.town import Town
from tests.torture.report import Tally
from tests.torture.world import AGENT

AGENTS = 4


async def test_of_several_who_accept_at_once_one_is_bridged(town: Town, tally: Tally) -> None:
    await town.hotline(agents=AGENTS)
    town.engine.kill()
    tally.faults += 1
    for n in range(1, AGENTS + 1):
        town.phone(n).behaviour = Behaviour(answer_after_s=0.2, audio=AGENT, loop_audio=True)
    caller = await town.calls()
    tally.calls += 1
    for n in range(1, AGENTS + 1):
        await town.phone(n).heard(0.2)
    for n in range(1, AGENTS + 1):
        town.phone(n).press("1")
    await asyncio.gather(*(town.phone(n).saw("dtmf ended") for n in range(1, AGENTS + 1)))

    async def one_is_left() -> bool:
        return sum(town.phone(n).call.talking for n in range(1, AGENTS + 1)) == 1
    await town.until(one_is_left, "one agent talks")
    caller.hang_up()
    await town.no_channels()
    town.engine.start()
    assert await town.outcome() == "answered"
    counted = Counter(await town.entries())
    assert (counted["agentAccepted"], counted["bridged"]) == (1, 1), counted
