"""What the flow of a program's call remembers, and what can be asked of it. Pure; for `program*.py` and the loop."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.flows.flow import Leg, Owner
from engine.policy.routing import ALARM, CAMPAIGN, Speed, Wanted, Wants
from engine.vocabulary.commands import SetTimer
from engine.vocabulary.program import ProgramPlan, ProgramStep

APART = None
STALE, PEER, BEGIN = "stale", "peer", "begin"       # timers
STALE_AFTER = timedelta(seconds=30)  # who waits longer for a line is given back: windows and lists are looked at again
PEER_AFTER = timedelta(seconds=60)   # whom he is to talk to is in use all the time, or no line is free
EARLY = timedelta(seconds=1)         # a timer goes by another clock
ENTRY = -1                           # the place before the first step


@dataclass(frozen=True, slots=True)
class State:
    """`since`: when it was dialled, or what it waits for now began. `place`: the step that runs. `prompt`: the number
    of what its leg was told last. `part`: of a step that tells its leg several things, which. `tries`: how often its
    question was asked, or its sound was begun again.

    `skip`: trunks that failed on the way to this number. `results`: (name, data) for texts of later steps.
    """

    phase: str  # waiting dialling arrived running transferring talking closing over
    plan: ProgramPlan
    since: datetime
    leg: str = ""
    channel: str = ""  # of a leg that reached us
    trunk: str = ""
    others: int = 0
    skip: int = 0
    dialled_at: datetime | None = None
    answered_at: datetime | None = None
    place: int = ENTRY
    prompt: int = 0
    part: str = ""
    tries: int = 0
    steps: int = 0
    results: tuple[tuple[str, str], ...] = ()
    is_machine: bool = False
    was_heard: bool = False  # something was said since the answer, or since a machine was heard
    has_opted_out: bool = False
    peer: str = ""
    peer_stage: str = ""  # wanted ringing up joined gone
    peer_skip: int = 0
    peer_trunk: str = ""


def current(state: State) -> ProgramStep | None:
    """The step that runs; None before the first one."""
    return state.plan.steps[state.place] if state.place >= 0 else None


def phase(state: State) -> str:
    return state.phase


def owner(state: State) -> Owner:
    return Owner(state.plan.organisation_id)


def legs(state: State) -> Sequence[Leg]:
    step = current(state)
    number = "" if state.channel else state.plan.number
    own = (Leg(state.leg, number, state.trunk),) if state.leg else ()
    return (*own, Leg(state.peer, step.to if step else "", state.peer_trunk)) if state.peer else own


def wants(state: State) -> Wants | None:
    """Who listens to music until the other side is rung goes before those who are not called yet."""
    step, whose = current(state), state.plan.organisation_id
    if state.phase == "waiting":
        number = Wanted(state.plan.number, skip=state.skip)
        return Wants(CAMPAIGN, state.since, (number,), None, whose, _speed(state.plan))
    if state.phase == "transferring" and state.peer_stage == "wanted" and step is not None:
        return Wants(ALARM, state.since, (Wanted(step.to, skip=state.peer_skip),), None, whose)
    return None


def _speed(plan: ProgramPlan) -> Speed | None:
    if plan.campaign_id is None or plan.calls_per_second is None:
        return None
    return Speed(f"campaign {plan.campaign_id}", plan.calls_per_second)


def wants_to_ring(state: State, leg: str, at: datetime) -> bool:
    """Never: a dial of unknown fate counts as an attempt, a campaign rings nobody twice for one."""
    return False


def has_somebody(state: State) -> bool:
    return state.answered_at is not None and state.phase not in ("closing", "over")


def leased(state: State) -> Sequence[str]:
    return (state.leg,) if state.phase == "transferring" else ()


def timers(state: State, at: datetime) -> Sequence[SetTimer]:
    if state.phase == "arrived":
        return (SetTimer(BEGIN, 0.0),)
    if state.phase == "waiting":
        return stale_timer(state, at)
    return peer_timer(state, at) if state.phase == "transferring" and state.peer_stage == "wanted" else ()


def stale_timer(state: State, at: datetime) -> tuple[SetTimer, ...]:
    """A single transmission waits as long as it takes: its spool is its sender's."""
    return (_timer(STALE, state, STALE_AFTER, at),) if state.plan.campaign_id is not None else ()


def peer_timer(state: State, at: datetime) -> tuple[SetTimer, ...]:
    return (_timer(PEER, state, PEER_AFTER, at),)


def is_due(state: State, after: timedelta, at: datetime) -> bool:
    """A timer fired: not one that was set for what the call waited for before."""
    return at >= state.since + after - EARLY


def _timer(name: str, state: State, after: timedelta, at: datetime) -> SetTimer:
    return SetTimer(name, max(0.0, (state.since + after - at).total_seconds()))
