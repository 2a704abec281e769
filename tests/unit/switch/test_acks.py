"""Files as notes of who acknowledged."""

import os
from datetime import UTC, datetime
from pathlib import Path

from engine.ports import AckNote
from engine.switch.asterisk import acks

DIALLED, CAME = "6b8f6d0e-1111-4222-8333-444455556666", "1795291439.7"
AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def leave(folder: Path, name: str, at: datetime) -> None:
    (folder / name).write_text("1795291439")
    os.utime(folder / name, (at.timestamp(), at.timestamp()))


def test_a_file_is_a_note_by_its_name_and_its_time(tmp_path: Path) -> None:
    leave(tmp_path, CAME, AT)
    leave(tmp_path, DIALLED, AT.replace(hour=11))
    leave(tmp_path, "README", AT)
    leave(tmp_path, f".{DIALLED}", AT)
    leave(tmp_path, f"{CAME}.no", AT.replace(hour=13))
    leave(tmp_path, f"{CAME}.no.no", AT)
    assert acks.notes(tmp_path)[:2] == [AckNote(DIALLED, AT.replace(hour=11)), AckNote(CAME, AT)]
    assert acks.notes(tmp_path)[2:] == [AckNote(CAME, AT.replace(hour=13), is_declined=True)]
    acks.forget(tmp_path, [AckNote(CAME, AT.replace(hour=13), is_declined=True)])
    assert acks.notes(tmp_path)[1:] == [AckNote(CAME, AT)]


def test_what_is_forgotten_is_gone_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "acks"
    folder.mkdir()
    leave(folder, DIALLED, AT)
    leave(folder, CAME, AT)
    leave(tmp_path, "precious", AT)
    acks.forget(folder, [AckNote(DIALLED, AT), AckNote(DIALLED, AT), AckNote("../precious", AT)])
    assert [note.leg for note in acks.notes(folder)] == [CAME]
    assert (tmp_path / "precious").exists()


def test_a_folder_that_is_not_there_holds_no_notes(tmp_path: Path) -> None:
    assert acks.notes(tmp_path / "none") == []
