"""Real components for the tests, started when the first test asks for them, gone with the test run.

`postgres_url` and `asterisk` live for the whole run. `database_url` is an empty, migrated database for each test.
`start_asterisk` and `home` are for tests that break what they use. With `DATABASE_URL` set its server is used, never
its database: ours are made beside it.
"""

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.runtime.asterisk import Asterisk, remove
from engine.runtime.asterisk_package import AsteriskProgram, find_asterisk, tools_of_tests
from engine.runtime.debian_package import Program
from engine.runtime.folders import Home, open_home
from engine.runtime.ports import Address
from engine.runtime.postgres import Postgres
from engine.settings import Settings
from tests.clean_databases import CleanDatabases

StartAsterisk = Callable[..., Asterisk]
pytest_plugins = ["tests.torture.plugin"]


@pytest.fixture(scope="session", autouse=True)
def _private_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Homes below pytest's temporary folder have private folders that it does not know."""
    yield
    for link in Path("/var/tmp").glob("ringward-*/home"):
        if link.is_symlink() and os.readlink(link).startswith(str(tmp_path_factory.getbasetemp())):
            shutil.rmtree(link.parent, ignore_errors=True)


@pytest.fixture
def home() -> Iterator[Home]:
    """A system's folders, for one test."""
    yield from _temporary_home()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A server on which tests may make databases: the address of its first database, as superuser."""
    if given := os.environ.get("DATABASE_URL"):
        yield given
        return
    for folder in _temporary_home():
        server = Postgres.start(folder)
        try:
            yield server.url
        finally:
            server.kill()   # what is on disk is thrown away: no checkpoint of a thousand dropped databases


@pytest.fixture(scope="session")
def _databases(postgres_url: str) -> Iterator[CleanDatabases]:
    databases = CleanDatabases(postgres_url)
    try:
        yield databases
    finally:
        databases.drop_all()


@pytest.fixture
def database_url(_databases: CleanDatabases) -> Iterator[str]:
    """An empty database with all migrations, for one test."""
    url = _databases.take()
    try:
        yield url
    finally:
        _databases.give_back(url)


@pytest.fixture(scope="session")
def asterisk_program() -> AsteriskProgram:
    return find_asterisk(report=print)


@pytest.fixture(scope="session")
def asterisk(asterisk_program: AsteriskProgram) -> Iterator[Asterisk]:
    """A running Asterisk. Its trunk is a free port of 127.0.0.1 on which tests put their carrier. Leave it alive."""
    for folder in _temporary_home():
        server = Asterisk.start(folder, loopback_settings(folder), asterisk_program)
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def start_asterisk(asterisk_program: AsteriskProgram) -> Iterator[StartAsterisk]:
    """Starts further ones with settings of the test's choice: `start_asterisk(claim_s=0.5)`."""
    servers: list[Asterisk] = []
    homes: list[Home] = []

    def start(**settings: object) -> Asterisk:
        homes.append(open_home(Path(tempfile.mkdtemp(prefix="rw-test-"))))
        servers.append(Asterisk.start(homes[-1], loopback_settings(homes[-1], **settings), asterisk_program))
        return servers[-1]

    try:
        yield start
    finally:
        for server in servers:
            server.stop()
        for folder in homes:
            remove(folder)


@pytest.fixture(scope="session")
def sipp() -> Program:
    return tools_of_tests(report=print)[0]


@pytest.fixture(scope="session")
def espeak() -> Program:
    return tools_of_tests(report=print)[1]


def loopback_settings(home: Home, **overrides: object) -> Settings:
    """Settings of a system on free ports of the loopback."""
    return Settings(**{  # type: ignore[arg-type]
        "home": home.path, "sip": "127.0.0.1:0", "ami_port": 0, "ari_port": 0, "api": "127.0.0.1:0",
        "trunk": str(Address("127.0.0.1", 0).chosen(socket.SOCK_DGRAM)), **overrides})


def _temporary_home() -> Iterator[Home]:
    folder = open_home(Path(tempfile.mkdtemp(prefix="rw-test-")))
    folder.path.chmod(0o755)  # the database's user must reach it
    try:
        yield folder
    finally:
        shutil.rmtree(folder.private, ignore_errors=True)
        shutil.rmtree(folder.path, ignore_errors=True)
