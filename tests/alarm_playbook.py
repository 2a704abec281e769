"""A readable script for the alarm flow: this event in, these commands out. People, numbers and legs have short names.

    book = Playbook.of(2, needed=1)          two people, `1` and `2`; their messages are rendered
    book.rings("1")                          leg `1`: the first dial to the first phone of person 1
    book.tells(Answered(at(2), "1")).orders  what goes to the switch

Person 1's phones are `49301`, `493010`, `4930100`; dialled legs are called by the person, and `1b`, `1c` … after that.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from engine.flows import alarm
from engine.flows.alarm_state import Recipient, State
from engine.flows.flow import Step
from engine.vocabulary.commands import (
    AskAlarm,
    Command,
    DialAlarm,
    Finish,
    HangUp,
    Hold,
    Play,
    Render,
    SetTimer,
    WriteAlarm,
    WriteAttempt,
    WriteNote,
    WriteRecipient,
)
from engine.vocabulary.events import (
    Acknowledged,
    Answered,
    DialGranted,
    Event,
    HungUp,
    Played,
    Reconciled,
    Rendered,
    TimerFired,
)
from engine.vocabulary.values import AlarmPlan, LiveLeg, Person

T0 = datetime(2026, 3, 1, 3, 0, 0, tzinfo=UTC)
PLAN = AlarmPlan(
    alarm_id=5, organisation_id=1, caller_id="4930555", created_at=T0, message=(("de", "Brand."), ("en", "Fire.")),
    recording_id=None, closing=(("de", "{acknowledged} von {needed}."),), needed=1, by_role=(), key="1",
    decline_key="9", pin="", strategy="parallel", waves=(), rounds=3, pause_s=60.0,
    retry_on=("busy", "noAnswer", "mailbox", "failed"), ring_timeout_s=25, expires_s=1800.0, amd=False,
)
Order = DialAlarm | AskAlarm | HangUp | Hold | Play


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def number(person: int, phone: int = 0) -> str:
    return f"4930{person}{'0' * phone}"


def person(which: int, phones: int = 1, **changes: Any) -> Person:
    made = Person(which, f"Person {which}", "", "de", "de", tuple(number(which, phone) for phone in range(phones)))
    return replace(made, **changes)


class Playbook:
    """Plays events against the alarm flow, grants numbers as the allocator does and renders as the voice does."""

    def __init__(self, persons: tuple[Person, ...], plan: AlarmPlan) -> None:
        self.seconds = 0.0
        self.all: list[Command] = []
        self.last: tuple[Command, ...] = ()
        self.legs: dict[str, int] = {}
        self.timers: list[tuple[float, int, str]] = []
        self._order = count()
        self._take(alarm.start(plan, persons, at(0)))

    @classmethod
    def silent(cls, people: int | tuple[Person, ...] = 1, phones: int = 1, **plan: Any) -> "Playbook":
        """Nothing is rendered yet."""
        made = tuple(person(one, phones) for one in range(1, people + 1)) if isinstance(people, int) else people
        return cls(made, replace(PLAN, **plan))

    @classmethod
    def of(cls, people: int | tuple[Person, ...] = 1, phones: int = 1, **plan: Any) -> "Playbook":
        return cls.silent(people, phones, **plan).speaks()

    # --- what happens ---------------------------------------------------------------------------------------------

    def tells(self, *events: Event) -> "Playbook":
        for event in events:
            self.seconds = max(self.seconds, (event.at - T0).total_seconds())
            self._take(alarm.step(self.state, event))
        return self

    def speaks(self, sound: str | None = None) -> "Playbook":
        """Every order to speak that is open is answered."""
        return self.tells(*[Rendered(at(self.seconds), one.key, f"s/{one.key}" if sound is None else sound)
                            for one in self.last if isinstance(one, Render)])

    def rings(self, *people: int, trunk: str = "t", others: int = 0, pin_tries: int = 3) -> "Playbook":
        """Grants the number of each of these people that is wanted."""
        for one in people:
            wanted = self.recipient(one).next
            assert wanted is not None and wanted.number in self.wanted, f"{one} is not wanted: {self.wanted}"
            self.grants(wanted.number, self._leg(one), trunk, others, pin_tries)
        return self

    def grants(
        self, wanted: str, leg: str, trunk: str = "t", others: int = 0, pin_tries: int = 3
    ) -> "Playbook":
        return self.tells(DialGranted(at(self.seconds), leg, wanted, trunk, pin_tries, others))

    def answers(self, *legs: str) -> "Playbook":
        return self.tells(*[Answered(at(self.seconds), leg) for leg in legs])

    def acknowledges(self, *legs: str) -> "Playbook":
        return self.tells(*[Acknowledged(at(self.seconds), leg) for leg in legs])

    def thanked(self, *legs: str) -> "Playbook":
        return self.tells(*[Played(at(self.seconds), leg) for leg in legs])

    def busy(self, *legs: str) -> "Playbook":
        return self.tells(*[HungUp(at(self.seconds), leg, 17, 486) for leg in legs])

    def hangs_up(self, *legs: str, cause: int = 16, sip: int = 0) -> "Playbook":
        return self.tells(*[HungUp(at(self.seconds), leg, cause, sip) for leg in legs])

    def passes(self, seconds: float) -> "Playbook":
        """Time goes by; every timer that is due fires, in order, also those that came to nothing."""
        until = self.seconds + seconds
        while self.timers and self.timers[0][0] <= until:
            due, _, name = self.timers.pop(0)
            self.tells(TimerFired(at(due), name))
        self.seconds = until
        return self

    def compares(self, **live: str) -> "Playbook":
        """These legs live, in these places (`ringing`: not answered); the others are gone."""
        legs = {
            leg: LiveLeg(leg, f"PJSIP/{leg}", "" if place == "ringing" else place, place != "ringing", "", leg, 9.0)
            for leg, place in ((name.removeprefix("leg"), place) for name, place in live.items())
        }
        return self.tells(Reconciled(at(self.seconds), legs))

    # --- what came of it ------------------------------------------------------------------------------------------

    @property
    def orders(self) -> tuple[Order, ...]:
        """To the switch, in the last step."""
        return tuple(one for one in self.last if isinstance(one, Order))

    @property
    def wanted(self) -> list[str]:
        found = alarm.wants(self.state)
        return [one.number for one in found.numbers] if found else []

    @property
    def notes(self) -> list[str]:
        return [row.type for row in self.all if isinstance(row, WriteNote)]

    def noted(self, kind: str) -> list[WriteNote]:
        return [row for row in self.all if isinstance(row, WriteNote) and row.type == kind]

    @property
    def alarm_states(self) -> list[str]:
        return [row.state.value for row in self.all if isinstance(row, WriteAlarm)]

    def states(self, which: int) -> list[str]:
        """Every state that was written of this person."""
        return [row.state.value for row in self.all if isinstance(row, WriteRecipient) and row.recipient_id == which]

    @property
    def attempts(self) -> dict[str, str | None]:
        """How each leg ended, as its last row says."""
        rows = [row for row in self.all if isinstance(row, WriteAttempt)]
        return {row.leg: row.disposition.value if row.disposition else None for row in rows}

    @property
    def dialled(self) -> list[str]:
        return [one.number for one in self.all if isinstance(one, DialAlarm)]

    @property
    def outcome(self) -> str | None:
        ends = [row.outcome for row in self.all if isinstance(row, Finish)]
        assert len(ends) <= 1, "a flow ends once"
        return ends[0] if ends else None

    def recipient(self, which: int) -> Recipient:
        return next(one for one in self.state.recipients if one.person.recipient_id == which)

    # --- inside ---------------------------------------------------------------------------------------------------

    def _leg(self, which: int) -> str:
        times = self.legs[str(which)] = self.legs.get(str(which), -1) + 1
        return str(which) if not times else f"{which}{chr(ord('a') + times)}"

    def _take(self, step: Step[State]) -> None:
        self.state = step.state
        self.last = step.commands
        self.all += step.commands
        for one in step.commands:
            if isinstance(one, SetTimer):
                self.timers = sorted([*self.timers, (self.seconds + one.after_s, next(self._order), one.name)])
