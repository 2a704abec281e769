"""A call as a phone has it: one SIP dialog, its audio, its part of the journal. See placed_call and taken_call.

Ending is final: after `ended` nothing is sent and the recording stays. `status` is the final SIP code of the INVITE.
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiosipua import Dialog, SipRequest, SipResponse
from aiosipua.dialog import DialogState, dialog_matches
from aiosipua.headers import parse_uri
from aiosipua.utils import format_addr

from engine.softphone.endpoint import Address, Endpoint, Resending
from engine.softphone.g711 import Samples
from engine.softphone.journal import Entry, Journal
from engine.softphone.recording import Packet, Recording
from engine.softphone.rtp import RtpStream
from engine.softphone.sdp import EVENT_TYPE, Media, choose, describe

_REASON = re.compile(r"(Q\.850|SIP)\s*;[^,]*?cause\s*=\s*(\d+)", re.IGNORECASE)
_COMPLETED_ELSEWHERE = 26


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who waits for the answer to one request."""

    status: asyncio.Future[int]

    def matches(self, request: SipRequest) -> bool:
        return False

    def on_request(self, request: SipRequest) -> None:
        """No request is for it."""

    def on_response(self, response: SipResponse) -> None:
        if response.status_code >= 200 and not self.status.done():
            self.status.set_result(response.status_code)


