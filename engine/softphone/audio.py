"""Sounds a software phone can send: chirps, DTMF tones, silence; and WAV files in and out. All 8 kHz, 16 bit, mono."""

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.softphone.g711 import RATE, Samples

LOW_HZ, HIGH_HZ = 300.0, 3400.0  # what a telephone line passes
DTMF_HZ = {
    key: (row, column)
    for row, keys in ((697, "123A"), (770, "456B"), (852, "789C"), (941, "*0#D"))
    for column, key in zip((1209, 1336, 1477, 1633), keys, strict=True)
}


def chirp(seed: int, seconds: float = 2.0, level: float = 0.35) -> Samples:
    """Short sweeps between random frequencies of the telephone band, another sequence for each seed.

    The same chirp correlates with itself at one lag only, and two seeds hardly at all. `level` is of full scale.
    """
    random = np.random.default_rng(seed)
    length = round(seconds * RATE)
    frequency = np.empty(0)
    while frequency.size < length:
        start, stop = random.uniform(LOW_HZ, HIGH_HZ, 2)
        frequency = np.append(frequency, np.linspace(start, stop, round(random.uniform(0.06, 0.16) * RATE)))
    phase = np.cumsum(frequency[:length]) * (2 * np.pi / RATE)
    return _samples(np.sin(phase) * level)


def tone(*frequencies_hz: float, seconds: float, level: float = 0.3) -> Samples:
    """The sum of sines, each of `level` of full scale, with 2 ms ramps against clicks."""
    time = np.arange(round(seconds * RATE)) / RATE
    mixed = np.sum([np.sin(2 * np.pi * hz * time) for hz in frequencies_hz], axis=0) * level
    ramp = np.minimum(1.0, np.minimum(time, time[::-1]) / 0.002)
    return _samples(mixed * ramp)


def dtmf(key: str, seconds: float = 0.1) -> Samples:
    """A key as its two tones (ITU-T Q.23)."""
    return tone(*DTMF_HZ[key.upper()], seconds=seconds)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), dtype=np.int16)


def write_wav(path: Path, samples: Samples) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())


def read_wav(path: Path) -> Samples:
    """A mono 16-bit WAV of 8 kHz, or of a multiple of it (brought down by averaging)."""
    with wave.open(str(path), "rb") as file:
        factor, rest = divmod(file.getframerate(), RATE)
        if rest or file.getnchannels() != 1 or file.getsampwidth() != 2:
            raise ValueError(f"{path}: need mono 16-bit samples at a multiple of {RATE} Hz")
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    whole = samples[: samples.size // factor * factor].reshape(-1, factor)
    return np.asarray(whole.mean(axis=1).astype(np.int16))


def _samples(signal: NDArray[np.float64]) -> Samples:
    return (np.clip(signal, -1, 1) * 32767).astype(np.int16)
