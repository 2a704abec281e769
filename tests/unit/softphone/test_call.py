"""Phone to phone: every way a call can begin, go on and end, as both journals tell it."""

import asyncio

import pytest

from engine.softphone import Behaviour, Carrier, NeverHappened
from engine.softphone.audio import chirp, tone
from engine.softphone.listening import correlation, is_tone

BOTH_LAWS = [("PCMA",), ("PCMU",)]


def whats(carrier: Carrier, who: str) -> list[str]:
    return [entry.what for entry in carrier.journal.of(who=who)]


@pytest.mark.parametrize("codecs", BOTH_LAWS)
async def test_both_sides_hear_the_other_and_not_themselves(here, there, codecs):
    mine, theirs = chirp(1, 0.4), chirp(2, 0.4)
    phone = there.phone("491511", Behaviour(answer_after_s=0.05, audio=theirs, loop_audio=True))
    call = await here.call("4930", "491511", audio=mine, loop_audio=True, codecs=codecs)
    await call.heard(0.7)
    await phone.heard(0.7)
    assert call.status == 200 and call.media.codec.name == codecs[0]
    for recording, other, own in ((call.received, theirs, mine), (phone.call.received, mine, theirs)):
        assert correlation(other, recording) >= 0.95
        assert correlation(own, recording) <= 0.2


async def test_the_journals_tell_a_whole_call(here, there):
    phone = there.phone("491511", Behaviour(answer_after_s=0.02))
    call = await here.call("4930", "491511")
    await call.answered()
    await phone.saw("first rtp")
    call.hang_up()
    ended = await phone.ended()
    assert ended.cause == 16
    assert phone.call.caller == "4930"
    assert whats(there, "491511") == [
        "invite", "180 sent", "200 sent", "answered", "ack", "first rtp", "bye", "ended"
    ]
    told = whats(here, "4930")
    assert told[:6] == ["invite sent", "180 received", "ringing", "200 received", "answered", "first rtp"]
    assert told[-2:] == ["bye sent", "ended"]


async def test_the_phone_hangs_up(here, there):
    there.phone("491511", Behaviour(answer_after_s=0.02, hang_up_after_s=0.05))
    call = await here.call("4930", "491511")
    assert (await call.ended()).cause == 16
    assert call.answered_at < call.ended_at


@pytest.mark.parametrize("status", [480, 486, 603])
async def test_a_phone_rejects(here, there, status):
    phone = there.phone("491511", Behaviour.rejects(status, after_s=0.01))
    call = await here.call("4930", "491511")
    assert await call.final() == status
    await phone.saw("ack")  # otherwise the refusal would be sent again and again
    assert call.answered_at is None and phone.call.status == status


async def test_an_unknown_number_is_not_found(here, there):
    call = await here.call("4930", "491599")
    assert await call.final() == 404
    assert [entry.who for entry in there.unknown] == ["491599"]


async def test_a_phone_in_a_call_is_busy(here, there):
    phone = there.phone("491511", Behaviour(answer_after_s=0.01))
    await (await here.call("4930", "491511")).answered()
    second = await here.call("4931", "491511")
    assert await second.final() == 486
    phone.behaviour = phone.behaviour.with_(lines=2)
    assert await (await here.call("4932", "491511")).final() == 200


async def test_giving_up_while_it_rings_cancels(here, there):
    phone = there.phone("491511")
    call = await here.call("4930", "491511")
    await call.rung()
    call.hang_up()
    await phone.cancelled()
    assert await call.final() == 487
    await phone.saw("ack")
    assert phone.call.ended_at is not None


async def test_giving_up_before_anything_came_back_still_cancels(here, there):
    phone = there.phone("491511", Behaviour(ring_after_s=None))
    call = await here.call("4930", "491511")
    call.hang_up()
    await phone.cancelled()
    assert await call.final() == 487