class Call:
    """What placed and taken calls have in common. `who` is the number of our side."""

    def __init__(
        self, endpoint: Endpoint, journal: Journal, who: str, dialog: Dialog,
        codecs: tuple[str, ...] = ("PCMA", "PCMU"), events: bool = True, rtp: bool = True,
    ) -> None:
        self.who, self.journal = who, journal
        self.status: int | None = None
        self.rung_at: float | None = None
        self.answered_at: float | None = None
        self.ended_at: float | None = None
        self.cause: int | None = None  # Q.850, from the other side's BYE or CANCEL
        self.media: Media | None = None
        self._endpoint, self._dialog = endpoint, dialog
        self._codecs, self._events, self._rtp = codecs, events, rtp
        self._sdp = ""  # our last description
        self._resending: Resending | None = None
        self._heard: list[tuple[float, Callable[[], object]]] = []  # amounts of sound that somebody waits for
        self._stream = RtpStream(endpoint.address[0], self._on_audio, self._on_key, self._on_pressed)
        endpoint.add(dialog.call_id, self)

    @property
    def id(self) -> str:
        return self._dialog.call_id

    @property
    def recording(self) -> Recording:
        return self._stream.recording

    @property
    def received(self) -> Samples:
        """Everything heard so far."""
        return self._stream.recording.pcm()

    @property
    def talking(self) -> bool:
        return self.answered_at is not None and self.ended_at is None

    # what a person does

    def play(self, samples: Samples | None, loop: bool = False) -> None:
        self._stream.play(samples, loop)

    def press(self, keys: str, seconds: float = 0.1) -> Entry:
        """Press keys; returns at once, a key lasts `seconds` and 80 ms of pause."""
        self._stream.press(keys, seconds)
        return self._note("dtmf sent", keys)

    async def asks(
        self, method: str, headers: Mapping[str, str] | None = None, body: str = "", timeout_s: float = 5,
    ) -> int:
        """Send any other request in this call (INFO, REFER …); returns the status of its answer."""
        host, port = self._endpoint.address
        request = self._dialog.create_request(method, via_host=host, via_port=port)
        for name, value in (headers or {}).items():
            request.headers.set_single(name, value)
        if body:
            request.text = body
        asked = _Asked(asyncio.get_running_loop().create_future())
        self._endpoint.request(asked, request, self._target())
        async with asyncio.timeout(timeout_s):
            return await asked.status

    def hang_up(self) -> None:
        if self.ended_at is not None:
            return
        if self._dialog.state is DialogState.CONFIRMED:
            self._bye()
            self._end()

    # waiting

    async def answered(self, timeout_s: float = 10) -> Entry:
        return await self._wait("answered", timeout_s)

    async def ended(self, timeout_s: float = 10) -> Entry:
        return await self._wait("ended", timeout_s)

    async def heard(self, seconds: float = 0.2, timeout_s: float = 10) -> Entry:
        """Until that much sound (not silence) has come in all."""
        what = f"heard {seconds:g} s"
        self.when_heard(seconds, lambda: self._note(what))
        return await self._wait(what, timeout_s)

    def when_heard(self, seconds: float, do: Callable[[], object]) -> None:
        """Do something as soon as that much sound has come in all."""
        if self.recording.sound_s >= seconds:
            do()
        else:
            self._heard.append((seconds, do))

    async def _wait(self, what: str, timeout_s: float) -> Entry:
        return await self.journal.wait(
            lambda entry: entry.call == self.id and entry.what == what, f"{self.who}: {what}", timeout_s, who=self.who)

    def _note(self, what: str, detail: str = "", cause: int | None = None) -> Entry:
        return self.journal.write(self.who, self.id, what, detail, cause)

    # for the endpoint

    def matches(self, request: SipRequest) -> bool:
        return dialog_matches(self._dialog, request)

    def on_request(self, request: SipRequest) -> None:
        if request.method == "BYE":
            self._reply(request, 200)
            if self.ended_at is not None:
                return  # repeated, or it crossed ours
            self.cause, text = reason(request)
            self._note("bye", text, self.cause)
            self._end()
        elif request.method == "INVITE":
            self._reinvite(request)
        elif request.method != "ACK":
            self._reply(request, 200)

    def on_response(self, response: SipResponse) -> None:
        """Only INVITE's responses matter; the others end the resending, which the endpoint does."""

    # media

    def _describe(self) -> str:
        codecs = (self.media.codec.name,) if self.media else self._codecs
        event = EVENT_TYPE if self._events else None
        if self.media:
            event = self.media.event_type
        host = self._endpoint.address[0]
        self._sdp = describe(host, self._stream.port, codecs, event)
        return self._sdp

    def _agree(self, message: SipRequest | SipResponse) -> bool:
        if not message.body:
            return self.media is not None
        media = choose(message.text, self._codecs, self._events)
        self.media = media or self.media
        if self.media is not None:
            self._stream.remote = self.media.remote
        return media is not None

    def _talk(self, entry: Entry) -> None:
        self.answered_at = entry.at
        self._start_sending()
        self._note("answered")

    def _start_sending(self) -> None:
        if self._rtp and self.media is not None:
            self._stream.start(self.media.codec, self.media.event_type, self.media.remote)

    def _on_audio(self, packet: Packet, audible: bool) -> None:
        recording = self._stream.recording
        if len(recording.packets) == 1:
            self._note("first rtp")
        if not audible:
            return
        if recording.first_sound_at == packet.at and recording.sound_s < 0.05:
            self._note("first sound")
        for wanted in [wanted for wanted in self._heard if recording.sound_s >= wanted[0]]:
            self._heard.remove(wanted)
            wanted[1]()

    def _on_key(self, key: str) -> None:
        self._note("dtmf", key)

    def _on_pressed(self, key: str) -> None:
        self._note("dtmf ended", key)

    # SIP

    def _reply(self, request: SipRequest, status: int, body: str = "", contact: str | None = None) -> SipResponse:
        contact = contact or f"<sip:{self.who}@{format_addr(*self._endpoint.address)}>"
        response = self._dialog.create_response(request, status, contact=contact)
        if body:
            response.text = body
            response.headers.set_single("Content-Type", "application/sdp")
        self._endpoint.reply(response)
        return response

    def _reinvite(self, request: SipRequest) -> None:
        agreed = self._agree(request)
        if agreed and self.talking:
            self._start_sending()
        self._reply(request, 200 if agreed else 488, self._describe() if agreed else "")

    def _bye(self) -> None:
        host, port = self._endpoint.address
        bye = self._dialog.create_request("BYE", via_host=host, via_port=port)
        bye.headers.set_single("Reason", 'Q.850;cause=16;text="Normal call clearing"')
        self._endpoint.request(self, bye, self._target())
        self._note("bye sent", cause=16)

    def _target(self) -> Address:
        uri = parse_uri(self._dialog.remote_target)
        return uri.host, uri.port or 5060

    def _end(self) -> None:
        if self.ended_at is None:
            self._dialog.terminate()
            self._stream.close()
            self.ended_at = self._note("ended", cause=self.cause).at

    def forget(self) -> None:
        """Free everything, without a word to the other side, which is gone."""
        if self.ended_at is None:
            self.ended_at = time.monotonic()
        if self._resending is not None:
            self._resending.stop()
        self._stream.close()
        self._endpoint.remove(self.id, self)


def reason(message: SipRequest | SipResponse) -> tuple[int | None, str]:
    """The Q.850 cause and the text of Reason headers (RFC 3326). SIP 200 in a CANCEL is "completed elsewhere"."""
    text = ", ".join(message.headers.get("reason"))
    causes = {protocol.upper(): int(cause) for protocol, cause in _REASON.findall(text)}
    if "Q.850" in causes:
        return causes["Q.850"], text
    return (_COMPLETED_ELSEWHERE if causes.get("SIP") == 200 else None), text
