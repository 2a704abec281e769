"""Enough have acknowledged: whoever rings stops ringing, whoever listens is told, and nobody is called again."""

import time

from engine.softphone import Behaviour
from engine.vocabulary.values import Cause
from tests.acceptance.alarm_town import Muster


async def test_the_last_two_acknowledgements_come_at_once(muster: Muster):
    alarm = await muster.alarm(people=4, needed=2)
    for n in (1, 2, 3):
        await muster.answers(n)
    for n in (1, 2):
        muster.town.phone(n).press("1")
    ended = await alarm.is_("acknowledged")
    assert ended["counts"]["acknowledged"] == 2
    cancelled = await muster.town.phone(4).cancelled()
    assert cancelled.cause == Cause.ANSWERED_ELSEWHERE
    await muster.hears(muster.town.phone(3).call, "de/alarm-enough")
    for n in (1, 2):
        await muster.hears(muster.town.phone(n).call, "de/alarm-confirmed")
    over = await alarm.over()
    assert [one["state"] for one in over["recipients"]] == ["acknowledged", "acknowledged", "unreached", "unreached"]
    assert await alarm.dispositions(4) == ["cancelled"]
    assert muster.rung() == {1: 1, 2: 1, 3: 1, 4: 1}


async def test_three_at_once_where_two_are_needed_are_three_who_heard_thank_you(muster: Muster):
    alarm = await muster.alarm(people=3, needed=2)
    calls = [await muster.answers(n) for n in (1, 2, 3)]
    for call in calls:
        call.press("1")
    over = await alarm.over()
    assert over["state"] == "acknowledged"
    thanked = [n for n, call in enumerate(calls, 1) if muster.heard(call, "de/alarm-confirmed")]
    told = [n for n in (1, 2, 3) if (await alarm.person(n))["state"] == "acknowledged"]
    assert told == thanked
    assert len(told) >= 2
    assert muster.rung() == {1: 1, 2: 1, 3: 1}


async def test_who_is_queued_is_never_rung_after_the_quorum(muster: Muster):
    alarm = await muster.alarm(people=3, needed=1, strategy={"type": "sequential"})
    await muster.acknowledges(1)
    await alarm.over()
    assert muster.rung() == {1: 1}
    assert [one["state"] for one in (await alarm.now())["recipients"]] == ["acknowledged", "unreached", "unreached"]


async def test_a_quorum_by_role_waits_for_a_driver(muster: Muster):
    await muster.found(3)
    order = muster.order(3, 2, acknowledge={"byRole": {"driver": 1}})
    order["recipients"][2]["role"] = "driver"
    alarm = await muster.alarm(people=3, needed=2, acknowledge={"byRole": {"driver": 1}},
                               recipients=order["recipients"])
    await muster.acknowledges(1)
    await muster.acknowledges(2)
    await alarm.person_is(2, "acknowledged")
    assert (await alarm.now())["state"] == "ringing"
    await muster.acknowledges(3)
    await alarm.is_("acknowledged")


async def test_a_star_repeats_and_1_acknowledges(muster: Muster):
    alarm = await muster.alarm(people=1)
    call = await muster.acknowledges(1, keys="*")
    await call.heard(call.recording.sound_s + 1.0)
    call.press("1")
    await alarm.is_("acknowledged")
    await muster.hears(call, "de/alarm-confirmed")
    over = await alarm.over()
    assert [one["disposition"] for one in over["recipients"][0]["attempts"]] == ["acknowledged"]


async def test_declined_is_final_and_the_rest_rings_on(muster: Muster):
    alarm = await muster.alarm(people=2, needed=1)
    await muster.acknowledges(1, keys="9")
    await alarm.person_is(1, "declined")
    muster.town.phone(2).reject(486)
    await muster.town.phone(2).rung(times=2)
    await muster.acknowledges(2, times=2)
    await alarm.over()
    assert muster.rung() == {1: 1, 2: 2}
    assert await alarm.dispositions(2) == ["busy", "acknowledged"]


async def test_nobody_acknowledges_and_the_alarm_has_failed(muster: Muster):
    await muster.found(2)
    for n in (1, 2):
        muster.town.phone(n, Behaviour.rejects(486, 0.05))
    alarm = await muster.alarm(people=2, needed=1)
    over = await alarm.is_("failed", timeout_s=10)
    assert [one["state"] for one in over["recipients"]] == ["unreached", "unreached"]
    assert muster.rung() == {1: 2, 2: 2}


async def test_it_expires(muster: Muster):
    await muster.found(1)
    posted_at = time.monotonic()
    alarm = await muster.alarm(people=1, needed=1, expiresS=10, ringTimeoutS=30)
    await muster.town.phone(1).rung()
    cancelled = await muster.town.phone(1).cancelled(timeout_s=13)
    assert 9.9 <= cancelled.at - posted_at <= 12
    assert (await alarm.over())["state"] == "expired"
