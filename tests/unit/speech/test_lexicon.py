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


@pytest.mark.parametrize(("written", "said"), [
    ("Brand in Halle 3.", "Brand in Halle 3 ."),
    ("Brand in der Hauptstraße 12. Bitte melden.", "Brand in der Hauptstraße 12 . Bitte melden."),
    ("Am 3. Mai rückt der 2. Zug aus.", "Am 3. Mai rückt der 2. Zug aus."),
    ("2. Alarm um 14.30 Uhr, Tor 1 und 2. Tor 5.", "2. Alarm um 14.30 Uhr, Tor 1 und 2 . Tor 5 ."),
    ("Bitte drücken Sie die 1.", "Bitte drücken Sie die 1 ."),
])
def test_a_number_at_the_end_of_a_german_sentence_is_no_ordinal(written: str, said: str) -> None:
    assert plain(lexicon("de", "pico").apply(written)) == said
    assert plain(lexicon("en", "pico").apply(written)) == written
