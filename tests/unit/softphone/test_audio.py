import numpy as np
import pytest

from engine.softphone import audio
from engine.softphone.listening import correlation, is_tone, power


def test_two_chirps_have_nothing_in_common():
    assert correlation(audio.chirp(1), np.tile(audio.chirp(2), 3)) < 0.2


def test_a_chirp_stays_within_the_telephone_band():
    spectrum = np.abs(np.fft.rfft(audio.chirp(5))) ** 2
    hz = np.fft.rfftfreq(audio.chirp(5).size, 1 / 8000)
    assert spectrum[(hz >= 290) & (hz <= 3410)].sum() / spectrum.sum() > 0.98


@pytest.mark.parametrize("key", "0123456789*#ABCD")
def test_a_key_is_its_two_tones(key):
    samples = audio.dtmf(key)
    assert all(power(samples, hz) > 0.4 for hz in audio.DTMF_HZ[key])
    assert not is_tone(samples, 1000)


def test_a_wav_file_comes_back_as_written(tmp_path):
    audio.write_wav(tmp_path / "x.wav", audio.chirp(1))
    assert np.array_equal(audio.read_wav(tmp_path / "x.wav"), audio.chirp(1))
