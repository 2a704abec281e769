"""Starts a program that dies with its parent, as another user if asked.

This file is run as a script (`launch` builds the command): it drops to the user, starts a session of its own (a
Ctrl-C of the terminal is the supervisor's alone), asks the kernel for a signal when the parent dies, and becomes
the program. The order counts: a change of user clears the parent-death signal. The kernel ties that signal to the
*thread* that forked, so `launch` is for the main thread.
"""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1


def launch(
    argv: Sequence[str | Path], *, log: Path | None = None, user: str | None = None,
    death_signal: signal.Signals = signal.SIGKILL, env: Mapping[str, str] | None = None, cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start `argv` as a child that gets `death_signal` when this process ends. Its output goes to `log`."""
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("children are started by the main thread: they die with the thread that started them")
    output = open(log, "ab") if log else None
    try:
        return subprocess.Popen(  # noqa: S603 -- no shell; argv is ours
            command(argv, user=user, death_signal=death_signal), stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT if output else None, env=env, cwd=cwd)
    finally:
        if output:
            output.close()


def command(
    argv: Sequence[str | Path], *, user: str | None = None, death_signal: signal.Signals = signal.SIGKILL,
) -> list[str]:
    """`argv` behind this script, for callers that start it themselves."""
    return [sys.executable, "-I", "-S", str(Path(__file__).resolve()), str(os.getpid()), str(int(death_signal)),
            user or "-", *map(str, argv)]


async def exited(process: subprocess.Popen[bytes]) -> int:
    """Wait for the end of a child without a thread; returns its exit status."""
    if process.poll() is None:
        loop = asyncio.get_running_loop()
        fd = os.pidfd_open(process.pid)
        ended = asyncio.Event()
        loop.add_reader(fd, ended.set)
        try:
            await ended.wait()
        finally:
            loop.remove_reader(fd)
            os.close(fd)
    return process.wait()


def stop(process: subprocess.Popen[bytes], stop_signal: signal.Signals = signal.SIGTERM, timeout_s: float = 10) -> int:
    """End a child: ask, wait, then kill. Blocks."""
    if process.poll() is None:
        process.send_signal(stop_signal)
        try:
            return process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def _become(parent: int, death_signal: int, user: str, argv: list[str]) -> None:
    import ctypes  # only here: the importing side does not need it

    if user != "-":
        import pwd

        entry = pwd.getpwnam(user)
        os.initgroups(user, entry.pw_gid)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
        os.environ["HOME"] = "/nonexistent"
        os.chdir("/")
    os.setsid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_PDEATHSIG")
    if os.getppid() != parent:
        sys.exit(1)  # the parent died before the kernel was told
    os.execvp(argv[0], argv)  # noqa: S606 -- the program this child is for


if __name__ == "__main__":
    _become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:])
