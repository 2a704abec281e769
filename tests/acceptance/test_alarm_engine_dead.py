"""The engine is stopped or dead, and people press keys: nobody is called again after hearing thank you."""

import asyncio

from tests.acceptance.alarm_town import Muster
from tests.acceptance.conftest import QUICK


async def test_a_key_pressed_while_the_engine_is_stopped_and_then_killed(muster: Muster):
    alarm = await muster.alarm(people=2, needed=2)
    calls = [await muster.answers(n) for n in (1, 2)]
    muster.town.engine.stop()
    for call in calls:
        call.press("1")
    for call in calls:
        await muster.hears(call, "de/alarm-confirmed")
    for n in (1, 2):
        await muster.town.phone(n).ended(timeout_s=12)
    muster.town.engine.kill()
    muster.town.engine.start()
    over = await alarm.over()
    assert over["state"] == "acknowledged"
    assert muster.rung() == {1: 1, 2: 1}


async def test_who_declines_while_the_engine_is_dead_is_not_called_again(muster: Muster):
    alarm = await muster.alarm(people=1)
    call = await muster.answers(1)
    muster.town.engine.kill()
    call.press("9")
    await muster.hears(call, "de/alarm-declined")
    await muster.town.phone(1).ended(timeout_s=12)
    muster.town.engine.start()
    assert (await alarm.over())["state"] == "failed"
    assert (await alarm.person(1))["state"] == "declined"
    assert muster.rung() == {1: 1}


async def test_asterisk_killed_in_the_moment_of_the_thank_you_and_the_engine_too(start_asterisk, open_muster):
    asterisk = start_asterisk(**QUICK)
    muster = await open_muster(asterisk)
    alarm = await muster.alarm(people=2, needed=2)
    call = await muster.answers(1)
    muster.town.engine.kill()
    call.press("1", 0.05)
    heard = call.recording.sound_s
    await asyncio.sleep(0.25)  # the key is pressed for 50 ms; the thank-you has begun, and is cut
    asterisk.kill()
    thanked = call.recording.sound_s > heard
    for phone in (1, 2):
        for taken in muster.town.phone(phone).calls:
            taken.forget()
    asterisk.restart()
    muster.town.engine.start()
    await alarm.person_is(1, "acknowledged")
    assert thanked
    await muster.acknowledges(2, times=2)
    await alarm.over()
    assert muster.rung() == {1: 1, 2: 2}


async def test_killed_while_phones_ring_every_person_is_reached_and_none_has_two_calls(muster: Muster):
    alarm = await muster.alarm(people=3, needed=3)
    for n in (1, 2, 3):
        await muster.town.phone(n).rung()
    muster.town.engine.kill()
    await muster.acknowledges(1)
    await muster.hears(muster.town.phone(1).call, "de/alarm-confirmed")
    muster.town.phone(2).reject(486)
    muster.town.engine.start()
    await muster.acknowledges(3)
    await muster.acknowledges(2, times=2)
    over = await alarm.over()
    assert over["state"] == "acknowledged"
    assert muster.rung() == {1: 1, 2: 2, 3: 1}


async def test_killed_before_anybody_was_rung(open_muster, quick_asterisk):
    muster = await open_muster(quick_asterisk, engine=False)
    alarm = await muster.alarm(people=2, needed=2)
    muster.town.engine.start()
    for n in (1, 2):
        await muster.acknowledges(n)
    over = await alarm.over()
    assert over["state"] == "acknowledged"
    assert muster.rung() == {1: 1, 2: 1}


async def test_between_two_rounds(muster: Muster):
    alarm = await muster.alarm(people=1, retry={"rounds": 2, "pauseS": 2})
    await muster.town.phone(1).rung()
    muster.town.phone(1).reject(486)
    await alarm.attempt_is(1, "busy")
    muster.town.engine.kill()
    muster.town.engine.start()
    await muster.acknowledges(1, times=2)
    await alarm.over()
    assert muster.rung() == {1: 2}


async def test_the_thank_you_is_followed_by_the_closing(muster: Muster):
    closing = "Danke. {acknowledged} von {needed} haben zugesagt."
    alarm = await muster.alarm(people=1, needed=1, closing={"de": closing})
    call = await muster.acknowledges(1)
    await muster.hears(call, "de/alarm-confirmed")
    await muster.town.phone(1).ended(timeout_s=10)
    await alarm.over()
    assert not muster.heard(call, "de/alarm-bye")  # that is said only when no engine is there
