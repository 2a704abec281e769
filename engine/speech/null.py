"""A voice for tests: a short tone whose pitch and length come from the text. Needs nothing, says nothing."""

import hashlib

import numpy as np

from engine.sound.samples import Sound
from engine.speech.voice import Spoken, plain

RATE = 16000


class Null:
    name = "null"
    parallel = 4
    version = "1"

    async def start(self) -> None: ...

    async def speak(self, text: Spoken, language: str) -> Sound:
        digest = hashlib.sha256(f"{language}\0{plain(text)}".encode()).digest()
        pitch_hz, length_s = 400 + 4 * digest[0], 0.3 + digest[1] / 1000
        return Sound(0.3 * np.sin(2 * np.pi * pitch_hz * np.arange(int(length_s * RATE)) / RATE), RATE)

    async def stop(self) -> None: ...
