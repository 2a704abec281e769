"""The switch's memory twin: scripted people on a clock that only `advance` moves.

For unit tests of everything above the port, and as the port's second implementation: it passes the same contract tests
as the Asterisk adapter. It keeps what the port promises of the dialplan's verbs (see dialplans/asterisk): leases, the
claim window, the join without an engine. What the fallback rings is not acted out: `exhaust` and `leave_row` tell it.
"""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import assert_never

from engine.ports import Connected, Disconnected, FallbackRow, SwitchEvent, SwitchLost
from engine.vocabulary.commands import Bridge, Dial, HangUp, Hold, Play, Reject, SwitchCommand
from engine.vocabulary.events import (
    Answered,
    CallArrived,
    DialRefused,
    DigitsEntered,
    FallbackExhausted,
    FallbackStarted,
    HungUp,
    Joined,
    OrderExpired,
    Played,
)
from engine.vocabulary.values import Cause, Hotline, LiveLeg

CAUSE_OF = {404: 1, 408: 18, 480: 19, 486: 17, 500: 38, 503: 34, 600: 17, 403: 21, 603: 21}
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PROMPT_S = 1.0      # how long every sound is
READ_S = 3.0        # how long a key is waited for after the question


@dataclass(frozen=True, slots=True)
class Phone:
    """What the person (or mailbox) at a number does. Times count from the step before."""

    refuses: int = 0                  # SIP status; 0: it rings
    answers_s: float | None = None    # None: rings for ever
    keys: str = ""                    # one key a question
    key_s: float = 0.5
    hangs_up_s: float | None = None   # after the answer


@dataclass(slots=True)
class _Leg:
    leg: str
    channel: str
    number: str
    is_inbound: bool
    since: datetime
    place: str
    is_up: bool = False
    caller: str = ""
    partner: str = ""
    dial: Dial | None = None
    has_fallen: bool = False
    turn: int = 0          # rises with every verb: what a former verb had in mind does not happen
    lease: int = 0         # rises with every renewal: a former lease does not run out


