"""What a running system leaves for the other commands."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.runtime.folders import Home, RuntimeFailed, open_home
from engine.runtime.run_files import is_running, only_one, read_pid, write_settings
from engine.settings import Settings


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Home]:
    home = open_home(tmp_path / "home")
    yield home
    shutil.rmtree(home.private)


def test_every_command_finds_the_running_system_by_its_home(place: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with only_one(place):
        write_settings(place, Settings(
            home=place.path, database_url="postgresql://x/y", api="127.0.0.1:1", ami_secret="s"))
        assert (place.run / "settings.json").stat().st_mode & 0o777 == 0o600
        found = Settings(home=place.path)
        assert (found.database_url, found.api, found.ami_secret) == ("postgresql://x/y", "127.0.0.1:1", "s")
        assert is_running(place.path)
        assert read_pid(place, "up") == os.getpid()
    assert Settings(home=place.path).database_url == ""
    assert not is_running(place.path)
    assert read_pid(place, "up") is None


def test_a_second_up_is_refused_and_told_about_the_first(place: Home) -> None:
    with only_one(place), pytest.raises(RuntimeFailed, match=f"process {os.getpid()}"), only_one(place):
        raise AssertionError("two systems in one home")


def test_what_a_killed_one_left_is_forgotten(place: Home) -> None:
    subprocess.run([sys.executable, "-c", textwrap.dedent("""
        import os, signal, sys
        from pathlib import Path
        from engine.runtime.folders import open_home
        from engine.runtime.run_files import only_one, write_settings
        from engine.settings import Settings
        home = open_home(Path(sys.argv[1]))
        with only_one(home):
            write_settings(home, Settings(home=home.path, api="127.0.0.1:7"))
            os.kill(os.getpid(), signal.SIGKILL)
    """), str(place.path)])
    assert json.loads((place.run / "settings.json").read_text())["api"] == "127.0.0.1:7"
    assert not is_running(place.path)
    with only_one(place):
        assert not (place.run / "settings.json").exists()
