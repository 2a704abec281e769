"""The database hangs or is gone: a talk goes on, a waiting caller is served by the dialplan, nothing is lost after."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator

import psutil
import pytest

from engine.runtime.postgres import Postgres
from engine.softphone.audio import chirp
from engine.softphone.listening import correlation

MINE, THEIRS = chirp(1, 1.0), chirp(2, 1.0)


@pytest.fixture
def server(own_database: Postgres) -> Iterator[Postgres]:
    yield own_database
    stopped(own_database, signal.SIGCONT)


@pytest.fixture
def database_url(server: Postgres) -> str:
    return server.url


def stopped(server: Postgres, number: signal.Signals = signal.SIGSTOP) -> None:
    """The server and the processes of its connections."""
    for process in [*psutil.Process(server.pid).children(recursive=True), psutil.Process(server.pid)]:
        os.kill(process.pid, number)


async def test_a_talk_goes_on_and_a_new_caller_is_served(town, server):
    await town.hotline(agents=2)
    caller = await town.calls(audio=MINE, loop_audio=True)
    await town.phone(1).rung()
    town.phone(1).play(THEIRS, loop=True)
    town.phone(1).answer()
    await town.phone(1).heard(0.2)
    town.phone(1).press("1")
    await town.phone(2).cancelled()
    stopped(server)
    other = await town.calls(caller="4917099999")
    await other.answered()
    await town.phone(2).rung(times=2)
    town.phone(2).answer()
    await town.phone(2).heard(0.2)
    town.phone(2).press("1")
    since = time.monotonic()
    await caller.heard(caller.recording.sound_s + 2.5)
    assert correlation(THEIRS, caller.recording.pcm(from_at=since)) >= 0.8
    other.hang_up()
    await town.phone(2).ended(timeout_s=1)
    stopped(server, signal.SIGCONT)
    assert await town.outcome(1, timeout_s=15) == "answered"
    assert await town.is_fallback(1)
    caller.hang_up()
    assert await town.outcome(0) == "answered"
    assert not await town.is_fallback(0)


async def test_a_waiting_caller_is_served_when_the_lease_runs_out(town, server):
    await town.hotline(agents=1)
    town.phone(1).behaviour = town.phone(1).behaviour.rejects(486, 0.05)
    caller = await town.calls()
    await town.phone(1).ended()
    stopped(server)
    town.phone(1).behaviour = town.phone(1).behaviour.with_(reject_after_s=None)
    await town.phone(1).rung(times=2, timeout_s=8)
    town.phone(1).answer()
    await town.phone(1).heard(0.2)
    town.phone(1).press("1")
    stopped(server, signal.SIGCONT)
    await asyncio.sleep(3)
    assert town.phone(1).call.talking
    caller.hang_up()
    await town.phone(1).ended(timeout_s=1)
    assert await town.outcome(timeout_s=15) == "answered"
    assert await town.is_fallback()
