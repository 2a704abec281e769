"""Sound as numbers: reading, shaping and writing speech for telephones.

Used by every voice and by the scripts in sounds/. Samples are float64 mono in -1…1; PCM is 16-bit little-endian.
What leaves `shape` begins at once (≤ 20 ms of silence), ends soon and is as loud as every other prompt.
"""

import io
import wave
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.ports import SpeechFailed

Samples = NDArray[np.float64]

RMS_DBFS = -20.0
PEAK_DBFS = -3.0
LEAD_S = 0.010
TAIL_S = 0.150
_FRAME_S = 0.005
_BLOCK_S = 20              # what is resampled at once: ten minutes of studio sound would take a gigabyte
_SILENCE_DB = -42.0       # below the loudest frame: room for soft consonants, none for a voice's own noise


@dataclass(frozen=True, slots=True)
class Sound:
    """What a voice spoke: samples at `rate` Hz."""

    samples: Samples
    rate: int


def from_pcm(pcm: bytes, rate: int) -> Sound:
    return Sound(np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float64) / 32768, rate)


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


def resample(sound: Sound, rate: int) -> Sound:
    """To another rate through a low-pass that is flat to 90 % of the new band and silent at its end."""
    if rate == sound.rate or not len(sound.samples):
        return Sound(sound.samples, rate)
    step = sound.rate // int(np.gcd(sound.rate, rate))
    pad = step * -(-sound.rate // 20 // step)       # a whole number of samples at both rates
    block = step * (_BLOCK_S * sound.rate // step)
    out = np.concatenate([
        _resampled(sound, rate, start, min(start + block, len(sound.samples)), pad, step)
        for start in range(0, len(sound.samples), block)
    ])
    return Sound(out[: round(len(sound.samples) * rate / sound.rate)], rate)


def _resampled(sound: Sound, rate: int, start: int, end: int, pad: int, step: int) -> Samples:
    """One block of it, filtered with `pad` samples of what is before and after."""
    samples = sound.samples[max(0, start - pad) : end + pad]
    before, after = max(0, pad - start), max(0, end + pad - len(sound.samples))
    padded = np.concatenate([np.zeros(before), samples, np.zeros(after)])
    padded = np.concatenate([padded, np.zeros(step * _smooth(-(-len(padded) // step)) - len(padded))])
    size = len(padded) * rate // sound.rate
    edge = min(rate, sound.rate) / 2
    bins = np.fft.rfftfreq(len(padded), 1 / sound.rate)
    slope = np.clip((edge - bins) / (0.1 * edge), 0, 1)
    spectrum = np.fft.rfft(padded) * (0.5 - 0.5 * np.cos(np.pi * slope))
    out = np.fft.irfft(spectrum[: size // 2 + 1], size) * rate / sound.rate
    skip, length = pad * rate // sound.rate, -(-(end - start) * rate // sound.rate)
    return np.asarray(out[skip : skip + length])


def _smooth(at_least: int) -> int:
    """The next number without prime factors over 5: transforms of other lengths take up to five times as long."""
    odd = [3**n * 5**m for n in range(18) for m in range(12) if 3**n * 5**m < 2 * at_least]
    return int(min(one << (-(-at_least // one) - 1).bit_length() for one in odd))


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


def to_wav(sound: Sound) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sound.rate)
        file.writeframes(_to_int16(sound.samples).astype("<i2").tobytes())
    return out.getvalue()


def to_alaw(samples: Samples) -> bytes:
    """G.711 A-law (ITU-T G.711 table 1a), even bits inverted, as Asterisk's .alaw files hold it."""
    pcm = _to_int16(samples).astype(np.int32) >> 3
    negative = pcm < 0
    magnitude = np.where(negative, -pcm - 1, pcm)
    segment = np.searchsorted(np.array([0x1F, 0x3F, 0x7F, 0xFF, 0x1FF, 0x3FF, 0x7FF]), magnitude)
    mantissa = (magnitude >> np.maximum(segment, 1)) & 0x0F
    code = (segment << 4) | mantissa
    return (code ^ np.where(negative, 0x55, 0xD5)).astype(np.uint8).tobytes()


def _to_int16(samples: Samples) -> NDArray[np.int16]:
    return np.clip(np.round(samples * 32767), -32768, 32767).astype(np.int16)


def _loud_frames(samples: Samples, rate: int, below_db: float = _SILENCE_DB) -> NDArray[np.int64]:
    frame = int(rate * _FRAME_S)
    energy = np.mean(samples[: len(samples) // frame * frame].reshape(-1, frame) ** 2, axis=1)
    if not len(energy) or energy.max() < 1e-8:      # -80 dBFS: nothing at all
        return np.array([], dtype=np.int64)
    return np.flatnonzero(energy > energy.max() * 10 ** (below_db / 10))
