"""Files as recordings of programs' steps."""

from pathlib import Path

import pytest

from engine.ports import Recorded
from engine.switch.asterisk import recorded

ONE = Recorded("12-3", 12, 3)


def left(folder: Path, name: str, wav: bytes | None = b"RIFF") -> None:
    (folder / f"{name}.done").write_text("1795291439")
    if wav is not None:
        (folder / f"{name}.wav").write_bytes(wav)


def test_a_mark_says_that_a_file_is_whole(tmp_path: Path) -> None:
    (tmp_path / "7-1.wav").write_bytes(b"RIFF")     # still being written
    left(tmp_path, "12-3")
    left(tmp_path, "2-1")
    assert recorded.complete(tmp_path) == [Recorded("2-1", 2, 1), ONE]
    assert recorded.audio(tmp_path, ONE) == b"RIFF"


@pytest.mark.parametrize("name", ["README", "12", "-3", "12-", "12-3-4", "a-3", "12-3.wav", ".12-3", "٣-1"])
def test_no_other_name_is_a_recording(tmp_path: Path, name: str) -> None:
    left(tmp_path, name)
    assert recorded.complete(tmp_path) == []


def test_a_mark_without_a_file_has_no_sound(tmp_path: Path) -> None:
    left(tmp_path, "12-3", None)
    assert recorded.complete(tmp_path) == [ONE]
    assert recorded.audio(tmp_path, ONE) == b""


def test_what_is_forgotten_is_gone_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    left(folder, "12-3")
    left(folder, "12-4")
    left(tmp_path, "12-3")
    recorded.forget(folder, ONE)
    recorded.forget(folder, ONE)
    recorded.forget(folder, Recorded("../12-3", 12, 3))
    assert sorted(file.name for file in folder.iterdir()) == ["12-4.done", "12-4.wav"]
    assert (tmp_path / "12-3.wav").exists()


def test_a_folder_that_is_not_there_holds_no_recordings(tmp_path: Path) -> None:
    assert recorded.complete(tmp_path / "none") == []
