"""The other side of the trunk: the phones that Ringward rings, and the callers that ring Ringward."""

from collections.abc import Iterator
from types import TracebackType
from typing import Self

from aiosipua import SipRequest
from aiosipua.headers import parse_uri

from engine.softphone.call import Call
from engine.softphone.endpoint import Address, Endpoint
from engine.softphone.g711 import Samples
from engine.softphone.journal import Entry, Journal
from engine.softphone.phone import Behaviour, Phone
from engine.softphone.placed_call import PlacedCall
from engine.softphone.taken_call import TakenCall


class Carrier:
    """One SIP address (`async with Carrier() as carrier`), any number of phones behind it.

    A number without a phone gets 404 and an entry "unknown number". OPTIONS are not answered unless
    `answers_options`. `switch` is where calls go that name no other address.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, switch: Address | None = None, answers_options: bool = False
    ) -> None:
        self.journal = Journal()
        self.phones: dict[str, Phone] = {}
        self.placed: list[PlacedCall] = []
        self.switch = switch
        self._bind = host, port
        self._answers_options = answers_options
        self._endpoint = Endpoint(self._take)
        self._others: dict[Address, Endpoint] = {}

    async def __aenter__(self) -> Self:
        self._endpoint.answers_options = self._answers_options
        await self._endpoint.open(*self._bind)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for call in self._calls():
            call.hang_up()
        for endpoint in (self._endpoint, *self._others.values()):
            await endpoint.close()
        for call in self._calls():
            call.forget()

    @property
    def address(self) -> Address:
        return self._endpoint.address

    @property
    def trunk(self) -> str:
        """`host:port`, as `ringward up --trunk` takes it."""
        return f"{self.address[0]}:{self.address[1]}"

    @property
    def unknown(self) -> list[Entry]:
        """Calls to numbers that no phone has."""
        return self.journal.of(what="unknown number")

    def sent_again(self, method: str) -> int:
        """How often a request of ours had to be sent again, because no answer came within half a second."""
        return self._endpoint.sent_again[method]

    def phone(self, number: str, behaviour: Behaviour | None = None) -> Phone:
        """A new phone with this number, digits only."""
        if number in self.phones:
            raise ValueError(f"there is a phone {number} already")
        self.phones[number] = Phone(number, self.journal, behaviour or Behaviour())
        return self.phones[number]

    async def call(
        self, caller: str, to: str, *, at: Address | None = None, source: Address | None = None,
        audio: Samples | None = None, loop_audio: bool = False,
        codecs: tuple[str, ...] = ("PCMA", "PCMU"), events: bool = True, rtp: bool = True,
    ) -> PlacedCall:
        """Send an INVITE to `to` at the switch; returns at once. `source`: from another address than the trunk's."""
        target = at or self.switch
        if target is None:
            raise ValueError("where to? give `at` or the carrier's `switch`")
        endpoint = self._endpoint if source is None else await self._from(source)
        call = PlacedCall(endpoint, self.journal, caller, to, target, codecs=codecs, events=events, rtp=rtp)
        call.play(audio, loop_audio)
        self.placed.append(call)
        return call

    def forget(self) -> None:
        """All calls that are over, and the journal: a bench places tens of thousands."""
        over = [call for call in self._calls() if call.ended_at is not None]
        for call in over:
            call.forget()
        self.placed = [call for call in self.placed if call.ended_at is None]
        for phone in self.phones.values():
            phone.calls = [call for call in phone.calls if call.ended_at is None]
        self.journal.forget()

    async def _from(self, source: Address) -> Endpoint:
        if source not in self._others:
            endpoint = Endpoint(self._take)
            await endpoint.open(*source)
            self._others[source] = endpoint
        return self._others[source]

    def _take(self, endpoint: Endpoint, request: SipRequest) -> TakenCall | int:
        number = parse_uri(request.uri).user or ""
        phone = self.phones.get(number)
        if phone is None:
            self.journal.write(number, request.call_id or "", "unknown number")
            return 404
        return phone.take(endpoint, request)

    def _calls(self) -> Iterator[Call]:
        yield from self.placed
        for phone in self.phones.values():
            yield from phone.calls
