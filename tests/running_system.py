"""A whole system as anybody starts it: the process `ringward up`."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.waiting import wait_until

RINGWARD = [sys.executable, "-m", "engine.cli.main"]
PARTS = ("postgres", "asterisk", "engine", "api")
READY = re.compile(r"ready api=(http://127\.0\.0\.1:\d+) sip=(127\.0\.0\.1:\d+) trunk=(127\.0\.0\.1:\d+)\n")


@dataclass(slots=True)
class RunningSystem:
    home: Path
    process: "subprocess.Popen[str]"
    api: str
    sip: str
    trunk: str

    def pid(self, part: str) -> int:
        return int((self.home / "run" / f"{part}.pid").read_text())

    def settings(self) -> dict[str, Any]:
        return dict(json.loads((self.home / "run" / "settings.json").read_text()))

    def family(self) -> list[psutil.Process]:
        """Every process of it, the launcher not counted."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def restarted(self, part: str, former: int, timeout_s: float = 10) -> bool:
        def has_another() -> bool:
            try:
                return self.pid(part) != former
            except (FileNotFoundError, ValueError):
                return False

        return wait_until(has_another, timeout_s)


@contextmanager
def running_system(home: Path, *arguments: str, **variables: str) -> Iterator[RunningSystem]:
    """`ringward up` on free ports until it is ready; ended by one Ctrl-C."""
    log = home.parent / f"{home.name[:40]}.up.log"
    with open(log, "w") as said, start(home, *arguments, said=said, **variables) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            found = READY.fullmatch(line)
            assert found, f"not ready: {line!r} {log.read_text()}"
            yield RunningSystem(home, process, *found.groups())
        finally:
            end(process)


def start(home: Path, *arguments: str, said: Any = None, **variables: str) -> "subprocess.Popen[str]":
    ports = [part for option in ("--api", "--sip", "--trunk") if option not in arguments
             for part in (option, "127.0.0.1:0")]
    return subprocess.Popen(
        [*RINGWARD, "up", "--home", str(home), *ports, *arguments], stdout=subprocess.PIPE, stderr=said, text=True,
        env=environment(**variables), start_new_session=True)


def end(process: "subprocess.Popen[str]") -> int:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            return process.wait(25)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def environment(**variables: str) -> dict[str, str]:
    """Ours without the variables that name another system."""
    clean = {name: value for name, value in os.environ.items()
             if name != "DATABASE_URL" and (not name.startswith("RINGWARD_") or name == "RINGWARD_CACHE")}
    return {**clean, **variables}


def ringward(home: Path, *arguments: str, text: str = "", **variables: str) -> "subprocess.CompletedProcess[str]":
    """One command on the system of this home."""
    return subprocess.run([*RINGWARD, *arguments, "--home", str(home)], capture_output=True, text=True, input=text,
                          env=environment(**variables), timeout=50)
