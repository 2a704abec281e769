"""A call that came to one of our phones: rings, is answered, refused or cancelled."""

import time

from aiosipua import SipRequest
from aiosipua.dialog import create_dialog_from_request

from engine.softphone.call import Call, reason
from engine.softphone.endpoint import Endpoint, Resending
from engine.softphone.g711 import Samples
from engine.softphone.journal import Entry, Journal


class TakenCall(Call):
    """A call that came to one of our phones. `invited_at`: when the kernel got the INVITE; `tried_at`: when the phone
    said its first word of it, 100."""

    def __init__(
        self, endpoint: Endpoint, journal: Journal, who: str, request: SipRequest, *,
        codecs: tuple[str, ...] = ("PCMA", "PCMU"), events: bool = True, rtp: bool = True,
    ) -> None:
        super().__init__(endpoint, journal, who, create_dialog_from_request(request), codecs, events, rtp)
        self.caller = (request.from_addr.uri.user if request.from_addr else None) or ""
        self._invite = request
        self._acked = False
        self.invited_at = endpoint.received_at
        journal.write(who, self.id, "invite", f"from {self.caller}", at=self.invited_at)
        self._answerable = self._agree(request)
        self._last = self._reply(request, 100)
        self.tried_at = time.monotonic()

    @property
    def open(self) -> bool:
        """Neither answered nor refused nor cancelled."""
        return self.status is None and self.ended_at is None

    def ring(self) -> None:
        if self.open:
            self._respond(180)
            self.rung_at = self._note("180 sent").at

    def early_media(self, samples: Samples | None = None) -> None:
        """183 with a description, and audio before any answer."""
        if self.open and self._answerable:
            self._respond(183, self._describe())
            self._note("183 sent")
            self.play(samples, loop=True)
            self._start_sending()

    def answer(self) -> None:
        if not self.open:
            return
        if not self._answerable:
            self.reject(488)
            return
        self.status = 200
        self._respond(200, self._describe())
        self._resending = Resending(self._again)
        self._dialog.confirm()
        self._talk(self._note("200 sent"))

    def reject(self, status: int = 486, contact: str | None = None) -> None:
        """`contact`: with a 3xx, where else to call."""
        if self.open:
            self.status = status
            self._final(status, contact)
            self._note(f"{status} sent")
            self._end()

    def hang_up(self) -> None:
        if self.open:
            self.reject(486)
        else:
            super().hang_up()

    async def cancelled(self, timeout_s: float = 10) -> Entry:
        """The CANCEL, with its cause."""
        return await self._wait("cancel", timeout_s)

    def matches(self, request: SipRequest) -> bool:
        """In the dialog, or on the INVITE that opened it: repeated, cancelled, or the ACK of a refusal."""
        if super().matches(request):
            return True
        ours, theirs = self._invite.via, request.via
        return bool(ours and theirs) and ours[0].branch == theirs[0].branch

    def on_request(self, request: SipRequest) -> None:
        if request.method == "INVITE" and request.cseq == self._invite.cseq:
            self._again()
        elif request.method == "CANCEL":
            self._on_cancel(request)
        elif request.method == "ACK":
            if self._resending is not None:
                self._resending.stop()
            if not self._acked:
                self._acked = True
                self._note("ack")
        else:
            super().on_request(request)

    def _on_cancel(self, request: SipRequest) -> None:
        self._reply(request, 200)
        if not self.open:
            return  # it crossed our answer: a BYE will follow
        self.status = 487
        self._final(487)
        self.cause, text = reason(request)
        self._note("cancel", text, self.cause)
        self._end()

    def _respond(self, status: int, body: str = "", contact: str | None = None) -> None:
        self._last = self._reply(self._invite, status, body, contact)

    def _final(self, status: int, contact: str | None = None) -> None:
        self._respond(status, contact=contact)
        self._resending = Resending(self._again)

    def _again(self) -> None:
        self._endpoint.reply(self._last)
