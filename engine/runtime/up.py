"""`ringward up`: a whole system in the foreground. Finds or starts Postgres and Asterisk, then engine and api.

Everything that can fail for a reason of the machine fails before the first part of ours starts, with the command
that mends it. What is given from outside (DATABASE_URL) is used, not started.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import aiohttp

from engine.runtime.asterisk import Asterisk, launch_asterisk, link_sounds
from engine.runtime.asterisk_package import find_asterisk
from engine.runtime.child import launch
from engine.runtime.folders import PROJECT, Home, RuntimeFailed, open_home
from engine.runtime.heartbeat import Heartbeat
from engine.runtime.ports import Address
from engine.runtime.postgres import STOP_SIGNAL, Postgres
from engine.runtime.run_files import WRITTEN, only_one, write_settings
from engine.runtime.supervisor import Say, Supervisor
from engine.settings import Settings
from engine.store.migrate import migrate

READY_TIMEOUT_S = 60.0


def up(home_path: Path, overrides: dict[str, str], *, restarts: bool, say: Say, ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C. `say` gets progress, `ready` the one line. Raises RuntimeFailed, StoreFailed."""
    home = open_home(home_path)
    with only_one(home):
        database, asterisk = None, None
        try:
            settings = _with_free_ports(Settings(home=home.path, **overrides))  # type: ignore[arg-type]
            if not Address.parse(settings.trunk).is_known():
                say(f"no calls yet: the trunk {settings.trunk} has no address; is the name right?")
            if not settings.database_url:
                say("starting Postgres")
                database = Postgres.start(home)
                settings = settings.model_copy(update={"database_url": database.url})
            migrated = asyncio.run(migrate(settings.database_url))
            say(f"the database is up to date ({len(migrated)} migrations applied)")
            link_sounds(home)
            if settings.switch == "asterisk":
                program = find_asterisk(report=say)
                say("starting Asterisk")
                asterisk = Asterisk.start(home, settings, program)
                settings = asterisk.settings
            write_settings(home, settings)
            asyncio.run(_serve(home, settings, database, asterisk, restarts, say, ready))
        finally:
            if asterisk is not None:
                asterisk.stop()
            if database is not None:
                database.stop()
            home.discard()


async def _serve(
    home: Home, settings: Settings, database: Postgres | None, asterisk: Asterisk | None, restarts: bool, say: Say,
    ready: Callable[[str], None],
) -> None:
    supervisor = Supervisor(home, Heartbeat(settings.database_url), say, restarts=restarts)
    if database is not None:
        supervisor.add("postgres", database.launch, STOP_SIGNAL, process=database.process)
    if asterisk is not None:
        supervisor.add("asterisk", partial(launch_asterisk, home, asterisk.argv), process=asterisk.process)
    supervisor.add("engine", partial(launch_ours, home, "engine"), signal.SIGINT)  # the whole system ends: no hand-over
    supervisor.add("api", partial(launch_ours, home, "api"))
    await supervisor.run(lambda: _announce(supervisor, home, settings, ready))


def launch_ours(home: Home, name: str) -> "subprocess.Popen[bytes]":
    """`ringward engine` or `ringward api` as a child: what `up` chose stands in run/settings.json, not in variables."""
    hidden = {f"RINGWARD_{field}".upper() for field in WRITTEN} | {"DATABASE_URL"}
    env = {key: value for key, value in os.environ.items() if key.upper() not in hidden}
    return launch([sys.executable, "-m", "engine.cli.main", name, "--home", home.path],
                  log=home.log / f"{name}.log", env=env, cwd=PROJECT)


async def _announce(supervisor: Supervisor, home: Home, settings: Settings, ready: Callable[[str], None]) -> None:
    """The line appears when this engine, not a former one, says that calls can be taken, and the api answers."""
    heartbeat = Heartbeat(settings.database_url)
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not ((await heartbeat.read(supervisor.pid("engine"))).taking_calls and await _is_healthy(settings.api)):
        if time.monotonic() > deadline:
            raise RuntimeFailed(f"not ready after {READY_TIMEOUT_S:.0f} s: see {home.log}/engine.log and api.log, "
                                "and run `ringward doctor`")
        await asyncio.sleep(0.05)
    await heartbeat.close()
    ready(f"ready api=http://{settings.api} sip={settings.sip} trunk={settings.trunk}")


async def _is_healthy(api: str) -> bool:
    try:
        async with (aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session,
                    session.get(f"http://{api}/healthz") as response):
            return response.status == 200
    except (OSError, TimeoutError, aiohttp.ClientError):
        return False


def _with_free_ports(settings: Settings) -> Settings:
    """Free ports in the place of 0, and a refusal that names a taken one."""
    api = Address.parse(settings.api)
    sip = Address.parse(settings.sip)
    for address, kind in ((api, socket.SOCK_STREAM), (sip, socket.SOCK_DGRAM)):
        if problem := address.problem(kind):
            raise RuntimeFailed(f"{problem}. Choose another: `ringward up --{'api' if address is api else 'sip'} "
                                f"{address.host}:0` takes a free one")
    return settings.model_copy(update={
        # nobody but the engine needs to know it, so that systems on one machine never meet there
        "ami_port": settings.ami_port if "ami_port" in settings.model_fields_set else 0,
        "ari_port": settings.ari_port if "ari_port" in settings.model_fields_set else 0,
        "api": str(api.chosen(socket.SOCK_STREAM)),
        "sip": str(sip.chosen(socket.SOCK_DGRAM)),
        "trunk": str(Address.parse(settings.trunk).chosen(socket.SOCK_DGRAM)),
    })
