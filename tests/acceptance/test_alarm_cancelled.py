"""An alarm is called off: nobody rings any longer, who listens is told."""

from tests.acceptance.alarm_town import Muster


async def test_cancelled_while_it_rings(muster: Muster):
    alarm = await muster.alarm(people=3)
    listener = await muster.answers(1)
    await muster.town.phone(2).rung()
    said = await muster.post(f"/alarms/{alarm.id}/cancel")
    assert said["state"] == "cancelled"
    assert (await muster.town.phone(2).cancelled()).cause == 26
    await muster.hears(listener, "de/alarm-cancelled")
    over = await alarm.over()
    assert over["state"] == "cancelled"
    assert {one["state"] for one in over["recipients"]} == {"unreached"}
    again = await muster.post(f"/alarms/{alarm.id}/cancel")
    assert again["state"] == "cancelled"
    assert muster.rung() == {1: 1, 2: 1, 3: 1}


async def test_cancelled_while_no_engine_runs(muster: Muster):
    alarm = await muster.alarm(people=1)
    await muster.town.phone(1).rung()
    muster.town.engine.kill()
    said = await muster.post(f"/alarms/{alarm.id}/cancel", status=202)
    assert said["state"] == "ringing"
    muster.town.engine.start()
    await alarm.is_("cancelled")
    await muster.town.phone(1).ended()
    await alarm.over()
    assert muster.rung() == {1: 1}


async def test_cancelled_before_any_engine_saw_it(open_muster, quick_asterisk):
    muster = await open_muster(quick_asterisk, engine=False)
    alarm = await muster.alarm(people=1)
    await muster.post(f"/alarms/{alarm.id}/cancel")
    muster.town.engine.start()
    await alarm.is_("cancelled")
    assert muster.rung() == {}


async def test_an_operator_acknowledges_while_the_person_listens(muster: Muster):
    alarm = await muster.alarm(people=2, needed=2)
    listener = await muster.answers(1)
    path = f"/alarms/{alarm.id}/recipients/{(await alarm.person(1))['id']}/acknowledge"
    said = await muster.post(path)
    assert said["recipients"][0]["state"] == "acknowledged"
    await muster.hears(listener, "de/alarm-noted")
    listener.press("1")  # too late to matter
    path = f"/alarms/{alarm.id}/recipients/{(await alarm.person(2))['id']}/acknowledge"
    await muster.post(path)
    assert (await muster.town.phone(2).cancelled()).cause == 26
    over = await alarm.over()
    assert over["state"] == "acknowledged"
    assert over["timeline"]
    assert "operatorAcknowledged" in await alarm.notes()
    assert muster.rung() == {1: 1, 2: 1}