@dataclass(slots=True)
class MemorySwitch:
    """Implements ports.Switch."""

    claim_s: float = 2.0
    lease_s: float = 10.0
    start: datetime = NOON
    phones: dict[str, Phone] = field(default_factory=dict)
    hotlines: dict[str, Hotline] = field(default_factory=dict)
    sent: list[SwitchCommand] = field(default_factory=list)
    _now: datetime = NOON
    _legs: dict[str, _Leg] = field(default_factory=dict)
    _due: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _count: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _events: asyncio.Queue[SwitchEvent] = field(default_factory=asyncio.Queue)
    _rows: dict[str, FallbackRow] = field(default_factory=dict)
    _is_up: bool = False
    _is_fresh: bool = True

    def __post_init__(self) -> None:
        self._now = self.start

    # -- people and time -------------------------------------------------------------------------------------------

    def arrive(self, did: str, caller: str = "4917012345") -> str:
        """Somebody calls in. Returns the leg's id."""
        number = next(self._count)
        leg = _Leg(f"1767268800.{number}", f"PJSIP/trunk-{number:08x}", did, True, self._now, "rw-claim", caller=caller)
        self._legs[leg.leg] = leg
        self._tell(CallArrived(self._now, leg.leg, leg.channel, did, caller))
        self._later(leg, self.claim_s, lambda: self._fall(leg))
        return leg.leg

    def hang_up(self, leg: str) -> None:
        """The far side of a leg hangs up."""
        if live := self._legs.get(leg):
            self._end(live, Cause.NORMAL, 0)

    def advance(self, seconds: float) -> None:
        """Time passes, and what is due happens in order."""
        until = self._now + timedelta(seconds=seconds)
        while self._due and self._due[0][0] <= until:
            self._now, _, act = heapq.heappop(self._due)
            act()
        self._now = until

    def cut(self) -> None:
        """The connection is lost; what happens now is told to nobody."""
        self._is_up = False
        self._events.put_nowait(Disconnected("cut"))

    def restore(self) -> None:
        self._is_up = True
        self._events.put_nowait(Connected(self._is_fresh))
        self._is_fresh = False

    def restart(self) -> None:
        """The switch dies and comes back without a channel."""
        self.cut()
        self._legs.clear()
        self._due.clear()
        self._is_fresh = True
        self.restore()

    def exhaust(self, leg: str) -> None:
        """The fallback of a caller has rung everybody in vain."""
        if leg in self._legs:
            self._tell(FallbackExhausted(self._now, leg))

    def leave_row(self, leg: str, step: str, number: str = "", channel_leg: str = "", status: str = "",
                  cause: int = 16, caller: str = "", did: str = "") -> None:
        """A step of a fallback, left for the engine to import."""
        live = self._legs.get(leg)
        did, caller = (live.number, live.caller) if live else (did, caller)
        key = f"fb/{leg}/{int(self._now.timestamp() * 1000)}-{channel_leg or leg}.{next(self._count)}"
        self._rows[key] = FallbackRow(key, leg, self._now, step, number, did, caller, channel_leg or leg, status, cause)

    # -- the port --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        self.restore()
        await asyncio.Event().wait()

    async def events(self) -> AsyncIterator[SwitchEvent]:
        while True:
            yield await self._events.get()

    def now(self) -> datetime:
        return self._now

    @property
    def lag_s(self) -> float:
        return 0.0

    def send(self, commands: Sequence[SwitchCommand]) -> None:
        if not self._is_up:
            raise SwitchLost("not connected")
        for command in commands:
            not_after = getattr(command, "not_after", None)
            if not_after is not None and self._now > not_after:
                self._tell(OrderExpired(self._now, command.leg))
                return
            self.sent.append(command)
            self._obey(command)

    def renew(self, legs: Sequence[str], lease_s: int) -> None:
        for leg in legs if self._is_up else ():
            if live := self._legs.get(leg):
                self._lease(live, lease_s)

    async def live(self) -> Mapping[str, LiveLeg]:
        self._check()
        return {leg.leg: self._live(leg) for leg in self._legs.values()}

    async def put_hotlines(self, hotlines: Sequence[Hotline]) -> None:
        self._check()
        self.hotlines = {hotline.number: hotline for hotline in hotlines}

    async def fallback_rows(self) -> Sequence[FallbackRow]:
        self._check()
        return sorted(self._rows.values(), key=lambda row: (row.at, row.key))

    async def forget(self, rows: Sequence[FallbackRow]) -> None:
        self._check()
        for row in rows:
            self._rows.pop(row.key, None)

    # -- orders ----------------------------------------------------------------------------------------------------

    def _obey(self, command: SwitchCommand) -> None:
        if isinstance(command, Dial):
            self._dial(command)
            return
        leg = self._legs.get(command.leg)
        if leg is None:      # as on a real switch: the hang-up was told
            if isinstance(command, HangUp):
                self._tell(DialRefused(self._now, command.leg))
            return
        match command:
            case Play():
                self._move(leg, "rw-play")
                self._lease(leg, self.lease_s)
                self._later(leg, PROMPT_S, lambda: self._played(leg, command))
            case Hold():
                self._move(leg, "rw-hold")
                self._lease(leg, self.lease_s)
            case Bridge():
                if peer := self._legs.get(command.peer):
                    self._join(leg, peer)
                    self._tell(Joined(self._now, leg.leg, peer.leg))
            case HangUp() | Reject():
                self._end(leg, command.cause, 0)
            case _:
                assert_never(command)

    def _played(self, leg: _Leg, play: Play) -> None:
        self._tell(Played(self._now, leg.leg))
        if play.then == "hold":
            leg.place = "rw-hold"
            self._lease(leg, self.lease_s)
        else:
            self._end(leg, play.cause, 0)

    def _dial(self, order: Dial) -> None:
        if order.leg in self._legs:      # an id in use is not dialled twice
            return
        number = next(self._count)
        leg = _Leg(order.leg, f"PJSIP/trunk-{number:08x}", order.number, False, self._now, "", dial=order)
        self._legs[order.leg] = leg
        phone = self.phones.get(order.number, Phone())
        if phone.refuses:
            self._later(leg, 0.0, lambda: self._end(leg, CAUSE_OF.get(phone.refuses, 127), phone.refuses))
        elif phone.answers_s is not None and phone.answers_s < order.ring_timeout_s:
            self._later(leg, phone.answers_s, lambda: self._answer(leg, phone))
        else:
            self._later(leg, order.ring_timeout_s, lambda: self._end(leg, Cause.NO_ANSWER, 0))

    def _answer(self, leg: _Leg, phone: Phone) -> None:
        self._move(leg, "rw-ask")
        self._tell(Answered(self._now, leg.leg))
        if phone.hangs_up_s is not None:
            self._at(phone.hangs_up_s, lambda: self.hang_up(leg.leg))
        self._ask(leg, phone, 0)

    def _ask(self, leg: _Leg, phone: Phone, tried: int) -> None:
        assert leg.dial  # noqa: S101 -- only dialled legs are asked
        if tried == leg.dial.tries:
            self._tell(DigitsEntered(self._now, leg.leg, ""))
            self._end(leg, Cause.NORMAL, 0)
        elif phone.keys[tried:tried + 1] == "1":
            self._later(leg, phone.key_s, lambda: self._accept(leg))
        else:
            pause_s = phone.key_s if phone.keys[tried:] else PROMPT_S + READ_S
            self._later(leg, pause_s, lambda: self._ask(leg, phone, tried + 1))

    def _accept(self, leg: _Leg) -> None:
        self._move(leg, "rw-accepted")
        self._tell(DigitsEntered(self._now, leg.leg, "1"))
        self._later(leg, self.claim_s, lambda: self._join_alone(leg))

    def _join_alone(self, leg: _Leg) -> None:
        """No engine joined in time: the dialplan does, unless the caller is gone or talks."""
        peer = next((one for one in self._legs.values() if leg.dial and one.channel == leg.dial.peer), None)
        if peer is None or peer.partner:
            cause = Cause.ANSWERED_ELSEWHERE if peer else Cause.NORMAL
            self._later(leg, PROMPT_S, lambda: self._end(leg, cause, 0))
            return
        self._join(peer, leg)
        self._tell(Joined(self._now, leg.leg, peer.leg))

    # -- what happens to legs --------------------------------------------------------------------------------------

    def _join(self, leg: _Leg, peer: _Leg) -> None:
        for one in (leg, peer):
            self._part(one)
            one.turn += 1
            one.lease += 1
        leg.partner, peer.partner = peer.leg, leg.leg

    def _part(self, leg: _Leg) -> None:
        """Whoever talked with it goes on in its verb, which ends there."""
        partner, leg.partner = self._legs.get(leg.partner), ""
        if partner is not None:
            partner.partner = ""
            self._end(partner, Cause.NORMAL, 0, was_left=True)

    def _move(self, leg: _Leg, verb: str) -> None:
        self._part(leg)
        leg.turn += 1
        leg.lease += 1
        leg.place, leg.is_up = verb, True

    def _fall(self, leg: _Leg) -> None:
        if not leg.is_up and (cause := self._refusal(leg)):
            self._end(leg, cause, 0)
            return
        self._move(leg, "rw-fall")
        leg.has_fallen = True
        self._tell(FallbackStarted(self._now, leg.leg, leg.channel, leg.number, leg.caller))
        self.leave_row(leg.leg, "start")

    def _refusal(self, leg: _Leg) -> int:
        hotline = self.hotlines.get(leg.number)
        if hotline is None:
            return Cause.UNALLOCATED
        callers = sum(1 for one in self._legs.values() if one.is_inbound and one.number == leg.number)
        if not hotline.is_active:
            return Cause.SUBSCRIBER_ABSENT
        return Cause.BUSY if callers > hotline.channels_inbound else 0

    def _end(self, leg: _Leg, cause: int, sip: int, was_left: bool = False) -> None:
        if self._legs.pop(leg.leg, None) is None:
            return
        if leg.has_fallen and leg.place == "rw-fall":
            self._legs[leg.leg] = leg
            self.leave_row(leg.leg, "ended", cause=cause)
            del self._legs[leg.leg]
        leg.turn += 1
        self._tell(HungUp(self._now, leg.leg, int(cause), sip, was_left))
        self._part(leg)

    def _lease(self, leg: _Leg, lease_s: float) -> None:
        """When it runs out a caller goes to the fallback, an agent is hung up, and a talk is cut."""
        leg.lease += 1
        lease = leg.lease
        self._at(lease_s, lambda: self._expire(leg) if leg.lease == lease and leg.leg in self._legs else None)

    def _expire(self, leg: _Leg) -> None:
        if leg.is_inbound and not leg.partner:
            self._fall(leg)
        else:
            self._end(leg, Cause.NORMAL, 0)

    # -- the clock -------------------------------------------------------------------------------------------------

    def _later(self, leg: _Leg, seconds: float, act: Callable[[], None]) -> None:
        turn = leg.turn
        self._at(seconds, lambda: act() if leg.turn == turn and leg.leg in self._legs else None)

    def _at(self, seconds: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self._now + timedelta(seconds=seconds), next(self._count), act))

    def _tell(self, event: SwitchEvent) -> None:
        if self._is_up:
            self._events.put_nowait(event)

    def _check(self) -> None:
        if not self._is_up:
            raise SwitchLost("not connected")

    def _live(self, leg: _Leg) -> LiveLeg:
        partner = self._legs.get(leg.partner)
        bridge = "-".join(sorted((leg.leg, partner.leg))) if partner else ""
        linked = partner.leg if partner and partner.is_inbound else leg.leg
        return LiveLeg(leg.leg, leg.channel, leg.place, leg.is_up, bridge, linked,
                       (self._now - leg.since).total_seconds())
