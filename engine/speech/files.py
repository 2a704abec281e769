"""The folder of sounds: what `service.py` makes lies in `cache/` (spoken) and `rec/` (recordings).

A sound that exists is complete in all three formats: files are written beside their place, synced and renamed, `.wav`
last. `.wav` carries the day of its last use. Everything here blocks: it is called in threads.
"""

import contextlib
import os
import re
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from engine.ports import SpeechFailed
from engine.sound.resampling import resample
from engine.sound.samples import Sound, to_wav
from engine.speech import audio

DAY_S = 86400.0
LEFT_S = 600.0
MADE = ("cache", "rec")
_SUFFIXES = (".wav", ".alaw", ".wav16")  # in the order of removal
_NAME = re.compile(r"[a-z0-9_-]+(/[a-z0-9_-]+)*")


class SoundFiles:
    """`folder` must be readable by Asterisk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, sound: str) -> Path:
        """The 8 kHz file of a sound; `.wav16` (16 kHz) and `.alaw` of made ones are beside it."""
        if not _NAME.fullmatch(sound):
            raise SpeechFailed(f"{sound!r} is not the name of a sound")
        return self._folder / f"{sound}.wav"

    def use(self, sound: str) -> bool:
        """Whether there is such a sound. If so, it was used today."""
        path = self.path(sound)
        try:
            if path.stat().st_mtime < time.time() - DAY_S:
                os.utime(path)
        except OSError:
            return False
        return True

    def sweep(self) -> None:
        """What a killed engine left half written. What is younger another engine of the same home may be writing."""
        for folder in MADE:
            for left in (self._folder / folder).glob(".*-*.*"):
                with contextlib.suppress(FileNotFoundError):
                    if left.stat().st_mtime < time.time() - LEFT_S:
                        left.unlink()

    def prune(self, in_use: Collection[str], after_days: float) -> int:
        """Remove made sounds that are not in use and were not used for so many days; how many."""
        return sum(self._remove(path) for path in list(self._unused(in_use, time.time() - after_days * DAY_S)))

    def _unused(self, in_use: Collection[str], before: float) -> Iterator[Path]:
        for folder in MADE:
            for path in (self._folder / folder).glob("*.wav"):
                if f"{folder}/{path.stem}" not in in_use and path.stat().st_mtime < before:
                    yield path

    def _remove(self, path: Path) -> bool:
        for suffix in _SUFFIXES:
            path.with_suffix(suffix).unlink(missing_ok=True)
        return True

    def write(self, name: str, sound: Sound) -> None:
        """All formats or nothing. Raises SpeechFailed."""
        wide = audio.shape(resample(sound, 16000))
        narrow = resample(wide, 8000)
        narrow = Sound(audio.level(narrow.samples, 8000), 8000)
        files = {
            ".wav16": to_wav(wide), ".alaw": audio.to_alaw(narrow.samples), ".wav": to_wav(narrow),
        }
        place = self.path(name)
        made: list[Path] = []
        try:
            if not place.parent.is_dir():
                place.parent.mkdir(parents=True)
                place.parent.chmod(0o755)       # Asterisk may run as somebody else
            for suffix, data in files.items():
                made.append(place.with_name(f".{place.stem}-{os.getpid()}{suffix}"))
                _write_file(made[-1], data)
            for temporary, suffix in zip(made, files, strict=True):
                temporary.rename(place.with_suffix(suffix))
        except OSError as error:
            raise SpeechFailed(f"the sound could not be written: {error.strerror}") from error
        finally:
            for temporary in made:
                temporary.unlink(missing_ok=True)


def _write_file(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        os.fchmod(file.fileno(), 0o644)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
