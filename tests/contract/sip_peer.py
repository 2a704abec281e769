"""The far side of the trunk, as raw SIP and RTP over UDP: what it does is exactly what a test tells it.

Used by the contract tests of the switch. It shows every message as it came over the wire (`heard`), refuses with
any status, rings for ever, answers, presses keys by RFC 4733, and calls in. It keeps no timers of its own and
retransmits nothing: loopback loses nothing, and a missing message should be seen.
"""

import asyncio
import contextlib
import itertools
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.contract.rtp_stream import Rtp


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a number does when it is called: refuse with `status`, or ring, answer after a while and press `keys`."""

    status: int = 0                    # a final refusal, at once
    ring: bool = True
    answer_s: float | None = None      # None: never
    keys: str = ""
    key_s: float = 0.0                 # after the answer
    pins: tuple[str, ...] = ()         # after the keys, each with a # behind it
    rtp: bool = True                   # sends silence while up
    hang_up_s: float | None = None     # after the answer


@dataclass(slots=True)
class Message:
    first: str
    headers: dict[str, str]
    body: str
    at: float

    @property
    def method(self) -> str:
        return self.first.split()[0]

    @property
    def status(self) -> int:
        return int(self.first.split()[1]) if self.first.startswith("SIP/2.0") else 0


@dataclass(eq=False, slots=True)
class Dialog:
    """One call, either direction."""

    call_id: str
    number: str
    local: str
    remote: str
    target: str
    rtp: Rtp
    invite: Message | None = None
    log: list[Message] = field(default_factory=list)
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    final: int = 0
    cseq: int = 1
    branch: str = ""
    via: str = ""
    request_uri: str = ""

    def heard(self, what: str) -> Message | None:
        """The first message of the far end that starts with `what` (`CANCEL`, `SIP/2.0 486`)."""
        return next((m for m in self.log if m.first.startswith(what)), None)


class SipPeer(asyncio.DatagramProtocol):
    """A UDP user agent with a behaviour per number. Use `async with SipPeer.open() as peer`."""

    def __init__(self) -> None:
        self.behaviour: dict[str, Behaviour] = {}
        self.default = Behaviour(status=404)
        self.dialogs: dict[str, Dialog] = {}
        self.heard: list[Message] = []
        self.on_call: Callable[[Dialog], None] | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._count = itertools.count(1)
        self._transport: asyncio.DatagramTransport | None = None
        self._scripts: dict[str, list[asyncio.Task[None]]] = {}
        self._arrived = asyncio.Event()
        self._is_closing = False

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, port: int = 0, host: str = "127.0.0.1") -> Any:
        loop = asyncio.get_running_loop()
        transport, peer = await loop.create_datagram_endpoint(cls, (host, port))
        try:
            async with asyncio.TaskGroup() as tasks:
                peer._tasks = tasks
                try:
                    yield peer
                finally:
                    peer._is_closing = True
                    for scripts in peer._scripts.values():
                        for task in scripts:
                            task.cancel()
                    for dialog in peer.dialogs.values():
                        if dialog.rtp.transport:
                            dialog.rtp.transport.close()
        finally:
            transport.close()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    @property
    def port(self) -> int:
        assert self._transport
        return int(self._transport.get_extra_info("sockname")[1])

    @property
    def address(self) -> str:
        assert self._transport
        return f"{self._transport.get_extra_info('sockname')[0]}:{self.port}"

    # -- what tests do -----------------------------------------------------------------------------------------

    def calls_to(self, number: str) -> list[Dialog]:
        return [d for d in self.dialogs.values() if d.number == number and d.invite is not None]

    async def rung(self, number: str, n: int = 1, timeout_s: float = 5) -> Dialog:
        """The nth call that reached a number."""
        async with asyncio.timeout(timeout_s):
            while len(self.calls_to(number)) < n:
                self._arrived.clear()
                await self._arrived.wait()
        return self.calls_to(number)[n - 1]

    async def call(self, number: str, switch: tuple[str, int], caller: str = "4917012345", rtp: bool = True) -> Dialog:
        """Send an INVITE; the dialog's `answered` and `final` tell what became of it."""
        call_id = f"{random.getrandbits(64):x}@peer"
        dialog = Dialog(call_id, number, f"<sip:{caller}@{self.address}>;tag={random.getrandbits(32):x}",
                        f"<sip:{number}@{switch[0]}:{switch[1]}>", f"sip:{number}@{switch[0]}:{switch[1]}",
                        await self._rtp())
        dialog.branch = f"z9hG4bK{random.getrandbits(48):x}"
        dialog.request_uri = dialog.target
        self.dialogs[call_id] = dialog
        self._switch = switch
        self._scripts[call_id] = []
        self._request(dialog, "INVITE", self._sdp(dialog), dialog.branch)
        if rtp:
            self.start(dialog, dialog.rtp.stream())
        return dialog

    def cancel(self, dialog: Dialog) -> None:
        self._request(dialog, "CANCEL", "", dialog.branch, cseq=dialog.cseq)

    def hang_up(self, dialog: Dialog) -> None:
        """With a BYE, which needs the far side's 200 OK: Asterisk's channel is up a moment before that is here."""
        if not dialog.answered.is_set():
            self.start(dialog, self._hang_up_when_answered(dialog))
            return
        dialog.cseq += 1
        self._request(dialog, "BYE", "", f"z9hG4bK{random.getrandbits(48):x}")
        self._over(dialog)

    def trying(self, dialog: Dialog) -> None:
        """100: the first word of the far side."""
        assert dialog.invite
        self._reply(dialog, dialog.invite, 100, "Trying")

    def progress(self, dialog: Dialog) -> None:
        """183 with early media."""
        assert dialog.invite
        self._reply(dialog, dialog.invite, 183, "Session Progress", self._sdp(dialog))

    def answer(self, dialog: Dialog) -> None:
        assert dialog.invite
        self._reply(dialog, dialog.invite, 200, "OK", self._sdp(dialog))
        dialog.answered.set()

    def refuse(self, dialog: Dialog, status: int) -> None:
        assert dialog.invite
        dialog.final = status
        self._reply(dialog, dialog.invite, status, "No")
        self._over(dialog)

    # -- the wire ----------------------------------------------------------------------------------------------

    async def _rtp(self) -> Rtp:
        loop = asyncio.get_running_loop()
        _, rtp = await loop.create_datagram_endpoint(Rtp, ("127.0.0.1", 0))
        return rtp

    def start(self, dialog: Dialog, script: Any) -> None:
        assert self._tasks
        self._scripts.setdefault(dialog.call_id, []).append(self._tasks.create_task(script))

    def _sdp(self, dialog: Dialog) -> str:
        lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0",
                 f"m=audio {dialog.rtp.port} RTP/AVP 0 101", "a=rtpmap:0 PCMU/8000",
                 "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15", "a=ptime:20", "a=sendrecv"]
        return "\r\n".join(lines) + "\r\n"

    def _request(self, dialog: Dialog, method: str, body: str, branch: str, cseq: int = 0) -> None:
        uri = dialog.request_uri if method in ("INVITE", "CANCEL") else dialog.target
        lines = [f"{method} {uri} SIP/2.0", f"Via: SIP/2.0/UDP {self.address};branch={branch};rport",
                 f"From: {dialog.local}", f"To: {dialog.remote}", f"Call-ID: {dialog.call_id}",
                 f"CSeq: {cseq or dialog.cseq} {method}", f"Contact: <sip:peer@{self.address}>", "Max-Forwards: 70"]
        self._write(lines, body, self._switch)

    def _reply(self, dialog: Dialog, request: Message, status: int, reason: str, body: str = "") -> None:
        lines = [f"SIP/2.0 {status} {reason}", f"Via: {request.headers['via']}", f"From: {request.headers['from']}",
                 f"To: {dialog.local if status != 100 else request.headers['to']}", f"Call-ID: {dialog.call_id}",
                 f"CSeq: {request.headers['cseq']}", f"Contact: <sip:peer@{self.address}>"]
        self._write(lines, body, self._switch)

    def _write(self, lines: list[str], body: str, to: tuple[str, int]) -> None:
        if body:
            lines = [*lines, "Content-Type: application/sdp"]
        assert self._transport
        if not self._transport.is_closing():
            head = "\r\n".join([*lines, f"Content-Length: {len(body)}"])
            self._transport.sendto(f"{head}\r\n\r\n{body}".encode(), to)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        head, _, body = data.decode(errors="replace").partition("\r\n\r\n")
        first, *rest = head.split("\r\n")
        headers: dict[str, str] = {}
        for line in rest:
            name, _, value = line.partition(":")
            headers.setdefault(name.strip().lower(), value.strip())
        message = Message(first, headers, body, time.monotonic())
        self.heard.append(message)
        self._switch = addr
        if message.status:
            self._on_reply(message)
        else:
            self._on_request(message)

    def _media(self, dialog: Dialog, body: str) -> None:
        if found := re.search(r"m=audio (\d+)", body):
            dialog.rtp.far = ("127.0.0.1", int(found[1]))

    def _on_reply(self, message: Message) -> None:
        dialog = self.dialogs.get(message.headers["call-id"])
        if dialog is None or not message.headers["cseq"].endswith("INVITE"):
            return
        dialog.log.append(message)
        self._media(dialog, message.body)
        if message.status < 200:
            return
        dialog.final = message.status
        dialog.remote = message.headers["to"]
        if message.status < 300 and (contact := re.search(r"<([^>]+)>", message.headers.get("contact", ""))):
            dialog.target = contact[1]
        branch = dialog.branch if message.status >= 300 else f"z9hG4bK{random.getrandbits(48):x}"
        uri = dialog.request_uri if message.status >= 300 else dialog.target
        self._write([f"ACK {uri} SIP/2.0", f"Via: SIP/2.0/UDP {self.address};branch={branch};rport",
                     f"From: {dialog.local}", f"To: {dialog.remote}", f"Call-ID: {dialog.call_id}",
                     f"CSeq: {dialog.cseq} ACK", "Max-Forwards: 70"], "", self._switch)
        if message.status < 300:
            dialog.answered.set()
        else:
            self._over(dialog)

    def _on_request(self, message: Message) -> None:
        dialog = self.dialogs.get(message.headers["call-id"])
        if message.method == "INVITE" and dialog is None:
            if self._is_closing:
                return
            assert self._tasks
            self._tasks.create_task(self._invited(message))
            return
        if dialog is None:
            return
        dialog.log.append(message)
        if message.method == "INVITE":      # a re-INVITE, for a new connected line or media address
            self._media(dialog, message.body)
            self._reply(dialog, message, 200, "OK", self._sdp(dialog))
        elif message.method == "CANCEL":
            self._reply(dialog, message, 200, "OK")
            if dialog.invite and not dialog.answered.is_set():
                self._reply(dialog, dialog.invite, 487, "Request Terminated")
            self._over(dialog)
        elif message.method != "ACK":
            self._reply(dialog, message, 200, "OK")
            if message.method == "BYE":
                self._over(dialog)

    async def _invited(self, message: Message) -> None:
        number = re.match(r"INVITE sips?:([^@;>]*)", message.first)
        contact = re.search(r"<([^>]+)>", message.headers["contact"])
        assert number and contact
        call_id = message.headers["call-id"]
        if call_id in self.dialogs:
            return
        dialog = Dialog(call_id, number[1], f"{message.headers['to']};tag={random.getrandbits(32):x}",
                        message.headers["from"], contact[1], await self._rtp(), invite=message, log=[message])
        if self._is_closing and dialog.rtp.transport:
            dialog.rtp.transport.close()
            return
        self.dialogs[call_id] = dialog
        self._scripts[call_id] = []
        self._media(dialog, message.body)
        self._arrived.set()
        if self.on_call:
            self.on_call(dialog)
        self.start(dialog, self._play(dialog, self.behaviour.get(dialog.number, self.default)))

    async def _play(self, dialog: Dialog, behaviour: Behaviour) -> None:
        assert dialog.invite
        if behaviour.status:
            self.refuse(dialog, behaviour.status)
            return
        if behaviour.ring:
            self._reply(dialog, dialog.invite, 180, "Ringing")
        if behaviour.answer_s is None:
            return
        await asyncio.sleep(behaviour.answer_s)
        if dialog.ended.is_set():
            return
        self.answer(dialog)
        if behaviour.rtp:
            self.start(dialog, dialog.rtp.stream())
        if behaviour.hang_up_s is not None:
            self.start(dialog, self._leave(dialog, behaviour.hang_up_s))
        for key in behaviour.keys:
            await asyncio.sleep(behaviour.key_s)
            await dialog.rtp.press(key)
        for pin in behaviour.pins:
            await asyncio.sleep(behaviour.key_s)
            await self.dial_digits(dialog, f"{pin}#")

    async def dial_digits(self, dialog: Dialog, digits: str) -> None:
        """As fast as a telephone dials: 100 ms a digit, 50 ms between them."""
        for digit in digits:
            await dialog.rtp.press(digit)
            await asyncio.sleep(0.05)

    async def _hang_up_when_answered(self, dialog: Dialog) -> None:
        await dialog.answered.wait()
        self.hang_up(dialog)

    async def _leave(self, dialog: Dialog, after_s: float) -> None:
        await asyncio.sleep(after_s)
        if not dialog.ended.is_set():
            self.hang_up(dialog)

    def _over(self, dialog: Dialog) -> None:
        dialog.ended.set()
        current = asyncio.current_task()
        for task in self._scripts.get(dialog.call_id, ()):
            if task is not current:
                task.cancel()
