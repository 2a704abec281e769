"""The trunk's budget: evenly, never more than it may take; hotlines have the right of way."""

import time

from tests.acceptance.alarm_town import Alarm

CPS = 20


async def test_100_people_at_20_calls_a_second(open_muster, quick_asterisk):
    muster = await open_muster(quick_asterisk, trunk_cps=CPS)
    await muster.found(100)
    await muster.town.engine_is_back()
    order = muster.order(100, "all", ringTimeoutS=20)
    posted_at = time.monotonic()
    alarm = Alarm(muster, await muster.post("/alarms", order))
    at = sorted([(await muster.town.phone(n).rung(timeout_s=15)).at for n in range(1, 101)])
    in_any_second = max(sum(1 for other in at if one <= other < one + 1.0) for one in at)
    assert in_any_second <= CPS
    assert 4.9 <= at[-1] - posted_at <= 5.5, (at[0] - posted_at, at[-1] - posted_at)
    await muster.post(f"/alarms/{alarm.id}/cancel")
    await alarm.over()
    assert max(muster.rung().values()) == 1


async def test_a_hotline_has_head_room_while_an_alarm_fills_the_trunk(open_muster, quick_asterisk):
    muster = await open_muster(quick_asterisk, trunk_channels=10, headroom=0.4)
    await muster.town.hotline(agents=[11, 12])
    alarm = await muster.alarm(people=10, ringTimeoutS=20)
    await muster.town.phone(6).rung()
    caller = await muster.town.calls()
    await muster.town.accepts(11)
    await muster.town.phone(12).cancelled()
    caller.hang_up()
    assert muster.rung() == {**{n: 1 for n in range(1, 7)}, 11: 1, 12: 1}
    await muster.acknowledges(1)
    await alarm.over()
