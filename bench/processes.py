"""What processes cost and on which cores they run. Linux's /proc; used by the benches."""

import contextlib
import os
from collections.abc import Collection, Iterator


def cpu_s(pid: int) -> float:
    """User and system time of a process, all its threads."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def family_cpu_s(pid: int) -> float:
    """With its children: a database works in them."""
    total = cpu_s(pid)
    for child in children(pid):
        with contextlib.suppress(FileNotFoundError):
            total += family_cpu_s(child)
    return total


def children(pid: int) -> Iterator[int]:
    for thread in threads(pid):
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/task/{thread}/children") as file:
            yield from map(int, file.read().split())


def threads(pid: int) -> list[int]:
    return [int(name) for name in os.listdir(f"/proc/{pid}/task")]


@contextlib.contextmanager
def core_kept_free() -> Iterator[Collection[int]]:
    """One core, on which neither this process nor what it starts runs meanwhile. With a single one nothing is kept."""
    cores = os.sched_getaffinity(0)
    kept = {min(cores)}
    os.sched_setaffinity(0, cores - kept or cores)
    try:
        yield kept
    finally:
        os.sched_setaffinity(0, cores)


def pin(pid: int, cores: Collection[int]) -> None:
    """All threads that it has; those to come inherit it from them."""
    for thread in threads(pid):
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(thread, cores)


def resident_bytes(pid: int) -> int:
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
