"""Engine, Asterisk or database die in the middle of a campaign, or two engines share it: nobody is called too often."""

import asyncio
import os
import signal
import time
from collections import Counter

import pytest

from engine.runtime.postgres import Postgres
from tests.acceptance.campaign_town import Fair
from tests.acceptance.conftest import QUICK
from tests.acceptance.town import Town, agent_number

SHORT_RETRY = {"busyS": 1, "noAnswerS": 1, "failedS": 1}


@pytest.fixture
def database_url(own_database: Postgres) -> str:
    return own_database.url


def all_answer(fair: Fair, people: int) -> None:
    for n in range(1, people + 1):
        fair.town.phone(n).behaviour = fair.town.phone(n).behaviour.answers(0.05)


def at_risk(fair: Fair) -> int:
    """Calls whose end this engine may not have told when it is killed now: those that live, or ended just now, and
    who is being dialled."""
    calls = [call for phone in fair.town.carrier.phones.values() for call in phone.calls]
    return sum(1 for call in calls if call.ended_at is None or call.ended_at > time.monotonic() - 1.0) + 2


async def test_the_engine_is_killed_again_and_again(fair: Fair) -> None:
    campaign = await fair.campaign(people=20, cpm=600, tries=1)
    all_answer(fair, 20)
    await campaign.start()
    unknown = 0
    for called in (3, 8, 13):
        await campaign.has_called(called, timeout_s=25)
        unknown += at_risk(fair)
        fair.town.engine.kill()
        fair.town.engine.start()
    done = await campaign.is_("completed", timeout_s=40)
    assert max(fair.rung().values()) == 1
    statuses = Counter((await campaign.statuses()).values())
    assert statuses["completed"] + statuses["failed"] == 20 == done["contact_done"]
    assert statuses["failed"] <= unknown, "of each kill, those whose fate nobody knows"


async def test_the_engine_is_stopped_while_people_are_called_and_replaced(fair: Fair) -> None:
    campaign = await fair.campaign(people=8, cpm=600, tries=1)
    all_answer(fair, 8)
    await campaign.start()
    await campaign.has_called(2)
    fair.town.engine.stop()
    fair.town.engine.kill()
    fair.town.engine.start()
    await campaign.is_("completed", timeout_s=30)
    assert max(fair.rung().values()) == 1


async def test_postgres_is_restarted_in_the_middle(fair: Fair, own_database: Postgres) -> None:
    campaign = await fair.campaign(people=12, cpm=600, tries=1)
    all_answer(fair, 12)
    await campaign.start()
    await campaign.has_called(3)
    own_database.process.send_signal(signal.SIGQUIT)
    await asyncio.to_thread(own_database.process.wait, 10)
    own_database.process = own_database.launch()
    await asyncio.to_thread(own_database.wait_ready)
    await campaign.is_("completed", timeout_s=30)
    assert fair.rung() == dict.fromkeys(range(1, 13), 1)
    assert set((await campaign.statuses()).values()) == {"completed"}


async def test_asterisk_is_killed_in_the_middle(start_asterisk, open_muster) -> None:
    asterisk = start_asterisk(**QUICK)
    fair = Fair(await open_muster(asterisk))
    campaign = await fair.campaign(people=10, cpm=600, tries=2, retry=SHORT_RETRY)
    all_answer(fair, 10)
    await campaign.start()
    await campaign.has_called(3)
    os.kill(asterisk.pid, signal.SIGKILL)
    asterisk.process.wait()
    for phone in fair.town.carrier.phones.values():
        for call in phone.calls:
            call.forget()
    asterisk.restart()
    await campaign.is_("completed", timeout_s=40)
    assert max(fair.rung().values()) <= 2, "as often as it may be tried"
    statuses = await campaign.statuses()
    assert all(status == "completed" for n, status in statuses.items() if n > 6), statuses


async def test_two_switches_share_a_campaign_and_one_engine_is_killed(
        start_asterisk, fair: Fair, open_town) -> None:
    west: Town = await open_town(start_asterisk(**QUICK), switch_name="west")
    people = 30
    campaign = await fair.campaign(people=people, cpm=900, tries=1)
    for town in (fair.town, west):
        for n in range(1, people + 1):
            phone = town.carrier.phones.get(agent_number(n)) or town.carrier.phone(agent_number(n))
            phone.behaviour = phone.behaviour.answers(0.05)
    await west.until(lambda: _both_are_there(west), "both engines are there")
    await campaign.start()
    await campaign.has_called(3)
    await west.until(lambda: _has_rung(west, 3), "the other switch calls as well")
    fair.town.engine.kill()
    await west.until(lambda: _has_rung(west, 10), "the other one goes on")
    fair.town.engine.start()
    done = await campaign.is_("completed", timeout_s=40)
    assert done["contact_done"] == people
    rung = fair.rung() + Counter(int(entry.who[-2:]) for entry in west.carrier.journal.of(what="invite"))
    assert max(rung.values()) == 1
    assert len(rung) >= people - 6, "those of unknown fate count as attempts"


async def _both_are_there(town: Town) -> bool:
    query = "SELECT count(*) FROM engines WHERE (state ->> 'reconciled')::boolean"
    return bool(await town.database.fetchval(query) == 2)


async def _has_rung(town: Town, count: int) -> bool:
    return len(town.carrier.journal.of(what="invite")) >= count
