"""A caller who waits is served by the dialplan when nobody else does: music, then every phone, first key wins."""

import time

from engine.softphone.audio import chirp
from engine.softphone.listening import correlation, longest_silence_s

MINE, THEIRS = chirp(1, 1.0), chirp(2, 1.0)


async def test_the_dialplan_rings_the_phones_when_the_lease_runs_out(town):
    await town.hotline(agents=2)
    for n in (1, 2):
        town.phone(n).behaviour = town.phone(n).behaviour.with_(reject_after_s=0.05)
    caller = await town.calls(audio=MINE, loop_audio=True)
    await town.phone(2).ended()
    for n in (1, 2):
        town.phone(n).behaviour = town.phone(n).behaviour.with_(reject_after_s=None)
    await caller.heard(0.3)
    town.engine.kill()
    killed = time.monotonic()
    await town.phone(1).rung(times=2)
    await town.phone(2).rung(times=2)
    assert time.monotonic() - killed < 5, "the lease is 4 s"
    town.phone(2).play(THEIRS, loop=True)
    town.phone(2).answer()
    await town.phone(2).heard(0.2)
    town.phone(2).press("1")
    assert (await town.phone(1).cancelled()).cause == 26
    joined = time.monotonic()
    await caller.heard(caller.recording.sound_s + 2.5)
    assert correlation(THEIRS, caller.recording.pcm(from_at=joined)) >= 0.8
    assert longest_silence_s(caller.received) < 1.0
    caller.hang_up()
    await town.phone(2).ended(timeout_s=1)
    await town.no_channels()

    town.engine.start()
    assert await town.outcome(timeout_s=10) == "answered"
    assert await town.is_fallback()
    assert (await town.records())["4930111002"] == "answered"
    entries = await town.entries()
    assert entries.index("fallbackStarted") < entries.index("agentAccepted") < entries.index("bridged")
    assert entries[-2:] == ["callerHangup", "callEnded"]


async def test_an_engine_that_returns_in_time_goes_on_as_if_nothing_had_been(open_town, quick_asterisk):
    town = await open_town(quick_asterisk, ring_timeout_s=30)  # nobody's phone stops before the engine is back
    await town.hotline(agents=2)
    caller = await town.calls()
    await town.phone(1).rung()
    town.engine.kill()
    town.engine.start()
    await town.engine_is_back()
    town.phone(2).answer()
    await town.phone(2).heard(0.2)
    town.phone(2).press("1")
    assert (await town.phone(1).cancelled()).cause == 26
    assert len(town.phone(1).calls) == len(town.phone(2).calls) == 1, "nobody was rung twice"
    caller.hang_up()
    assert await town.outcome() == "answered"
    assert not await town.is_fallback()


async def test_nobody_answers_the_fallback_either(town):
    await town.hotline(agents=1)
    town.phone(1).behaviour = town.phone(1).behaviour.rejects(486, 0.05)
    caller = await town.calls()
    await caller.answered()
    await town.phone(1).ended()
    town.engine.kill()
    await caller.ended(timeout_s=20)
    town.engine.start()
    assert await town.outcome() == "noAgentAvailable"
    assert "apologyPlayed" in await town.entries()
    assert await town.is_fallback()


async def test_a_returned_engine_takes_over_when_the_fallback_is_exhausted(town):
    await town.hotline(agents=1)
    town.phone(1).behaviour = town.phone(1).behaviour.rejects(486, 0.05)
    caller = await town.calls()
    await caller.answered()
    town.engine.kill()
    await town.phone(1).rung(times=2, timeout_s=8)
    town.phone(1).behaviour = town.phone(1).behaviour.with_(reject_after_s=None)
    town.engine.start()
    await town.phone(1).rung(times=3, timeout_s=8)   # the fallback's second and last round
    await town.engine_is_back()                      # however long that takes: the phone rings meanwhile
    town.phone(1).behaviour = town.phone(1).behaviour.with_(answer_after_s=0.05)
    town.phone(1).reject()
    await town.phone(1).rung(times=4, timeout_s=8)   # the engine's
    await town.phone(1).heard(0.2)
    town.phone(1).press("1")
    await town.has_entry("bridged")
    caller.hang_up()
    assert await town.outcome() == "answered"
