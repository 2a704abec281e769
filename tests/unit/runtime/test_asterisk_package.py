"""Which Asterisk is used."""

from pathlib import Path

import pytest

from engine.runtime.asterisk_package import installed_asterisk, version_of
from engine.runtime.debian_package import Program


def _asterisk(prefix: Path, version: str) -> Path:
    """A program that says it is this version of Asterisk, with the folders of an installed one."""
    for folder in ("sbin", "lib/asterisk/modules", "share/asterisk/documentation"):
        (prefix / folder).mkdir(parents=True)
    program = prefix / "sbin" / "asterisk"
    program.write_text(f"#!/bin/sh\necho 'Asterisk {version}'\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(("said", "version"), [
    ("22.10.1~dfsg+~cs6.17", (22, 10, 1)), ("23.1", (23, 1, 0)), ("certified/20.7-cert3", (20, 7, 0)),
    ("GIT-master", ()),
])
def test_versions_are_numbers(said: str, version: tuple[int, ...], tmp_path: Path) -> None:
    assert version_of(Program((str(_asterisk(tmp_path, said)),))) == version


@pytest.mark.parametrize(("said", "is_used"), [
    ("22.10.1", True), ("22.11.0", True), ("22.9.9", False), ("20.15.2", False)])
def test_the_installed_one_is_used_if_it_is_new_enough(
    said: str, is_used: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = _asterisk(tmp_path, said)
    monkeypatch.setenv("PATH", str(program.parent))
    found = installed_asterisk()
    assert (found is not None) is is_used
    if found:
        assert found.modules == tmp_path / "lib/asterisk/modules"
        assert found.data == tmp_path / "share/asterisk"
