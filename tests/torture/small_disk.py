"""A small file system of our own that can be filled to its last byte: a tmpfs.

As root it is mounted; anybody else mounts it in a user namespace, kept by a process of ours, and reaches it through
/proc. Where the machine permits neither, `SmallDisk.open` says so (`NotPermitted`), and the test is `not run`.
"""

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

MEGABYTE = 1 << 20
TIMEOUT_S = 10


class NotPermitted(Exception):
    """In the system's own words."""


@dataclass(slots=True)
class SmallDisk:
    """`folder` is its root. `keeper`: the process whose namespace it lives in; None: it is mounted for everybody."""

    folder: Path
    place: Path
    keeper: "subprocess.Popen[str] | None" = None

    @classmethod
    def open(cls, megabytes: int) -> "SmallDisk":
        place = Path(tempfile.mkdtemp(prefix="ringward-disk-", dir="/var/tmp"))
        place.chmod(0o755)
        options = f"size={megabytes}m,mode=755"
        try:
            if os.geteuid() == 0:
                _run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)])
                return cls(place, place)
            keeper = _keeper(options, place)
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
            self.keeper.kill()
            self.keeper.communicate()
        self.place.rmdir()


def _keeper(options: str, place: Path) -> "subprocess.Popen[str]":
    """A process that has mounted it in a user namespace of its own and waits for the end of ours."""
    mounts = f'mount -t tmpfs -o {options} tmpfs "$0" && echo ready && exec cat'
    argv = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mounts, str(place)]
    try:
        keeper = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except OSError as error:
        raise NotPermitted(f"no user namespace: {error.strerror}") from error
    assert keeper.stdout is not None
    said = keeper.stdout.readline().strip()
    if said != "ready":
        keeper.wait(TIMEOUT_S)
        raise NotPermitted(f"no tmpfs for an ordinary user: {said}")
    return keeper


def _run(argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise NotPermitted(f"no tmpfs for root either: {done.stderr.strip()}")
