"""One alarm however often it is posted."""

import asyncio

from tests.acceptance.alarm_town import Alarm, Muster


async def test_50_equal_posts_ring_each_phone_once(muster: Muster):
    await muster.found(2)
    body = muster.order(2, 2)
    answers = await asyncio.gather(*[
        muster.ask("POST", "/alarms", body, Idempotency_Key="brand-17") for _ in range(50)])
    assert sorted(status for status, _ in answers) == [200] * 49 + [201]
    assert len({answer["id"] for _, answer in answers}) == 1
    alarm = Alarm(muster, answers[0][1])
    for n in (1, 2):
        await muster.acknowledges(n)
    await alarm.over()
    muster.api.kill()
    muster.api.start()
    await muster.town.until(muster.is_served, "the api answers again")
    status, again = await muster.ask("POST", "/alarms", body, Idempotency_Key="brand-17")
    assert (status, again["id"], again["state"]) == (200, alarm.id, "acknowledged")
    status, _ = await muster.ask("POST", "/alarms", {**body, "expiresS": 900}, Idempotency_Key="brand-17")
    assert status == 409
    assert muster.rung() == {1: 1, 2: 1}
