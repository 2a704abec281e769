"""An uploaded recording (WAV, PCM of 8 to 32 bits) as sound. Called in threads."""

import io
import wave
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from engine.ports import SpeechFailed
from engine.sound.samples import Sound

LONGEST_S = 600
_BLOCK_S = 30


def read(data: bytes) -> Sound:
    """Mono, at the recording's own rate. Raises SpeechFailed."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            rate, length = file.getframerate(), file.getnframes()
            if not 4000 <= rate <= 96000:
                raise SpeechFailed(f"the recording has {rate} samples a second: 4,000 to 96,000 are read")
            if length > LONGEST_S * rate:
                raise SpeechFailed(f"the recording is longer than {LONGEST_S // 60} minutes")
            return Sound(np.concatenate([np.zeros(0, np.float32), *_blocks(file)]), rate)
    except (wave.Error, EOFError) as error:
        raise SpeechFailed(f"the recording is no WAV file with PCM: {error}") from error


def _blocks(file: wave.Wave_read) -> Iterator[NDArray[np.float32]]:
    """Few at a time: ten minutes of studio sound have a hundred megabytes."""
    channels, width = file.getnchannels(), file.getsampwidth()
    while pcm := file.readframes(_BLOCK_S * file.getframerate()):
        whole = pcm[: len(pcm) // (channels * width) * channels * width]
        yield _numbers(whole, width).reshape(-1, channels).mean(axis=1, dtype=np.float32)


def _numbers(pcm: bytes, width: int) -> NDArray[np.float32]:
    """Little-endian PCM of `width` bytes as -1…1; that of one byte is unsigned (RFC 2361, WAVE_FORMAT_PCM)."""
    octets = np.frombuffer(pcm, np.uint8).reshape(-1, width)
    if width == 1:
        return (octets[:, 0].astype(np.float32) - np.float32(128)) / np.float32(128)
    high = np.zeros((len(octets), 4), np.uint8)
    high[:, 4 - width :] = octets
    return high.view("<i4")[:, 0].astype(np.float32) / np.float32(1 << 31)
