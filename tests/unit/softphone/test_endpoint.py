"""Against a bare socket: repeated requests, responses that get lost, strangers."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import pytest

from engine.softphone import Behaviour, Carrier
from engine.softphone.call import reason
from engine.softphone.sdp import describe

INVITE = (
    "INVITE sip:491511@h SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK1;rport\r\n"
    "From: <sip:4930@h>;tag=a\r\nTo: <sip:491511@h>\r\nCall-ID: one\r\nCSeq: 1 INVITE\r\n"
    "Contact: <sip:x@127.0.0.1:{port}>\r\nContent-Type: application/sdp\r\n\r\n"
)


class Wire:
    """Text out, text in."""

    def __init__(self, to: tuple[str, int]) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(("127.0.0.1", 0))
        self._to = to
        self.port = self._socket.getsockname()[1]

    def send(self, text: str) -> None:
        self._socket.sendto(text.encode(), self._to)

    async def status(self) -> str:
        """The first line of what comes next."""
        async with asyncio.timeout(3):
            data = await asyncio.get_running_loop().sock_recv(self._socket, 4096)
        return data.decode().splitlines()[0]

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
async def wire(there: Carrier) -> AsyncIterator[Wire]:
    wire = Wire(there.address)
    yield wire
    wire.close()


def invite(wire: Wire) -> str:
    return INVITE.format(port=wire.port) + describe("127.0.0.1", 9, ("PCMA",), None)


async def test_a_repeated_invite_is_the_same_call(there, wire):
    phone = there.phone("491511")
    wire.send(invite(wire))
    assert [await wire.status(), await wire.status()] == ["SIP/2.0 100 Trying", "SIP/2.0 180 Ringing"]
    wire.send(invite(wire))
    assert await wire.status() == "SIP/2.0 180 Ringing"
    assert len(phone.calls) == 1


async def test_an_answer_is_repeated_until_it_is_acknowledged(there, wire):
    there.phone("491511", Behaviour(ring_after_s=None, answer_after_s=0))
    wire.send(invite(wire))
    assert await wire.status() == "SIP/2.0 100 Trying"
    assert [await wire.status(), await wire.status()] == ["SIP/2.0 200 OK"] * 2


async def test_a_call_that_nobody_knows_is_answered_481(there, wire):
    bye = INVITE.format(port=wire.port).replace("INVITE", "BYE")
    wire.send(bye.replace("To: <sip:491511@h>", "To: <sip:491511@h>;tag=b"))
    assert await wire.status() == "SIP/2.0 481 Call/Transaction Does Not Exist"


async def test_options_are_answered_only_when_told_so(there, wire):
    options = INVITE.format(port=wire.port).replace("INVITE", "OPTIONS")
    wire.send(options)
    wire.send(invite(wire))
    assert await wire.status() == "SIP/2.0 404 Not Found"  # no answer to the OPTIONS before it
    there._endpoint.answers_options = True
    wire.send(options)
    assert await wire.status() == "SIP/2.0 200 OK"


async def test_rubbish_is_dropped(there, wire):
    for rubbish in ("", "\r\n\r\n", "x", "SIP/2.0 200 OK\r\n\r\n", "INVITE\r\n\r\n"):
        wire.send(rubbish)
    wire.send(invite(wire))
    assert await wire.status() == "SIP/2.0 404 Not Found"


@pytest.mark.parametrize(("value", "cause"), [
    ('Q.850;cause=26;text="Answered elsewhere"', 26),
    ('SIP;cause=200;text="Call completed elsewhere"', 26),
    ('SIP;cause=200;text="Call completed elsewhere", Q.850;cause=26', 26),
    ("Q.850 ;cause= 16", 16),
    ("SIP;cause=487", None),
])
def test_a_reason_is_read(value, cause):
    from aiosipua import SipRequest

    request = SipRequest(method="CANCEL", uri="sip:x")
    request.headers.append("Reason", value)
    assert reason(request)[0] == cause


async def test_an_invite_came_when_the_kernel_got_it_also_if_the_process_was_kept_from_running(here, there):
    phone = there.phone("491511")
    await here.call("4930", "491511")
    sent_at = time.monotonic()
    time.sleep(0.05)  # noqa: ASYNC251 -- the process stands still
    entry = await phone.rung()
    assert abs(entry.at - sent_at) < 0.02
