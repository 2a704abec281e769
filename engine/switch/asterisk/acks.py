"""The notes of who acknowledged: one file a leg, named by its id, which the dialplan writes before it says thank you.
Who declined leaves one as well, of another name: the leg's id and `.no`.

Used by `switch.py`, in a thread. A file says all by its name and its time; what is in it is not read. It survives the
death of engine and Asterisk alike, and is deleted when the acknowledgement is durable in the database.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import structlog

from engine.ports import AckNote
from engine.switch.asterisk.encoder import LEG

DECLINED = ".no"

log = structlog.get_logger(__name__)


def notes(folder: Path) -> list[AckNote]:
    """Oldest first. Whatever else lies there is nobody's acknowledgement."""
    try:
        with os.scandir(folder) as files:
            found = list(_notes(files))
    except OSError as error:
        log.error("acks.unreadable", error=error.strerror)
        return []
    return sorted(found, key=lambda note: (note.at, note.leg))


def forget(folder: Path, done: Iterable[AckNote]) -> None:
    for note in done:
        if LEG.fullmatch(note.leg):
            (folder / f"{note.leg}{DECLINED if note.is_declined else ''}").unlink(missing_ok=True)


def _notes(files: Iterable[os.DirEntry[str]]) -> Iterator[AckNote]:
    for file in files:
        leg = file.name.removesuffix(DECLINED)
        if LEG.fullmatch(leg):
            with suppress(FileNotFoundError):      # forgotten meanwhile
                yield AckNote(leg, datetime.fromtimestamp(file.stat().st_mtime, UTC), leg != file.name)
