"""A talk hears nothing of the engine's death, and ends as a talk ends."""

import time

import pytest

from engine.softphone.audio import chirp
from engine.softphone.listening import correlation

MINE, THEIRS = chirp(1, 1.0), chirp(2, 1.0)


async def in_talk(town):
    await town.hotline(agents=2)
    caller = await town.calls(audio=MINE, loop_audio=True)
    await town.phone(1).rung()
    town.phone(1).answer()
    await town.phone(1).heard(0.2)
    town.phone(1).play(THEIRS, loop=True)
    town.phone(1).press("1")
    await town.phone(2).cancelled()
    return caller


async def still_talk(town, caller):
    since = time.monotonic()
    await caller.heard(caller.recording.sound_s + 2.5)
    assert correlation(THEIRS, caller.recording.pcm(from_at=since)) >= 0.8
    assert correlation(MINE, town.phone(1).call.recording.pcm(from_at=since)) >= 0.8
    assert caller.recording.longest_gap_s < 1


@pytest.mark.parametrize("first", ["caller", "agent"])
async def test_the_talk_goes_on_and_ends_for_both(town, first):
    caller = await in_talk(town)
    town.engine.kill()
    await still_talk(town, caller)
    if first == "caller":
        caller.hang_up()
        await town.phone(1).ended(timeout_s=1)
    else:
        town.phone(1).hang_up()
        await caller.ended(timeout_s=1)
    await town.no_channels()
    town.engine.start()
    assert await town.outcome(timeout_s=10) == "answered"
    assert (await town.records())["4930111001"] == "answered"


async def test_an_engine_that_returns_adopts_the_talk(town):
    caller = await in_talk(town)
    town.engine.kill()
    town.engine.start()
    await town.engine_is_back()
    await still_talk(town, caller)
    town.phone(1).hang_up()
    await caller.ended(timeout_s=1)
    assert await town.outcome() == "answered"
    assert not await town.is_fallback()
