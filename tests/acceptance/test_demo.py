"""`ringward demo`: passes on a whole system and leaves nothing; fails when the engine's Bridge is taken out."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from engine.demo import alarm, campaign
from engine.demo.conversation import AGENTS_VOICE, CHECKS, JOINED
from engine.demo.crowd import PEOPLE
from engine.softphone.audio import read_wav
from engine.softphone.listening import correlation

NEVER_BRIDGES = """  # read by every Python at its start
import sys

if "engine" in sys.orig_argv:
    from engine.switch.asterisk import orders
    from engine.vocabulary.commands import Bridge

    order = orders.order
    orders.order = lambda command, *rest: [] if isinstance(command, Bridge) else order(command, *rest)
"""


def demo(folder: Path, **variables: str) -> tuple[int, dict]:
    with tempfile.TemporaryDirectory(prefix="rw-demo-") as temporary:
        Path(temporary).chmod(0o755)  # the database's user must reach its home in it
        answer = run(folder, {**os.environ, **variables, "TMPDIR": temporary})
        assert os.listdir(temporary) == []
    return answer


def run(folder: Path, environment: dict[str, str]) -> tuple[int, dict]:
    done = subprocess.run(
        [sys.executable, "-m", "engine.cli.main", "demo", "--json", "--home", str(folder)],
        env=environment, capture_output=True, text=True, timeout=190)
    print(done.stderr)  # the whole story, should the test fail
    return done.returncode, json.loads(done.stdout)


@pytest.mark.timeout(200)
def test_the_demo_passes_and_leaves_nothing(tmp_path):
    status, told = demo(tmp_path)
    assert status == 0 and told["ok"]
    assert [check["name"] for check in told["checks"]] == [*CHECKS, *alarm.CHECKS, *campaign.CHECKS]
    assert {"direction", "from", "to", "status", "cause"} <= told["records"][0].keys()
    assert len(told["campaign"]["results"]) == PEOPLE
    assert correlation(AGENTS_VOICE, read_wav(Path(told["wav"]))) >= 0.8


@pytest.mark.timeout(200)
def test_without_the_bridge_the_demo_fails(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(NEVER_BRIDGES)
    status, told = demo(tmp_path, PYTHONPATH=str(tmp_path))
    assert status == 1 and not told["ok"]
    assert JOINED in [check["name"] for check in told["checks"] if not check["passed"]]
