import numpy as np
import pytest

from engine.sound.resampling import resample
from engine.sound.samples import Sound


def tone(pitch_hz: float, length_s: float, rate: int) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * pitch_hz * np.arange(int(length_s * rate)) / rate)


def db(samples: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(samples**2)) + 1e-12))


@pytest.mark.parametrize(("source", "target"), [(16000, 8000), (22050, 8000), (22050, 16000), (8000, 16000)])
def test_resampling_keeps_the_telephone_band_and_the_length(source: int, target: int) -> None:
    sound = resample(Sound(tone(1000, 1, source), source), target)
    assert len(sound.samples) == target
    expected = tone(1000, 1, target)
    assert db((sound.samples - expected)[200:-200]) < db(expected) - 50


def test_resampling_removes_what_would_fold_back() -> None:
    assert db(resample(Sound(tone(5000, 1, 16000), 16000), 8000).samples[200:-200]) < -70


def test_long_sounds_are_resampled_in_blocks_that_fit_together() -> None:
    sound = resample(Sound(tone(1000, 45, 44100), 44100), 8000)
    expected = tone(1000, 45, 8000)
    assert len(sound.samples) == len(expected)
    assert db((sound.samples - expected)[200:-200]) < db(expected) - 50
    assert np.abs((sound.samples - expected)[200:-200]).max() < 0.003
