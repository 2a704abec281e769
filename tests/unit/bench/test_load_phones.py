"""The load phones as a trunk sees them: their process, over loopback."""

import socket
from collections.abc import Iterator

import pytest

from bench.load_phones import LoadPhones

DESCRIPTION = "\r\n".join([
    "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio {port} RTP/AVP 8 101", ""])


@pytest.fixture
def trunk() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.settimeout(5)
        yield made


def request(method: str, call: str = "one", number: str = "4915120000007", body: str = "") -> bytes:
    return "\r\n".join([
        f"{method} sip:{number}@127.0.0.1 SIP/2.0", f"Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK{call}{method}",
        "From: <sip:1@127.0.0.1>;tag=f", f"To: <sip:{number}@127.0.0.1>", f"Call-ID: {call}", f"CSeq: 1 {method}",
        "Contact: <sip:switch@127.0.0.1>", f"Content-Length: {len(body)}", "", body]).encode()


def asked(trunk: socket.socket, phones: LoadPhones, message: bytes) -> str:
    trunk.sendto(message, phones.address)
    return trunk.recv(4096).decode()


async def test_they_answer_an_invite_at_once_and_journal_the_call_when_they_are_hung_up(trunk: socket.socket) -> None:
    async with LoadPhones.started() as phones:
        await phones.begin(frames=50)
        invite = request("INVITE", body=DESCRIPTION.format(port=trunk.getsockname()[1]))
        answer = asked(trunk, phones, invite)
        assert answer.startswith("SIP/2.0 200 OK\r\n") and "telephone-event/8000" in answer
        assert "Contact: <sip:127.0.0.1" in answer and "switch@" not in answer
        assert asked(trunk, phones, invite) == answer
        trunk.sendto(request("ACK"), phones.address)
        assert await phones.journal() == ([], 1)
        assert asked(trunk, phones, request("BYE")).startswith("SIP/2.0 200 OK\r\n")
        [call], live = await phones.journal()
        assert (call.number, call.key, call.packets, live) == ("4915120000007", "", 0, 0)
        assert call.invited_at <= call.ended_at
        await phones.begin(frames=50)
        assert await phones.journal() == ([], 0)


async def test_an_invite_without_audio_is_refused_and_what_they_do_not_know_too(trunk: socket.socket) -> None:
    async with LoadPhones.started() as phones:
        assert asked(trunk, phones, request("INVITE")).startswith("SIP/2.0 488 ")
        assert asked(trunk, phones, request("REFER")).startswith("SIP/2.0 501 ")
        assert asked(trunk, phones, request("OPTIONS")).startswith("SIP/2.0 200 ")
