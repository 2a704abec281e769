"""Toll fraud: somebody has an organisation's API token and its dispatcher's password, and spends what he can.

What he may set himself widens nothing; numbers that would pay him are not stored, or not dialled; and the calls of all
his alarms, campaigns and transmissions together are those of the organisation's caps. `docs/directory.md` says so.
"""

from collections import Counter
from typing import Any

import pytest

from engine.softphone import Behaviour
from tests.acceptance.alarm_town import Muster
from tests.acceptance.campaign_town import Fair
from tests.torture.report import Tally

A_MINUTE, AN_HOUR, A_DAY = 6, 8, 8
ROUNDS = 3          # of throttle_15min: no number rings more often in 15 minutes, whatever a thief orders
PAYS = {
    "premium": "+4990012345678", "premium, a digit too many": "+49900123456789", "shared cost": "+491803123456",
    "satellite": "+881612345678", "emergency": "+49112", "short code": "+4911833", "abroad": "+37120123456",
    "Cuba": "+5352123456", "caribbean like the US": "+18095551234",
}
ABROAD = ("abroad", "Cuba", "caribbean like the US")


async def ruled(fair: Fair) -> None:
    await fair.town.database.execute(
        "UPDATE organisations SET calls_per_minute = $2, calls_per_hour = $3, calls_per_day = $4 WHERE id = $1",
        fair.town.organisation_id, A_MINUTE, AN_HOUR, A_DAY)


async def first_responder(muster: Muster, method: str, path: str, body: Any) -> int:
    url = f"{muster.url}/api/v1/first-responder{path}"
    async with muster.session.request(method, url, json=body, headers={"API-TOKEN": muster.token}) as got:
        return got.status


async def test_a_thief_widens_nothing(fair: Fair) -> None:
    """Neither caps nor countries, nor by the address where the organisation says that it lives."""
    await fair.opens(1)
    muster, town = fair.muster, fair.town
    own = await muster.get(f"/organisations/{town.organisation_id}")
    for change in ({"callsPerDay": 10**6}, {"callsPerMinute": 10**5}, {"callsPerHour": 10**6},
                   {"countries": ["DE", "LV"]}, {"countries": ["LV"]}, {"country": "LV", "countries": []}):
        assert (await muster.ask("PUT", f"/organisations/{town.organisation_id}", {**own, **change}))[0] == 403, change
    moved = await first_responder(muster, "POST", "/sip-customer", {
        "city": "Riga", "country": "LV", "cityCode": "1010", "name": "x", "street": "x", "streetHousenumber": 1,
        "organizationID": town.organisation_id})
    assert moved == 200, "an address may be anywhere"
    status, said = await muster.ask("POST", "/alarms", muster.order([], recipients=[{"phone": PAYS["abroad"]}]))
    assert (status, said["type"]) == (422, "urn:ringward:problem:country-not-allowed")
    contact = (await fair.post("/contacts", {"phone": PAYS["abroad"]}))["contact_id"]
    sent = await _transmission(fair, await fair.program(), contact)
    assert sent[0] == 412 and "country-not-allowed" in str(sent[1]), sent


@pytest.mark.full
async def test_no_number_that_pays_a_thief_is_dialled(fair: Fair) -> None:
    """By no way that leads to a call: an alarm, a hotline's agent, a transmission, a program's transfer, a campaign."""
    await fair.opens(1)
    await fair.town.database.execute("UPDATE users SET allow_admins = true")
    for what, number in PAYS.items():
        await _is_not_dialled(fair, what, number)
    assert not fair.town.carrier.journal.of(what="invite")


