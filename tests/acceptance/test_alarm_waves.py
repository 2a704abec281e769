"""One wave after another: the next when its time has come, or as soon as the quorum needs it."""

import time

from engine.softphone import Behaviour
from tests.acceptance.alarm_town import Muster


async def group(muster: Muster, *people: int) -> int:
    made = await muster.post("/contact-groups", {"name": "Gruppe"})
    for n in people:
        await muster.post(f"/contact-groups/{made['id']}/members", {"userID": muster.town.users[n - 1]})
    return int(made["id"])


async def test_the_next_wave_starts_early_when_the_first_can_no_longer_do_it(muster: Muster):
    await muster.found(3)
    first = await group(muster, 1)
    muster.town.phone(1, Behaviour(answer_after_s=0.1, press="9", press_after_hearing_s=0.3))
    began = time.monotonic()
    strategy = {"type": "waves", "waves": [{"afterS": 0, "groupIDs": [first]}, {"afterS": 60}]}
    alarm = await muster.alarm(people=3, needed=2, strategy=strategy)
    for n in (2, 3):
        await muster.acknowledges(n)
    assert time.monotonic() - began < 10
    over = await alarm.over()
    assert over["state"] == "acknowledged"
    assert muster.rung() == {1: 1, 2: 1, 3: 1}


async def test_the_next_wave_starts_when_its_time_has_come(muster: Muster):
    await muster.found(2)
    first = await group(muster, 1)
    strategy = {"type": "waves", "waves": [{"afterS": 0, "groupIDs": [first]}, {"afterS": 3}]}
    alarm = await muster.alarm(people=2, needed=1, strategy=strategy, ringTimeoutS=20)
    one = await muster.town.phone(1).rung()
    two = await muster.town.phone(2).rung()
    assert 2.5 <= two.at - one.at <= 4
    await muster.acknowledges(2)
    await muster.town.phone(1).cancelled()
    await alarm.over()


async def test_a_group_is_rung_as_it_was_when_the_alarm_began(muster: Muster):
    await muster.found(3)
    members = await group(muster, 1, 2)
    alarm = await muster.alarm(people=2, needed="all", recipients=[{"groupID": members}])
    added = await muster.post(f"/contact-groups/{members}/members", {"userID": muster.town.users[2]})
    assert added
    for n in (1, 2):
        await muster.acknowledges(n)
    over = await alarm.over()
    assert over["state"] == "acknowledged"
    assert muster.rung() == {1: 1, 2: 1}
