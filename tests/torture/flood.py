"""Hundreds of keys a second out of a phone: RFC 4733 without ends, with ends alone, repeated, of absurd length and of
keys that no telephone has, and SIP INFO beside it. Used by test_dtmf_floods.py.
"""

import asyncio
import contextlib
import random
import struct
import time

from engine.softphone.call import Call

PACKETS_EACH = 6            # every 20 ms: 300 packets, a hundred and more keys a second
LENGTHS = (0, 1, 160, 800, 65_535)


async def floods(call: Call, rng: random.Random, seconds: float, keys: tuple[int, ...] = tuple(range(16))) -> int:
    """Until then, or until the call ends. `keys` by their RFC 4733 events. Returns how many packets and INFOs left."""
    stream, until, sent, lag = call._stream, time.monotonic() + seconds, 0, 0
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(informs(call, rng, until, keys))
        while time.monotonic() < until and call.talking and stream.event_type is not None:
            for _ in range(PACKETS_EACH):
                event = rng.choice(keys) if rng.random() < 0.9 else rng.randrange(16, 256)
                end = 0x80 if rng.random() < 0.5 else 0
                payload = struct.pack("!BBH", event, end | 10, rng.choice(LENGTHS))
                lag = rng.randrange(1 << 20)       # each is a key of its own, unless it is repeated
                for _ in range(rng.choice((1, 1, 3))):
                    stream._send(stream.event_type, payload, marker=rng.random() < 0.5, lag=lag)
                    sent += 1
            await asyncio.sleep(0.02)
    return sent


async def informs(call: Call, rng: random.Random, until: float, keys: tuple[int, ...]) -> None:
    names = "0123456789*#ABCD"
    while time.monotonic() < until and call.talking:
        signal = rng.choice((names[rng.choice(keys)], names[rng.choice(keys)], "99999", "${X}", "", "\x07"))
        body = f"Signal={signal}\r\nDuration={rng.choice((0, 100, 4_294_967_296, -1))}\r\n"
        with contextlib.suppress(TimeoutError):
            await call.asks("INFO", {"Content-Type": "application/dtmf-relay"}, body, timeout_s=1)
        await asyncio.sleep(0.02)
