"""Where the database lies, and as whom its server runs."""

import os
import pwd
from pathlib import Path

import pytest

from engine.runtime.folders import Home, RuntimeFailed
from engine.runtime.postgres import _data_folder, can_reach, unprivileged_user, url_of

SOMEBODY = pwd.getpwuid(os.geteuid()).pw_name if os.geteuid() else "nobody"


@pytest.fixture
def place(tmp_path: Path) -> Home:
    """Not made by open_home: both parts below one folder of this test."""
    for folder in ("home/run", "private"):
        (tmp_path / folder).mkdir(parents=True)
    return Home(tmp_path / "home", tmp_path / "private")


def test_the_server_never_runs_as_root() -> None:
    user = unprivileged_user()
    assert (user is None) == (os.geteuid() != 0)
    if user is not None:
        assert pwd.getpwnam(user).pw_uid != 0


@pytest.mark.skipif(os.geteuid() != 0, reason="anybody else reaches what is theirs")
def test_a_folder_below_a_closed_one_is_out_of_reach(tmp_path: Path) -> None:
    assert can_reach(Path("/var/tmp"), SOMEBODY)
    (tmp_path / "closed" / "open").mkdir(parents=True)
    (tmp_path / "closed").chmod(0o700)
    assert not can_reach(tmp_path / "closed" / "open", SOMEBODY)
    assert can_reach(tmp_path / "closed" / "open", None)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's server is another user")
def test_a_cluster_stays_where_it_was_made(place: Home) -> None:
    assert _data_folder(place, None) == place.path / "postgres"
    (place.path / "postgres" / "PG_VERSION").touch()
    place.path.chmod(0o700)
    with pytest.raises(RuntimeFailed, match="cannot reach"):
        _data_folder(place, SOMEBODY)
    assert _data_folder(place, None) == place.path / "postgres"
    assert (place.run / "postgres").read_text() == f"{place.path}/postgres\n"


def test_the_socket_is_named_in_the_address_and_fits(place: Home) -> None:
    home = Home(place.path, Path("/var/tmp/ringward-a1b2c3d4"))
    assert url_of(home, "p") == "postgresql://ringward:p@/ringward?host=%2Fvar%2Ftmp%2Fringward-a1b2c3d4%2Fpg&port=5432"
