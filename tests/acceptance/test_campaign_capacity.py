"""How fast a campaign calls, and who goes before it: evenly, changed live; hotlines and alarms have right of way."""

from engine.softphone import Behaviour
from tests.acceptance.campaign_town import Fair

BUSY = Behaviour.rejects(486, 0.02)


def busiest_second(fair: Fair) -> int:
    at = sorted(entry.at for entry in fair.town.carrier.journal.of(what="invite"))
    return max(sum(1 for other in at if one <= other < one + 1.0) for one in at)


async def test_never_more_calls_in_any_second_than_set(fair: Fair) -> None:
    campaign = await fair.campaign(people=40, cpm=6000, callsPerSecond=10)
    for phone in fair.town.carrier.phones.values():
        phone.behaviour = BUSY
    await campaign.start()
    await campaign.is_("completed", timeout_s=30)
    assert busiest_second(fair) <= 10
    assert sum(fair.rung().values()) == 40


async def test_a_pace_that_is_changed_counts_at_once(fair: Fair) -> None:
    campaign = await fair.campaign(people=12, cpm=1)
    for phone in fair.town.carrier.phones.values():
        phone.behaviour = BUSY
    await campaign.start()
    await campaign.has_called(1)
    await campaign.set(cpm=600)
    await campaign.is_("completed", timeout_s=20)
    assert fair.rung() == dict.fromkeys(range(1, 13), 1)


async def test_never_more_calls_at_once_than_its_channels(fair: Fair) -> None:
    campaign = await fair.campaign(people=8, cpm=6000, channels=3)
    for phone in fair.town.carrier.phones.values():
        phone.behaviour = Behaviour.rejects(486, 0.6)
    await campaign.start()
    await campaign.is_("completed", timeout_s=30)
    calls = [call for phone in fair.town.carrier.phones.values() for call in phone.calls]
    at_once = max(sum(1 for other in calls if other.invited_at <= one.invited_at < other.ended_at) for one in calls)
    assert at_once <= 3


async def test_a_hotline_is_served_while_a_campaign_fills_the_trunk(open_muster, quick_asterisk) -> None:
    fair = Fair(await open_muster(quick_asterisk, trunk_channels=10, headroom=0.4))
    await fair.town.hotline(agents=[21, 22])
    campaign = await fair.campaign(people=12, cpm=6000)
    await campaign.start()                              # they ring, and nobody answers
    await fair.town.phone(6).rung()
    caller = await fair.town.calls()
    await fair.town.accepts(21)
    await fair.town.phone(22).cancelled()
    await fair.town.has_entry("bridged")
    caller.hang_up()
    assert max(fair.rung().values()) == 1
    await campaign.does("stop")
    assert await fair.town.outcome() == "answered"


async def test_an_alarm_goes_before_a_campaign_that_waits_for_lines(open_muster, quick_asterisk) -> None:
    fair = Fair(await open_muster(quick_asterisk, trunk_channels=6, headroom=0.0))
    campaign = await fair.campaign(people=14, cpm=6000)
    for n in range(1, 15):
        fair.town.phone(n).behaviour = Behaviour.rejects(486, 0.8)
    await fair.town.people(16)
    await campaign.start()
    await fair.town.phone(6).rung()
    alarm = await fair.muster.alarm(people=[15, 16], needed=2)
    await fair.muster.acknowledges(15)
    await fair.muster.acknowledges(16)
    await alarm.is_("acknowledged")
    rung = {entry.who: entry.at for entry in reversed(fair.town.carrier.journal.of(what="invite"))}
    before = sorted(rung, key=lambda who: rung[who])
    places = [before.index(phone.number) for phone in (fair.town.phone(15), fair.town.phone(16))]
    assert max(places) < 12, "the campaign's last ones waited for the alarm"
    await campaign.is_("completed", timeout_s=30)
    await alarm.over()


async def test_a_campaign_is_deleted_while_it_calls(fair: Fair) -> None:
    campaign = await fair.campaign(people=10, cpm=300)
    for phone in fair.town.carrier.phones.values():
        phone.behaviour = BUSY
    await campaign.start()
    await campaign.has_called(2)
    await fair.post(f"/campaigns/{campaign.id}", method="DELETE")
    assert (await fair.ask("GET", f"/campaigns/{campaign.id}"))[0] == 404

    async def over() -> bool:
        statuses = {one["status"] for one in (await campaign.transmissions()).values()}
        return not statuses & {"pending", "processing"}
    await fair.town.until(over, "what it had called is over")
    assert sum(fair.rung().values()) == len(await campaign.transmissions()) < 10


async def test_numbers_are_shown_in_turn(fair: Fair) -> None:
    await fair.opens(4)
    second = await fair.muster.post("/numbers", {"organizationID": fair.town.organisation_id})
    shown = [f"+{fair.muster.own_number}", second["number"]]
    campaign = await fair.campaign(people=4, callerIDs=shown)
    for n in range(1, 5):
        fair.town.phone(n).behaviour = BUSY
    await campaign.start()
    await campaign.is_("completed")
    seen = {entry.detail for entry in fair.town.carrier.journal.of(what="invite")}
    assert seen == {f"from {number.lstrip('+')}" for number in shown}
