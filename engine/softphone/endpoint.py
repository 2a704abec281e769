"""One UDP address that speaks SIP: finds the call a message belongs to, sends again what is not answered.

aiosipua gives the messages, dialogs and the transport. Its user agents are not used: over UDP they do not ACK a
refusal, do not send a lost INVITE or BYE again, take a repeated INVITE for a new call, and forget a cancelled call
before its 487 came. This file keeps RFC 3261 section 17 in the small form that phones on a loopback need.
"""

import asyncio
import contextlib
import fcntl
import struct
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

from aiosipua import SipRequest, SipResponse, UdpSipTransport
from aiosipua.dialog import create_dialog_from_request

Address = tuple[str, int]
_T1_S, _T2_S, _GIVE_UP_S = 0.5, 4.0, 32.0
_MOST_LATE_S = 10.0  # more is another clock
_SIOCGSTAMPNS, _TIMESPEC = 0x8907, struct.Struct("@ll")  # socket(7)
_ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO"


class Party(Protocol):
    """A call of ours, as the endpoint sees it."""

    def matches(self, request: SipRequest) -> bool: ...
    def on_request(self, request: SipRequest) -> None: ...
    def on_response(self, response: SipResponse) -> None: ...


class Resending:
    """Sends again after 0.5, 1, 2, 4, 4 … s until stopped (RFC 3261 timers A, E, G)."""

    def __init__(self, send: Callable[[], None]) -> None:
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._give_up = self._loop.time() + _GIVE_UP_S
        self._pause = _T1_S
        self._timer = self._loop.call_later(self._pause, self._again)

    def _again(self) -> None:
        self._send()
        if self._loop.time() < self._give_up:
            self._pause = min(self._pause * 2, _T2_S)
            self._timer = self._loop.call_later(self._pause, self._again)

    def stop(self) -> None:
        self._timer.cancel()


class _Datagrams(asyncio.DatagramProtocol):
    """`received_at`: when the datagram came that is being handled, monotonic seconds, by the kernel: this process may
    be kept from running for a while."""

    def __init__(self, received: Callable[[bytes, Address], None]) -> None:
        self._received = received
        self._socket: Any = None
        self.received_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._socket = transport.get_extra_info("socket")
        self._kernel_s()  # the first time it switches the time stamps on

    def datagram_received(self, data: bytes, addr: Address) -> None:
        now, late_s = time.monotonic(), time.time() - self._kernel_s()
        self.received_at = now - late_s if 0 <= late_s < _MOST_LATE_S else now
        self._received(data, addr)

    def _kernel_s(self) -> float:
        """Of the last datagram that was read; 0 when it has none."""
        try:
            seconds, nanoseconds = _TIMESPEC.unpack(fcntl.ioctl(self._socket, _SIOCGSTAMPNS, bytes(_TIMESPEC.size)))
        except OSError:
            return 0.0
        return float(seconds + nanoseconds / 1e9)


class _Transport(UdpSipTransport):
    """aiosipua's own start() trips over an assertion about asyncio's transports in Python 3.11."""

    datagrams: _Datagrams

    async def start(self) -> None:
        self._udp_transport, self.datagrams = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Datagrams(self._dispatch), local_addr=self.local_addr
        )
        self.local_addr = self._udp_transport.get_extra_info("sockname")[:2]

    @property
    def open(self) -> bool:
        return self._udp_transport is not None


