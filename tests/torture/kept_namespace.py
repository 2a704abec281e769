"""Namespaces of our own, each kept by a process that lives as long as it is needed: for file systems and networks that
nobody else sees. An ordinary user gets them in a user namespace.

Used by `small_disk.py` and `lonely_net.py`. Where the machine permits none, `kept` says so (`NotPermitted`).
"""

import os
import subprocess
from collections.abc import Sequence

from tests.torture.plugin import NotPermitted

READY = "ready"
Keeper = subprocess.Popen[str]


def kept(what: str, kinds: Sequence[str], script: str, *arguments: str) -> Keeper:
    """`kinds` as unshare calls them (mount, net); `script` sets them up as root of them, with `arguments` as its $0, $1
    …, says `ready` and goes on until its input ends. `what`: for the reason, if there is none."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    argv = ["unshare", *user, *(f"--{kind}" for kind in kinds), "sh", "-c", script, *arguments]
    try:
        keeper = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except OSError as error:
        raise NotPermitted(f"{what}: {error.strerror}") from error
    assert keeper.stdout is not None
    said = ""
    for line in keeper.stdout:
        if line.strip() == READY:
            return keeper
        said += line
    keeper.communicate()
    raise NotPermitted(f"{what}: {said.strip()}")


def given_up(keeper: Keeper) -> None:
    """And with it what it keeps, when nobody else is in it."""
    keeper.kill()
    keeper.communicate()
