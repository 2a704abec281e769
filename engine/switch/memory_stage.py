"""The floor under the memory twin: legs, a clock that only `advance` moves, what people do, and what is told.

`memory.py` acts the verbs on it, `memory_alarm.py` the alarm's. `calls` is what the phones could tell afterwards.
"""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from engine.ports import AckNote, Connected, Disconnected, FallbackRow, SwitchEvent, SwitchLost
from engine.vocabulary.commands import Dial
from engine.vocabulary.events import HungUp
from engine.vocabulary.values import LiveLeg

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PROMPT_S = 1.0      # how long every sound is
READ_S = 3.0        # how long a key is waited for after the question


@dataclass(frozen=True, slots=True)
class Phone:
    """What the person (or mailbox) at a number does. Times count from the step before.

    `keys`: one a question, '' (or a space among them) is silence. `pins`: what is entered when an alarm asks for one,
    '' is silence again. An alarm's `*` repeats its question.
    """

    refuses: int = 0                  # SIP status; 0: it rings
    answers_s: float | None = None    # None: rings for ever
    keys: str = ""
    key_s: float = 0.5
    hangs_up_s: float | None = None   # after the answer
    pins: tuple[str, ...] = ()
    is_machine: bool = False          # sounds like an answering machine
    enters: tuple[str, ...] = ()      # what is pressed at each question of a program; '' nothing


@dataclass(slots=True)
class PhoneCall:
    """One call as the phone at `number` would tell it. `heard`: when each sound began, and which."""

    leg: str
    number: str
    began_at: datetime
    is_inbound: bool = False
    trunk: str = ""
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    cause: int | None = None
    heard: list[tuple[datetime, str]] = field(default_factory=list)

    def has_heard(self, sound: str) -> bool:
        return any(one == sound for _, one in self.heard)


@dataclass(slots=True)
class Leg:
    leg: str
    channel: str
    number: str
    is_inbound: bool
    since: datetime
    place: str
    call: PhoneCall
    is_up: bool = False
    caller: str = ""
    partner: str = ""
    dial: Dial | None = None
    has_did: bool = False       # a hotline's caller: without an engine the fallback serves him
    has_fallen: bool = False
    records: str = ""           # into this file, which is kept when the person hangs up
    owed: str = ""              # what it hears first, whatever else it is told to hear
    turn: int = 0          # rises with every verb: what a former verb had in mind does not happen
    lease: int = 0         # rises with every renewal: a former lease does not run out


@dataclass(slots=True)
class Stage:
    """Everything of the twin that is no verb and no port."""

    claim_s: float = 2.0
    lease_s: float = 10.0
    start: datetime = NOON
    phones: dict[str, Phone] = field(default_factory=dict)
    trunks_down: set[str] = field(default_factory=set)      # answer every call with 503
    calls: list[PhoneCall] = field(default_factory=list)
    _now: datetime = NOON
    _legs: dict[str, Leg] = field(default_factory=dict)
    _due: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _count: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _events: asyncio.Queue[SwitchEvent] = field(default_factory=asyncio.Queue)
    _rows: dict[str, FallbackRow] = field(default_factory=dict)
    _notes: dict[str, AckNote] = field(default_factory=dict)
    _recorded: list[str] = field(default_factory=list)      # files of recordings
    _is_up: bool = False
    _is_fresh: bool = True

    def __post_init__(self) -> None:
        self._now = self.start

    # -- people and time -------------------------------------------------------------------------------------------

    def hang_up(self, leg: str) -> None:
        """The far side of a leg hangs up."""
        if live := self._legs.get(leg):
            self._end(live, 16, 0)

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
        """The switch dies and comes back without a channel; the notes of acknowledgements stay."""
        self.cut()
        for leg in self._legs.values():
            leg.call.ended_at = self._now
        self._legs.clear()
        self._due.clear()
        self._is_fresh = True
        self.restore()

    def now(self) -> datetime:
        return self._now

    # -- legs ------------------------------------------------------------------------------------------------------

    def _new(self, leg: str, trunk: str, number: str, phone: str, is_inbound: bool, place: str) -> Leg:
        """`phone` is the person's own number, in either direction."""
        call = PhoneCall(leg, phone, self._now, is_inbound, trunk)
        self.calls.append(call)
        channel = f"PJSIP/{trunk}-{next(self._count):08x}"
        self._legs[leg] = made = Leg(leg, channel, number, is_inbound, self._now, place, call)
        return made

    def _hears(self, leg: Leg, sound: str) -> None:
        leg.call.heard.append((self._now, sound))

    def _is_answered(self, leg: Leg) -> None:
        leg.is_up = True
        leg.call.answered_at = leg.call.answered_at or self._now

    def _part(self, leg: Leg) -> None:
        """Whoever talked with it goes on in its verb, which ends there."""
        partner, leg.partner = self._legs.get(leg.partner), ""
        if partner is not None:
            partner.partner = ""
            self._end(partner, 16, 0, was_left=True)

    def _move(self, leg: Leg, verb: str) -> None:
        self._part(leg)
        leg.turn += 1
        leg.lease += 1
        leg.place = verb
        self._is_answered(leg)

    def _end(self, leg: Leg, cause: int, sip: int, was_left: bool = False) -> None:
        if self._legs.pop(leg.leg, None) is None:
            return
        leg.call.ended_at, leg.call.cause = self._now, int(cause)
        self._keep_recording(leg)
        if leg.has_fallen and leg.place == "rw-fall":
            self._leave(leg, "ended", cause)
        leg.turn += 1
        self._tell(HungUp(self._now, leg.leg, int(cause), sip, was_left))
        self._part(leg)

    def _keep_recording(self, leg: Leg) -> None:
        if leg.records and leg.records not in self._recorded:
            self._recorded.append(leg.records)
        leg.records = ""

    def _leave(self, leg: Leg, step: str, cause: int = 16) -> None:
        self._row(leg.leg, step, did=leg.number, caller=leg.caller, cause=cause)

    def _row(self, leg: str, step: str, *, number: str = "", did: str = "", caller: str = "", channel_leg: str = "",
             status: str = "", cause: int = 16) -> None:
        key = f"fb/{leg}/{int(self._now.timestamp() * 1000)}-{channel_leg or leg}.{next(self._count)}"
        self._rows[key] = FallbackRow(key, leg, self._now, step, number, did, caller, channel_leg or leg, status, cause)

    # -- the clock, and telling ------------------------------------------------------------------------------------

    def _later(self, leg: Leg, seconds: float, act: Callable[[], None]) -> None:
        """Unless another verb begins, or this one goes on to its next step."""
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

    def _live(self, leg: Leg) -> LiveLeg:
        partner = self._legs.get(leg.partner)
        bridge = "-".join(sorted((leg.leg, partner.leg))) if partner else ""
        linked = partner.leg if partner and partner.is_inbound else leg.leg
        return LiveLeg(leg.leg, leg.channel, leg.place, leg.is_up, bridge, linked,
                       (self._now - leg.since).total_seconds())
