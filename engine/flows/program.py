"""A program with one person: called by a campaign or by a single transmission, led through its steps.

    start ──► waiting ── a line is granted ──► dialling ── answered ──► running ──┐ the last step is done
                 │ ▲                              │                     │  ▲       │
                 │ └──── the trunk failed ────────┤                     │  │ nobody took it
                 │                                │          transfer   ▼  │       │
                 └── withdrawn ──► over ◄── not answered            transferring   │
                                    ▲                                   │ joined   │
                                    │                                   ▼          ▼
                                    └───────── hung up ──────────── talking    closing

Who calls the number of a program (`forward`) arrives, and is led through its steps from `running` on.

Each live call is one attempt (ICTCore's spool). Its row is committed before the call begins, so an attempt whose fate
is unknown after a crash counts as one: a campaign rings nobody twice for the same attempt. What is not dialled yet is
given back when its campaign pauses (`Withdrawn`), when a line does not come soon, or when an engine begins.
Parts: what is remembered `program_state.py`, the steps `program_steps.py`, how it ends and what follows
`program_ends.py`. Events about a leg that is not ours, or that do not fit, change nothing.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from engine.flows.flow import Step
from engine.flows.program_ends import closing, failed, over, reached, withdrawn
from engine.flows.program_state import (
    APART,
    BEGIN,
    PEER,
    PEER_AFTER,
    STALE,
    STALE_AFTER,
    State,
    current,
    has_somebody,
    is_due,
    leased,
    legs,
    owner,
    peer_timer,
    phase,
    stale_timer,
    timers,
    wants,
    wants_to_ring,
)
from engine.flows.program_steps import entered, first_prompt, rendered, step_done, transfer_failed, unspoken
from engine.policy.redial import unanswered
from engine.policy.trunks import is_trunk_trouble, trunk_of
from engine.vocabulary.commands import Bridge, Command, DialProgram, HangUp, Hold, SetTimer, WriteResult, WriteSpool
from engine.vocabulary.events import (
    Acknowledged,
    AcknowledgeOrdered,
    Answered,
    CallArrived,
    CalledBack,
    CancelOrdered,
    Declined,
    DialDelayed,
    DialGranted,
    DialRefused,
    DigitsEntered,
    Event,
    FallbackExhausted,
    FallbackStarted,
    FallbackStepped,
    HungUp,
    Joined,
    LegGranted,
    MachineHeard,
    NoKey,
    OrderExpired,
    PhonesTaken,
    PinWrong,
    Played,
    Reconciled,
    Rendered,
    StepDone,
    TimerFired,
    Withdrawn,
)
from engine.vocabulary.program import CallDisposition, ProgramPlan, Prompt, SpoolStatus
from engine.vocabulary.values import Cause, LiveLeg

NAME = "program"
VERSION = 1
CAN_WAIT = True
PEER_RINGS_S = 25       # whom a call is handed over to
PEER_WAITS_S = 10.0     # until the two are joined
SETTLED = timedelta(seconds=1)  # a leg that is younger may be missing in a snapshot
__all__ = [
    "APART", "CAN_WAIT", "NAME", "VERSION", "failed", "has_somebody", "leased", "legs", "owner", "phase", "start",
    "start_inbound", "step", "timers", "wants", "wants_to_ring",
]


def start(plan: ProgramPlan, at: datetime) -> Step[State]:
    state = State("waiting", plan, at)
    return Step(state, stale_timer(state, at))


def start_inbound(plan: ProgramPlan, event: CallArrived, not_after: datetime) -> Step[State]:
    """Somebody called the number of a program: he hears music, and the program begins at once."""
    at = event.at
    state = State(
        "arrived", plan, at, leg=event.leg, channel=event.channel, trunk=trunk_of(event.channel), dialled_at=at,
        answered_at=at)
    row = WriteSpool(plan.spool_id, SpoolStatus.CONNECTED, started_at=at, connected_at=at)
    return Step(state, (Hold(event.leg, not_after), row, SetTimer(BEGIN, 0.0)))


def step(state: State, event: Event) -> Step[State]:
    if state.phase == "over":
        return Step(state)
    match event:
        case DialGranted():
            return _granted(state, event)
        case Answered(at, leg):
            return _answered(state, leg, at)
        case StepDone(at, leg, number, digits, status):
            before = _answered(state, leg, at)
            if leg != state.leg:
                return before
            after = step_done(before.state, number, digits, status, at)
            return Step(after.state, (*before.commands, *after.commands))
        case Rendered(at, key, sound):
            return rendered(state, key, sound, at)
        case Joined(at, leg, peer):
            return _joined(state, {leg, peer}, at)
        case HungUp(at, leg, cause, sip):
            return _gone(state, leg, at, cause, sip)
        case DialRefused(at, leg):
            return _gone(state, leg, at, Cause.FAILURE, 503)
        case Withdrawn(at, why):
            return withdrawn(state, at, why)
        case TimerFired(at, name):
            return _timed_out(state, name, at)
        case Reconciled(at, live):
            return _compared(state, live, at)
        case (  # of hotlines and alarms; and that a number is in use elsewhere: it will be free
            LegGranted() | DialDelayed() | PhonesTaken() | DigitsEntered() | Played() | Acknowledged() | Declined()
            | NoKey() | PinWrong() | MachineHeard() | CalledBack() | CancelOrdered() | AcknowledgeOrdered()
            | FallbackStarted() | FallbackStepped() | FallbackExhausted() | OrderExpired()
        ):
            return Step(state)
        case _:
            assert_never(event)


def _timed_out(state: State, name: str, at: datetime) -> Step[State]:
    """A timer of what it waited for before does nothing: what it waits for now has its own."""
    if name == BEGIN and state.phase == "arrived":
        return entered(replace(state, phase="running"), 0, at)
    if name == STALE and is_due(state, STALE_AFTER, at):
        return withdrawn(state, at, "no line was free")
    is_wanted = state.phase == "transferring" and state.peer_stage == "wanted"
    if name == PEER and is_wanted and is_due(state, PEER_AFTER, at):
        return transfer_failed(state, at, CallDisposition.BUSY.value)
    return Step(state)


# --- dialling ----------------------------------------------------------------------------------------------------


def _granted(state: State, event: DialGranted) -> Step[State]:
    if state.phase == "waiting" and event.number == state.plan.number:
        return _dial(state, event)
    step = current(state)
    if state.phase == "transferring" and state.peer_stage == "wanted" and step and event.number == step.to:
        return _dial_peer(state, event)
    return Step(state)


def _dial(state: State, event: DialGranted) -> Step[State]:
    plan = state.plan
    begun, prompt = first_prompt(state)
    dialling = replace(
        begun, phase="dialling", since=event.at, leg=event.leg, trunk=event.trunk, others=event.others,
        dialled_at=state.dialled_at or event.at)
    dial = DialProgram(event.leg, plan.number, event.trunk, plan.caller_id, plan.ring_timeout_s, prompt)
    row = WriteSpool(
        plan.spool_id, SpoolStatus.STARTED, number=plan.number, trunk=event.trunk, started_at=dialling.dialled_at)
    return Step(dialling, (dial, row))


def _dial_peer(state: State, event: DialGranted) -> Step[State]:
    """Whoever answers hears nothing until the two are joined, some milliseconds later."""
    prompt = Prompt("pause", 0, seconds=PEER_WAITS_S)
    dial = DialProgram(event.leg, event.number, event.trunk, state.plan.caller_id, PEER_RINGS_S, prompt)
    ringing = replace(
        state, since=event.at, peer=event.leg, peer_stage="ringing", peer_trunk=event.trunk, others=event.others)
    return Step(ringing, (dial,))


def _answered(state: State, leg: str, at: datetime) -> Step[State]:
    if leg == state.leg and state.phase == "dialling":
        running = replace(state, phase="running", answered_at=at)
        return Step(running, (WriteSpool(state.plan.spool_id, SpoolStatus.CONNECTED, connected_at=at),))
    if leg == state.peer and state.phase == "transferring" and state.peer_stage == "ringing":
        return Step(replace(state, since=at, peer_stage="up"), (Bridge(state.leg, state.channel, leg),))
    return Step(state)


def _joined(state: State, legs: set[str], at: datetime) -> Step[State]:
    if state.phase != "transferring" or not {state.leg, state.peer} & legs:
        return Step(state)
    talking = replace(state, phase="talking", peer_stage="joined")
    plan = state.plan
    return Step(talking, (WriteResult(at, plan.spool_id, state.place + 1, "application", "transfer", "success"),))


# --- a leg is gone -----------------------------------------------------------------------------------------------


def _gone(state: State, leg: str, at: datetime, cause: int, sip: int, is_lost: bool = False) -> Step[State]:
    if not leg:
        return Step(state)
    if leg == state.peer:
        return _peer_gone(state, at, cause, sip)
    if leg != state.leg:
        return Step(state)
    if state.phase == "dialling":
        return _unanswered(state, at, cause, sip, is_lost)
    gone = replace(state, leg="")
    if not state.peer:
        return over(gone, at, reached(state), cause)
    ringing = Cause.ANSWERED_ELSEWHERE if state.peer_stage == "ringing" else Cause.NORMAL
    return Step(replace(gone, phase="closing"), (HangUp(state.peer, ringing),))


def _unanswered(state: State, at: datetime, cause: int, sip: int, is_lost: bool) -> Step[State]:
    if is_lost:
        return over(state, at, CallDisposition.LOST, cause)
    if is_trunk_trouble(cause, sip) and state.others:  # the phone never rang: the next trunk, in the same attempt
        again = replace(state, phase="waiting", leg="", skip=state.skip + 1, since=at)
        return Step(again, stale_timer(again, at))
    return over(state, at, unanswered(cause, sip), cause)


def _peer_gone(state: State, at: datetime, cause: int, sip: int) -> Step[State]:
    gone = replace(state, peer="", peer_stage="gone")
    if not state.leg:
        return over(gone, at, reached(state), cause)
    if state.phase != "transferring":  # they talked: the other side hung up, and so do we
        return closing(gone, at)
    if state.peer_stage == "ringing" and is_trunk_trouble(cause, sip) and state.others:
        again = replace(gone, since=at, peer_stage="wanted", peer_skip=state.peer_skip + 1)
        return Step(again, peer_timer(again, at))
    return transfer_failed(gone, at, unanswered(cause, sip).value)


# --- after a restart or a lost connection ------------------------------------------------------------------------


def _compared(state: State, live: Mapping[str, LiveLeg], at: datetime) -> Step[State]:
    """A dial that nobody heard of again was perhaps rung: it counts, and is not repeated. Who has waited for a line
    since before is given back: his campaign may have been halted, and this is told before anybody is dialled."""
    if state.phase == "waiting":
        return withdrawn(state, at, "an engine began") if state.since < at - SETTLED else Step(state)
    here, peer, is_settled = live.get(state.leg), live.get(state.peer), state.since < at - SETTLED
    if state.leg and here is None and is_settled:
        if peer is None:    # both are gone: nobody is to be hung up
            state = replace(state, peer="", peer_stage="")
        return _gone(state, state.leg, at, Cause.INTERWORKING, 0, is_lost=True)
    if here is not None and peer is not None and here.bridge and here.bridge == peer.bridge:
        return _joined(state, {here.leg}, at)
    step = _answered(state, state.leg, at) if here is not None and here.is_up else Step(state)
    if state.peer and peer is None and is_settled:
        after = _peer_gone(step.state, at, Cause.INTERWORKING, 0)
        return Step(after.state, (*step.commands, *after.commands))
    return Step(step.state, (*step.commands, *_unsaid(step.state, live, is_settled)))


def _unsaid(state: State, live: Mapping[str, LiveLeg], is_settled: bool) -> tuple[Command, ...]:
    """What an engine before us may have left unsaid. Saying it twice is harmless, but for a Bridge: a second one ends
    the talk, so none is said while the first may be on its way."""
    told: list[Command] = []
    here, peer = live.get(state.leg), live.get(state.peer)
    if state.phase == "closing":
        told += [HangUp(leg.leg, Cause.NORMAL) for leg in (here, peer) if leg is not None and leg.place != "rw-play"]
    elif state.phase == "transferring" and here is not None and not here.bridge:
        if peer is not None and peer.is_up and is_settled:
            told.append(Bridge(state.leg, state.channel, state.peer))
        elif here.place != "rw-hold" and (peer is None or not peer.is_up):
            told.append(Hold(state.leg))
    return (*told, *unspoken(state))
