"""A person calls the number that rang: the alarm that is still open is spoken, and may be acknowledged."""

from tests.acceptance.alarm_town import Muster
from tests.acceptance.town import agent_number


async def test_who_calls_back_acknowledges(muster: Muster):
    alarm = await muster.alarm(people=2, needed=2, retry={"rounds": 2, "pauseS": 60})
    await muster.town.phone(1).rung()
    assert muster.town.phone(1).call.caller.lstrip("+") == muster.own_number
    muster.town.phone(1).reject(486)
    await alarm.attempt_is(1, "busy")
    back = await muster.town.carrier.call(agent_number(1), muster.own_number)
    await back.answered()
    await muster.hears(back, "de/alarm-intro")
    back.press("1")
    await muster.hears(back, "de/alarm-confirmed")
    await alarm.person_is(1, "acknowledged")
    await muster.acknowledges(2)
    over = await alarm.over()
    assert [one["disposition"] for one in over["recipients"][0]["attempts"]] == ["busy", "acknowledged"]
    assert muster.rung() == {1: 1, 2: 1}


async def test_a_phone_that_rings_stops_when_its_owner_calls(muster: Muster):
    alarm = await muster.alarm(people=1)
    await muster.town.phone(1).rung()
    back = await muster.town.carrier.call("00" + agent_number(1), muster.own_number)
    await back.answered()
    await muster.town.phone(1).cancelled()
    await back.heard(0.5)
    back.press("1")
    await alarm.is_("acknowledged")
    await alarm.over()
    assert muster.rung() == {1: 1}


async def test_without_an_open_alarm_the_caller_is_told_so(muster: Muster):
    await muster.found(1)
    await muster.town.engine_is_back()
    caller = await muster.town.carrier.call("4917099999", muster.own_number)
    await caller.answered()
    await muster.hears(caller, "de/alarm-none")
    await caller.ended(timeout_s=10)


async def test_who_calls_back_while_no_engine_runs_is_told_to_try_later(muster: Muster):
    await muster.found(1)
    await muster.town.until(lambda: muster.town.switch_knows(muster.own_number), "the switch knows the number")
    muster.town.engine.kill()
    caller = await muster.town.carrier.call("4917099999", muster.own_number)
    assert await caller.final() == 480
