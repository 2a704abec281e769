"""What every voice is: something that speaks a text in a language. `service.py` is the only caller."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.ports import SpeechFailed
from engine.sound.samples import Sound

LANGUAGES = ("de", "en", "es", "fr", "it")
MAX_CHARS = 2000
_NEAREST = {
    "nl": "de", "da": "de", "sv": "de", "nb": "de", "no": "de", "lb": "de",
    "pt": "es", "ca": "es", "gl": "es", "ro": "it",
}
_LONGEST_WORD = 40      # SVOX Pico fails or never ends on words of some hundred letters


class VoiceUnavailable(SpeechFailed):
    """The voice itself is missing or broken; the message says what mends it."""


class LanguageUnknown(SpeechFailed):
    """The voice does not speak this language; another one may do."""


@dataclass(frozen=True, slots=True)
class Phonemes:
    """A word in X-SAMPA, for voices that read it. From our lexicon only, never from a text."""

    xsampa: str
    plain: str


Spoken = Sequence[str | Phonemes]


class Voice(Protocol):
    """One way to speak. `start` comes first, `stop` always; a restart after `stop` is allowed."""

    name: str
    parallel: int       # how many texts at once make sense

    @property
    def version(self) -> str:
        """Changes whenever the same text would sound different. Known after `start`."""

    async def start(self) -> None:
        """Raises VoiceUnavailable."""

    async def speak(self, text: Spoken, language: str) -> Sound:
        """Raises SpeechFailed for this text, VoiceUnavailable when no text would do."""

    async def stop(self) -> None: ...


def clean(text: str) -> str:
    """A text without anything that a voice could take for an order: no markup, no control or format characters.

    `<genfile file=…>` makes Pico write a file, `[[…]]` is phonemes for espeak-ng and Piper. Raises SpeechFailed
    for nothing to say and for too much.
    """
    text = unicodedata.normalize("NFC", text)
    text = "".join(c for c in text if unicodedata.category(c) != "Cf")      # soft hyphens, joiners
    text = "".join(" " if c in "<>[]{}\\|^~`" or unicodedata.category(c)[0] in "CZ" else c for c in text)
    text = re.sub(rf"(\S{{{_LONGEST_WORD}}})(?=\S)", r"\1 ", text)
    text = " ".join(text.split())
    if not any(c.isalnum() for c in text):
        raise SpeechFailed("there is nothing to say in this text")
    if len(text) > MAX_CHARS:
        raise SpeechFailed(f"the text is longer than {MAX_CHARS} characters")
    return text


def nearest(language: str) -> str:
    """Whose readers come closest to a language that a voice does not speak."""
    return _NEAREST.get(language, "en")


def plain(text: Spoken) -> str:
    """The text for a voice that does not read phonemes."""
    return "".join(part if isinstance(part, str) else part.plain for part in text)
