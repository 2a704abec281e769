"""Answered is not acknowledged: after a mailbox, silence, an early hang-up: the next phone, then the next round."""

from engine.softphone import Behaviour
from engine.softphone.audio import chirp
from tests.acceptance.alarm_town import Muster


async def test_a_mailbox_is_no_person(muster: Muster):
    await muster.found(1)
    await muster.town.another_phone(5, agent=1)
    muster.town.phone(1, Behaviour.mailbox(chirp(4, 2.0)))
    alarm = await muster.alarm(people=1, retry={"rounds": 1})
    await muster.town.phone(5).rung(timeout_s=45)  # it asks to the end, as often as it asks everybody
    await muster.acknowledges(5)
    over = await alarm.over()
    assert [one["disposition"] for one in over["recipients"][0]["attempts"]] == ["mailbox", "acknowledged"]
    assert muster.rung() == {1: 1, 5: 1}


async def test_who_hangs_up_early_is_rung_again_after_his_other_phone(muster: Muster):
    await muster.found(1)
    await muster.town.another_phone(5, agent=1)
    alarm = await muster.alarm(people=1)
    call = await muster.answers(1)
    call.hang_up()
    await muster.town.phone(5).rung()
    muster.town.phone(5).reject(486)
    await muster.acknowledges(1, times=2)
    await alarm.over()
    assert await alarm.dispositions(1) == ["answered", "busy", "acknowledged"]
    assert muster.rung() == {1: 2, 5: 1}


async def test_nobody_answers(muster: Muster):
    alarm = await muster.alarm(people=1, retry={"rounds": 2}, ringTimeoutS=5)
    await muster.town.phone(1).rung(times=2)
    over = await alarm.is_("failed", timeout_s=12)
    assert [one["disposition"] for one in over["recipients"][0]["attempts"]] == ["noAnswer", "noAnswer"]


async def test_a_disposition_that_is_not_to_be_retried(muster: Muster):
    await muster.found(1)
    muster.town.phone(1, Behaviour.rejects(486, 0.05))
    alarm = await muster.alarm(people=1, retry={"rounds": 3, "on": ["noAnswer"]})
    await alarm.is_("failed")
    assert muster.rung() == {1: 1}


async def test_the_hint_of_a_machine_never_decides_alone(muster: Muster):
    """A person who talks like a machine presses the key all the same."""
    await muster.found(1)
    muster.town.phone(1).behaviour = Behaviour(audio=chirp(4, 4.0))
    alarm = await muster.alarm(people=1, amd=True)
    call = await muster.answers(1)
    await muster.hears(call, "de/alarm-intro", timeout_s=12)
    call.press("1")
    await alarm.is_("acknowledged")
