"""The database or Asterisk is away in the middle of an alarm: it rings on when they are back."""

import asyncio
import os
import signal

import pytest

from engine.runtime.postgres import Postgres
from tests.acceptance.alarm_town import Muster
from tests.acceptance.conftest import QUICK


@pytest.fixture
def database_url(own_database: Postgres) -> str:
    return own_database.url


async def test_postgres_is_restarted_in_the_middle(muster: Muster, own_database: Postgres):
    alarm = await muster.alarm(people=3, needed=2)
    listener = await muster.answers(1)
    await muster.town.phone(2).rung()
    own_database.process.send_signal(signal.SIGQUIT)  # immediate: as a crash
    await asyncio.to_thread(own_database.process.wait, 10)
    listener.press("1")
    await muster.hears(listener, "de/alarm-confirmed")
    own_database.process = own_database.launch()
    await asyncio.to_thread(own_database.wait_ready)
    await alarm.person_is(1, "acknowledged")
    await muster.acknowledges(2, times=len(muster.town.phone(2).calls))
    over = await alarm.over()
    assert over["state"] == "acknowledged"
    assert muster.rung()[1] == 1


async def test_asterisk_is_killed_in_the_middle(start_asterisk, open_muster):
    asterisk = start_asterisk(**QUICK)
    muster = await open_muster(asterisk)
    alarm = await muster.alarm(people=3, needed=3)
    await muster.acknowledges(1)
    await alarm.person_is(1, "acknowledged")
    await muster.answers(2)
    await muster.town.phone(3).rung()
    os.kill(asterisk.pid, signal.SIGKILL)
    asterisk.process.wait()
    for n in (1, 2, 3):
        muster.town.phone(n).call.forget()
    asterisk.restart()
    for n in (2, 3):
        await muster.acknowledges(n, times=2)
    over = await alarm.over()
    assert over["state"] == "acknowledged"
    assert muster.rung() == {1: 1, 2: 2, 3: 2}
