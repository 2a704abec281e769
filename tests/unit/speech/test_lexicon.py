import pytest

from engine.speech.lexicon import Lexicon, lexicon
from engine.speech.voice import LANGUAGES, Phonemes, plain


def said(text: str, language: str = "de") -> str:
    return plain(lexicon(language, "pico").apply(text))


@pytest.mark.parametrize(("text", "spoken"), [
    ("Die Hotline ist da.", "Die Hottlein ist da."),
    ("HOTLINE", "Hottlein"),
    ("Unsere Notfallhotline", "Unsere Notfall-Hottlein"),
    ("Service-Hotlines", "Service-Hottleins"),
    ("die GroupAlarm.com First Responder Hotline", "die Gruhp Alarm Punkt komm Först Responder Hottlein"),
    ("Ringward und GroupAlarm", "Ringwort und Gruhp Alarm"),
    ("Im Notfall 112.", "Im Notfall eins eins zwei."),
    ("Wählen Sie 1120", "Wählen Sie 1120"),
    ("Hotlinebetreuer", "Hotlinebetreuer"),
    ("Zimmer Nr. 5", "Zimmer Nummer 5"),
])
def test_whole_words_are_respelled(text: str, spoken: str) -> None:
    assert said(text) == spoken


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_knows_the_brands(language: str) -> None:
    for word in ("GroupAlarm.com", "Ringward"):
        assert said(word, language) != word


def test_a_value_between_slashes_is_phonemes() -> None:
    assert Lexicon({"Hotline": '/"hOt.la_In/'}).apply("Die Hotline.") == [
        "Die ", Phonemes('"hOt.la_In', "Hotline"), ".",
    ]


def test_a_phrase_also_matches_with_hyphens() -> None:
    assert plain(Lexicon({"First Responder": "X"}).apply("die First-Responder-Hotline")) == "die X-Hotline"


def test_its_own_output_is_not_read_again() -> None:
    assert plain(Lexicon({"a": "b", "b": "c"}).apply("a b")) == "b c"


def test_an_unknown_language_leaves_the_text() -> None:
    assert said("Hotline", "../de") == "Hotline"
