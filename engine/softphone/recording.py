"""Everything one call received as RTP, packet by packet with its time of arrival."""

import bisect
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from engine.softphone.g711 import BY_PAYLOAD_TYPE, FRAME, RATE, Samples

_JUMP_S = 0.1  # timestamps that run ahead of the clock by more than this belong to another source


class Packet(NamedTuple):
    at: float  # monotonic seconds
    ssrc: int
    timestamp: int
    payload_type: int
    payload: bytes

    @property
    def samples(self) -> Samples:
        return BY_PAYLOAD_TYPE[self.payload_type].decode(self.payload)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a recording, and when each sample of it arrived."""

    samples: Samples
    _starts: list[int]
    _arrivals: list[float]

    def arrived_at(self, offset_s: float) -> float:
        """When the packet came that holds this place, monotonic seconds."""
        packet = bisect.bisect_right(self._starts, round(offset_s * RATE)) - 1
        return self._arrivals[max(0, packet)]


@dataclass(slots=True)
class Recording:
    packets: list[Packet] = field(default_factory=list)  # audio only
    sound_s: float = 0.0  # how much of it was audible
    first_sound_at: float | None = None

    def add(self, packet: Packet) -> bool:
        """Keep an audio packet; True if it is audible."""
        self.packets.append(packet)
        loud = packet.payload.translate(BY_PAYLOAD_TYPE[packet.payload_type].loud).count(1)
        audible = loud > len(packet.payload) // 8
        if audible:
            self.sound_s += len(packet.payload) / RATE
            self.first_sound_at = self.first_sound_at or packet.at
        return audible

    @property
    def started_at(self) -> float | None:
        return self.packets[0].at if self.packets else None

    def pcm(self, from_at: float | None = None, to_at: float | None = None) -> Samples:
        """What was heard between two monotonic times (default: all), pauses in the stream filled with silence."""
        return self.stretch(from_at, to_at).samples

    def stretch(self, from_at: float | None = None, to_at: float | None = None) -> "Stretch":
        pieces: list[Samples] = []
        starts: list[int] = []
        arrivals: list[float] = []
        position = 0
        last: Packet | None = None
        for packet in self.packets:
            if (from_at is not None and packet.at < from_at) or (to_at is not None and packet.at > to_at):
                continue
            missing = self._missing(last, packet) if last else 0
            if missing:
                pieces.append(np.zeros(missing, dtype=np.int16))
            starts.append(position + missing)
            arrivals.append(packet.at)
            pieces.append(packet.samples)
            position += missing + len(packet.payload)
            last = packet
        return Stretch(np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int16), starts, arrivals)

    @property
    def longest_gap_s(self) -> float:
        """The longest time between two packets."""
        arrivals = np.array([packet.at for packet in self.packets])
        return float(np.diff(arrivals).max()) if arrivals.size > 1 else 0.0

    @staticmethod
    def _missing(last: Packet, packet: Packet) -> int:
        """Samples of silence between two packets: by timestamp, unless that claims more time than has passed.

        Packets that come late and then all at once (a process stood still) have no silence between them.
        """
        by_arrival = round((packet.at - last.at) * RATE) - len(last.payload)
        if packet.ssrc == last.ssrc:
            by_timestamp = ((packet.timestamp - last.timestamp) & 0xFFFFFFFF) - len(last.payload)
            if by_timestamp < by_arrival + _JUMP_S * RATE:
                return max(0, by_timestamp)
        return by_arrival // FRAME * FRAME if by_arrival > _JUMP_S * RATE else 0
