"""A recording as a telephone plays it: 8,000 samples a second, one channel, 16 bits. Called in threads."""

import io
import wave

from engine.sound import recording
from engine.sound.resampling import resample
from engine.sound.samples import to_wav

RATE = 8000


def telephone_wav(data: bytes) -> bytes:
    """A WAV file with PCM as such a one; the same bytes if it already is. Raises SpeechFailed."""
    return data if _is_one(data) else to_wav(resample(recording.read(data), RATE))


def _is_one(data: bytes) -> bool:
    try:
        with wave.open(io.BytesIO(data)) as file:
            return (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
    except (wave.Error, EOFError):
        return False
