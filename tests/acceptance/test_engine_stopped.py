"""An engine that hangs is worse than a dead one: when it wakes it must not spoil what the dialplan did."""

import asyncio
import time

from engine.softphone.audio import chirp
from engine.softphone.listening import correlation

MINE, THEIRS = chirp(1, 1.0), chirp(2, 1.0)


async def talk(town, caller, n):
    since = time.monotonic()
    await caller.heard(caller.recording.sound_s + 2.5)
    assert correlation(THEIRS, caller.recording.pcm(from_at=since)) >= 0.8
    assert correlation(MINE, town.phone(n).call.recording.pcm(from_at=since)) >= 0.8


async def test_an_agent_in_fallback_presses_1_while_the_engine_wakes(town):
    await town.hotline(agents=2)
    town.engine.stop()
    caller = await town.calls(audio=MINE, loop_audio=True)
    await town.phone(1).rung()
    town.phone(1).play(THEIRS, loop=True)
    town.phone(1).answer()
    await town.phone(1).heard(0.1)
    await asyncio.sleep(max(0.0, caller.invited_at + 3.0 - time.monotonic()))
    town.engine.go_on()
    town.phone(1).press("1")
    await town.phone(2).cancelled()
    await talk(town, caller, 1)
    await asyncio.sleep(1)
    await talk(town, caller, 1)
    caller.hang_up()
    await town.phone(1).ended(timeout_s=1)
    assert await town.outcome() == "answered"
    assert await town.is_fallback()


async def test_an_accept_that_a_hanging_engine_missed_is_not_joined_twice(town):
    await town.hotline(agents=2)
    caller = await town.calls(audio=MINE, loop_audio=True)
    for n in (1, 2):
        await town.phone(n).rung()
    town.engine.stop()
    town.phone(1).play(THEIRS, loop=True)
    town.phone(1).answer()
    await town.phone(1).heard(0.2)
    town.phone(1).press("1")
    await asyncio.sleep(3)
    town.engine.go_on()
    await talk(town, caller, 1)
    assert (await town.phone(2).cancelled(timeout_s=3)).cause == 26
    town.phone(1).hang_up()
    await caller.ended(timeout_s=1)
    assert await town.outcome() == "answered"
    assert len(town.phone(1).calls) == len(town.phone(2).calls) == 1
