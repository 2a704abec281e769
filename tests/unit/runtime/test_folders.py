"""A home of any name has a short private folder."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.runtime.folders import Home, open_home, write_private


@pytest.fixture
def strange(tmp_path: Path) -> Iterator[Home]:
    home = open_home(tmp_path / ("a home; with, every & [character] " + "x" * 170))
    yield home
    shutil.rmtree(home.private)


def test_the_private_folder_is_short_and_harmless(strange: Home) -> None:
    assert len(str(strange.private / "pg" / ".s.PGSQL.5432")) < 107
    assert set(str(strange.private)) <= set("/abcdefghijklmnopqrstuvwxyz0123456789_-")
    assert strange.private.stat().st_mode & 0o777 == 0o711
    assert (strange.private / "home").samefile(strange.path)


def test_a_home_keeps_its_private_folder(strange: Home) -> None:
    assert open_home(strange.path).private == strange.private


def test_a_moved_home_keeps_its_private_folder(strange: Home, tmp_path: Path) -> None:
    moved = open_home(strange.path.rename(tmp_path / "moved"))
    assert moved.private == strange.private
    assert (moved.private / "home").samefile(moved.path)


def test_a_copied_home_gets_one_of_its_own(strange: Home, tmp_path: Path) -> None:
    copy = open_home(Path(shutil.copytree(strange.path, tmp_path / "copy", symlinks=True)))
    try:
        assert copy.private != strange.private
    finally:
        shutil.rmtree(copy.private)


def test_a_folder_that_others_can_write_is_not_trusted(strange: Home) -> None:
    strange.private.chmod(0o777)
    other = open_home(strange.path)
    try:
        assert other.private != strange.private
    finally:
        shutil.rmtree(other.private)


def test_secrets_are_for_their_owner_only(tmp_path: Path) -> None:
    write_private(tmp_path / "secret", "x")
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secret"]
