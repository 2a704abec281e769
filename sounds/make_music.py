"""Compose the hold music: `python sounds/make_music.py`. The result, music/hold.wav, is committed. It is ours.

48 seconds that join their own beginning without a seam: every note's end wraps round to the start. Soft plucked
chords over a quiet pad, all of it within the telephone's 300–3,400 Hz, without drums, sudden notes or silence, at
-24 dBFS, 4 dB below the prompts.
"""

import sys
from pathlib import Path

import numpy as np

from engine.sound.samples import Samples, Sound, to_wav

RATE = 8000
BAR_S = 4.0
LEVEL_DBFS = -24.0
MUSIC = Path(__file__).resolve().parent / "music" / "hold.wav"

# One bar a line: four pad notes, then the order in which the plucked notes (indices into an octave above) come.
# MIDI numbers; 62 is D4 at 294 Hz.
BARS = [
    ((65, 69, 72, 76), (0, 2, 3, 1, 2, 3)),     # F maj7
    ((64, 67, 72, 76), (0, 1, 3, 2, 1, 2)),     # C/E
    ((62, 65, 69, 72), (0, 2, 3, 1, 3, 2)),     # D m7
    ((62, 65, 70, 74), (0, 1, 2, 3, 2, 1)),     # B♭/D
    ((65, 69, 72, 76), (3, 2, 0, 1, 2, 3)),
    ((64, 67, 72, 74), (0, 1, 2, 3, 1, 2)),     # C add9/E
    ((65, 70, 74, 77), (0, 2, 1, 3, 2, 1)),     # B♭/F
    ((65, 69, 72, 77), (3, 2, 1, 0, 1, 2)),     # F
    ((62, 67, 70, 74), (0, 1, 2, 3, 2, 1)),     # G m/D
    ((64, 69, 72, 76), (0, 2, 3, 2, 1, 2)),     # A m/E
    ((65, 70, 74, 77), (3, 1, 2, 0, 1, 2)),     # B♭/F
    ((64, 67, 72, 77), (0, 3, 2, 1, 2, 1)),     # C sus4/E
]
PLUCKS_S = (0.0, 0.75, 1.5, 2.0, 2.75, 3.5)


def pitch_hz(note: int) -> float:
    return float(440 * 2 ** ((note - 69) / 12))


def pad(note: int) -> Samples:
    """A slow swell over a bar and a half, three partials, two voices a little apart."""
    t = np.arange(int(1.5 * BAR_S * RATE)) / RATE
    swell = np.sin(np.pi * t / t[-1]) ** 2
    voices = [np.sin(2 * np.pi * pitch_hz(note) * detune * k * t) / k**2.2
              for detune in (0.9985, 1.0015) for k in (1, 2, 3)]
    return np.asarray(swell * np.sum(voices, axis=0))


def pluck(note: int, strength: float) -> Samples:
    """Soft mallet: the higher the partial the sooner it is gone."""
    t = np.arange(int(2.5 * RATE)) / RATE
    partials = [np.sin(2 * np.pi * pitch_hz(note) * k * t) * np.exp(-t * (1.6 + 1.4 * k)) / k**1.8
                for k in (1, 2, 3, 4) if pitch_hz(note) * k < 3400]
    attack = np.minimum(t / 0.02, 1)
    return np.asarray(strength * attack * np.minimum((t[-1] - t) / 0.1, 1) * np.sum(partials, axis=0))


def compose() -> Samples:
    track = np.zeros(int(len(BARS) * BAR_S * RATE))

    def add(at_s: float, sound: Samples) -> None:
        places = (int(at_s * RATE) + np.arange(len(sound))) % len(track)
        np.add.at(track, places, sound)

    for number, (chord, order) in enumerate(BARS):
        for note in chord:
            add(number * BAR_S - 0.25 * BAR_S, 0.16 * pad(note))
        for beat, index in enumerate(order):
            strength = 0.5 if beat == 0 else 0.36
            add(number * BAR_S + PLUCKS_S[beat], pluck(chord[index] + 12, strength))
    rms = float(np.sqrt(np.mean(track**2)))
    return np.asarray(track * 10 ** (LEVEL_DBFS / 20) / rms)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else MUSIC
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(to_wav(Sound(compose(), RATE)))
