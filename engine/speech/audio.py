"""Speech for telephones: read from a voice, shaped, and written as A-law.

Used by every voice and by the scripts in sounds/. What leaves `shape` begins at once (≤ 20 ms of silence), ends soon
and is as loud as every other prompt.
"""

import io
import wave

import numpy as np
from numpy.typing import NDArray

from engine.ports import SpeechFailed
from engine.sound.samples import Samples, Sound, from_pcm, to_int16

RMS_DBFS = -20.0
PEAK_DBFS = -3.0
LEAD_S = 0.010
TAIL_S = 0.150
_FRAME_S = 0.005
_SILENCE_DB = -42.0       # below the loudest frame: room for soft consonants, none for a voice's own noise


def from_wav(data: bytes) -> Sound:
    """Read 16-bit PCM WAV, also a streamed one whose header does not know its length. Raises SpeechFailed."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            pcm = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise SpeechFailed(f"the voice did not answer with a PCM WAV file: {error}") from error
    if width != 2 or not 4000 <= rate <= 96000:
        raise SpeechFailed(f"the voice answered with {8 * width} bits at {rate} Hz; 16 bits are needed")
    samples = from_pcm(pcm, rate).samples
    whole = len(samples) // channels * channels
    return Sound(samples[:whole].reshape(-1, channels).mean(axis=1), rate)


def shape(sound: Sound) -> Sound:
    """Trim the silence around the words, then set the level. Raises SpeechFailed when nothing is to be heard."""
    samples, rate = sound.samples - (sound.samples.mean() if len(sound.samples) else 0), sound.rate
    loud = _loud_frames(samples, rate)
    if not len(loud):
        raise SpeechFailed("the voice said nothing")
    frame = int(rate * _FRAME_S)
    start = max(0, loud[0] * frame - int(LEAD_S * rate))
    end = min(len(samples), (loud[-1] + 1) * frame + int(TAIL_S * rate))
    samples = samples[start:end].copy()
    lead, tail = int(LEAD_S * rate) // 2, int(TAIL_S * rate) // 2
    samples[:lead] *= np.linspace(0, 1, lead)
    samples[-tail:] *= np.linspace(1, 0, tail)
    return Sound(level(samples, rate), rate)


def level(samples: Samples, rate: int, rms_dbfs: float = RMS_DBFS) -> Samples:
    """Bring the words (not the pauses) to `rms_dbfs`; the few peaks that would pass PEAK_DBFS are bent, not cut."""
    out = samples * (10 ** (rms_dbfs / 20) / speech_rms(samples, rate))
    ceiling, knee = 10 ** (PEAK_DBFS / 20), 10 ** ((PEAK_DBFS - 5) / 20)
    over = np.abs(out) > knee
    bent = knee + (ceiling - knee) * np.tanh((np.abs(out[over]) - knee) / (ceiling - knee))
    out[over] = np.sign(out[over]) * bent
    return out


def speech_rms(samples: Samples, rate: int) -> float:
    """The RMS of those frames that hold words."""
    frame = int(rate * _FRAME_S)
    loud = _loud_frames(samples, rate, -30.0)
    return float(np.sqrt(np.mean(samples[: len(samples) // frame * frame].reshape(-1, frame)[loud] ** 2)))


def lead_s(sound: Sound) -> float:
    """Seconds of silence before the first word."""
    loud = _loud_frames(sound.samples, sound.rate)
    return float(loud[0] * _FRAME_S) if len(loud) else len(sound.samples) / sound.rate


def to_alaw(samples: Samples) -> bytes:
    """G.711 A-law (ITU-T G.711 table 1a), even bits inverted, as Asterisk's .alaw files hold it."""
    pcm = to_int16(samples).astype(np.int32) >> 3
    negative = pcm < 0
    magnitude = np.where(negative, -pcm - 1, pcm)
    segment = np.searchsorted(np.array([0x1F, 0x3F, 0x7F, 0xFF, 0x1FF, 0x3FF, 0x7FF]), magnitude)
    mantissa = (magnitude >> np.maximum(segment, 1)) & 0x0F
    code = (segment << 4) | mantissa
    return (code ^ np.where(negative, 0x55, 0xD5)).astype(np.uint8).tobytes()


def _loud_frames(samples: Samples, rate: int, below_db: float = _SILENCE_DB) -> NDArray[np.int64]:
    frame = int(rate * _FRAME_S)
    energy = np.mean(samples[: len(samples) // frame * frame].reshape(-1, frame) ** 2, axis=1)
    if not len(energy) or energy.max() < 1e-8:      # -80 dBFS: nothing at all
        return np.array([], dtype=np.int64)
    return np.flatnonzero(energy > energy.max() * 10 ** (below_db / 10))
