"""A group that is made by the Sensaphone.net API is rung by an alarm."""

from typing import Any

from tests.acceptance.alarm_town import Alarm, Muster
from tests.acceptance.campaign_town import USER
from tests.ictcore_site import PASSWORD, password_hash


async def ask(muster: Muster, path: str, **body: Any) -> Any:
    async with muster.session.post(f"{muster.url}/api/v1/{path}", json=body) as response:
        answer = await response.json()
    assert answer["result"]["success"], answer
    return answer["response"]


async def test_an_alarm_rings_the_users_and_contacts_of_a_group_made_there(muster: Muster) -> None:
    await muster.found(2)
    town = muster.town
    await town.directory.create_user(town.organisation_id, USER, is_admin=True, password_hash=password_hash())
    login = await ask(muster, "login", request_type="create", resource="login", user_name=USER, password=PASSWORD)
    head = {"acctid": login["acctid"], "session": login["session"], "request_type": "create"}
    town.carrier.phone("4930111077")
    contact = (await ask(muster, "contact", **head, contact=[{"destination": "030 111077"}]))["contact"][0]
    made = await ask(muster, "contactgroup", **head, contactgroup=[{
        "name": "Night Crew", "users": [{"user_id": town.users[0]}],
        "contacts": [{"contact_id": contact["contact_id"]}]}])
    order = {**muster.order([1], "all"), "recipients": [{"groupID": made["contactgroup"][0]["group_id"]}]}
    alarm = Alarm(muster, await muster.post("/alarms", order))
    await town.carrier.phones["4930111077"].rung()
    town.carrier.phones["4930111077"].answer()
    await town.carrier.phones["4930111077"].heard(0.3)
    town.carrier.phones["4930111077"].press("1")
    await muster.acknowledges(1)
    await alarm.is_("acknowledged")
    await alarm.over()
    assert sum(muster.rung().values()) == 2, "the second user is not in the group"
