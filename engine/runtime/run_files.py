"""What a running system leaves in `<home>/run/`: who runs it, its settings, its process ids."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.runtime.folders import Home, RuntimeFailed, write_private
from engine.settings import Settings

# What `up` chooses or makes up; everything else its children read where `up` read it.
WRITTEN = ("database_url", "ami_host", "ami_port", "ami_user", "ami_secret", "ari_port", "ari_user",
           "ari_secret", "api", "sip", "trunk",
           "switch", "sounds_dir", "acks_dir")


@contextmanager
def only_one(home: Home) -> Iterator[None]:
    """Only one `up` a home. The kernel gives the lock back however that process ends."""
    with open(home.run / "lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeFailed(f"`ringward up` is already running for {home.path}: process "
                                f"{read_pid(home, 'up') or 'unknown'}; end it first, or use another --home") from None
        # cleaners of /var/tmp leave a folder alone while somebody holds a lock on it (systemd-tmpfiles(8))
        kept = os.open(home.private, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(kept, fcntl.LOCK_SH)
        forget_settings(home)
        for left in home.run.glob("*.pid"):
            left.unlink()
        write_pid(home, "up", os.getpid())
        try:
            yield
        finally:
            forget_settings(home)
            forget_pid(home, "up")
            os.close(kept)


def write_settings(home: Home, settings: Settings) -> None:
    chosen = settings.model_dump(mode="json", include=set(WRITTEN), exclude_none=True)
    write_private(_settings_file(home), json.dumps(chosen, indent=2) + "\n")


def forget_settings(home: Home) -> None:
    _settings_file(home).unlink(missing_ok=True)


def is_running(home: Path) -> bool:
    """Does a living `up` hold this home? (Its files may be left by one that was killed.)"""
    try:
        with open(home / "run" / "lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def write_pid(home: Home, name: str, pid: int) -> None:
    temporary = home.run / f".{name}.pid"
    temporary.write_text(f"{pid}\n")
    temporary.rename(home.run / f"{name}.pid")


def forget_pid(home: Home, name: str) -> None:
    (home.run / f"{name}.pid").unlink(missing_ok=True)


def read_pid(home: Home, name: str) -> int | None:
    try:
        return int((home.run / f"{name}.pid").read_text())
    except (FileNotFoundError, ValueError):
        return None


def _settings_file(home: Home) -> Path:
    return home.run / "settings.json"
