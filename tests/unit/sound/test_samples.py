import numpy as np

from engine.sound.samples import Sound, from_pcm, to_int16, to_wav


def test_samples_are_written_and_read_back() -> None:
    sound = Sound(np.array([0.0, 0.5, -1.0]), 8000)
    pcm = to_wav(sound)[44:]
    assert np.allclose(from_pcm(pcm, 8000).samples, sound.samples, atol=1e-4)


def test_what_is_too_loud_stays_at_the_end_of_the_scale() -> None:
    assert to_int16(np.array([2.0, -2.0])).tolist() == [32767, -32768]


def test_half_a_sample_at_the_end_is_left_out() -> None:
    assert len(from_pcm(b"\0\0\0", 8000).samples) == 1
