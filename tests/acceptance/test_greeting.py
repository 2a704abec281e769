"""What the caller hears first: the greeting from its first word, then music; an accept cuts either."""

import time

from engine.softphone.listening import activity, correlation, find, first_sound_s, hears, longest_silence_s
from tests.acceptance.endings import ends
from tests.acceptance.voices import began_at, sound, they_talk

TALK = ["agentCalled 1", "agentAnswered 1", "agentAccepted 1", "bridged 1"]


async def test_the_first_word_comes_within_300_ms_and_an_accept_cuts_the_greeting(town):
    await town.hotline(agents=1, greeting="")  # the recorded one: eight seconds
    caller = await town.calls()
    acked = (await caller.answered()).at
    await town.phone(1).rung()
    await caller.heard(1.2)
    welcome = sound(town, "de/welcome")
    began = began_at(caller, welcome)
    assert began is not None
    assert began + first_sound_s(welcome) - acked < 0.3
    assert find(welcome[:8000], caller.received).offset_s < 0.1  # from its first word

    await town.accepts(1)
    await town.has_entry("bridged")
    joined = time.monotonic()
    await they_talk(caller, town.phone(1).call)
    talk = caller.recording.pcm(from_at=joined + 0.1)
    assert correlation(welcome, talk) < 0.3
    caller.hang_up()
    await town.phone(1).ended(timeout_s=1)
    await ends(
        town, "answered", ["callerConnected", *TALK, "callerHangup"], ["caller answered 16", "phone 1 answered 16"])


async def test_after_the_greeting_there_is_music_without_silence_until_an_accept_cuts_it(town):
    await town.hotline(agents=1)
    caller = await town.calls()
    await town.phone(1).rung()
    await caller.heard(3)
    waited = caller.received
    greeting = sound(town, await town.database.fetchval("SELECT greeting_sound FROM hotlines"))
    music = sound(town, "music/hold")
    greeted = find(greeting, waited)
    assert greeted.value > 0.8
    assert greeted.offset_s < 0.3
    assert hears(music, waited[-16000:], length_s=2)  # this piece of what was heard is a piece of the music
    assert longest_silence_s(waited) < 1
    assert caller.recording.longest_gap_s < 0.5
    assert longest_silence_s(music) < 1  # nor is there one in a part that was not reached
    assert activity(music).any()

    await town.accepts(1)
    await they_talk(caller, town.phone(1).call)
    after = time.monotonic()
    await caller.heard(caller.recording.sound_s + 1)
    assert not hears(music, caller.recording.pcm(from_at=after), length_s=1)
    caller.hang_up()
    await town.phone(1).ended(timeout_s=1)
    await ends(
        town, "answered", ["callerConnected", "agentCalled 1", "welcomePlayed", *TALK[1:], "callerHangup"],
        ["caller answered 16", "phone 1 answered 16"])
