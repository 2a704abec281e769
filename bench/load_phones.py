"""Very many phones of ours behind a trunk, as a process of its own: the load of the campaign benches.

They answer each INVITE at once, hear the prompt, answer with voice as long as they are spoken to, press a key when all
of it was heard, and wait to be hung up: a phone never ends a call itself. The key is the last digit of the called
number, so that a row that holds another call's key is seen. `bench/media.py` is their audio. Their journal, a line a
finished call, is all that a bench counts by.

Those whose number begins with `rings` only ring, until the call is given up: of them it tells who is ringing, and when
each was called, by when the kernel got the INVITE.

The process takes orders by standard input, a line of JSON each, and answers with a line: `LoadPhones` sends them.
"""

import asyncio
import contextlib
import fcntl
import json
import re
import select
import socket
import struct
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from bench.media import EVENT_TYPE, KEY_TICKS, TICK_S, Media
from engine.runtime.child import command

HOST = "127.0.0.1"
MEDIA_EVERY_S = 0.005
LAST_FRAME_S = TICK_S       # the last packet's sound ends so much after it came
_COPIED = ("via", "from", "to", "call-id", "cseq", "record-route")
_SIOCGSTAMPNS, _TIMESPEC = 0x8907, struct.Struct("@ll")     # socket(7)
_NUMBER = re.compile(r"sip:\+?(\d+)@")
_AUDIO = re.compile(r"^m=audio (\d+) ", re.MULTILINE)


class Journal(NamedTuple):
    """One finished call. Times: monotonic seconds; `pressed_at` 0: no key was pressed; `key`: that one."""

    number: str
    invited_at: float
    ended_at: float
    pressed_at: float
    key: str
    packets: int
    audible: int
    lost: int
    longest_gap_s: float


@dataclass(slots=True)
class _Call:
    number: str
    invited_at: float
    answer: bytes
    place: int      # in Media
    pressed_at: float = 0.0


class Phones:
    """The process. `frames`: packets of the prompt; `presses`: whether a key follows."""

    def __init__(self) -> None:
        self._sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sip.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._sip.bind((HOST, 0))
        self._sip.setblocking(False)
        self._address = "{}:{}".format(*self._sip.getsockname())
        self._media = Media(HOST)
        self._frames, self._presses = 50, True
        self._calls: dict[str, _Call] = {}      # by Call-ID
        self._by_place: dict[int, _Call] = {}
        self._ended: list[Journal] = []
        self._rings = ""
        self._rung: list[tuple[str, float]] = []
        self._ringing: dict[str, tuple[str, bytes]] = {}    # by Call-ID: its number, and what ends it
        _received_at(self._sip)                 # the first time it switches the time stamps on

    def serve(self) -> None:
        """Until standard input ends."""
        _say({"sip": self._address})
        poll = select.poll()
        poll.register(self._sip, select.POLLIN)
        poll.register(sys.stdin, select.POLLIN)
        due = time.monotonic()
        while True:
            wait_s = max(0.0, due - time.monotonic()) if self._calls else 1.0
            for fd, _ in poll.poll(1000 * wait_s):
                if fd == self._sip.fileno():
                    self._read_sip()
                elif not self._obey(sys.stdin.readline()):
                    return
            now = time.monotonic()
            if now >= due:
                due = max(due + MEDIA_EVERY_S, now)
                self._hear(now)

    def _obey(self, line: str) -> bool:
        if not line:
            return False
        order = json.loads(line)
        if order["do"] == "begin":
            self._frames, self._presses = order["frames"], order["presses"]
            self._rings, self._ended, self._rung = order.get("rings", ""), [], []
            _say({})
        elif order["do"] == "rung":
            _say({"rung": self._rung, "ringing": [number for number, _ in self._ringing.values()]})
        else:
            _say({"calls": self._ended, "live": len(self._calls), "stray": self._media.stray})
        return True

    def _hear(self, now: float) -> None:
        for place in self._media.tick(now):
            self._heard_all(place, now)

    def _heard_all(self, place: int, now: float) -> None:
        call = self._by_place.get(place)
        if call is None or not self._presses:
            return
        begins = now + LAST_FRAME_S
        call.pressed_at = begins + (KEY_TICKS - 1) * TICK_S
        self._media.press(place, int(call.number[-1]), begins)

    # SIP

    def _read_sip(self) -> None:
        while True:
            try:
                data, sender = self._sip.recvfrom(8192)
            except OSError:
                return
            head, _, body = data.decode("latin-1").partition("\r\n\r\n")
            first, *lines = head.split("\r\n")
            method = first.partition(" ")[0]
            call_id = next((line.partition(":")[2].strip() for line in lines if line[:8].lower() == "call-id:"), "")
            if method == "INVITE":
                self._sip.sendto(self._invited(first, lines, body, call_id), sender)
            elif method == "BYE":
                self._sip.sendto(_response("200 OK", lines), sender)
                self._end(call_id)
            elif method not in ("ACK", "SIP/2.0"):
                self._sip.sendto(_response("200 OK" if method in ("OPTIONS", "CANCEL") else "501 Not Implemented",
                                           lines), sender)
                if method == "CANCEL" and call_id in self._ringing:
                    self._sip.sendto(self._ringing.pop(call_id)[1], sender)

    def _invited(self, first: str, lines: list[str], body: str, call_id: str) -> bytes:
        """The answer; the same one again when the INVITE comes again."""
        known = self._calls.get(call_id)
        if known is not None:
            return known.answer
        number, audio = _NUMBER.search(first), _AUDIO.search(body)
        if number is None or audio is None:
            return _response("488 Not Acceptable Here", lines)
        if self._rings and number[1].startswith(self._rings):
            if call_id not in self._ringing:
                self._rung.append((number[1], _received_at(self._sip)))
                self._ringing[call_id] = number[1], _response("487 Request Terminated", lines)
            return _response("180 Ringing", lines)
        ours = f"Contact: <sip:{self._address}>", "Content-Type: application/sdp"
        answer = _response("200 OK", lines, ours, self._description())
        call = _Call(number[1], time.monotonic(), answer, self._media.open(int(audio[1]), self._frames))
        self._calls[call_id] = self._by_place[call.place] = call
        return answer

    def _description(self) -> str:
        return "\r\n".join([
            "v=0", f"o=- 1 1 IN IP4 {HOST}", "s=-", f"c=IN IP4 {HOST}", "t=0 0",
            f"m=audio {self._media.port} RTP/AVP 8 {EVENT_TYPE}", "a=rtpmap:8 PCMA/8000",
            f"a=rtpmap:{EVENT_TYPE} telephone-event/8000", f"a=fmtp:{EVENT_TYPE} 0-15", "a=ptime:20", "a=sendrecv", ""])

    def _end(self, call_id: str) -> None:
        self._hear(time.monotonic())    # what came before the BYE may still wait for us
        call = self._calls.pop(call_id, None)
        if call is None:
            return
        del self._by_place[call.place]
        heard = self._media.close(call.place)
        self._ended.append(Journal(
            call.number, call.invited_at, time.monotonic(), call.pressed_at, call.number[-1] if call.pressed_at else "",
            heard.packets, heard.audible, heard.lost, heard.longest_gap_s))


