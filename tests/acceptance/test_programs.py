"""Programs on the real switch: what is printed in the docs, handing over to an agent and to a hotline, a mailbox."""

import json
import re

from engine.runtime.folders import PROJECT
from engine.softphone import Behaviour
from engine.softphone.audio import chirp
from tests.acceptance.campaign_town import Fair
from tests.acceptance.town import agent_number

# six nodes: a survey
PRINTED = json.loads(re.findall(r"```json\n(\{\"0\".*?)```", (PROJECT / "docs" / "ictcore.md").read_text(), re.S)[0])


async def test_the_printed_scheme_of_six_nodes_asks_and_records(fair: Fair) -> None:
    await fair.opens(1)
    program = await fair.program("ivr", ivr_scheme=PRINTED)
    fair.town.phone(1).behaviour = Behaviour.answers(0.05).with_(audio=chirp(3, 1.0), loop_audio=True)
    campaign = await fair.campaign(people=1, program=program)
    await campaign.start()
    phone = fair.town.phone(1)
    await phone.answered()
    await _asked(fair, 1)
    phone.press("1")
    await _asked(fair, 2)
    phone.press("2")
    phone.press("2", seconds=0.15)
    await campaign.is_("completed", timeout_s=30)
    assert await campaign.statuses() == {1: "completed"}
    results = await campaign.results(1)
    assert [one for one in results if one[0] == "info"] == [
        ("info", "dtmf", "1"), ("info", "menu", "1"), ("info", "dtmf", "22"), ("info", "age", "22")]

    async def recorded() -> bool:
        return ("message", "recording", "1") in await campaign.results(1)
    await fair.town.until(recorded, "the recording is kept")
    kept = await fair.get("/messages/recordings/1")
    assert 3 <= kept["length"] <= 6


async def test_the_same_scheme_takes_who_presses_9_off_every_list(fair: Fair) -> None:
    await fair.opens(1)
    program = await fair.program("ivr", ivr_scheme=PRINTED)
    fair.town.phone(1).behaviour = Behaviour.answers(0.05)
    campaign = await fair.campaign(people=1, program=program)
    await campaign.start()
    await fair.town.phone(1).answered()
    await _asked(fair, 1)
    fair.town.phone(1).press("9")
    await campaign.is_("completed", timeout_s=30)
    again = await fair.campaign(people=1, program=program)
    await again.start()
    await again.is_("completed")
    assert await again.statuses() == {1: "invalid"}
    assert fair.rung() == {1: 1}


async def test_who_answers_is_handed_to_an_agent_and_they_talk(fair: Fair) -> None:
    await fair.opens(2)
    extension = await fair.post("/extensions", {"username": "desk", "phone": f"+{agent_number(2)}", "active": 1})
    program = await fair.program("agent", extension_id=extension["account_id"])
    fair.town.phone(1).behaviour = Behaviour.answers(0.05).with_(audio=chirp(1, 1.0), loop_audio=True)
    fair.town.phone(2).behaviour = Behaviour.answers(0.3).with_(audio=chirp(2, 1.0), loop_audio=True)
    campaign = await fair.campaign(people=[1], program=program)
    await campaign.start()
    await fair.town.phone(2).answered()
    await fair.town.phone(2).heard(0.5)
    fair.town.phone(1).hang_up()
    await fair.town.phone(2).ended()
    await campaign.is_("completed")
    assert ("application", "transfer", "success") in await campaign.results(1)


async def test_who_presses_a_key_becomes_a_caller_of_the_hotline(fair: Fair) -> None:
    hotline = await fair.town.hotline(agents=[2, 3])
    await fair.opens(3)
    program = await fair.program("ivr", ivr_scheme={
        "0": {"type": "menu", "data": {"text": "Die 1 führt zum Notruf.", "valid": "1", "timeout": 3},
              "links": {"1": 1}},
        "1": {"type": "transfer", "data": {"hotline_id": hotline.hotline_id}}})
    fair.town.phone(1).behaviour = Behaviour.answers(0.05)
    campaign = await fair.campaign(people=[1], program=program)
    await campaign.start()
    await fair.town.phone(1).answered()
    await _asked(fair, 0)
    fair.town.phone(1).press("1")
    await fair.town.accepts(2)
    await fair.town.phone(3).cancelled()
    await fair.town.has_entry("bridged")
    fair.town.phone(1).hang_up()
    assert await fair.town.outcome() == "answered"
    await campaign.is_("completed")
    assert await campaign.statuses() == {1: "completed"}


async def test_a_mailbox_that_is_hung_up_on_is_called_again_a_person_is_not(fair: Fair) -> None:
    await fair.opens(2)
    program = await fair.program("ivr", ivr_scheme={
        "0": {"type": "amd", "links": {"machine": 1, "human": 2}},
        "1": {"type": "disconnect"}, "2": {"type": "say", "data": {"text": "Guten Tag."}}})
    fair.town.phone(1).behaviour = Behaviour.mailbox(chirp(5, 6.0), 0.05)
    fair.town.phone(2).behaviour = Behaviour.answers(0.05).with_(audio=chirp(4, 0.4))   # a short hello
    campaign = await fair.campaign(
        people=2, program=program, tries=2, retry={"busyS": 1, "noAnswerS": 1, "failedS": 1})
    await campaign.start()
    await campaign.is_("completed", timeout_s=40)
    assert fair.rung() == {1: 2, 2: 1}
    assert await campaign.statuses() == {1: "failed", 2: "completed"}
    progress = await campaign.progress()
    assert progress["dispositions"]["mailbox"] == 2


async def _asked(fair: Fair, place: int) -> None:
    """Step `place` of the one call runs, by what is stored of it."""
    query = "SELECT (state ->> 'place')::integer = $1 AND phase = 'running' FROM calls WHERE flow = 'program'"

    async def reached() -> bool:
        return bool(await fair.town.database.fetchval(query, place))
    await fair.town.until(reached, f"step {place} runs")
