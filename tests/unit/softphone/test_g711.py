import numpy as np
import pytest

from engine.softphone.audio import chirp
from engine.softphone.g711 import PCMA, PCMU
from engine.softphone.listening import correlation


@pytest.mark.parametrize("codec", [PCMA, PCMU], ids=lambda codec: codec.name)
def test_every_byte_survives_a_round_trip(codec):
    everything = bytes(range(256))
    decoded = codec.decode(everything)
    assert np.array_equal(codec.decode(codec.encode(decoded)), decoded)


@pytest.mark.parametrize("codec", [PCMA, PCMU], ids=lambda codec: codec.name)
def test_a_chirp_comes_through_the_line_almost_unchanged(codec):
    assert correlation(chirp(1), codec.decode(codec.encode(chirp(1)))) > 0.99


def test_the_polarity_and_the_values_are_those_of_the_standard():
    samples = np.array([0, 1000, -1000, 32767, -32768], dtype=np.int16)
    assert PCMA.encode(samples).hex() == "d5fa7aaa2a"
    assert PCMU.encode(samples).hex() == "ffce4e8000"


def test_silence_is_not_loud():
    for codec in (PCMA, PCMU):
        assert codec.silence.translate(codec.loud).count(1) == 0
