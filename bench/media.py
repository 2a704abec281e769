"""The audio of very many calls on one UDP port, for `bench/load_phones.py`: hears, answers, presses a key.

Every call is known by the port from which the switch speaks. Packets are taken and sent in batches (recvmmsg(2),
sendmmsg(2)) and judged by numpy, so that three hundred calls cost a small part of a core. What is heard goes back as
our own voice in the same tick; a key is an RFC 4733 event of KEY_TICKS frames. A call's audio counts by packets that
are clearly audible, by sequence numbers that are missing, and by the longest pause between two packets.
"""

import ctypes
import heapq
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.softphone.g711 import FRAME, PCMA

TICK_S = 0.02
KEY_TICKS = 5
END_REPEATS = 3         # RFC 4733 section 2.5.1.4
BATCH = 256
MOST_CALLS = 4096
LONGEST = 256           # bytes kept of a packet
RECEIVE_BUFFER = 1 << 22
DONTWAIT = 0x40
SO_TIMESTAMPNS = 35
AUDIBLE = 40            # loud samples of a packet of 160
_NO_CALL = MOST_CALLS   # a place of the arrays that belongs to nobody
_HEADER = struct.Struct("!BBHLL")
_LOUD = np.frombuffer(PCMA.loud, dtype=np.uint8)
# struct mmsghdr, iovec, cmsghdr of Linux with 64 bits
_MESSAGE = np.dtype({
    "names": ["name", "name_length", "parts", "part_count", "control", "control_length", "flags", "length"],
    "formats": ["u8", "u4", "u8", "u8", "u8", "u8", "i4", "u4"],
    "offsets": [0, 8, 16, 24, 32, 40, 48, 56], "itemsize": 64})
_PART = np.dtype([("base", "u8"), ("length", "u8")])
_STAMP = np.dtype([("length", "u8"), ("level", "i4"), ("type", "i4"), ("seconds", "i8"), ("nanoseconds", "i8")])
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Heard:
    """What one call heard: packets of audio, how many of them were voice, how many never came, the longest pause."""

    packets: int
    audible: int
    lost: int
    longest_gap_s: float


class Media:
    """`open` before a call's first packet, `tick` every few milliseconds, `close` at its end."""

    def __init__(self, host: str) -> None:
        self.host = host
        self._socket, self._rtcp = _pair(host)
        self.port: int = self._socket.getsockname()[1]
        self.stray = 0                      # packets of no call that we know
        self._in, self._out = _Batch(), _Batch()
        self._free = list(range(MOST_CALLS))
        self._remote = [0] * MOST_CALLS
        self._call_at = np.full(1 << 16, _NO_CALL, dtype=np.int64)     # by port
        self._wanted = np.zeros(MOST_CALLS + 1, dtype=np.int64)
        self._packets, self._audible, self._span = (np.zeros(MOST_CALLS + 1, dtype=np.int64) for _ in range(3))
        self._first = np.zeros((MOST_CALLS + 1, 2), dtype=np.int64)    # sequence number and timestamp
        self._last_s, self._gap_s = (np.zeros(MOST_CALLS + 1) for _ in range(2))
        self._keys: list[tuple[float, int, int, int]] = []             # due, call, event, tick

    def shut(self) -> None:
        self._socket.close()
        self._rtcp.close()

    def open(self, port: int, frames: int) -> int:
        """A place for a call that is spoken to from this port. After so many frames `tick` names it."""
        call = self._free.pop()
        self._remote[call] = port
        for figures in (self._packets, self._audible, self._span, self._last_s, self._gap_s):
            figures[call] = 0
        self._wanted[call] = frames
        self._call_at[port] = call
        return call

    def close(self, call: int) -> Heard:
        if self._call_at[self._remote[call]] == call:
            self._call_at[self._remote[call]] = _NO_CALL
        self._free.append(call)
        self._keys = [key for key in self._keys if key[1] != call] if self._keys else []
        heapq.heapify(self._keys)
        packets = int(self._packets[call])
        lost = int(self._span[call]) + 1 - packets if packets else 0
        return Heard(packets, int(self._audible[call]), lost, round(float(self._gap_s[call]), 4))

    def press(self, call: int, event: int, at: float) -> None:
        """Begin a key; its frames leave with the ticks."""
        heapq.heappush(self._keys, (at, call, event, 0))

    def tick(self, now: float) -> Iterator[int]:
        """Take what came; the calls that have now heard all they wait for."""
        while count := self._in.receive(self._socket.fileno()):
            yield from self._hear(count, now)
            if count < BATCH:
                break
        while self._keys and self._keys[0][0] <= now:
            due, call, event, tick = heapq.heappop(self._keys)
            self._send_key(call, event, tick)
            if tick + 1 < KEY_TICKS:
                heapq.heappush(self._keys, (due + TICK_S, call, event, tick + 1))

    def _hear(self, count: int, now: float) -> Iterator[int]:
        raw = self._in.packets[:count]
        names = self._in.names[:count]
        call = self._call_at[(names[:, 2].astype(np.int64) << 8) | names[:, 3]]
        is_audio = (call != _NO_CALL) & ((raw[:, 1] & 0x7F) == PCMA.payload_type) & (
            self._in.messages["length"][:count] == 12 + FRAME)
        self.stray += int(count - is_audio.sum())
        chosen = np.flatnonzero(is_audio)
        if not len(chosen):
            return
        raw, call = raw[chosen], call[chosen]
        sequence = (raw[:, 2].astype(np.int64) << 8) | raw[:, 3]
        self._begin(raw, call, sequence, self._in.came_s[chosen])
        np.maximum.at(self._span, call, (sequence - self._first[call, 0]) & 0xFFFF)
        before = self._packets[call]
        np.add.at(self._packets, call, 1)
        np.add.at(self._audible, call, (_LOUD[raw[:, 12:12 + FRAME]].sum(axis=1) >= AUDIBLE).astype(np.int64))
        self._note_gaps(call, self._in.came_s[chosen])
        self._answer(chosen)
        done = call[(before < self._wanted[call]) & (self._packets[call] >= self._wanted[call])]
        yield from dict.fromkeys(done.tolist())

    def _begin(self, raw: NDArray[np.uint8], call: NDArray[np.int64], sequence: NDArray[np.int64],
               came_s: NDArray[np.float64]) -> None:
        for place in np.flatnonzero(self._packets[call] == 0)[::-1].tolist():   # of two of one call the first counts
            self._first[call[place]] = sequence[place], int.from_bytes(raw[place, 4:8].tobytes())
            self._last_s[call[place]] = came_s[place]

    def _note_gaps(self, call: NDArray[np.int64], came_s: NDArray[np.float64]) -> None:
        """Several packets of one call may have been waiting for us."""
        order = np.argsort(call, kind="stable")
        call, came_s = call[order], came_s[order]
        before_s = self._last_s[call]
        again = np.flatnonzero(call[1:] == call[:-1]) + 1
        before_s[again] = came_s[again - 1]
        np.maximum.at(self._gap_s, call, came_s - before_s)
        self._last_s[call] = came_s

    def _answer(self, chosen: NDArray[np.int64]) -> None:
        """The same voice back, as another source."""
        self._in.packets[chosen, 8:12] ^= 0xFF
        out, count = self._out, len(chosen)
        out.messages["name"][:count] = self._in.messages["name"][chosen]
        out.parts["base"][:count] = self._in.parts["base"][chosen]
        out.parts["length"][:count] = 12 + FRAME
        sent = 0
        while sent < count:
            more = _libc.sendmmsg(self._socket.fileno(), ctypes.c_void_p(out.messages[sent:].ctypes.data),
                                  count - sent, DONTWAIT)
            if more <= 0:
                return      # a full buffer is a lost packet, as on any network
            sent += more

    def _send_key(self, call: int, event: int, tick: int) -> None:
        """The voice's own numbering goes on: what came back was numbered as it came."""
        is_end = tick == KEY_TICKS - 1
        payload = struct.pack("!BBH", event, (0x80 if is_end else 0) | 10, (tick + 1) * FRAME)
        first, stamp = self._first[call].tolist()
        after = int(self._span[call]) + 1
        for repeat in range(END_REPEATS if is_end else 1):
            header = _HEADER.pack(
                0x80, EVENT_TYPE | (0x80 if tick == 0 else 0), (first + after + tick + repeat) & 0xFFFF,
                (stamp + after * FRAME) & 0xFFFFFFFF, OUR_SOURCE)
            self._socket.sendto(header + payload, (self.host, self._remote[call]))


