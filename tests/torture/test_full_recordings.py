"""What a caller says finds no room: his call goes on to its end, and who comes after the disk was freed is recorded."""

import json
import re

import pytest

from engine.runtime.folders import PROJECT
from engine.softphone import Behaviour
from engine.softphone.audio import chirp
from tests.acceptance.campaign_town import Campaign, Fair
from tests.torture.faults_of_disks import recordings_on
from tests.torture.report import Tally
from tests.torture.test_service_faults import small_disk

__all__ = ["small_disk"]

pytestmark = [pytest.mark.full, pytest.mark.timeout(150)]
SURVEY = json.loads(re.findall(r"```json\n(\{\"0\".*?)```", (PROJECT / "docs" / "ictcore.md").read_text(), re.S)[0])
RECORDED = ("message", "recording", "1")


async def test_the_disk_of_recordings_is_full(open_world, small_disk, tally: Tally) -> None:
    world = await open_world()
    fair: Fair = world.fair
    await fair.opens(2)
    program = await fair.program("ivr", ivr_scheme=SURVEY)
    recordings_on(world, small_disk)
    small_disk.fill()
    tally.faults += 1
    refused = await _survey(fair, 1, program)
    assert await refused.statuses() == {1: "completed"}
    small_disk.free()
    kept = await _survey(fair, 2, program)

    async def recorded() -> bool:
        return any(result[:2] == RECORDED[:2] for result in await kept.results(2))
    await world.town.until(recorded, "the recording is kept", 20)
    tally.calls += 2


async def _survey(fair: Fair, n: int, program: int) -> Campaign:
    phone = fair.town.phone(n)
    phone.behaviour = Behaviour.answers(0.05).with_(audio=chirp(3, 1.0), loop_audio=True)
    campaign = await fair.campaign(people=[n], program=program)
    await campaign.start()
    await phone.answered()
    for step, keys in ((1, "1"), (2, "22")):
        await _asked(fair, n, step)
        for key in keys:
            phone.press(key, seconds=0.15)
    await campaign.is_("completed", timeout_s=60)
    return campaign


async def _asked(fair: Fair, n: int, place: int) -> None:
    """Step `place` of the one call runs, by what is stored of it."""
    query = "SELECT (state ->> 'place')::integer = $1 AND phase = 'running' FROM calls WHERE flow = 'program'"

    async def reached() -> bool:
        return bool(await fair.town.database.fetchval(query, place))
    await fair.town.until(reached, f"person {n} is asked {place}")
