"""`ringward up`: a whole system, its files, and what happens when parts of it end."""

import asyncio
import http.client
import os
import re
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from engine.runtime.heartbeat import Heartbeat
from tests.running_system import PARTS, RunningSystem, end, ringward, running_system, start
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A home with spaces and special characters whose path has more than 200 characters.

    Not below pytest's folder, which nobody else may enter: the database's user must reach this one.
    """
    with tempfile.TemporaryDirectory(prefix="rw-test-") as folder:
        Path(folder).chmod(0o755)
        home = Path(folder) / ("a home; with $pecial, [characters] & spaces " + "x" * 160)
        yield home
        shutil.rmtree((home / "run" / "private").read_text().strip(), ignore_errors=True)


@pytest.fixture(scope="module")
def system(place: Path) -> Iterator[RunningSystem]:
    with running_system(place) as found:
        yield found


def _takes_calls(system: RunningSystem) -> bool:
    async def ask() -> bool:
        heartbeat = Heartbeat(system.settings()["database_url"])
        try:
            return (await heartbeat.read(system.pid("engine"))).taking_calls
        finally:
            await heartbeat.close()

    return asyncio.run(ask())


def test_when_ready_is_printed_calls_are_taken_and_every_part_is_named(system: RunningSystem) -> None:
    assert len(str(system.home)) > 200
    assert _takes_calls(system)
    host, port = system.api.removeprefix("http://").split(":")
    api = http.client.HTTPConnection(host, int(port), timeout=5)
    api.request("GET", "/healthz")
    assert api.getresponse().status == 200
    api.close()
    assert system.pid("up") == system.process.pid
    for part in PARTS:
        assert psutil.Process(system.pid(part)).is_running()
    assert psutil.Process(system.pid("postgres")).uids().real != 0
    assert (system.home / "run" / "settings.json").stat().st_mode & 0o777 == 0o600
    assert system.settings()["sip"] == system.sip


def test_a_second_up_is_refused_and_names_the_first(system: RunningSystem) -> None:
    done = ringward(system.home, "up")
    assert done.returncode == 1
    assert str(system.process.pid) in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("part", ["api", "engine", "asterisk", "postgres"])
def test_a_part_that_is_killed_comes_back(part: str, system: RunningSystem) -> None:
    former = system.pid(part)
    os.kill(former, signal.SIGKILL)
    assert system.restarted(part, former)
    assert wait_until(lambda: _takes_calls(system), 30)


def test_an_engine_that_stopped_beating_is_ended_and_started_again(system: RunningSystem) -> None:
    former = system.pid("engine")
    os.kill(former, signal.SIGSTOP)
    assert system.restarted("engine", former, timeout_s=30)
    assert not psutil.pid_exists(former)
    assert wait_until(lambda: _takes_calls(system), 30)


def test_after_a_sigkill_of_the_launcher_nothing_is_left(system: RunningSystem) -> None:
    family = system.family()
    assert {system.pid(part) for part in PARTS} <= {process.pid for process in family}
    system.process.kill()
    system.process.wait()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive


def test_a_home_whose_launcher_was_killed_starts_again_with_its_data(place: Path) -> None:
    with running_system(place) as system:
        assert ringward(place, "org", "create", "kept", "--json").returncode == 0
        family = system.family()
        assert end(system.process) == 0
        _, alive = psutil.wait_procs(family, timeout=1)
        assert not alive
        assert not (place / "run" / "settings.json").exists()
    with running_system(place, "--no-restart") as system:
        assert "kept" in ringward(place, "org", "list").stdout
        former = system.pid("engine")
        os.kill(former, signal.SIGKILL)
        assert wait_until(lambda: not (place / "run" / "engine.pid").exists())
        assert not system.restarted("engine", former, timeout_s=1)


@pytest.mark.parametrize(("option", "kind"), [("--api", socket.SOCK_STREAM), ("--sip", socket.SOCK_DGRAM)])
def test_a_taken_port_is_named_with_what_mends_it(option: str, kind: socket.SocketKind, tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with open(tmp_path / "said", "w+") as said, start(tmp_path / "home", option, address, said=said) as process:
            assert process.wait(20) == 1
        text = (tmp_path / "said").read_text()
        assert address in text
        assert f"ringward up {option} 127.0.0.1:0" in text
        assert not Path((tmp_path / "home" / "run" / "private").read_text().strip()).exists()


@pytest.mark.parametrize(("option", "value", "variables"), [
    ("--switch", "telegraph", {}), ("--trunk", "nowhere", {}), ("--sip", "127.0.0.1:0", {"RINGWARD_ROUNDS": "many"}),
])
def test_a_wrong_setting_is_named_in_a_line(
    option: str, value: str, variables: dict[str, str], tmp_path: Path,
) -> None:
    with open(tmp_path / "said", "w+") as said, start(
            tmp_path / "home", option, value, said=said, **variables) as process:
        assert process.wait(20) == 1
    (line,) = (tmp_path / "said").read_text().splitlines()
    assert re.search("switch|rounds|'nowhere' is no address", line)


def test_a_system_without_telephones_is_ready_too(database_url: str, tmp_path: Path) -> None:
    with running_system(tmp_path / "home", "--switch", "memory", DATABASE_URL=database_url) as system:
        assert _takes_calls(system)
        assert not (system.home / "run" / "asterisk.pid").exists()


def test_a_database_from_outside_is_used(database_url: str, tmp_path: Path) -> None:
    with running_system(tmp_path / "home", DATABASE_URL=database_url) as system:
        assert system.settings()["database_url"] == database_url
        assert not (tmp_path / "home" / "run" / "postgres.pid").exists()
        assert re.search("taken|added", ringward(tmp_path / "home", "number", "add", "+493012345").stdout)
