import numpy as np
import pytest

from engine.ports import SpeechFailed
from engine.sound.samples import Sound, to_wav
from engine.speech import audio


def tone(pitch_hz: float, length_s: float, rate: int, level: float = 0.3) -> np.ndarray:
    return level * np.sin(2 * np.pi * pitch_hz * np.arange(int(length_s * rate)) / rate)


def db(samples: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(samples**2)) + 1e-12))


def test_speech_begins_at_once_and_ends_soon() -> None:
    silence = np.zeros(8000)
    shaped = audio.shape(Sound(np.concatenate([silence, tone(500, 1, 8000), silence]), 8000))
    assert audio.lead_s(shaped) <= 0.02
    assert len(shaped.samples) / 8000 == pytest.approx(1 + audio.LEAD_S + audio.TAIL_S, abs=0.02)


@pytest.mark.parametrize("level", [0.001, 0.05, 1.0])
def test_every_voice_comes_out_equally_loud(level: float) -> None:
    shaped = audio.shape(Sound(tone(500, 1, 8000, level), 8000))
    assert 20 * np.log10(audio.speech_rms(shaped.samples, 8000)) == pytest.approx(audio.RMS_DBFS, abs=0.5)


def test_peaks_are_bent_below_the_ceiling() -> None:
    quiet = tone(500, 1, 8000, 0.02)
    quiet[4000:4010] = 0.9
    assert np.abs(audio.level(quiet, 8000)).max() <= 10 ** (audio.PEAK_DBFS / 20)


def test_nothing_to_hear_is_an_error() -> None:
    for samples in (np.zeros(8000), np.zeros(0)):
        with pytest.raises(SpeechFailed, match="said nothing"):
            audio.shape(Sound(samples, 8000))


def test_wav_is_read_as_written_also_with_two_channels_and_unknown_length() -> None:
    sound = Sound(tone(400, 0.5, 16000), 16000)
    data = to_wav(sound)
    streamed = data[:4] + b"\xff\xff\xff\x7f" + data[8:40] + b"\xdb\xff\xff\x7f" + data[44:]
    for read in (audio.from_wav(data), audio.from_wav(streamed)):
        assert read.rate == 16000
        assert np.allclose(read.samples, sound.samples, atol=1e-4)


@pytest.mark.parametrize("data", [b"", b"RIFF", b"not a wav file at all, but longer than one header is" * 3])
def test_what_is_no_wav_is_an_error(data: bytes) -> None:
    with pytest.raises(SpeechFailed):
        audio.from_wav(data)


def test_alaw_is_that_of_g711() -> None:
    # ITU-T G.711 table 1: both zeros, both ends, and a decoder written from the text inverts the encoder
    assert audio.to_alaw(np.array([0, -1, 32767, -32768]) / 32767) == bytes([0xD5, 0x55, 0xAA, 0x2A])
    pcm = np.arange(-32768, 32767, 7)
    code = np.frombuffer(audio.to_alaw(pcm / 32767), np.uint8).astype(int) ^ 0x55
    segment, mantissa = (code >> 4) & 7, code & 15
    size = np.where(segment == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(segment - 1, 0))
    decoded = np.where(code & 0x80, size, -size)
    assert np.all(np.abs(decoded - pcm) <= np.maximum(8, np.abs(pcm) / 30))
