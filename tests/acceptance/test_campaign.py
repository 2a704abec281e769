"""A campaign rings a list: real phones that answer, are busy, do not exist, opt out and type digits."""

import asyncio

from tests.acceptance.campaign_town import Fair

QUICK = {"busyS": 1, "noAnswerS": 1, "failedS": 1}


async def test_everybody_is_called_as_often_as_needed_and_no_more(fair: Fair) -> None:
    campaign = await fair.campaign(people=5, tries=2, retry=QUICK)
    answers, busy = (fair.town.phone(n).behaviour for n in (1, 2))
    fair.town.phone(1).behaviour = answers.answers(0.05)
    fair.town.phone(2).behaviour = busy.rejects(486, 0.05).with_(next_time=answers.answers(0.05))
    fair.town.phone(3).behaviour = busy.rejects(486, 0.05)
    fair.town.phone(4).behaviour = busy.rejects(404, 0.05)
    fair.town.phone(5).behaviour = busy.rejects(603, 0.05)
    await campaign.start()
    done = await campaign.is_("completed")
    assert (done["contact_total"], done["contact_done"]) == (5, 5)
    assert await campaign.statuses() == {
        1: "completed", 2: "completed", 3: "failed", 4: "invalid", 5: "failed"}
    assert fair.rung() == {1: 1, 2: 2, 3: 2, 4: 1, 5: 1}
    progress = await campaign.progress()
    counted = {how: count for how, count in progress["dispositions"].items() if count}
    assert counted == {"answered": 2, "busy": 3, "invalidNumber": 1, "declined": 1}
    heard = fair.town.phone(1).call
    assert heard.recording.sound_s > 0.3


async def test_who_presses_the_key_is_not_called_again_by_any_campaign(fair: Fair) -> None:
    campaign = await fair.campaign(people=2, optOutKey="9", tries=3, retry=QUICK)
    answers = fair.town.phone(1).behaviour.answers(0.05)
    fair.town.phone(1).behaviour = answers.with_(press="9", press_after_hearing_s=0.2)
    fair.town.phone(2).behaviour = answers
    await campaign.start()
    await campaign.is_("completed")
    await fair.muster.hears(fair.town.phone(1).call, "de/opted-out")
    assert ("contact", "dnc", "opted out") in await campaign.results(1)
    second = await fair.campaign(people=2)
    await second.start()
    await second.is_("completed")
    assert await second.statuses() == {1: "invalid", 2: "completed"}
    assert fair.rung() == {1: 1, 2: 2}


async def test_a_paused_campaign_rings_nobody_and_goes_on_where_it_was(fair: Fair) -> None:
    campaign = await fair.campaign(people=6, cpm=240)
    for n in range(1, 7):
        fair.town.phone(n).behaviour = fair.town.phone(n).behaviour.rejects(486, 0.05)
    await campaign.start()
    await campaign.has_called(2)
    await campaign.does("pause")
    called = sum(fair.rung().values())
    await asyncio.sleep(1.0)    # as long as four calls take
    assert sum(fair.rung().values()) <= called + 1, "one may have been on its way"
    await campaign.does("resume")
    await campaign.is_("completed")
    assert fair.rung() == dict.fromkeys(range(1, 7), 1)


async def test_who_joined_later_or_left_is_not_called(fair: Fair) -> None:
    campaign = await fair.campaign(people=[1, 2, 3], cpm=60)
    await fair.opens(4)
    for n in range(1, 5):
        fair.town.phone(n).behaviour = fair.town.phone(n).behaviour.rejects(486, 0.05)
    await campaign.start()
    await campaign.has_called(1)
    await fair.post(f"/contacts/{fair.contacts[4]}/link/{campaign.group_id}", method="PUT")
    await fair.post(f"/contacts/{fair.contacts[3]}/link/{campaign.group_id}", method="DELETE")
    done = await campaign.is_("completed")
    assert fair.rung() == {1: 1, 2: 1}
    assert done["contact_total"] == 3


async def test_nobody_is_called_outside_his_window(fair: Fair) -> None:
    never = {"from": "09:00", "to": "09:01", "weekdays": [1], "country": "DE", "holidays": False}
    always = {"from": "00:00", "to": "00:00", "weekdays": [1, 2, 3, 4, 5, 6, 7], "country": "DE", "holidays": False}
    campaign = await fair.campaign(people=2, window=never)
    for n in (1, 2):
        fair.town.phone(n).behaviour = fair.town.phone(n).behaviour.rejects(486, 0.05)
    await campaign.start()

    async def postponed() -> bool:
        return bool((await campaign.progress())["postponed"] == 2)
    await fair.town.until(postponed, "both are put off")
    assert not fair.rung()
    assert await campaign.transmissions() == {}
    await campaign.set(window=always)
    await campaign.is_("completed")
    assert fair.rung() == {1: 1, 2: 1}


async def test_a_single_transmission_is_sent_once_however_often_it_is_asked_for(fair: Fair) -> None:
    await fair.opens(1)
    program = await fair.program(text="Hallo {first_name}.")
    fair.town.phone(1).behaviour = fair.town.phone(1).behaviour.answers(0.05)
    made = await fair.post("/transmissions", {"program_id": program, "contact_id": fair.contacts[1]})
    path = f"/transmissions/{made['transmission_id']}"
    first = await fair.post(f"{path}/send", Idempotency_Key="k1")
    assert await fair.post(f"{path}/send", Idempotency_Key="k1") == first

    async def over() -> bool:
        return bool((await fair.get(f"{path}/status"))["status"] == "completed")
    await fair.town.until(over, "it is completed")
    assert (await fair.get(f"/spools/{first['spool_id']}/status"))["status"] == "completed"
    assert fair.rung() == {1: 1}
