"""What compose.yaml starts is a working system: its commands and its environment, against services of this machine."""

import asyncio
import contextlib
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
import yaml

from engine.demo.company import active, found
from engine.demo.conversation import Conversation, Told
from engine.demo.system import System
from engine.runtime.child import launch, stop
from engine.runtime.folders import PROJECT, Home
from engine.runtime.ports import Address
from engine.softphone import Carrier
from tests.running_system import environment

COMPOSE = yaml.safe_load((PROJECT / "compose.yaml").read_text())


def interpolated(text: str, variables: dict[str, str]) -> str:
    """`${NAME:-default}` and `${NAME:?message}` as compose fills them in."""
    def value(match: re.Match[str]) -> str:
        name, kind, rest = match.groups()
        assert name in variables or kind == ":-", f"{name}: {rest}"
        return variables.get(name, rest)

    return re.sub(r"\$\{(\w+)(:-|:\?)([^}]*)\}", value, text)


def service(name: str, variables: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """Command and environment of a service. Its image has the virtual environment on PATH."""
    one = COMPOSE["services"][name]
    given = {key: interpolated(value, variables) for key, value in one["environment"].items()}
    command = [shutil.which(one["command"][0], path=str(Path(sys.executable).parent)) or "", *one["command"][1:]]
    return command, {**environment(), **given}


@contextlib.contextmanager
def running(names: list[str], variables: dict[str, str], folder: Path) -> Iterator[None]:
    processes = []
    try:
        for name in names:
            command, env = service(name, variables)
            processes.append(launch(command, env=env, log=folder / f"{name}.log", cwd=PROJECT))
        yield
        assert [process.poll() for process in processes] == [None] * len(processes)
    finally:
        for process in processes:
            stop(process)


async def test_engine_and_api_of_compose_serve_a_call(
    database_url: str, home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:
    async with Carrier() as carrier:
        sip = Address("127.0.0.1", 0).chosen(socket.SOCK_DGRAM)
        api = Address("127.0.0.1", 0).chosen(socket.SOCK_STREAM)
        carrier.switch = sip.host, sip.port
        variables = {
            "RINGWARD_HOME": str(home.path), "DATABASE_URL": database_url, "POSTGRES_PASSWORD": "unused",
            "RINGWARD_AMI_PORT": str(Address("127.0.0.1", 0).chosen(socket.SOCK_STREAM).port),
            "RINGWARD_AMI_SECRET": "a-secret-of-this-test", "RINGWARD_ARI_SECRET": "another-secret-of-this-test",
            "RINGWARD_ARI_PORT": str(Address("127.0.0.1", 0).chosen(socket.SOCK_STREAM).port),
            "RINGWARD_API": str(api), "RINGWARD_SIP": str(sip),
            "RINGWARD_TRUNK": "{}:{}".format(*carrier.address),
        }
        command, env = service("migrate", variables)
        assert subprocess.run(command, env=env, capture_output=True).returncode == 0  # noqa: ASYNC221
        monkeypatch.setenv("DATABASE_URL", database_url)
        with running(["asterisk", "engine", "api"], variables, tmp_path):
            async with aiohttp.ClientSession() as session:
                await _ready(session, f"http://{api}/readyz")
                system = System(home.path, f"http://{api}", sip, Address(*carrier.address))
                company = await found(session, system)
                assert await active(company) == "active"
                told = Told()
                conversation = Conversation(carrier, company, home.sounds, told)
                await conversation.hold()
                await conversation.look_back()
        assert not told.checks.failed


def test_every_secret_of_compose_must_be_given() -> None:
    text = (PROJECT / "compose.yaml").read_text()
    for line in text.splitlines():
        if re.search("PASSWORD|SECRET", line) and ": " in line and not line.lstrip().startswith("#"):
            assert ":?" in line


async def _ready(session: aiohttp.ClientSession, url: str) -> None:
    """Until /readyz says that switch, database, speech and engine are there."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(url) as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(0.1)
