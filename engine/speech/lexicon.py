"""How words are spoken that a voice would get wrong: brands, foreign words, abbreviations, emergency numbers.

One file a language, `lexicon/<language>.toml`. `[say]` holds respellings for every voice, `[<voice>]` (`[pico]`)
those of one voice, which win. A key is a whole word or phrase in any case; `*line` is also the end of a longer
word, which keeps its front. A value `/…/` is X-SAMPA. Applied once to the text, never to its own output.

`[numbers] ordinal_after`: in a language that writes "the 3rd" as "3.", a number with a full stop is read as such only
after one of these words and at the start; elsewhere, as in "Hauptstraße 12.", the full stop ends a sentence.
"""

import re
import tomllib
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

from engine.speech.voice import Phonemes, Spoken

FOLDER = Path(__file__).parent / "lexicon"
_SENTENCE_END = re.compile(r"((?:(?<!\w)\w+ |^))(\d+)\.( |$)")


class Lexicon:
    def __init__(self, words: Mapping[str, str], ordinal_after: Collection[str] = ()) -> None:
        self._ordinal_after = ordinal_after
        self._words = {_key(word): spoken for word, spoken in words.items()}
        longest_first = sorted(self._words, key=len, reverse=True)
        self._pattern = re.compile("|".join(_pattern(word) for word in longest_first) or r"(?!)", re.IGNORECASE)

    def apply(self, text: str) -> Spoken:
        """The text in pieces: as it was, respelled, or as phonemes."""
        pieces: list[str | Phonemes] = []
        text = _SENTENCE_END.sub(self._full_stop, text) if self._ordinal_after else text
        end = 0
        for match in self._pattern.finditer(text):
            front, word = self._split(match.group())
            pieces.append(text[end : match.start()] + front)
            pieces.append(_spoken(self._words[word], match.group()[len(front) :]))
            end = match.end()
        pieces.append(text[end:])
        return [piece for piece in pieces if piece]

    def _full_stop(self, match: re.Match[str]) -> str:
        before, number, after = match.groups()
        is_ordinal = bool(after) and before.strip().casefold() in self._ordinal_after
        return match.group() if is_ordinal or number in self._words else f"{before}{number} .{after}"

    def _split(self, found: str) -> tuple[str, str]:
        word = _key(found)
        if word in self._words:
            return "", word
        starred = max((w for w in self._words if w[0] == "*" and word.endswith(w[1:])), key=len)
        front = found[: len(found) - len(starred) + 1]
        return (f"{front}-" if front else ""), starred


@cache
def lexicon(language: str, voice: str) -> Lexicon:
    """The words of a language for the kind of voice (`pico`, `espeak-ng`, …); empty for an unknown language."""
    path = FOLDER / f"{language}.toml"
    if not path.is_file():
        return Lexicon({})
    tables = tomllib.loads(path.read_text("utf-8"))
    ordinal_after = tables.get("numbers", {}).get("ordinal_after", "").split()
    return Lexicon({**tables.get("say", {}), **tables.get(voice, {})}, {"", *ordinal_after} if ordinal_after else ())


def _key(word: str) -> str:
    return word.casefold().replace("-", " ")


def _pattern(word: str) -> str:
    front = r"(?<!\w)\w*" if word[0] == "*" else r"(?<!\w)"
    return front + re.escape(word.removeprefix("*")).replace(r"\ ", r"[ -]") + r"(?!\w)"


def _spoken(value: str, written: str) -> str | Phonemes:
    return Phonemes(value.strip("/"), written) if value.startswith("/") and value.endswith("/") else value
