"""A network of its own for one process: every address of the world is here, and whatever is sent to one stays here; and
names are what a test says they are, at each question something else.

The process itself is as it is: its names are asked by the system's resolver of a real server of DNS, its connections
are the kernel's. `lying_names.py` is what answers. Where the machine permits no such namespace, `LonelyNet.open` says
so (`NotPermitted`), and the test is `not run`.

    with LonelyNet.open(tmp_path, {"rebinds.example": [["8.8.8.8"], ["127.0.0.1"]]}) as net:
        api = EngineProcess(variables, log, "api", behind=net.entered)
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.torture import lying_names
from tests.torture.kept_namespace import given_up, kept
from tests.torture.lying_names import API, DNS, RECEIVER

Script = Mapping[str, Sequence[Sequence[str]]]

RESOLVER = f"nameserver {DNS[0]}\nsearch .\noptions timeout:10 attempts:1\n"
SERVICES = "passwd: files\ngroup: files\nhosts: files dns\n"
SETS_UP = """
mount --bind "$0/resolv.conf" /etc/resolv.conf && mount --bind "$0/nsswitch.conf" /etc/nsswitch.conf &&
ip link set lo up && ip route add local default dev lo && { ip -6 route add local default dev lo || true; } &&
exec "$1" -I "$2" "$0"
"""


@dataclass(frozen=True, slots=True)
class LonelyNet:
    folder: Path
    pid: int            # of a process that lives in it

    @classmethod
    @contextmanager
    def open(cls, folder: Path, script: Script) -> Iterator["LonelyNet"]:
        """`folder`: an empty one of the test's, for what is kept there."""
        (folder / "script").write_text(json.dumps(script))
        (folder / "resolv.conf").write_text(RESOLVER)
        (folder / "nsswitch.conf").write_text(SERVICES)
        keeper = kept("no network of its own", ["mount", "net"], SETS_UP, str(folder), sys.executable,
                      lying_names.__file__)
        try:
            yield cls(folder, keeper.pid)
        finally:
            given_up(keeper)

    @property
    def api(self) -> str:
        """Where an api in it has to listen, HOST:PORT."""
        return f"{API[0]}:{API[1]}"

    @property
    def way_in(self) -> str:
        """The Unix socket that leads to that api."""
        return str(self.folder / "api")

    @property
    def port(self) -> int:
        """On which every address listens."""
        return RECEIVER

    @property
    def entered(self) -> Sequence[str]:
        """The command that becomes another one within."""
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return ["nsenter", "--target", str(self.pid), *user, "--mount", "--net", f"--wd={Path.cwd()}", "--"]

    def reached(self) -> list[str]:
        """The addresses that somebody connected to, in turn."""
        return [line["connected"] for line in self._lines() if "connected" in line]

    def asked(self, name: str) -> list[Sequence[str]]:
        """What each look-up of that name was answered."""
        return [line["answered"] for line in self._lines()
                if line.get("asked") == name and line["kind"] == lying_names.A]

    def _lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "record").read_text().splitlines()]
