import io
import wave

import numpy as np
import pytest

from engine.ports import SpeechFailed
from engine.sound import recording
from engine.sound.telephone import telephone_wav


def wav(samples: np.ndarray, rate: int) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return out.getvalue()


def tone(rate: int, channels: int) -> np.ndarray:
    sound = 0.5 * np.sin(2 * np.pi * 700 * np.arange(rate) / rate)
    return np.repeat(sound[:, None], channels, axis=1)


@pytest.mark.parametrize(("rate", "channels"), [(44100, 2), (16000, 1), (8000, 2)])
def test_sound_of_another_kind_becomes_what_telephones_play(rate: int, channels: int) -> None:
    made = telephone_wav(wav(tone(rate, channels), rate))
    with wave.open(io.BytesIO(made)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth(), file.getnframes()) == (8000, 1, 2, 8000)
    heard = recording.read(made).samples
    assert np.abs(heard - tone(8000, 1)[:, 0])[200:-200].max() < 0.005


def test_what_is_already_one_stays_byte_for_byte() -> None:
    given = wav(tone(8000, 1), 8000)
    assert telephone_wav(given) is given


@pytest.mark.parametrize("data", [b"", b"RIFF", b"ID3" * 40])
def test_what_is_no_wav_is_an_error(data: bytes) -> None:
    with pytest.raises(SpeechFailed):
        telephone_wav(data)
