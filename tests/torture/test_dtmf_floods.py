"""Callers, agents and alarmed people who send hundreds of keys a second: one accept, one acknowledgement, nobody else
is delayed, and the engine grows by nothing.
"""

import asyncio
import time

import psutil
import pytest

from tests.acceptance.endings import nobody_else_was_rung
from tests.acceptance.voices import they_talk
from tests.torture.flood import floods

ONE = (1,)
GROWTH_MB = 30
LATEST_PHONE_S = 1.0


@pytest.mark.parametrize("seconds", [3.0, pytest.param(20.0, marks=pytest.mark.full)])
async def test_a_flood_of_keys_in_prompts_and_talk_is_one_accept(town, tally, rng, seconds):
    await town.hotline(agents=[1, 2], channels_outbound=1)
    engine = psutil.Process(town.engine.pid)
    before = engine.memory_info().rss
    caller = await town.calls("4917011111")
    await caller.answered()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(floods(caller, rng, seconds))
        await town.phone(1).rung()
        town.phone(1).answer()
        agent = town.phone(1).call
        tasks.create_task(floods(agent, rng, seconds, ONE))
        await town.has_entry("bridged")
        await town.database.execute("UPDATE hotlines SET channels_outbound = 5, revision = revision + 1")
        tasks.create_task(serves_another(town, tally))
    tally.faults += 2
    tally.calls += 2
    assert caller.talking and agent.talking      # what is left of their keys is passed on to each other for a while yet
    caller.hang_up()
    await agent.ended()
    assert await town.outcome(0) == "answered"
    entries = await town.entries(0)
    assert entries.count("agentAccepted") == entries.count("bridged") == 1, entries
    assert engine.memory_info().rss - before < GROWTH_MB << 20
    await town.outcome(1)
    await nobody_else_was_rung(town)


async def serves_another(town, tally) -> None:
    began = time.monotonic()
    second = await town.calls("4917022222")
    assert await second.final() == 200
    await town.phone(2).rung()
    assert town.phone(2).call.invited_at - began < LATEST_PHONE_S
    await town.accepts(2)
    await they_talk(second, town.phone(2).call)
    second.hang_up()
    await town.phone(2).ended()


async def test_a_flood_of_the_key_is_one_acknowledgement(muster, tally, rng):
    town = muster.town
    alarm = await muster.alarm(people=2, needed=2)
    flooding = await muster.answers(1)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(floods(flooding, rng, 3, ONE))
        await muster.acknowledges(2)
    tally.faults += 1
    tally.calls += 2
    await alarm.is_("acknowledged")
    now = await alarm.over()
    told = [note for note in now["timeline"] if note["type"] == "acknowledged"]
    assert len(told) == 2, told
    assert muster.rung() == {1: 1, 2: 1}
    files = list(town.asterisk.settings.acks.iterdir())
    assert not files, "the notes are taken in and gone"


async def test_a_flood_of_every_key_is_no_second_answer(muster, tally, rng):
    """With 1 and 9 among them the first of the two counts, and stays."""
    alarm = await muster.alarm(people=1, retry={"rounds": 1})
    flooding = await muster.answers(1)
    await floods(flooding, rng, 2)
    tally.faults += 1
    tally.calls += 1
    now = await alarm.over()
    ends = [note["type"] for note in now["timeline"] if note["type"] in ("acknowledged", "declined")]
    assert len(ends) <= 1, ends
    assert muster.rung() == {1: 1}