def _response(status: str, lines: list[str], more: Sequence[str] = (), body: str = "") -> bytes:
    """To a request whose header has these lines; `more` are ours."""
    copied = [line for line in lines if line.partition(":")[0].lower() in _COPIED]
    tagged = [f"{line};tag=bench" if line[:3].lower() == "to:" and ";tag=" not in line else line for line in copied]
    head = [f"SIP/2.0 {status}", *tagged, *more, f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, "", body]).encode("latin-1")


def _received_at(sock: socket.socket) -> float:
    """When the datagram came that was read last, monotonic seconds."""
    now = time.monotonic()
    with contextlib.suppress(OSError):
        seconds, nanoseconds = _TIMESPEC.unpack(fcntl.ioctl(sock, _SIOCGSTAMPNS, bytes(_TIMESPEC.size)))
        return float(now - (time.time() - seconds - nanoseconds / 1e9))
    return now


def _say(answer: Any) -> None:
    print(json.dumps(answer), flush=True)


class LoadPhones:
    """The process as a bench sees it."""

    def __init__(self, process: Process, address: tuple[str, int]) -> None:
        self._process, self.address = process, address
        self.pid = process.pid
        self._turn = asyncio.Lock()

    @classmethod
    @contextlib.asynccontextmanager
    async def started(cls) -> AsyncIterator["LoadPhones"]:
        process = await asyncio.create_subprocess_exec(
            *command([sys.executable, "-m", "bench.load_phones"]), stdin=PIPE, stdout=PIPE, limit=1 << 26)
        assert process.stdin is not None and process.stdout is not None
        try:
            host, _, port = json.loads(await process.stdout.readline())["sip"].rpartition(":")
            yield cls(process, (host, int(port)))
        finally:
            process.stdin.close()
            await process.wait()

    async def begin(self, frames: int, presses: bool = True, rings: str = "") -> None:
        """Forget the journal. The prompt has so many packets."""
        await self._ask({"do": "begin", "frames": frames, "presses": presses, "rings": rings})

    async def rung(self) -> tuple[list[tuple[str, float]], list[str]]:
        """Who of those that only ring was called when, since `begin`; and who is ringing now."""
        answer = await self._ask({"do": "rung"})
        return [(number, at) for number, at in answer["rung"]], answer["ringing"]

    async def journal(self) -> tuple[list[Journal], int]:
        """The calls that ended since `begin`, and how many are alive."""
        answer = await self._ask({"do": "journal"})
        return [Journal(*call) for call in answer["calls"]], answer["live"]

    async def _ask(self, order: dict[str, Any]) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        async with self._turn:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            return json.loads(await self._process.stdout.readline())


if __name__ == "__main__":
    Phones().serve()
