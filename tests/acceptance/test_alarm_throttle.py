"""The storm throttle lets a number rest between repeats, over all alarms; a first dial of an alarm is never delayed."""

from engine.softphone import Behaviour


async def test_repeats_wait_first_dials_do_not(open_muster, quick_asterisk):
    muster = await open_muster(quick_asterisk, throttle_15min=2)
    await muster.found(1)
    muster.town.phone(1, Behaviour.rejects(486, 0.05))
    storm = await muster.alarm(people=1, retry={"rounds": 5, "pauseS": 0})
    await muster.town.phone(1).ended(times=2)
    async def delayed() -> bool:
        return "delayed" in await storm.notes()
    await muster.town.until(delayed, "the timeline tells of the delay")
    other = await muster.alarm(people=1, retry={"rounds": 1})
    await muster.town.phone(1).rung(times=3)
    await other.is_("failed")
    assert (await storm.now())["state"] == "ringing"
    muster.town.engine.kill()
    muster.town.engine.start()
    await muster.town.engine_is_back()
    assert (await storm.now())["state"] == "ringing"
    assert muster.rung() == {1: 3}
    await muster.post(f"/alarms/{storm.id}/cancel")
    await storm.is_("cancelled")
