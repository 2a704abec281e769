"""A call that one of our numbers places."""

from typing import cast

from aiosipua import Dialog, SipRequest, SipResponse
from aiosipua.headers import stringify_uri
from aiosipua.utils import format_addr, generate_call_id, generate_tag

from engine.softphone.call import Call, reason
from engine.softphone.endpoint import Address, Endpoint
from engine.softphone.journal import Entry, Journal


class PlacedCall(Call):
    """A call to a SIP address: rings, is answered or refused; can be given up."""

    def __init__(
        self, endpoint: Endpoint, journal: Journal, who: str, to: str, at: Address, *,
        codecs: tuple[str, ...] = ("PCMA", "PCMU"), events: bool = True, rtp: bool = True,
    ) -> None:
        host, port = endpoint.address
        target = f"sip:{to}@{format_addr(*at)}"
        dialog = Dialog(
            call_id=generate_call_id(host), local_tag=generate_tag(), local_uri=f"sip:{who}@{format_addr(host, port)}",
            remote_uri=target, remote_target=target,
        )
        super().__init__(endpoint, journal, who, dialog, codecs, events, rtp)
        self._at = at
        self._known = False  # the other side has answered anything at all
        self._given_up = False
        self._invite = dialog.create_request("INVITE", via_host=host, via_port=port)
        self._invite.headers.set_single("Contact", f"<sip:{who}@{format_addr(host, port)}>")
        self._invite.headers.set_single("Content-Type", "application/sdp")
        self._invite.text = self._describe()
        self.invited_at = self._note("invite sent", to).at
        endpoint.request(self, self._invite, at)

    async def rung(self, timeout_s: float = 10) -> Entry:
        return await self._wait("ringing", timeout_s)

    async def final(self, timeout_s: float = 10) -> int:
        """The final SIP status, whatever it is."""
        await self.journal.wait(
            lambda entry: entry.call == self.id and entry.what in ("answered", "refused"),
            f"{self.who}: a final answer", timeout_s, who=self.who)
        return cast(int, self.status)

    def hang_up(self) -> None:
        """BYE in a talk, CANCEL before (sent only once the other side has shown that it knows of the call)."""
        super().hang_up()
        if self.ended_at is None and self.status is None and not self._given_up:
            self._given_up = True
            if self._known:
                self._cancel()

    def on_response(self, response: SipResponse) -> None:
        if response.cseq is None or response.cseq.method != "INVITE":
            return
        status = response.status_code
        if status < 200:
            self._provisional(response)
        elif status < 300:
            self._accepted(response)
        else:
            self._refused(response)

    def _provisional(self, response: SipResponse) -> None:
        first, self._known = not self._known, True
        if response.status_code > 100:
            self._remember_tag(response)
            if response.body:
                self._agree(response)
            self._note(f"{response.status_code} received")
            self.rung_at = self.rung_at or self._note("ringing").at
        if first and self._given_up:
            self._cancel()

    def _accepted(self, response: SipResponse) -> None:
        self._remember_tag(response)
        if response.contact:
            self._dialog.remote_target = stringify_uri(response.contact[0].uri)
        self._dialog.route_set = list(reversed(response.headers.get("record-route")))
        self._ack()
        if self.status is not None:
            return  # the 200 was repeated, and so was the ACK
        self.status = response.status_code
        self._dialog.confirm()
        if self._given_up or not self._agree(response):
            self._bye()
            self._end()
            return
        self._talk(self._note(f"{self.status} received"))

    def _refused(self, response: SipResponse) -> None:
        ack = SipRequest(method="ACK", uri=self._invite.uri)
        ack.headers.append("Via", self._invite.headers.get("via")[0])  # the INVITE's own branch (section 17.1.1.3)
        for name, source in (("From", self._invite), ("To", response), ("Call-ID", self._invite)):
            ack.headers.set_single(name, source.headers.get_first(name.lower()) or "")
        ack.headers.set_single("CSeq", f"{self._invite.cseq.seq if self._invite.cseq else 1} ACK")
        ack.headers.set_single("Max-Forwards", "70")
        self._endpoint.request(self, ack, self._at)
        if self.status is None:
            self.status = response.status_code
            self.cause, text = reason(response)
            self._note(f"{self.status} received", text, self.cause)
            self._note("refused")
            self._end()

    def _ack(self) -> None:
        host, port = self._endpoint.address
        ack = self._dialog.create_request("ACK", via_host=host, via_port=port)
        self._dialog.local_cseq -= 1  # an ACK has the number of its INVITE
        ack.headers.set_single("CSeq", f"{self._invite.cseq.seq if self._invite.cseq else 1} ACK")
        self._endpoint.request(self, ack, self._target())

    def _cancel(self) -> None:
        cancel = SipRequest(method="CANCEL", uri=self._invite.uri)
        for name in ("Via", "From", "To", "Call-ID", "Max-Forwards"):
            cancel.headers.set_single(name, self._invite.headers.get_first(name.lower()) or "")
        cancel.headers.set_single("CSeq", f"{self._invite.cseq.seq if self._invite.cseq else 1} CANCEL")
        self._endpoint.request(self, cancel, self._at)
        self._note("cancel sent")

    def _remember_tag(self, response: SipResponse) -> None:
        if response.to_addr and response.to_addr.tag:
            self._dialog.remote_tag = response.to_addr.tag
