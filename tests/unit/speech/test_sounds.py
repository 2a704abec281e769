"""The recorded prompts and the hold music that come with Ringward."""

import runpy
import wave
from pathlib import Path

import numpy as np
import pytest

from engine.sound.samples import Sound
from engine.speech import audio
from engine.speech.voice import LANGUAGES

SOUNDS = Path(__file__).resolve().parents[3] / "sounds"
TEXTS = runpy.run_path(str(SOUNDS / "make_prompts.py"))["prompts"]()
PROMPTS = (
    "welcome", "ask", "taken", "apology", "gone", "alarm-intro", "alarm-repeat", "alarm-pin", "alarm-pin-wrong",
    "alarm-pin-refused", "alarm-confirmed", "alarm-declined", "alarm-enough", "alarm-noted", "alarm-cancelled",
    "alarm-none", "alarm-untold", "alarm-bye", "opted-out",
    *(f"alarm-{what}-{key}" for what in ("key", "decline") for key in range(10)),
)


def load(path: Path) -> Sound:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (8000, 2, 1)
    return audio.from_wav(path.read_bytes())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("prompt", PROMPTS)
def test_every_language_has_every_prompt_fit_for_a_telephone(language: str, prompt: str) -> None:
    assert set(TEXTS[language]) == set(PROMPTS)
    sound = load(SOUNDS / language / f"{prompt}.wav")
    assert audio.lead_s(sound) <= 0.02
    assert 20 * np.log10(audio.speech_rms(sound.samples, 8000)) == pytest.approx(audio.RMS_DBFS, abs=0.5)
    assert np.abs(sound.samples).max() <= 10 ** (audio.PEAK_DBFS / 20)
    letters_a_second = len(TEXTS[language][prompt]) / (len(sound.samples) / 8000)
    assert 9 < letters_a_second < 23, "it says all of its text and no more"


def test_the_german_prompts_are_the_defaults_of_the_contract() -> None:
    assert TEXTS["de"]["welcome"] == (
        "Willkommen zur GroupAlarm.com First Responder Hotline. Der erste freie Agent wird umgehend zu Ihnen"
        " durchgestellt.")
    assert TEXTS["de"]["ask"] == (
        "Hallo, Sie wurden durch die GroupAlarm.com First Responder Hotline alarmiert. Bitte drücken Sie die 1 zum"
        " Annehmen oder legen Sie zum Ablehnen einfach auf.")
    assert TEXTS["de"]["taken"] == "Der Anruf wurde bereits angenommen. Vielen Dank."


def test_the_hold_music_is_quiet_loops_and_lies_in_the_telephone_band() -> None:
    path = SOUNDS / "music" / "hold.wav"
    assert path.stat().st_size <= 1 << 20
    music = load(path).samples
    assert 40 <= len(music) / 8000 <= 60
    assert 20 * np.log10(np.sqrt(np.mean(music**2))) == pytest.approx(-24, abs=0.5)
    assert abs(music[0] - music[-1]) <= np.abs(np.diff(music)).max()
    halves = 10 * np.log10(np.mean(music.reshape(-1, 4000) ** 2, axis=1))
    assert halves.min() > -32, "no silence that sounds like a lost call"
    spectrum, bins = np.abs(np.fft.rfft(music)) ** 2, np.fft.rfftfreq(len(music), 1 / 8000)
    assert spectrum[(bins > 280) & (bins < 3400)].sum() > 0.99 * spectrum.sum()


def test_all_sounds_are_small() -> None:
    assert sum(p.stat().st_size for p in SOUNDS.rglob("*.wav") if "cache" not in p.parts) <= 12 << 20
