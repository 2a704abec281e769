"""The audio of one call of tests/contract/sip_peer.py: PCMU and RFC 4733 keys over UDP, counted as it comes."""

import asyncio
import random
import struct
import time
from collections.abc import Callable
from typing import Any

ULAW_SILENCE = b"\xff" * 160
_KEYS = "0123456789*#"


class Rtp(asyncio.DatagramProtocol):
    """One RTP stream: counts what it receives, sends silence and keys. `sounds`: the levels heard, one after the other
    (a sound of one level throughout is a test's own, see `write_prompts`); `on_sound` is called when one begins."""

    def __init__(self) -> None:
        self.sounds: list[int] = []
        self.on_sound: Callable[[int], None] | None = None
        self.received: list[float] = []
        self.heard = asyncio.Event()
        self.payloads: list[bytes] = []
        self.events: list[int] = []
        self.far: tuple[str, int] | None = None
        self.ssrc = random.getrandbits(32)
        self.seq = random.getrandbits(15)
        self.stamp = random.getrandbits(31)
        self.fill = ULAW_SILENCE
        self._pressing = False
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if len(data) < 12 or data[0] >> 6 != 2:
            return
        kind = data[1] & 0x7F
        if kind == 101:
            self.events.append(data[12])
        elif kind == 0:
            self.received.append(time.monotonic())
            self.heard.set()
            self.payloads.append(data[12:])
            del self.payloads[:-50]
            self._level(data[12:])

    def _level(self, payload: bytes) -> None:
        level = payload[0]
        if payload.count(level) < len(payload) or level == ULAW_SILENCE[0] or self.sounds[-1:] == [level]:
            return
        self.sounds.append(level)
        if self.on_sound:
            self.on_sound(level)

    @property
    def port(self) -> int:
        assert self.transport
        return int(self.transport.get_extra_info("sockname")[1])

    def send(self, kind: int, payload: bytes, marker: bool = False) -> None:
        if self.far is None or self.transport is None or self.transport.is_closing():
            return
        self.seq = (self.seq + 1) & 0xFFFF
        head = struct.pack("!BBHII", 0x80, kind | (0x80 if marker else 0), self.seq, self.stamp & 0xFFFFFFFF, self.ssrc)
        self.transport.sendto(head + payload, self.far)

    async def stream(self) -> None:
        """Silence in the pace of speech, but for the time a key is pressed."""
        due = time.monotonic()
        while True:
            if not self._pressing:
                self.stamp += 160
                self.send(0, self.fill)
            due += 0.02
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def press(self, key: str, length_ms: int = 100) -> None:
        """One key by RFC 4733: begin, 20 ms updates, three ends."""
        self._pressing = True
        try:
            self.stamp += 160
            code = _KEYS.index(key)
            for i in range(1, length_ms // 20 + 1):
                self.send(101, struct.pack("!BBH", code, 10, i * 160), marker=i == 1)
                await asyncio.sleep(0.02)
            for _ in range(3):
                self.send(101, struct.pack("!BBH", code, 0x80 | 10, length_ms * 8))
            self.stamp += length_ms * 8
        finally:
            self._pressing = False
