"""A readable script for the flow of a program's call: this event in, these commands out.

    book = Playbook.of(SAY, MENU)            a call to `49301` that has these steps, waits for a line
    book.dialled().answered()                leg `a` is up, and has been told the first step
    book.hears().presses("1").orders         what goes to the switch after the key

The dialled leg is `a` (`b`, `c` … by the next trunks); whoever it is handed over to is `peer`, `peer2` ….
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from engine import codec
from engine.flows import program
from engine.flows.flow import Step
from engine.flows.program_state import State
from engine.vocabulary.commands import (
    Bridge,
    Command,
    DialProgram,
    Finish,
    HangUp,
    Hold,
    Play,
    Render,
    RunStep,
    SetTimer,
    Transfer,
    WriteOptOut,
    WriteResult,
    WriteSpool,
    WriteTransmission,
)
from engine.vocabulary.events import (
    Answered,
    CallArrived,
    DialGranted,
    Event,
    HungUp,
    Joined,
    Reconciled,
    Rendered,
    StepDone,
    TimerFired,
)
from engine.vocabulary.program import ProgramPlan, ProgramStep, Prompt, RetryRules
from engine.vocabulary.values import LiveLeg

T0 = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
NUMBER, PEER = "49301", "49309"
CHANNEL = "PJSIP/t1-0000000a"
Order = DialProgram | RunStep | Hold | Transfer | Bridge | Play | HangUp
Row = TypeVar("Row", bound=Command)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def to(place: int, label: str = "") -> tuple[tuple[str, int], ...]:
    return ((label, place),)


def say(text: str = "Guten Tag", **facts: Any) -> ProgramStep:
    return ProgramStep("say", "say", text=text, **facts)


def menu(**facts: Any) -> ProgramStep:
    return ProgramStep("menu", **{"name": "wahl", "text": "Eins oder zwei?", "valid": "12", **facts})


BYE = ProgramStep("disconnect")


def a_plan(*steps: ProgramStep, **facts: Any) -> ProgramPlan:
    """Each step that says something known has the sound `s<place>`."""
    sounds = tuple(
        f"s{place}" if step.recording_id or (step.text and "[result:" not in step.text) else ""
        for place, step in enumerate(steps))
    made = ProgramPlan(
        spool_id=7, transmission_id=5, campaign_id=3, organisation_id=1, number=NUMBER, caller_id="4930100",
        language="de", voice="de", ring_timeout_s=25, steps=steps, sounds=sounds, tries_left=1,
        retry=RetryRules(300, 1800, 600))
    return replace(made, **facts)


class Playbook:
    """Plays events against the flow, and stores and loads its state between every two."""

    def __init__(self, plan: ProgramPlan) -> None:
        self.seconds = 0.0
        self.all: list[Command] = []
        self.last: tuple[Command, ...] = ()
        self.leg, self.peer = "", ""
        self._take(program.start(plan, at(0)))

    @classmethod
    def of(cls, *steps: ProgramStep, **plan: Any) -> "Playbook":
        return cls(a_plan(*steps, **plan))

    @classmethod
    def called(cls, *steps: ProgramStep, **plan: Any) -> "Playbook":
        """Somebody called the number of a program: leg `a`."""
        made = cls.__new__(cls)
        made.seconds, made.all, made.leg, made.peer = 0.0, [], "a", ""
        event = CallArrived(at(0), "a", CHANNEL, "4930100", NUMBER)
        facts = {"campaign_id": None, "tries_left": 0, **plan}
        made._take(program.start_inbound(a_plan(*steps, **facts), event, at(1.5)))
        return made

    # --- what happens ---------------------------------------------------------------------------------------------

    def tells(self, *events: Event) -> "Playbook":
        for event in events:
            self.seconds = max(self.seconds, (event.at - T0).total_seconds())
            self._take(program.step(self.state, event))
        return self

    def after(self, seconds: float) -> "Playbook":
        self.seconds += seconds
        return self

    def dialled(self, trunk: str = "t1", others: int = 0) -> "Playbook":
        self.leg = chr(ord(self.leg or "`") + 1)
        return self.tells(DialGranted(at(self.seconds), self.leg, NUMBER, trunk, others=others))

    def answered(self) -> "Playbook":
        return self.tells(Answered(at(self.seconds), self.leg))

    def done(self, digits: str = "", status: str = "", number: int | None = None) -> "Playbook":
        """The leg did what it was told last."""
        told = self.state.prompt if number is None else number
        return self.tells(StepDone(at(self.seconds), self.leg, told, digits, status))

    def presses(self, digits: str) -> "Playbook":
        return self.done(digits)

    def rendered(self, sound: str = "cache/made") -> "Playbook":
        [render] = [one for one in self.last if isinstance(one, Render)]
        return self.tells(Rendered(at(self.seconds), render.key, sound))

    def dials_peer(self, trunk: str = "t1", others: int = 0) -> "Playbook":
        self.peer = "peer" if not self.peer else f"peer{int(self.peer[4:] or 1) + 1}"
        return self.tells(DialGranted(at(self.seconds), self.peer, PEER, trunk, others=others))

    def peer_answers(self) -> "Playbook":
        return self.tells(Answered(at(self.seconds), self.peer))

    def joined(self) -> "Playbook":
        return self.tells(Joined(at(self.seconds), self.leg, self.peer))

    def gone(self, leg: str = "", cause: int = 16, sip: int = 0) -> "Playbook":
        return self.tells(HungUp(at(self.seconds), leg or self.leg, cause, sip))

    def fires(self, name: str) -> "Playbook":
        return self.tells(TimerFired(at(self.seconds), name))

    def compares(self, bridge: Sequence[str] = (), **live: str) -> "Playbook":
        """These legs live, in these places (`ringing`: not answered); the others are gone. `bridge`: who talk."""
        legs = {
            leg: LiveLeg(leg, f"PJSIP/{leg}", "" if place == "ringing" else place, place != "ringing",
                         "bridge" if leg in bridge else "", leg, 9.0)
            for leg, place in live.items()
        }
        return self.tells(Reconciled(at(self.seconds), legs))

    # --- what came of it ------------------------------------------------------------------------------------------

    @property
    def orders(self) -> tuple[Order, ...]:
        """To the switch, in the last step."""
        return tuple(one for one in self.last if isinstance(one, Order))

    @property
    def told(self) -> Prompt:
        """What the leg was told last."""
        return next(one.first if isinstance(one, DialProgram) else one.prompt for one in reversed(self.all)
                    if isinstance(one, RunStep) or (isinstance(one, DialProgram) and one.leg == self.leg))

    @property
    def wanted(self) -> list[tuple[str, int, int]]:
        """Numbers with their rank, and how many trunks are skipped."""
        found = program.wants(self.state)
        return [(one.number, found.rank, one.skip) for one in found.numbers] if found else []

    @property
    def results(self) -> list[tuple[int, str, str, str]]:
        return [(one.application_id, one.type, one.name, one.data) for one in self.rows(WriteResult)]

    @property
    def spool(self) -> tuple[str, str | None]:
        row = self.rows(WriteSpool)[-1]
        return row.status.value, row.disposition and row.disposition.value

    @property
    def transmission(self) -> tuple[str, str, float | None]:
        """Status, response, and in how many seconds the next attempt may begin."""
        [row] = self.rows(WriteTransmission)
        return row.status.value, row.response, row.again_s

    @property
    def has_opted_out(self) -> bool:
        return bool(self.rows(WriteOptOut))

    @property
    def outcome(self) -> str | None:
        ends = [row.outcome for row in self.rows(Finish)]
        assert len(ends) <= 1, "a flow ends once"
        return ends[0] if ends else None

    @property
    def timers(self) -> list[tuple[str, float]]:
        return [(one.name, one.after_s) for one in self.last if isinstance(one, SetTimer)]

    def rows(self, kind: type[Row]) -> list[Row]:
        return [row for row in self.all if isinstance(row, kind)]

    def _take(self, step: Step[State]) -> None:
        self.state = stored(step.state)
        self.last = step.commands
        self.all += step.commands


def stored(state: State) -> State:
    """As another engine would load it."""
    loaded: State = codec.load_state(program.NAME, program.VERSION, codec.dump_head(state))
    assert loaded == state
    return loaded
