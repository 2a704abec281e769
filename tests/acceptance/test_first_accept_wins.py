"""Three phones ring at once; the first who presses 1 talks, the others are let go without a missed call."""

import time

from engine.softphone.audio import chirp
from engine.softphone.listening import correlation

MINE, THEIRS = chirp(1, 2.0), chirp(2, 2.0)


async def test_the_first_accept_wins(town):
    await town.hotline(agents=3)
    caller = await town.calls(audio=MINE, loop_audio=True)
    await caller.answered()
    for n in (1, 2, 3):
        await town.phone(n).rung()
    town.phone(2).play(THEIRS, loop=True)
    town.phone(2).answer()
    await town.phone(2).heard(0.2)
    town.phone(2).press("1")
    await town.phone(1).cancelled()
    assert (await town.phone(3).cancelled()).cause == 26
    joined = time.monotonic()
    await caller.heard(caller.recording.sound_s + 3.0)
    talk = caller.recording.pcm(from_at=joined)
    assert correlation(THEIRS, talk) >= 0.8
    assert correlation(MINE, talk) <= 0.3
    talk = town.phone(2).call.recording.pcm(from_at=joined)
    assert correlation(MINE, talk) >= 0.8
    assert correlation(THEIRS, talk) <= 0.3
    caller.hang_up()
    await town.phone(2).ended(timeout_s=1)
    assert await town.outcome() == "answered"
    assert await town.records() == {
        "4917012345": "answered", "4930111001": "cancelled", "4930111002": "answered", "4930111003": "cancelled",
    }
    assert (await town.entries())[0] == "callerConnected"
    assert "bridged" in await town.entries()