EVENT_TYPE = 101
OUR_SOURCE = 0x52574C50


class _Batch:
    """Packets, their addresses, and the structures by which the kernel finds them."""

    def __init__(self) -> None:
        self.packets = np.zeros((BATCH, LONGEST), dtype=np.uint8)
        self.names = np.zeros((BATCH, 16), dtype=np.uint8)
        self.parts = np.zeros(BATCH, dtype=_PART)
        self.messages = np.zeros(BATCH, dtype=_MESSAGE)
        places = np.arange(BATCH, dtype=np.uint64)
        self.parts["base"] = self.packets.ctypes.data + places * LONGEST
        self.parts["length"] = LONGEST
        self.messages["name"] = self.names.ctypes.data + places * 16
        self.messages["name_length"] = 16
        self.messages["parts"] = self.parts.ctypes.data + places * _PART.itemsize
        self.messages["part_count"] = 1
        self.stamps = np.zeros(BATCH, dtype=_STAMP)
        self.came_s = np.zeros(BATCH)       # when the kernel got each, by the clock of the wall
        self._at: Any = ctypes.c_void_p(self.messages.ctypes.data)

    def receive(self, fd: int) -> int:
        """With SO_TIMESTAMPNS, which the socket has."""
        self.messages["control"] = self.stamps.ctypes.data + np.arange(BATCH, dtype=np.uint64) * _STAMP.itemsize
        self.messages["control_length"] = _STAMP.itemsize
        count = max(0, int(_libc.recvmmsg(fd, self._at, BATCH, DONTWAIT, None)))
        self.came_s[:count] = self.stamps["seconds"][:count] + self.stamps["nanoseconds"][:count] / 1e9
        return count


def _pair(host: str) -> tuple[socket.socket, socket.socket]:
    """RTP on an even port, and the next one, where reports are taken and not read."""
    while True:
        rtp, rtcp = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        rtp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        rtp.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        rtp.bind((host, 0))
        try:
            if rtp.getsockname()[1] % 2 == 0:
                rtcp.bind((host, rtp.getsockname()[1] + 1))
                return rtp, rtcp
        except OSError:
            pass
        rtp.close()
        rtcp.close()
