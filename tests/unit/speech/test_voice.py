import pytest

from engine.ports import SpeechFailed
from engine.speech.voice import LANGUAGES, MAX_CHARS, Phonemes, clean, plain


@pytest.mark.parametrize(("text", "said"), [
    ("Hallo   Welt\n", "Hallo Welt"),
    ('<genfile file="/tmp/x.wav">Hallo</genfile>', 'genfile file="/tmp/x.wav" Hallo /genfile'),
    ("[[h@l'oU]] Hallo", "h@l'oU Hallo"),
    ("a\0b\x1b[31mc\u2028d", "a b 31mc d"),
    ("Not\u00adruf", "Notruf"),
    ("u\u0308ber", "über"),
    ("Straße & Haus, 5 % — ja?", "Straße & Haus, 5 % — ja?"),
])
def test_only_words_are_left(text: str, said: str) -> None:
    assert clean(text) == said


def test_endless_words_are_broken() -> None:
    assert max(map(len, clean("a" * 1000).split())) == 40


@pytest.mark.parametrize("text", ["", "  \n", "<>", "…!?", "a " * MAX_CHARS])
def test_nothing_and_too_much_are_errors(text: str) -> None:
    with pytest.raises(SpeechFailed):
        clean(text)


def test_other_voices_hear_the_written_word_for_phonemes() -> None:
    assert plain(["Die ", Phonemes("hOt", "Hotline"), "!"]) == "Die Hotline!"


def test_the_languages_are_those_of_the_prompts() -> None:
    assert set(LANGUAGES) == {"de", "en", "es", "fr", "it"}