async def _is_not_dialled(fair: Fair, what: str, number: str) -> None:
    muster = fair.muster
    assert (await muster.ask("POST", "/alarms", muster.order([], recipients=[{"phone": number}])))[0] in (400, 422)
    contact = await muster.ask("POST", "/contacts", {"firstName": "x", "phone": number})
    if contact[0] == 201:
        alarm = muster.order([], recipients=[{"contactID": contact[1]["id"]}])
        assert (await muster.ask("POST", "/alarms", alarm))[0] == 422
        assert (await _transmission(fair, await fair.program(), contact[1]["id"]))[0] == 412
        fair.contacts[2] = contact[1]["id"]
        campaign = await fair.campaign(people=[2])
        await campaign.start()
        await campaign.is_("completed")
        assert await campaign.statuses() == {2: "invalid"}, what
    if what not in ABROAD:      # agents may live there
        await _is_no_phone_of_a_hotline(muster, number)
    to = {"0": {"type": "transfer", "data": {"to": number}}}
    assert (await fair.ask("POST", "/programs/ivr", {"name": "x", "ivr_scheme": to}))[0] == 412
    extension = (await fair.post("/extensions", {"username": what, "phone": number[:16], "active": 1}))["account_id"]
    forward = await fair.program("agent", extension_id=extension)
    assert (await _transmission(fair, forward, fair.contacts[1]))[0] == 412


async def _is_no_phone_of_a_hotline(muster: Muster, number: str) -> None:
    town = muster.town
    own = {"name": "x", "number": number}
    assert (await muster.ask("POST", f"/users/{town.users[0]}/phones", own))[0] in (400, 422)
    agent = {"isActive": True, "name": "x", "phone": number, "userID": town.users[0]}
    assert await first_responder(muster, "POST", f"/agents?organization_id={town.organisation_id}", agent) == 400
    phones = (await muster.get(f"/users/{town.users[0]}/phones"))["items"]
    path = f"/agents/{phones[0]['id']}?organization_id={town.organisation_id}"
    assert await first_responder(muster, "PUT", path, agent) == 400
    assert (await muster.ask("PUT", f"/users/{town.users[0]}/phones/{phones[0]['id']}", own))[0] in (400, 422)


async def test_what_a_stolen_token_spends_is_what_the_caps_allow(fair: Fair, tally: Tally) -> None:
    """Alarms, a campaign and transmissions, all at once and again and again; phones that reject are rung again."""
    await fair.opens(20)
    await ruled(fair)
    muster, town = fair.muster, fair.town
    for n in range(1, 21):
        town.phone(n, Behaviour(reject_after_s=0.0, reject_with=486))
    campaign = await fair.campaign(people=20, cpm=60_000, tries=100, callsPerSecond=1000)
    program = await fair.program()
    blocked: Counter[str] = Counter()
    posted: list[int] = []
    await campaign.start()
    for n in range(1, 21):
        order = muster.order([n], retry={"rounds": 20, "pauseS": 0})
        _, said = await muster.ask("POST", "/alarms", order)
        posted += [said["id"]] if "id" in said else []
        blocked[said.get("type", "posted").rpartition(":")[2]] += 1
        blocked[f"transmission {(await _transmission(fair, program, fair.contacts[n]))[0]}"] += 1
    await town.until(lambda: _spent(fair, A_MINUTE - 1), "the thief has spent a minute's calls", 30)
    await muster.ask("POST", f"/campaigns/{campaign.id}/stop")
    for alarm in posted:
        await muster.ask("POST", f"/alarms/{alarm}/cancel")
    await town.no_channels(30)
    people = len(fair.rung())
    calls = sum(fair.rung().values())
    print(f"spent: {calls} calls to {people} people, caps {A_MINUTE} {AN_HOUR} {A_DAY}; {dict(blocked)}")
    tally.calls += calls
    assert blocked["calls-per-minute"] and blocked["transmission 412"], blocked
    assert people <= A_DAY and calls <= A_DAY * ROUNDS, fair.rung()
    assert max(fair.rung().values()) <= ROUNDS + 2, "the alarm's, the campaign's and the transmission's"


async def _spent(fair: Fair, calls: int) -> bool:
    return sum(fair.rung().values()) >= calls


async def _transmission(fair: Fair, program: int, contact: int) -> tuple[int, Any]:
    """Made and sent."""
    status, made = await fair.ask("POST", "/transmissions", {"program_id": program, "contact_id": contact})
    return (status, made) if status != 200 else await fair.ask("POST", f"/transmissions/{made['transmission_id']}/send")
