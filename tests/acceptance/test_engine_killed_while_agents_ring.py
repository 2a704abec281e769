"""Phones that the dead engine rang still ring. Who answers one and presses 1 talks to the caller."""

import asyncio
import time

from engine.softphone.audio import chirp
from engine.softphone.listening import correlation

MINE, THEIRS = chirp(1, 1.0), chirp(2, 1.0)


async def test_an_agent_whose_phone_the_dead_engine_rang_is_joined_by_the_dialplan(town):
    await town.hotline(agents=2)
    caller = await town.calls(audio=MINE, loop_audio=True)
    await town.phone(1).rung()
    town.engine.kill()
    town.phone(1).play(THEIRS, loop=True)
    town.phone(1).answer()
    await town.phone(1).heard(0.2)
    town.phone(1).press("1")
    await asyncio.sleep(2.2)  # the dialplan leaves the engine its time first
    joined = time.monotonic()
    await caller.heard(caller.recording.sound_s + 2.5)
    assert correlation(THEIRS, caller.recording.pcm(from_at=joined)) >= 0.8
    caller.hang_up()
    await town.phone(1).ended(timeout_s=1)
    town.engine.start()
    assert await town.outcome() == "answered"
    assert (await town.records())["4930111001"] == "answered"
    await town.no_channels(timeout_s=10)


async def test_two_agents_accept_without_an_engine_and_exactly_one_talks(town):
    await town.hotline(agents=2)
    caller = await town.calls(audio=MINE, loop_audio=True)
    for n in (1, 2):
        await town.phone(n).rung()
    town.engine.kill()
    for n in (1, 2):
        town.phone(n).answer()
    for n in (1, 2):
        await town.phone(n).heard(0.2)
    for n in (1, 2):
        town.phone(n).press("1")
    loser = await town.first_ended(1, 2, timeout_s=12)
    winner = 3 - loser
    since = time.monotonic()
    await town.phone(winner).heard(town.phone(winner).call.recording.sound_s + 2.5)
    assert correlation(MINE, town.phone(winner).call.recording.pcm(from_at=since)) >= 0.8
    caller.hang_up()
    await town.phone(winner).ended(timeout_s=1)
    town.engine.start()
    assert await town.outcome() == "answered"
    await town.no_channels()


async def test_the_caller_gives_up_while_no_engine_runs(town):
    await town.hotline(agents=2)
    caller = await town.calls()
    await town.phone(1).rung()
    town.engine.kill()
    town.phone(1).answer()
    await town.phone(1).heard(0.2)
    caller.hang_up()
    await caller.ended()
    town.phone(1).press("1")
    await town.phone(1).ended(timeout_s=10)
    await town.no_channels(timeout_s=10)


async def test_a_phone_that_still_rings_is_not_rung_a_second_time_by_the_fallback(town):
    await town.hotline(agents=2)
    caller = await town.calls(audio=MINE, loop_audio=True)
    await town.phone(1).rung()
    await town.phone(2).rung()
    town.phone(2).reject(486)
    town.engine.kill()
    await town.phone(2).rung(times=2)  # the lease ran out
    assert len(town.phone(1).calls) == 1
    town.phone(1).answer()
    await town.phone(1).heard(0.2)
    town.phone(1).press("1")
    await town.phone(2).cancelled()
    since = time.monotonic()
    await town.phone(1).heard(town.phone(1).call.recording.sound_s + 2.5)
    assert correlation(MINE, town.phone(1).call.recording.pcm(from_at=since)) >= 0.8
    assert len(town.phone(1).calls) == 1
    caller.hang_up()
    await town.phone(1).ended(timeout_s=1)
    town.engine.start()
    assert await town.outcome() == "answered"
    assert await town.is_fallback()


async def test_a_talk_of_a_phone_that_the_dead_engine_rang_goes_on_when_the_next_engine_hears_of_it(town):
    await town.hotline(agents=2)
    caller = await town.calls(audio=MINE, loop_audio=True)
    await town.phone(1).rung()
    await town.phone(2).rung()
    town.phone(2).reject(486)
    town.engine.kill()
    await town.phone(2).rung(times=2)  # the lease ran out
    town.phone(1).play(THEIRS, loop=True)
    town.phone(1).answer()
    await town.phone(1).heard(0.2)
    town.phone(1).press("1")
    await town.phone(2).cancelled()
    town.engine.start()
    await town.has_entry("bridged")
    since = time.monotonic()
    await caller.heard(caller.recording.sound_s + 2.5)
    assert correlation(THEIRS, caller.recording.pcm(from_at=since)) >= 0.8
    caller.hang_up()
    await town.phone(1).ended(timeout_s=1)
    assert await town.outcome() == "answered"
    assert await town.is_fallback()
