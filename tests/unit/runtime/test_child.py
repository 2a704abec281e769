"""Children die with their parent, whatever ends it."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import psutil
import pytest

from engine.runtime import child
from engine.runtime.child import exited, launch, stop
from tests.waiting import wait_until


async def test_a_child_is_waited_for_without_a_thread(tmp_path: Path) -> None:
    threads = set(threading.enumerate())  # other tests may have left some
    process = launch(["/bin/sh", "-c", "echo said; exit 7"], log=tmp_path / "log")
    assert await exited(process) == 7
    assert (tmp_path / "log").read_text() == "said\n"
    assert set(threading.enumerate()) <= threads


def test_a_child_has_a_session_of_its_own_so_that_ctrl_c_is_the_parents_alone() -> None:
    process = launch(["/bin/sleep", "60"])
    try:
        assert _becomes("sleep", process.pid)
        assert os.getsid(process.pid) == process.pid
    finally:
        assert stop(process) == -signal.SIGTERM


def test_a_child_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    listening = tmp_path / "listening"
    process = launch(["/bin/sh", "-c", "trap '' TERM; touch \"$0\"; while :; do sleep 0.1; done", listening])
    assert wait_until(listening.exists)
    assert stop(process, timeout_s=0.3) == -signal.SIGKILL


@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_dies_with_a_killed_parent(death: signal.Signals) -> None:
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent("""
        import time
        from engine.runtime.child import launch
        print(launch(["/bin/sleep", "60"]).pid, flush=True)
        time.sleep(60)
    """)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        orphan = psutil.Process(int(parent.stdout.readline()))
        parent.send_signal(death)
        parent.wait()
        assert wait_until(lambda: not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE)


def test_a_child_whose_parent_is_gone_already_does_not_start(tmp_path: Path) -> None:
    file = tmp_path / "x"
    done = subprocess.run([sys.executable, "-I", "-S", child.__file__, "1", "9", "-", "/bin/touch", file])
    assert done.returncode == 1
    assert not file.exists()


def test_children_are_refused_to_other_threads() -> None:
    refusals: list[Exception] = []

    def start() -> None:
        try:
            launch(["/bin/true"])
        except RuntimeError as error:
            refusals.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert len(refusals) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change users")
def test_a_child_of_root_drops_to_the_user_for_good() -> None:
    process = launch(["/bin/sleep", "60"], user="nobody")
    try:
        assert _becomes("sleep", process.pid)
        info = psutil.Process(process.pid)
        assert set(info.uids()) == {65534}
        assert 0 not in info.gids()
    finally:
        stop(process)


def _becomes(name: str, pid: int) -> bool:
    """Wait until the launcher has become the program."""
    return wait_until(lambda: psutil.Process(pid).name() == name)
