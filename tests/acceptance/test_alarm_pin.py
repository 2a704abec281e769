"""Who acknowledges must know the pin; a wrong one locks the pin for that number, never the alarm."""

from tests.acceptance.alarm_town import Muster

PIN = {"pin": "4711"}


async def test_the_right_pin(muster: Muster):
    alarm = await muster.alarm(people=1, acknowledge=PIN)
    call = await muster.acknowledges(1)
    await muster.hears(call, "de/alarm-pin")
    call.press("4711#")
    await alarm.is_("acknowledged")
    await muster.hears(call, "de/alarm-confirmed")
    assert "4711" not in str(await alarm.now())


async def test_wrong_three_times_is_not_acknowledged_and_the_person_is_rung_again(muster: Muster):
    alarm = await muster.alarm(people=1, acknowledge=PIN)
    call = await muster.acknowledges(1)
    await muster.hears(call, "de/alarm-pin")
    for _ in range(3):
        before = call.recording.sound_s
        call.press("0000#")
        await call.heard(before + 1.0)
    await muster.town.phone(1).ended(timeout_s=12)
    assert not muster.heard(call, "de/alarm-confirmed")
    assert (await alarm.notes()).count("pinWrong") == 3
    again = await muster.acknowledges(1, times=2)
    await muster.hears(again, "de/alarm-pin")
    again.press("4711#")
    await alarm.is_("acknowledged")
    assert muster.rung() == {1: 2}


async def test_after_five_wrong_ones_no_pin_is_right_for_that_number_also_after_a_restart(muster: Muster):
    await muster.found(2)
    await muster.town.database.executemany(
        "INSERT INTO pin_failures (number, at) VALUES ($1, now() - interval '1 minute')", [("+4930111001",)] * 5)
    muster.town.engine.kill()
    muster.town.engine.start()
    alarm = await muster.alarm(people=2, needed=2, acknowledge=PIN)
    locked = await muster.acknowledges(1)
    await muster.hears(locked, "de/alarm-pin-refused")
    other = await muster.acknowledges(2)
    await muster.hears(other, "de/alarm-pin")
    other.press("4711#")
    await alarm.person_is(2, "acknowledged")
    assert (await alarm.person(1))["state"] != "acknowledged"
    assert "pinRefused" in await alarm.notes()
    await muster.post(f"/alarms/{alarm.id}/cancel")
