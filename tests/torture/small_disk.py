"""A small file system of our own that can be filled to its last byte: a tmpfs.

As root it is mounted; anybody else mounts it in a namespace (`kept_namespace.py`), and reaches it through /proc. Where
the machine permits neither, `SmallDisk.open` says so (`NotPermitted`), and the test is `not run`.
"""

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.torture.kept_namespace import Keeper, given_up, kept
from tests.torture.plugin import NotPermitted

MEGABYTE = 1 << 20
TIMEOUT_S = 10
MOUNTS = 'mount -t tmpfs -o "$1" tmpfs "$0" && echo ready && exec cat'


@dataclass(slots=True)
class SmallDisk:
    """`folder` is its root. `keeper`: the process whose namespace it lives in; None: it is mounted for everybody."""

    folder: Path
    place: Path
    keeper: Keeper | None = None

    @classmethod
    def open(cls, megabytes: int) -> "SmallDisk":
        place = Path(tempfile.mkdtemp(prefix="ringward-disk-", dir="/var/tmp"))
        place.chmod(0o755)
        options = f"size={megabytes}m,mode=755"
        try:
            if os.geteuid() == 0:
                _run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)])
                return cls(place, place)
            keeper = kept("no tmpfs for an ordinary user", ["mount"], MOUNTS, str(place), options)
            return cls(Path(f"/proc/{keeper.pid}/root{place}"), place, keeper)
        except BaseException:
            place.rmdir()
            raise

    def fill(self) -> None:
        """Not a byte is left, whoever asks."""
        with (self.folder / "filler").open("wb", buffering=0) as file:
            piece = MEGABYTE
            while piece:
                try:
                    file.write(bytes(piece))
                except OSError:
                    piece //= 2

    def free(self) -> None:
        (self.folder / "filler").unlink(missing_ok=True)

    def close(self) -> None:
        if self.keeper is None:
            _run(["umount", "--lazy", str(self.place)])
        else:
            given_up(self.keeper)
        self.place.rmdir()


def _run(argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise NotPermitted(f"no tmpfs for root either: {done.stderr.strip()}")
