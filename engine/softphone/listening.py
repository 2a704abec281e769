"""Judging what was heard: is this sound in it, when, how long was it silent, which tone is it.

Every correlation is normalised and absolute, so that neither loudness nor polarity counts: 1.0 is the same sound.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.softphone.audio import read_wav
from engine.softphone.g711 import FRAME, RATE, Samples

_DISTURBED = 4  # frames in a row
_CLIPPED_S = 0.1
_FLOOR = 60.0  # RMS; a stretch of recording quieter than this cannot match anything


@dataclass(frozen=True, slots=True)
class Match:
    """The best place of a reference in a recording: `value` in [0, 1], and where it begins there."""

    value: float
    offset_s: float


def find(reference: Samples, recording: Samples, from_s: float = 0.0, to_s: float | None = None) -> Match:
    """The lag at which `reference` fits best, beginning between `from_s` and `to_s` of the recording.

    The recording may end (or be cut) within the reference; what lies beyond it counts as silence.
    """
    first = round(from_s * RATE)
    lags = (recording.size if to_s is None else min(recording.size, round(to_s * RATE))) - first
    if lags <= 0 or reference.size == 0:
        return Match(0.0, from_s)
    heard = np.zeros(lags + reference.size)
    part = recording[first : first + heard.size]
    heard[: part.size] = part
    wanted = reference.astype(np.float64)
    size = 1 << (heard.size + wanted.size - 1).bit_length()
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(wanted, size)), size)[:lags]
    energy = np.concatenate(([0.0], np.cumsum(heard * heard)))
    window = energy[wanted.size : wanted.size + lags] - energy[:lags]
    floor = wanted.size * _FLOOR**2
    values = np.abs(product) / np.sqrt(np.maximum(window, floor) * max(float(wanted @ wanted), 1.0))
    best = int(np.argmax(values))
    return Match(min(1.0, float(values[best])), from_s + best / RATE)


def correlation(reference: Samples, recording: Samples, from_s: float = 0.0, to_s: float | None = None) -> float:
    """How much of `reference` is in the recording, in [0, 1], wherever it begins."""
    return find(reference, recording, from_s, to_s).value


def hears(recording: Samples, prompt: Path | Samples, length_s: float = 3.0, at_least: float = 0.6) -> Match | None:
    """Where the first `length_s` of a prompt (a WAV file, or samples) were heard; None if they were not.

    A little may be missing at its beginning (then `offset_s` is negative): early media often lacks its first packet.
    """
    reference = read_wav(prompt) if isinstance(prompt, Path) else prompt
    early = np.zeros(round(_CLIPPED_S * RATE), dtype=np.int16)
    match = find(reference[: round(length_s * RATE)], np.concatenate([early, recording]))
    return Match(match.value, match.offset_s - _CLIPPED_S) if match.value >= at_least else None


def onset_s(looped: Samples, recording: Samples, at_least: float = 0.7) -> float | None:
    """When the first 20 ms of an endlessly repeated sound were heard, in seconds; None if it was not heard at all.

    Finds a stretch where one whole turn of it fits, and follows it back, frame by frame, to the first that fits (a few
    in between may be lost or disturbed).
    """
    match = find(looped, recording)
    if match.value < at_least:
        return None
    start = round(match.offset_s * RATE)
    expected = np.roll(np.tile(looped, start // looped.size + 2), start % looped.size)  # aligned with the recording
    first = start
    while start >= FRAME and first - start < _DISTURBED * FRAME:
        start -= FRAME
        frame = slice(start, start + FRAME)
        if find(expected[frame], recording[frame], to_s=1 / RATE).value >= at_least:
            first = start
    return first / RATE


def activity(recording: Samples, threshold: float = 200.0) -> NDArray[np.bool_]:
    """For each 20 ms of the recording: is there a sound (RMS over `threshold`)?"""
    frames = recording[: recording.size // FRAME * FRAME].reshape(-1, FRAME).astype(np.float64)
    return np.asarray(np.sqrt((frames * frames).mean(axis=1)) > threshold)


def first_sound_s(recording: Samples, from_s: float = 0.0) -> float | None:
    """When the first sound begins, in seconds; None if there is none."""
    heard = np.flatnonzero(activity(recording[round(from_s * RATE) :]))
    return from_s + float(heard[0]) * FRAME / RATE if heard.size else None


def longest_silence_s(recording: Samples) -> float:
    """The longest stretch without a sound, in seconds."""
    edges = np.flatnonzero(np.concatenate(([True], activity(recording), [True])))
    return float((np.diff(edges) - 1).max()) * FRAME / RATE if edges.size > 1 else recording.size / RATE


def power(samples: Samples, frequency_hz: float) -> float:
    """The share of the energy at one frequency, in [0, 1] (Goertzel)."""
    signal = samples.astype(np.float64)
    turns = np.exp(-2j * np.pi * frequency_hz / RATE * np.arange(signal.size))
    energy = float(signal @ signal)
    return 0.0 if energy == 0 else min(1.0, 2 * float(abs(signal @ turns)) ** 2 / (signal.size * energy))


def is_tone(samples: Samples, frequency_hz: float, at_least: float = 0.5) -> bool:
    """Does this tone dominate these samples, and is it audible?"""
    loud = samples.size > 0 and float(np.sqrt(np.mean(samples.astype(np.float64) ** 2))) > _FLOOR
    return loud and power(samples, frequency_hz) >= at_least
