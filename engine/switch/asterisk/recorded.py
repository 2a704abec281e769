"""What programs' steps recorded: a WAV file of the switch's for each, named by spool and step, and a mark beside it
when it is whole.

Used by `switch.py`, in a thread. Files survive the death of engine and Asterisk alike; they are deleted when they are
durable in the database. A mark without a file is the echo of one that was taken already.
"""

from pathlib import Path

import structlog

from engine.ports import Recorded
from engine.switch.asterisk.encoder import FILE

DONE = ".done"
SOUND = ".wav"

log = structlog.get_logger(__name__)


def complete(folder: Path) -> list[Recorded]:
    """Oldest spool first."""
    try:
        names = [file.stem for file in folder.glob(f"*{DONE}")]
    except OSError as error:
        log.error("recorded.unreadable", error=error.strerror)
        return []
    return sorted((_recorded(name) for name in names if FILE.fullmatch(name)), key=lambda one: one.spool_id)


def audio(folder: Path, recorded: Recorded) -> bytes:
    try:
        return (folder / f"{recorded.name}{SOUND}").read_bytes()
    except FileNotFoundError:
        return b""


def forget(folder: Path, recorded: Recorded) -> None:
    if FILE.fullmatch(recorded.name):
        (folder / f"{recorded.name}{SOUND}").unlink(missing_ok=True)
        (folder / f"{recorded.name}{DONE}").unlink(missing_ok=True)


def _recorded(name: str) -> Recorded:
    spool, _, step = name.partition("-")
    return Recorded(name, int(spool), int(step))