async def test_early_media_is_heard_and_is_no_answer(here, there):
    there.phone("491511", Behaviour(early_media=tone(440, seconds=0.5)))
    call = await here.call("4930", "491511")
    await call.heard(0.2)
    assert call.status is None and call.answered_at is None
    assert is_tone(call.received[-800:], 440)


async def test_keys_travel_as_telephone_events(here, there):
    phone = there.phone("491511", Behaviour(answer_after_s=0.01, press="1#", press_after_s=0.02))
    call = await here.call("4930", "491511")
    await here.journal.wait(lambda entry: entry.what == "dtmf", "two keys", 3, times=2)
    assert [entry.detail for entry in here.journal.of(what="dtmf")] == ["1", "#"]
    assert call.recording.sound_s == 0  # nothing of it in the audio
    assert phone.happened("dtmf sent")[0].detail == "1#"


async def test_keys_travel_as_tones_where_events_are_not_offered(here, there):
    there.phone("491511", Behaviour(answer_after_s=0.01, press="1", press_after_s=0.02))
    call = await here.call("4930", "491511", events=False)
    await call.heard(0.08)
    first = call.recording.first_sound_at
    middle = call.recording.pcm(first + 0.03, first + 0.07)
    assert is_tone(middle, 697, 0.3) and is_tone(middle, 1209, 0.3)
    assert not here.journal.of(what="dtmf")


async def test_a_phone_presses_after_it_has_heard_enough(here, there):
    phone = there.phone("491511", Behaviour(answer_after_s=0.01, press="1", press_after_hearing_s=0.3))
    await here.call("4930", "491511", audio=chirp(1, 1.0))
    pressed = await phone.saw("dtmf sent")
    assert pressed.at - phone.call.recording.first_sound_at >= 0.25


async def test_a_phone_can_keep_silent_altogether(here, there):
    phone = there.phone("491511", Behaviour(answer_after_s=0.01, rtp=False))
    call = await here.call("4930", "491511")
    await phone.saw("first rtp")
    assert not call.recording.packets


async def test_packets_keep_their_pace(here, there):
    there.phone("491511", Behaviour(answer_after_s=0.01, audio=chirp(3), loop_audio=True))
    call = await here.call("4930", "491511")
    await call.heard(0.6)
    packets = call.recording.packets
    seconds = packets[-1].at - packets[0].at
    assert abs(seconds - (len(packets) - 1) * 0.02) < 0.03


async def test_a_call_from_another_address(here, there):
    phone = there.phone("491511", Behaviour(answer_after_s=0.01))
    call = await here.call("4930", "491511", source=("127.0.0.2", 0))
    await call.answered()
    await phone.saw("ack")


async def test_a_lost_invite_is_sent_again():
    """Nobody listens at first; the call goes through as soon as somebody does."""
    async with Carrier() as gone:
        address = gone.address
    async with Carrier(switch=address) as caller:
        call = await caller.call("4930", "491511")
        async with Carrier(*address) as callee:
            callee.phone("491511", Behaviour(answer_after_s=0.01))
            await call.answered()


async def test_leaving_hangs_up_what_is_left(there):
    phone = there.phone("491511", Behaviour(answer_after_s=0.01))
    async with Carrier(switch=there.address) as caller:
        await (await caller.call("4930", "491511")).answered()
    await phone.ended()


async def test_a_condition_that_never_comes_names_itself(here, there):
    phone = there.phone("491511")
    await here.call("4930", "491511")
    await phone.rung()
    with pytest.raises(NeverHappened, match="491511: answered"):
        await phone.answered(timeout_s=0.05)


async def test_twenty_phones_talk_at_once(here, there):
    there.phone("491511", Behaviour(answer_after_s=0.01, audio=chirp(1), loop_audio=True, lines=20))
    calls = [await here.call(f"4930{n}", "491511", audio=chirp(2), loop_audio=True) for n in range(20)]
    async with asyncio.TaskGroup() as tasks:
        for call in calls:
            tasks.create_task(call.heard(0.6))
    assert min(len(call.recording.packets) for call in calls) >= 30
