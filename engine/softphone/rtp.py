"""The audio of one call: sends a packet every 20 ms and keeps what comes.

Packets leave on an absolute grid of timers (no task, no drift): twenty phones cost about a tenth of a core. aiortp's
session is not used (a jitter buffer and two tasks a call, and it hides arrival times); its packets and events are.
"""

import asyncio
import contextlib
import os
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple, cast

from aiortp.dtmf import DTMF_EVENTS, DtmfEvent
from aiortp.packet import RtpPacket, is_rtcp

from engine.softphone import audio
from engine.softphone.g711 import BY_PAYLOAD_TYPE, FRAME, PCMA, Codec, Samples
from engine.softphone.recording import Packet, Recording

TICK_S = 0.02
_HEADER = struct.Struct("!BBHLL")
_KEY_PAUSE = 4  # ticks between two keys
_END_REPEATS = 3  # RFC 4733 section 2.5.1.4: the end packet is sent three times

Address = tuple[str, int]


class Frame(NamedTuple):
    """20 ms in which a key is sent instead of the audio."""

    payload: bytes  # empty: the audio after all
    lag: int | None = None  # of a telephone event: samples since the key's begin; None: it is audio
    last_of: str = ""  # the key that ends with this frame


_NO_KEY = Frame(b"")


class RtpStream:
    """One socket, both directions. `on_audio` gets each packet and whether it is audible, `on_key` each key heard,
    `on_pressed` each key of ours when its end has left.
    """

    def __init__(
        self, host: str, on_audio: Callable[[Packet, bool], None], on_key: Callable[[str], None],
        on_pressed: Callable[[str], None],
    ) -> None:
        self.recording = Recording()
        self.remote: Address | None = None
        self.codec: Codec = PCMA
        self.event_type: int | None = None  # payload type of RFC 4733, None: keys are sent as tones
        self.sent = 0
        self._on_audio, self._on_key, self._on_pressed = on_audio, on_key, on_pressed
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._playing: Samples | None = None
        self._looping = False
        self._encoded = b""
        self._position = 0
        self._frames: deque[Frame] = deque()  # keys to send, in place of the audio
        self._last_event: int | None = None
        self._sequence = int.from_bytes(os.urandom(2))
        self._timestamp = int.from_bytes(os.urandom(4))
        self._ssrc = int.from_bytes(os.urandom(4))
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind((host, 0))
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket.fileno(), self._readable)

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def play(self, samples: Samples | None, loop: bool = False) -> None:
        """Send these samples from the next packet on, once or for ever; None is silence."""
        self._playing, self._looping, self._position = samples, loop, 0
        self._encoded = b"" if samples is None else self.codec.encode(samples)

    def start(self, codec: Codec, event_type: int | None, remote: Address) -> None:
        """Send from now on (or go on with other parameters, after a re-INVITE)."""
        self.remote, self.event_type = remote, event_type
        if codec is not self.codec:
            self.codec = codec
            self._encoded = b"" if self._playing is None else codec.encode(self._playing)
        if self._timer is None and not self._closed:
            self._due = self._loop.time()
            self._tick()

    def press(self, keys: str, seconds: float = 0.1) -> None:
        """Send keys one after the other, as telephone events where the other side takes them, else as tones."""
        ticks = max(2, round(seconds / TICK_S))
        for key in keys:
            self._frames.extend(self._events(key, ticks) if self.event_type is not None else self._tones(key, ticks))

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._closed:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    @property
    def _closed(self) -> bool:
        return self._socket.fileno() < 0

    # sending

    def _tick(self) -> None:
        self._send_frame()
        self._due += TICK_S
        if self._loop.time() - self._due > 0.5:  # the process stood still: do not send what is long past
            self._due = self._loop.time()
        self._timer = self._loop.call_at(self._due, self._tick)

    def _send_frame(self) -> None:
        sound = self._next_audio()  # goes on under the keys, as time does
        frame = self._frames.popleft() if self._frames else _NO_KEY
        if frame.lag is None:
            self._send(self.codec.payload_type, frame.payload or sound)
        else:
            self._send_event(frame.payload, frame.lag)
        if frame.last_of:
            self._on_pressed(frame.last_of)
        self._timestamp = (self._timestamp + FRAME) & 0xFFFFFFFF

    def _next_audio(self) -> bytes:
        if self._position >= len(self._encoded):
            if not (self._looping and self._encoded):
                return self.codec.silence
            self._position %= len(self._encoded)
        frame = self._encoded[self._position : self._position + FRAME]
        self._position += FRAME
        if len(frame) < FRAME:
            filler = self._encoded if self._looping else self.codec.silence
            frame += (filler * (FRAME // len(filler) + 1))[: FRAME - len(frame)]
        return frame

    def _send_event(self, payload: bytes, lag: int) -> None:
        """All packets of one key carry the timestamp of its begin; the first has the marker."""
        repeats = _END_REPEATS if payload[1] & 0x80 else 1
        for _ in range(repeats):
            self._send(cast(int, self.event_type), payload, marker=lag == 0, lag=lag)

    def _send(self, payload_type: int, payload: bytes, marker: bool = False, lag: int = 0) -> None:
        if self.remote is None:
            return
        timestamp = (self._timestamp - lag) & 0xFFFFFFFF
        kind = payload_type | 0x80 if marker or self.sent == 0 else payload_type
        header = _HEADER.pack(0x80, kind, self._sequence, timestamp, self._ssrc)
        with contextlib.suppress(OSError):  # a full buffer is a lost packet, as on any network
            self._socket.sendto(header + payload, self.remote)
        self._sequence = (self._sequence + 1) & 0xFFFF
        self.sent += 1

    def _events(self, key: str, ticks: int) -> Iterator[Frame]:
        for tick in range(ticks):
            end = tick == ticks - 1
            event = DtmfEvent(DTMF_EVENTS[key], end=end, volume=10, duration=(tick + 1) * FRAME)
            yield Frame(event.serialize(), tick * FRAME, key if end else "")
        yield from [_NO_KEY] * _KEY_PAUSE

    def _tones(self, key: str, ticks: int) -> Iterator[Frame]:
        encoded = self.codec.encode(audio.dtmf(key, ticks * TICK_S))
        for tick in range(ticks):
            payload = encoded[tick * FRAME : (tick + 1) * FRAME]
            yield Frame(payload, last_of=key if tick == ticks - 1 else "")
        yield from [_NO_KEY] * _KEY_PAUSE

    # receiving

    def _readable(self) -> None:
        now = self._loop.time()
        while not self._closed:
            try:
                data, sender = self._socket.recvfrom(2048)
            except OSError:  # nothing more to read
                return
            self._received(data, sender, now)

    def _received(self, data: bytes, sender: Address, now: float) -> None:
        if self.remote is not None and sender != self.remote:
            return  # a late packet of another call that had this port before us, or RTCP of a neighbour
        try:
            packet = RtpPacket.parse(data)
        except ValueError:
            return
        if packet.payload_type in BY_PAYLOAD_TYPE:
            kept = Packet(now, packet.ssrc, packet.timestamp, packet.payload_type, packet.payload)
            self._on_audio(kept, self.recording.add(kept))
        elif not is_rtcp(data) and len(packet.payload) == 4 and packet.timestamp != self._last_event:
            event = DtmfEvent.parse(packet.payload)
            if event.end:
                self._last_event = packet.timestamp
                self._on_key(event.digit)
