import io
import wave

import numpy as np
import pytest

from engine.ports import SpeechFailed
from engine.sound import recording


def wav(pcm: bytes, *, width: int = 2, rate: int = 8000, channels: int = 1) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(pcm)
    return out.getvalue()


@pytest.mark.parametrize(("width", "pcm"), [
    (1, bytes([128, 192, 0])), (2, bytes([0, 0, 0, 64, 0, 128])), (3, bytes([0, 0, 0, 0, 0, 64, 0, 0, 128])),
    (4, bytes([0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0, 128])),
])
def test_pcm_of_every_width_is_read(width: int, pcm: bytes) -> None:
    assert recording.read(wav(pcm, width=width)).samples == pytest.approx([0, 0.5, -1])


def test_two_channels_become_one() -> None:
    stereo = np.array([[16384, 0], [0, -16384]], "<i2").tobytes()
    sound = recording.read(wav(stereo, channels=2, rate=44100))
    assert sound.rate == 44100 and sound.samples == pytest.approx([0.25, -0.25])


def test_sound_of_several_blocks_is_read_whole() -> None:
    assert len(recording.read(wav(bytes(2 * 8000 * 70))).samples) == 8000 * 70


def test_ten_minutes_are_read_and_more_are_refused() -> None:
    recording.read(wav(bytes(600 * 4000), width=1, rate=4000))
    with pytest.raises(SpeechFailed, match="longer than 10 minutes"):
        recording.read(wav(bytes(600 * 4000 + 1), width=1, rate=4000))


@pytest.mark.parametrize("data", [b"", b"ID3\3MP3", b"RIFF\0\0\0\0WAVEfmt ", wav(b"")[:20], wav(b"\0\0", rate=1000)])
def test_what_is_no_recording_is_refused(data: bytes) -> None:
    with pytest.raises(SpeechFailed, match="recording"):
        recording.read(data)


def test_what_breaks_off_is_read_as_far_as_it_goes() -> None:
    assert len(recording.read(wav(bytes(8001), rate=8000)[:-500]).samples) == 3750
