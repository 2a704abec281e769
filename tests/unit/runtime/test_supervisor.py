"""The supervisor with real children that do nothing."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import psutil
import pytest

from engine.runtime.child import launch
from engine.runtime.folders import Home, RuntimeFailed, open_home
from engine.runtime.heartbeat import Heartbeat
from engine.runtime.run_files import read_pid
from engine.runtime.supervisor import Supervisor

SLEEP = ["/bin/sleep", "60"]
STUBBORN = ["/bin/sh", "-c", "trap '' TERM; touch \"$0\"; while :; do sleep 0.1; done"]    # with a file that says: now


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Home]:
    home = open_home(tmp_path / "home")
    yield home
    shutil.rmtree(home.private)


class Said(list[str]):
    """What the supervisor told people."""


@asynccontextmanager
async def running(
    home: Home, restarts: bool = True, **parts: list[str],
) -> AsyncIterator[tuple[Supervisor, Said, "asyncio.Task[None]"]]:
    said = Said()
    supervisor = Supervisor(home, Heartbeat("postgresql://nobody@127.0.0.1:1/none"), said.append, restarts=restarts)
    for name, argv in {"engine": SLEEP, **parts}.items():
        supervisor.add(name, partial(launch, argv))
    started = asyncio.Event()

    async def announce() -> None:
        started.set()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(supervisor.run(announce))
        await started.wait()
        yield supervisor, said, task
        if not task.done():
            os.kill(os.getpid(), signal.SIGINT)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 -- processes and files tell nobody
            await asyncio.sleep(0.01)


async def test_a_part_that_is_killed_starts_again_and_its_pid_file_follows(place: Home) -> None:
    async with running(place, api=SLEEP) as (supervisor, said, _):
        first = supervisor.pid("api")
        os.kill(first, signal.SIGKILL)
        await until(lambda: supervisor.pid("api") != first)
        await until(lambda: read_pid(place, "api") == supervisor.pid("api"))
        assert "api ended (status -9) and is started again" in said[0]
    assert read_pid(place, "api") is None


async def test_with_no_restart_a_part_stays_ended(place: Home) -> None:
    async with running(place, restarts=False, api=SLEEP) as (supervisor, said, task):
        os.kill(supervisor.pid("api"), signal.SIGKILL)
        await until(lambda: said)
        assert said == ["api ended (status -9)"]
        assert not task.done()


async def test_the_first_ctrl_c_asks_and_waits_the_second_ends_at_once(place: Home) -> None:
    listening = place.path / "listening"
    async with running(place, engine=[*STUBBORN, str(listening)], api=SLEEP) as (supervisor, said, task):
        engine, api = supervisor.pid("engine"), supervisor.pid("api")
        await until(listening.exists)
        os.kill(os.getpid(), signal.SIGINT)
        await until(lambda: said)
        assert not task.done()
        assert psutil.pid_exists(api)     # it answers while talks go on
        os.kill(os.getpid(), signal.SIGINT)
        async with asyncio.timeout(2):
            await task
    assert not psutil.pid_exists(engine)
    assert not psutil.pid_exists(api)


async def test_nothing_is_left_when_a_part_of_the_supervisor_fails(place: Home) -> None:
    supervisor = Supervisor(place, Heartbeat("postgresql://nobody@127.0.0.1:1/none"), print)
    supervisor.add("engine", partial(launch, SLEEP))
    pid = supervisor.pid("engine")

    async def announce() -> None:
        raise RuntimeFailed("not ready")

    with pytest.raises(RuntimeFailed, match="not ready"):
        await supervisor.run(announce)
    assert not psutil.pid_exists(pid)


