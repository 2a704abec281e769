"""A readable script for a flow: this event in, these commands out. Prints a diff where they differ.

    book = Playbook(start(...))
    book.tells(Answered(at(2), "leg-1")).expects(agent_answered)

Rows (`WriteEntry`, `WriteRecord`) are compared only when asked for, by `entries` and `records`.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from engine.flows import hotline
from engine.flows.hotline_state import Step
from engine.vocabulary.commands import Command, Finish, WriteEntry, WriteRecord
from engine.vocabulary.events import CallArrived, Event, LegGranted
from engine.vocabulary.values import AgentPhone, Hotline, Rules

T0 = datetime(2026, 3, 1, 3, 0, 0, tzinfo=UTC)
CALLER = "1795291439.33477"
CHANNEL = "PJSIP/trunk-00000001"
RULES = Rules(ring_timeout_s=25, rounds=3, round_min_s=5, ask_tries=3, claim_within_s=1.5)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def phone(number: int) -> AgentPhone:
    return AgentPhone(phone_id=100 + number, user_id=number, number=f"4930000{number}")


def a_hotline(phones: int = 3, **changes: object) -> Hotline:
    made = Hotline(
        hotline_id=7, organisation_id=1, number="4930555", language="de", is_active=True, channels_inbound=10,
        channels_outbound=10, greeting="cache/greeting", ask="cache/ask",
        phones=tuple(phone(number) for number in range(1, phones + 1)),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def arrival(seconds: float = 0) -> CallArrived:
    return CallArrived(at(seconds), CALLER, CHANNEL, "4930555", "49301234")


class Playbook:
    """Plays events against the hotline flow, and grants phones as the engine does."""

    def __init__(self, step: Step) -> None:
        self.state = step.state
        self.all: list[Command] = []
        self.last: tuple[Command, ...] = ()
        self._take(step)

    @classmethod
    def of(cls, made: Hotline | None = None, rules: Rules = RULES, inbound: int = 0) -> "Playbook":
        return cls(hotline.start(arrival(), made or a_hotline(), rules, inbound))

    def tells(self, *events: Event) -> "Playbook":
        for event in events:
            self._take(hotline.step(self.state, event))
        return self

    def grants(self, *numbers: int, seconds: float = 0.01, suffix: str = "") -> "Playbook":
        """Give the call these phones; their legs are called `leg-1`, `leg-2` …"""
        events = [LegGranted(at(seconds), f"leg-{number}{suffix}", phone(number)) for number in numbers]
        return self.tells(*events)

    def expects(self, *commands: Command) -> "Playbook":
        orders = tuple(one for one in self.last if not isinstance(one, WriteEntry | WriteRecord))
        got, wanted = ("\n        ".join(map(repr, found)) for found in (orders, commands))
        assert orders == commands, f"\n  got:  {got}\n  not:  {wanted}"
        return self

    @property
    def phase(self) -> str:
        return self.state.phase

    @property
    def entries(self) -> list[str]:
        return [row.type.value for row in self.all if isinstance(row, WriteEntry)]

    @property
    def records(self) -> dict[str, str]:
        return {row.leg: row.status.value for row in self.all if isinstance(row, WriteRecord)}

    @property
    def outcome(self) -> str | None:
        ends = [row.outcome for row in self.all if isinstance(row, Finish)]
        assert len(ends) <= 1, "a flow ends once"
        return ends[0] if ends else None

    def _take(self, step: Step) -> None:
        self.state = step.state
        self.last = step.commands
        self.all += step.commands
