"""Bytes of ours at the switch's SIP port, and what comes back: for messages that no phone would send.

Used by the tests of hostile SIP. It knows nothing of dialogs.
"""

import asyncio
import itertools
import re
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Address = tuple[str, int]
_ids = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    call_id: str
    text: str

    def header(self, name: str) -> str:
        return _header(self.text, name)


@dataclass(slots=True)
class Wire(asyncio.DatagramProtocol):
    """One UDP address. `replies`: every response that came; `requests`: what the switch asked of us by itself."""

    switch: Address
    replies: list[Reply] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    transport: Any = None
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    @asynccontextmanager
    async def open(cls, switch: Address, host: str = "127.0.0.1") -> AsyncIterator["Wire"]:
        transport, wire = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: cls(switch), local_addr=(host, 0))
        wire.transport = transport
        try:
            yield wire
        finally:
            transport.close()

    @property
    def address(self) -> str:
        host, port = self.transport.get_extra_info("sockname")
        return f"{host}:{port}"

    def send(self, data: bytes) -> None:
        self.transport.sendto(data, self.switch)

    def request(self, method: str, uri: bytes, changes: dict[str, bytes | None] | None = None, body: bytes = b"",
                branch: str = "") -> str:
        """A plain request with some headers of another text (None: left out); returns its Call-ID."""
        call_id = f"{next(_ids)}-{secrets.token_hex(8)}"
        tag, branch = secrets.token_hex(4), branch or f"z9hG4bK{secrets.token_hex(8)}"
        headers: dict[str, bytes | None] = {
            "Via": f"SIP/2.0/UDP {self.address};rport;branch={branch}".encode(),
            "From": f"<sip:4917012345@{self.address}>;tag={tag}".encode(),
            "To": b"<" + uri + b">", "Call-ID": call_id.encode(), "CSeq": f"1 {method}".encode(),
            "Contact": f"<sip:wire@{self.address}>".encode(), "Max-Forwards": b"70",
            **({"Content-Type": b"application/sdp"} if body else {}), **(changes or {}),
        }
        lines = [method.encode() + b" " + uri + b" SIP/2.0",
                 *(name.encode() + b": " + text for name, text in headers.items() if text is not None),
                 f"Content-Length: {len(body)}".encode()]
        self.send(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        return call_id

    def offer(self, port: int = 9) -> bytes:
        return (f"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 101"
                "\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n").encode()

    async def final(self, call_id: str, timeout_s: float = 5) -> Reply:
        """The first final response to this call."""
        async with asyncio.timeout(timeout_s):
            while True:
                self._came.clear()
                for reply in self.replies:
                    if reply.call_id == call_id and reply.status >= 200:
                        return reply
                await self._came.wait()

    def statuses(self) -> Counter[int]:
        return Counter(reply.status for reply in self.replies)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        text = data.decode(errors="replace")
        first = text.partition("\r\n")[0]
        if first.startswith("SIP/2.0 "):
            self.replies.append(Reply(int(first.split()[1]), _header(text, "Call-ID"), text))
        else:
            self.requests.append(text)
        self._came.set()

    def acknowledge(self, reply: Reply, uri: bytes) -> None:
        """ACK a final response, that it be sent no more. For a refusal the INVITE's own branch."""
        via, to, sender = reply.header("Via"), reply.header("To"), reply.header("From")
        branch = re.search(r"branch=([^;]+)", via)
        ours = f"SIP/2.0/UDP {self.address};branch={branch[1] if branch else ''}"
        self.send(b"ACK " + uri + (f" SIP/2.0\r\nVia: {ours}\r\n"
                  f"From: {sender}\r\nTo: {to}\r\nCall-ID: {reply.call_id}\r\nCSeq: 1 ACK\r\nMax-Forwards: 70\r\n"
                  "Content-Length: 0\r\n\r\n").encode())

    def end(self, reply: Reply, uri: bytes) -> None:
        """ACK, and BYE what was answered."""
        self.acknowledge(reply, uri)
        if reply.status < 300:
            changes = {name: reply.header(name).encode() for name in ("From", "To", "Call-ID")}
            self.request("BYE", uri, {**changes, "CSeq": b"2 BYE"})

    def cancel(self, uri: bytes, call_id: str, changes: dict[str, bytes | None], branch: str) -> None:
        """A CANCEL of an INVITE that was sent with this branch and these From and To."""
        self.request("CANCEL", uri, {**changes, "Call-ID": call_id.encode()}, branch=branch)


def _header(text: str, name: str) -> str:
    found = re.search(rf"^{name}\s*:\s*(.*?)\r?$", text, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else ""
