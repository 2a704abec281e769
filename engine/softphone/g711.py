"""G.711 by table lookup: linear 16-bit samples to A-law or µ-law bytes and back (ITU-T G.711).

Written here because aiortp's A-law tables have the sign bit turned round: its audio is heard well, but it is
the negative of what was sent, and mixes of it with other audio are wrong.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
RATE = 8000
FRAME = 160  # samples in 20 ms
_LOUD = 300  # about -41 dBFS: above line noise and A-law's idle steps, below quiet speech


@dataclass(frozen=True, slots=True)
class Codec:
    """One law. `loud` maps each byte to 1 where its sample is clearly audible: a packet's activity is a count."""

    name: str
    payload_type: int
    encoding: NDArray[np.uint8]
    decoding: Samples
    loud: bytes

    def encode(self, samples: Samples) -> bytes:
        return self.encoding.take(samples.view(np.uint16)).tobytes()

    def decode(self, payload: bytes) -> Samples:
        return self.decoding.take(np.frombuffer(payload, dtype=np.uint8))

    @property
    def silence(self) -> bytes:
        return bytes([int(self.encoding[0])]) * FRAME


def _alaw_decoding() -> NDArray[np.int32]:
    byte = np.arange(256, dtype=np.int32) ^ 0x55
    exponent, mantissa = (byte >> 4) & 7, byte & 15
    magnitude = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(byte & 0x80, magnitude, -magnitude)  # the sign bit set is positive


def _ulaw_decoding() -> NDArray[np.int32]:
    byte = ~np.arange(256, dtype=np.int32) & 0xFF
    magnitude = ((((byte & 15) << 3) + 0x84) << ((byte >> 4) & 7)) - 0x84
    return np.where(byte & 0x80, -magnitude, magnitude)


def _codec(name: str, payload_type: int, decoding: NDArray[np.int32]) -> Codec:
    """The encoder is the decoder's nearest neighbour, which is what the segments of G.711 amount to."""
    order = np.argsort(decoding, kind="stable")
    values = decoding[order]
    linear = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    upper = np.clip(np.searchsorted(values, linear, side="right"), 1, 255)
    nearest = np.where(linear - values[upper - 1] < values[upper] - linear, upper - 1, upper)
    loud = bytes((np.abs(decoding) > _LOUD).astype(np.uint8))
    return Codec(name, payload_type, order[nearest].astype(np.uint8), decoding.astype(np.int16), loud)


PCMU = _codec("PCMU", 0, _ulaw_decoding())
PCMA = _codec("PCMA", 8, _alaw_decoding())
BY_NAME = {codec.name: codec for codec in (PCMA, PCMU)}
BY_PAYLOAD_TYPE = {codec.payload_type: codec for codec in (PCMA, PCMU)}
