"""The switch's memory twin: scripted people on a clock that only `advance` moves.

For unit tests of everything above the port, and as the port's second implementation: it passes the same contract tests
as the Asterisk adapter. It keeps what the port promises of the dialplan's verbs (see dialplans/asterisk): leases, the
claim window, the join without an engine, the note before the thank-you. What the fallback rings is not acted out:
`exhaust` and `leave_row` tell it.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from engine.ports import AckNote, FallbackRow, Recorded, SwitchEvent, SwitchLost
from engine.switch.memory_alarm import AlarmTalk
from engine.switch.memory_program import HEARD, StepsTalk
from engine.switch.memory_stage import PROMPT_S, READ_S, Leg, Phone, PhoneCall, Stage
from engine.vocabulary.commands import (
    AskAlarm,
    Bridge,
    Dial,
    DialAlarm,
    DialProgram,
    HangUp,
    Hold,
    Play,
    Reject,
    RunStep,
    SwitchCommand,
    Transfer,
)
from engine.vocabulary.events import (
    Answered,
    CallArrived,
    DialRefused,
    DigitsEntered,
    FallbackExhausted,
    FallbackStarted,
    Joined,
    OrderExpired,
    Played,
)
from engine.vocabulary.values import Cause, Hotline, LiveLeg, Provider, is_provider

__all__ = ["PROMPT_S", "READ_S", "MemorySwitch", "Phone", "PhoneCall"]

CAUSE_OF = {404: 1, 408: 18, 480: 19, 486: 17, 500: 38, 503: 34, 600: 17, 403: 21, 603: 21}


LAST_WORDS_S = 300.0  # are heard to their end


@dataclass(slots=True)
class MemorySwitch(Stage):
    """Implements ports.Switch."""

    hotlines: dict[str, Hotline] = field(default_factory=dict)
    providers: dict[str, Provider] = field(default_factory=dict)
    sent: list[SwitchCommand] = field(default_factory=list)
    _talks: dict[str, AlarmTalk] = field(default_factory=dict)
    _programs: dict[str, StepsTalk] = field(default_factory=dict)

    # -- people ----------------------------------------------------------------------------------------------------

    def arrive(self, did: str, caller: str = "4917012345") -> str:
        """Somebody calls in. Returns the leg's id."""
        leg = self._new(f"1767268800.{next(self._count)}", "trunk", did, caller, True, "rw-claim")
        leg.caller, leg.has_did = caller, True
        self._tell(CallArrived(self._now, leg.leg, leg.channel, did, caller))
        self._later(leg, self.claim_s, lambda: self._fall(leg))
        return leg.leg

    def press(self, leg: str, key: str) -> None:
        """Somebody who hears an alarm presses a key that no script presses."""
        if leg in self._legs and leg in self._talks:
            self._talks[leg].press(key)

    def exhaust(self, leg: str) -> None:
        """The fallback of a caller has rung everybody in vain."""
        if leg in self._legs:
            self._tell(FallbackExhausted(self._now, leg))

    def leave_row(self, leg: str, step: str, number: str = "", channel_leg: str = "", status: str = "",
                  cause: int = 16, caller: str = "", did: str = "") -> None:
        """A step of a fallback, left for the engine to import."""
        live = self._legs.get(leg)
        did, caller = (live.number, live.caller) if live else (did, caller)
        self._row(leg, step, number=number, did=did, caller=caller, channel_leg=channel_leg, status=status, cause=cause)

    # -- the port --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        self.restore()
        await asyncio.Event().wait()

    async def events(self) -> AsyncIterator[SwitchEvent]:
        while True:
            yield await self._events.get()

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

    async def put_trunks(self, providers: Sequence[Provider]) -> Collection[str]:
        self._check()
        self.providers = {one.trunk: one for one in providers}
        return set(self.providers)

    async def fallback_rows(self) -> Sequence[FallbackRow]:
        self._check()
        return sorted(self._rows.values(), key=lambda row: (row.at, row.key))

    async def forget(self, rows: Sequence[FallbackRow]) -> None:
        self._check()
        for row in rows:
            self._rows.pop(row.key, None)

    async def acknowledgements(self) -> Sequence[AckNote]:
        return sorted(self._notes.values(), key=lambda note: (note.at, note.leg))

    async def forget_acknowledgements(self, notes: Sequence[AckNote]) -> None:
        for note in notes:
            self._notes.pop(note.leg, None)

    async def recorded(self) -> Sequence[Recorded]:
        return [Recorded(name, *map(int, name.split("-"))) for name in self._recorded]

    async def recorded_audio(self, one: Recorded) -> bytes:
        return HEARD if one.name in self._recorded else b""

    async def forget_recorded(self, one: Recorded) -> None:
        if one.name in self._recorded:
            self._recorded.remove(one.name)

    # -- orders ----------------------------------------------------------------------------------------------------

    def _obey(self, command: SwitchCommand) -> None:
        if isinstance(command, Dial | DialAlarm | DialProgram):
            self._dial(command)
            return
        leg = self._legs.get(command.leg)
        if leg is None:      # as on a real switch: the hang-up was told
            if isinstance(command, HangUp):
                self._tell(DialRefused(self._now, command.leg))
            return
        match command:
            case Play():
                self._play(leg, command)
            case Hold():
                self._move(leg, "rw-hold")
                self._lease(leg, self.lease_s)
            case AskAlarm():
                self._talk(leg, command, self.phones.get(leg.call.number, Phone()))
            case RunStep():
                self._programs[leg.leg].run(command.prompt)
            case Transfer():
                self._transfer(leg, command)
            case Bridge():
                if peer := self._legs.get(command.peer):
                    self._join(leg, peer)
                    self._tell(Joined(self._now, leg.leg, peer.leg))
            case HangUp() | Reject():
                self._end(leg, command.cause, 0)
            case _:
                assert_never(command)

    def _play(self, leg: Leg, play: Play) -> None:
        self._move(leg, "rw-play")
        self._lease(leg, self.lease_s if play.then == "hold" else LAST_WORDS_S)
        sounds = [sound for sound in (leg.owed, play.sound) if sound]
        leg.owed = ""
        for sound in sounds:
            self._hears(leg, sound)
        self._later(leg, PROMPT_S * len(sounds), lambda: self._played(leg, play))

    def _played(self, leg: Leg, play: Play) -> None:
        self._tell(Played(self._now, leg.leg))
        if play.then == "hold":
            leg.place = "rw-hold"
            self._lease(leg, self.lease_s)
        else:
            self._end(leg, play.cause, 0)

    def _dial(self, order: Dial | DialAlarm | DialProgram) -> None:
        if order.leg in self._legs:      # an id in use is not dialled twice
            return
        if is_provider(order.trunk) and order.trunk not in self.providers:
            self._tell(DialRefused(self._now, order.leg))
            return
        leg = self._new(order.leg, order.trunk, order.number, order.number, False, "")
        phone = Phone(refuses=503) if order.trunk in self.trunks_down else self.phones.get(order.number, Phone())
        if phone.refuses:
            self._later(leg, 0.0, lambda: self._end(leg, CAUSE_OF.get(phone.refuses, 127), phone.refuses))
        elif phone.answers_s is not None and phone.answers_s < order.ring_timeout_s:
            self._later(leg, phone.answers_s, lambda: self._answer(leg, order, phone))
        else:
            self._later(leg, order.ring_timeout_s, lambda: self._end(leg, Cause.NO_ANSWER, 0))

    def _answer(self, leg: Leg, order: Dial | DialAlarm | DialProgram, phone: Phone) -> None:
        self._is_answered(leg)
        self._tell(Answered(self._now, leg.leg))
        if phone.hangs_up_s is not None:
            self._at(phone.hangs_up_s, lambda: self.hang_up(leg.leg))
        if isinstance(order, DialAlarm):
            self._talk(leg, order, phone)
        elif isinstance(order, DialProgram):
            self._programs[leg.leg] = StepsTalk(self, leg, phone)
            self._programs[leg.leg].run(order.first)
        else:
            leg.dial = order
            self._move(leg, "rw-ask")
            self._ask(leg, order, phone, 0)

    def _talk(self, leg: Leg, order: DialAlarm | AskAlarm, phone: Phone) -> None:
        self._talks[leg.leg] = AlarmTalk(self, leg, order.ask, phone)
        self._talks[leg.leg].begin()

    def _transfer(self, leg: Leg, order: Transfer) -> None:
        """From now on it is a hotline's caller, whom an engine may claim."""
        self._move(leg, "rw-claim")
        leg.number, leg.caller, leg.has_did = order.number, order.caller, True
        self._tell(CallArrived(self._now, leg.leg, leg.channel, order.number, order.caller))
        self._later(leg, self.claim_s, lambda: self._fall(leg))

    def _ask(self, leg: Leg, order: Dial, phone: Phone, tried: int) -> None:
        if tried == order.tries:
            self._tell(DigitsEntered(self._now, leg.leg, ""))
            self._end(leg, Cause.NORMAL, 0)
        elif phone.keys[tried:tried + 1] == "1":
            self._later(leg, phone.key_s, lambda: self._accept(leg))
        else:
            pause_s = phone.key_s if phone.keys[tried:] else PROMPT_S + READ_S
            self._later(leg, pause_s, lambda: self._ask(leg, order, phone, tried + 1))

    def _accept(self, leg: Leg) -> None:
        self._move(leg, "rw-accepted")
        self._tell(DigitsEntered(self._now, leg.leg, "1"))
        self._later(leg, self.claim_s, lambda: self._join_alone(leg))

    def _join_alone(self, leg: Leg) -> None:
        """No engine joined in time: the dialplan does, unless the caller is gone or talks."""
        peer = next((one for one in self._legs.values() if leg.dial and one.channel == leg.dial.peer), None)
        if peer is None or peer.partner:
            cause = Cause.ANSWERED_ELSEWHERE if peer else Cause.NORMAL
            self._later(leg, PROMPT_S, lambda: self._end(leg, cause, 0))
            return
        self._join(peer, leg)
        self._tell(Joined(self._now, leg.leg, peer.leg))

    # -- what the dialplan does by itself --------------------------------------------------------------------------

    def _join(self, leg: Leg, peer: Leg) -> None:
        for one in (leg, peer):
            self._part(one)
            one.turn += 1
            one.lease += 1
        leg.partner, peer.partner = peer.leg, leg.leg

    def _fall(self, leg: Leg) -> None:
        if not leg.is_up and (cause := self._refusal(leg)):
            self._end(leg, cause, 0)
            return
        self._move(leg, "rw-fall")
        leg.has_fallen = True
        self._tell(FallbackStarted(self._now, leg.leg, leg.channel, leg.number, leg.caller))
        self._leave(leg, "start")

    def _refusal(self, leg: Leg) -> int:
        hotline = self.hotlines.get(leg.number)
        if hotline is None:
            return Cause.UNALLOCATED
        callers = sum(1 for one in self._legs.values() if one.is_inbound and one.number == leg.number)
        if not hotline.is_active:
            return Cause.SUBSCRIBER_ABSENT
        return Cause.BUSY if callers > hotline.channels_inbound else 0

    def _lease(self, leg: Leg, lease_s: float) -> None:
        """When it runs out a caller goes to the fallback, an agent is hung up, and a talk is cut."""
        leg.lease += 1
        lease = leg.lease
        self._at(lease_s, lambda: self._expire(leg) if leg.lease == lease and leg.leg in self._legs else None)

    def _expire(self, leg: Leg) -> None:
        if leg.has_did and not leg.partner:
            self._fall(leg)
        else:
            self._end(leg, Cause.NORMAL, 0)
