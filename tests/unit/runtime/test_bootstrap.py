"""The first step of `make setup` on machines where something is missing, and where nothing is."""

import subprocess
import sys
from pathlib import Path

import pytest

from engine.runtime import bootstrap


def test_an_old_python_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(bootstrap, "OLDEST", (99, 0))
    assert bootstrap.main() == 1
    assert "Debian package python3.11" in capsys.readouterr().err


def test_a_python_without_venv_is_told_the_debian_package(tmp_path: Path) -> None:
    """As Debian ships it: the module venv is there, ensurepip is not."""
    script = ("import importlib.util, runpy, sys\n"
              "find = importlib.util.find_spec\n"
              "importlib.util.find_spec = lambda name, *rest: None if name == 'ensurepip' else find(name, *rest)\n"
              "runpy.run_path(sys.argv[1], run_name='__main__')\n")
    done = subprocess.run([sys.executable, "-c", script, bootstrap.__file__], capture_output=True, text=True)
    assert done.returncode == 1
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"sudo apt-get install python{version}-venv" in done.stderr


def test_nothing_is_done_when_nothing_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "ringward").touch()
    monkeypatch.setattr(bootstrap, "PROJECT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / ".venv" / "stamp")
    (tmp_path / ".venv" / "stamp").write_text(bootstrap._wanted())
    assert bootstrap.main() == 0
    assert capsys.readouterr().out == ""
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert bootstrap.STAMP.read_text() != bootstrap._wanted()
