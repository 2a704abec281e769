"""Where a system keeps its files: `--home`, and a short private folder beside it.

A Unix socket's path may have 107 bytes, Asterisk's configuration and dialplan give characters such as `,`, `&` and
`;` a meaning, and a database that drops root must reach its files. So every home has one private folder below
/var/tmp with a short and harmless name, recorded in `<home>/run/private`. Programs see only paths below it: sockets
lie in it, everything else is reached by symbolic links in it.
"""

import os
import secrets
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from engine.vocabulary.values import RingwardError

PROJECT = Path(__file__).resolve().parent.parent.parent


class RuntimeFailed(RingwardError):
    """A part of the system could not be found or started. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Home:
    """One system's files. `path` is absolute; `private` is short, without special characters, and ours alone."""

    path: Path
    private: Path

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def sounds(self) -> Path:
        return self.path / "sounds"

    def discard(self) -> None:
        """Remove the private folder, unless it holds the database. For the end of a system."""
        if not (self.private / "postgres").exists():
            shutil.rmtree(self.private, ignore_errors=True)

    def link(self, name: str, target: Path) -> Path:
        """A symbolic link in the private folder, replaced in one step; returns its path."""
        path = self.private / name
        if not (path.is_symlink() and os.readlink(path) == str(target)):
            temporary = self.private / f".{name}-{secrets.token_hex(4)}"
            temporary.symlink_to(target)
            temporary.rename(path)
        return path


def open_home(path: Path) -> Home:
    """Make the folders of a home that do not exist yet."""
    path = path.expanduser().absolute()
    for folder in (path, path / "run", path / "log", path / "sounds"):
        folder.mkdir(parents=True, exist_ok=True)
    (path / "run").chmod(0o700)
    home = Home(path, _private_folder(path))
    home.link("home", path)
    return home


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, by temporary name and rename."""
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(fd, "w") as file:
        file.write(text)
    temporary.rename(path)


def _private_folder(home: Path) -> Path:
    record = home / "run" / "private"
    if record.exists():
        known = Path(record.read_text().strip())
        if _is_ours(known) and not _belongs_to_another(known, home):
            return known
    base = "/var/tmp"  # noqa: S108 -- made with mkdtemp, and it outlives a reboot
    folder = Path(tempfile.mkdtemp(prefix="ringward-", dir=base if os.access(base, os.W_OK | os.X_OK) else None))
    folder.chmod(0o711)  # the database's user must pass through; what is inside has rights of its own
    write_private(record, f"{folder}\n")
    return folder


def _is_ours(folder: Path) -> bool:
    try:
        info = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(info.st_mode) and info.st_uid == os.geteuid() and not info.st_mode & 0o022


def _belongs_to_another(private: Path, home: Path) -> bool:
    """A copied home brings its record along; a moved one leaves a dangling link."""
    link = private / "home"
    return link.is_symlink() and link.exists() and not link.samefile(home)
