"""Postgres and Asterisk start as children, in both variants, wherever the home lies."""

import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import asyncpg
import psutil
import pytest

from engine.runtime.ami_probe import probe
from engine.runtime.asterisk import Asterisk
from engine.runtime.debian_package import Program
from engine.runtime.folders import Home, RuntimeFailed
from engine.runtime.postgres import Postgres, embedded_binaries, machine_binaries


@pytest.mark.parametrize("variant", ["machine", "embedded"])
def test_postgres_of_either_kind_keeps_its_data_over_a_kill(variant: str, home: Home) -> None:
    if not (machine_binaries() if variant == "machine" else embedded_binaries()):
        pytest.skip(f"no {variant} Postgres here")
    server = Postgres.start(home, variant)
    try:
        import asyncio

        asyncio.run(_write(server.url))
        server.kill()
        server.restart()
        assert asyncio.run(_read(server.url)) == (1, "on", "on")
        assert psutil.Process(server.pid).uids().real != 0
    finally:
        server.stop()


async def test_a_database_confirms_only_what_is_on_disk(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await connection.fetchval("SELECT current_setting($1)", setting) == "on"
    finally:
        await connection.close()


def test_asterisk_is_ready_and_takes_only_its_secret(asterisk: Asterisk) -> None:
    assert probe(asterisk.settings) is None
    assert probe(asterisk.settings.model_copy(update={"ami_secret": "guess"})) == "Asterisk refuses the AMI secret"


def test_asterisk_knows_no_endpoint_but_the_trunk_and_grants_no_commands(asterisk: Asterisk) -> None:
    etc = asterisk.home.private / "asterisk"
    assert re.findall(r"^write = (.*)$", (etc / "manager.conf").read_text(), re.M) == ["call,originate,reporting"]
    assert "live_dangerously = no" in (etc / "asterisk.conf").read_text()
    assert (etc / "manager.conf").stat().st_mode & 0o077 == 0


def test_a_taken_sip_port_is_named(start_asterisk, asterisk: Asterisk) -> None:
    with pytest.raises(RuntimeFailed, match=re.escape(asterisk.sip)):
        start_asterisk(sip=asterisk.sip)


def test_tools_of_the_tests_run(sipp: Program, espeak: Program) -> None:
    done = subprocess.run([*sipp.argv, "-v"], capture_output=True, text=True)
    assert "SIPp v3" in done.stdout


def test_children_die_with_a_killed_parent(home: Home, tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(textwrap.dedent("""
        import sys, time
        from pathlib import Path
        from engine.runtime.folders import open_home
        from engine.runtime.postgres import Postgres
        server = Postgres.start(open_home(Path(sys.argv[1])))
        print(server.pid, flush=True)
        time.sleep(60)
    """))
    parent = subprocess.Popen([sys.executable, str(script), str(home.path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        server = psutil.Process(int(parent.stdout.readline()))
        family = [server, *server.children(recursive=True)]
        assert len(family) > 3
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        _, alive = psutil.wait_procs(family, timeout=5)
    assert not alive


async def _write(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("CREATE TABLE t AS SELECT 1 AS n")
    await connection.close()


async def _read(url: str) -> tuple[object, ...]:
    connection = await asyncpg.connect(url)
    row = await connection.fetchrow("SELECT n, current_setting('fsync'), current_setting('synchronous_commit') FROM t")
    await connection.close()
    return tuple(row)