class Endpoint:
    """`on_invite` makes a party of a new INVITE, or gives the status to refuse it with."""

    def __init__(self, on_invite: Callable[["Endpoint", SipRequest], "Party | int"]) -> None:
        self.answers_options = False
        self.sent_again: Counter[str] = Counter()  # requests to which no answer came in time, by method
        self._on_invite = on_invite
        self._transport = _Transport(on_message=self._received)
        self._parties: dict[str, list[Party]] = {}  # by Call-ID; two when a carrier calls itself
        self._requests: dict[tuple[str, str], tuple[Party, Resending]] = {}  # by branch and method
        self._refused: dict[str, SipResponse] = {}  # by branch
        self._settled: asyncio.Future[None] | None = None

    @property
    def address(self) -> Address:
        return self._transport.local_addr

    @property
    def received_at(self) -> float:
        """When the message came that is being handled, monotonic seconds."""
        return self._transport.datagrams.received_at

    async def open(self, host: str, port: int) -> None:
        self._transport.local_addr = (host, port)
        await self._transport.start()

    async def close(self) -> None:
        """Waits shortly for what is still unanswered, a BYE mostly."""
        if self._open_requests():
            self._settled = asyncio.get_running_loop().create_future()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_T1_S):
                    await self._settled
        for _, resending in self._requests.values():
            resending.stop()
        await self._transport.stop()

    def _open_requests(self) -> bool:
        return any(method != "INVITE" for _, method in self._requests)

    # for calls

    def add(self, call_id: str, party: Party) -> None:
        self._parties.setdefault(call_id, []).append(party)

    def remove(self, call_id: str, party: Party) -> None:
        left = [other for other in self._parties.pop(call_id, []) if other is not party]
        if left:
            self._parties[call_id] = left

    def request(self, party: Party, request: SipRequest, to: Address) -> None:
        """Send a request until a response comes (an ACK has none and is sent once)."""
        self.send(request, to)
        if request.method != "ACK":
            self._requests[_key(request)] = party, Resending(lambda: self._again(request, to))

    def _again(self, request: SipRequest, to: Address) -> None:
        self.sent_again[request.method] += 1
        self.send(request, to)

    def send(self, message: SipRequest | SipResponse, to: Address) -> None:
        if self._transport.open:  # a timer may outlive the transport by one turn
            self._transport.send(message, to)

    def reply(self, response: SipResponse) -> None:
        if self._transport.open:
            self._transport.send_reply(response)

    # from the wire

    def _received(self, message: SipRequest | SipResponse, sender: Address) -> None:
        if isinstance(message, SipResponse):
            self._response(message)
        elif message.method == "INVITE" and not (message.to_addr and message.to_addr.tag):
            self._invite(message)
        elif message.method == "OPTIONS":
            if self.answers_options:
                self._refuse(message, 200)
        else:
            self._in_dialog(message)

    def _response(self, response: SipResponse) -> None:
        key = _key(response)
        found = self._requests.get(key)
        if found is None:
            return
        party, resending = found
        resending.stop()
        if response.status_code >= 200 and key[1] != "INVITE":
            del self._requests[key]
            if self._settled is not None and not self._settled.done() and not self._open_requests():
                self._settled.set_result(None)
        party.on_response(response)

    def _invite(self, request: SipRequest) -> None:
        """A new call; a repeated INVITE goes to its party, which repeats its last response."""
        for party in self._parties.get(request.call_id or "", []):
            if party.matches(request):
                party.on_request(request)
                return
        refused = self._refused.get(_key(request)[0])
        if refused is not None:
            self.reply(refused)
            return
        outcome = self._on_invite(self, request)
        if isinstance(outcome, int):
            self._refused[_key(request)[0]] = self._refuse(request, outcome)

    def _in_dialog(self, request: SipRequest) -> None:
        for party in self._parties.get(request.call_id or "", []):
            if party.matches(request):
                party.on_request(request)
                return
        if request.method != "ACK":
            self._refuse(request, 481)

    def _refuse(self, request: SipRequest, status: int) -> SipResponse:
        response = create_dialog_from_request(request).create_response(request, status)
        response.headers.set_single("Allow", _ALLOW)
        self.reply(response)
        return response


def _key(message: SipRequest | SipResponse) -> tuple[str, str]:
    """The transaction: topmost branch and method (RFC 3261 section 17.1.3)."""
    via, cseq = message.via, message.cseq
    return (via[0].branch or "" if via else ""), (cseq.method if cseq else "")
