"""The accept comes in the very moment in which the greeting ends: the talk is not cut."""

import asyncio

from engine.softphone import Behaviour
from tests.acceptance.endings import ends, nobody_else_was_rung
from tests.acceptance.voices import sound, they_talk

MOMENTS_MS = (-4, 0, 3, 5, 7, 9, 12, 16)  # of the key's end, before the end of the greeting


async def test_an_accept_as_the_greeting_ends_begins_a_talk(town):
    for n in range(1, len(MOMENTS_MS) + 1):
        await town.hotline(agents=[n], ready=n == len(MOMENTS_MS))
        town.phone(n, Behaviour.answers(0))
    greeting_s = sound(town, await town.database.fetchval("SELECT greeting_sound FROM hotlines")).size / 8000
    loop = asyncio.get_running_loop()
    callers = []
    for nth, moment_ms in enumerate(MOMENTS_MS):
        callers.append(caller := await town.calls(f"49170{nth}", hotline=nth))
        answered = (await caller.answered()).at
        await town.phone(nth + 1).answered()
        loop.call_at(answered + greeting_s - 0.1 - moment_ms / 1000, town.phone(nth + 1).press, "1")
    async with asyncio.TaskGroup() as talks:
        for nth, caller in enumerate(callers):
            talks.create_task(they_talk(caller, town.phone(nth + 1).call))
    for nth, caller in enumerate(callers):
        caller.hang_up()
        await town.phone(nth + 1).ended(timeout_s=1)
    for nth in range(len(callers)):
        log = [f"agentCalled {nth + 1}", f"agentAnswered {nth + 1}", f"agentAccepted {nth + 1}", f"bridged {nth + 1}"]
        legs = ["caller answered 16", f"phone {nth + 1} answered 16"]
        await ends(town, "answered", ["callerConnected", *log, "callerHangup"], legs, nth=nth, rung=False)
    await nobody_else_was_rung(town)
