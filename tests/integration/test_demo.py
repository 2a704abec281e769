"""`ringward demo` says the truth: it passes on a whole system, and fails when the bridge command is taken out."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT_BRIDGE = Path(__file__).parent / "without_bridge"


def demo(home: Path, **environment: str) -> tuple[int, dict]:
    done = subprocess.run(
        [sys.executable, "-m", "engine.cli.main", "demo", "--home", str(home), "--json"], capture_output=True,
        text=True, timeout=110, env={**os.environ, **environment}, check=False)
    print(done.stderr)
    return done.returncode, json.loads(done.stdout)


@pytest.mark.timeout(120)
def test_the_demo_passes_and_leaves_what_the_caller_heard(tmp_path):
    status, told = demo(tmp_path)
    assert status == 0
    assert all(check["passed"] for check in told["checks"])
    assert (tmp_path / "demo.wav").stat().st_size > 50_000


@pytest.mark.timeout(120)
def test_without_the_bridge_command_it_fails_and_says_at_what(tmp_path):
    status, told = demo(tmp_path, PYTHONPATH=str(WITHOUT_BRIDGE))
    assert status != 0
    failed = [check["name"] for check in told["checks"] if not check["passed"]]
    assert any("hear each other" in name for name in failed), failed
