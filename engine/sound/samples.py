"""Samples are float64 mono in -1…1; PCM is 16-bit little-endian."""

import io
import wave
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sound:
    """Samples at `rate` Hz."""

    samples: Samples
    rate: int


def from_pcm(pcm: bytes, rate: int) -> Sound:
    return Sound(np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float64) / 32768, rate)


def to_wav(sound: Sound) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sound.rate)
        file.writeframes(to_int16(sound.samples).astype("<i2").tobytes())
    return out.getvalue()


def to_int16(samples: Samples) -> NDArray[np.int16]:
    return np.clip(np.round(samples * 32767), -32768, 32767).astype(np.int16)
