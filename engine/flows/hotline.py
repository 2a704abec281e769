"""The hotline: a caller talks to the first agent who presses 1.

                 CallArrived
                      │ paused 480, full 486 ──────────────► closing
                      ▼
    ┌──────────► waiting ── everybody declined, or rounds over ──► apologising ──► closing
    │ exhausted   │  │  │ caller hangs up ───────────────────────────────────────► closing
    │             │  │  └─ an agent presses 1 ──► talking ── either hangs up ─────► closing
    │             │  │                            ▲  │ agent gone before joined ──► waiting
    └── fallback ◄┘  └ next round (timer)         │
          │  lease ran out, or no engine in time  │
          └────── the dialplan joined ────────────┘

`closing` ends when the last leg is gone. The agents' legs are in `hotline_agents.py`: dialled → asked → (winner |
leaving) → gone. The winner is chosen by one compare-and-set: `winner` is set only while it is None and the phase is
`waiting`. Events about a leg that is not ours, or that do not fit the phase, change nothing: late hang-ups are normal.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from engine.flows.hotline_agents import (
    after_leg,
    agent_accepted,
    agent_answered,
    agent_gone,
    agent_silent,
    apologise,
    dismiss_again,
    dismiss_others,
    next_round,
    ring,
)
from engine.flows.hotline_fallback import fallback_step, take_over, to_fallback
from engine.flows.hotline_loop import (
    APART,
    failed,
    has_somebody,
    leased,
    legs,
    owner,
    phase,
    timers,
    wants,
    wants_to_ring,
)
from engine.flows.hotline_reconcile import missed, unsaid
from engine.flows.hotline_state import (
    ACCEPT_KEY,
    REFUSALS,
    ROUND,
    State,
    Step,
    caller_record,
    close_if_empty,
    entry,
    find,
    in_time,
    refusal,
    with_leg,
)
from engine.vocabulary.commands import Command, HangUp, Play, WriteEntry
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
from engine.vocabulary.values import Cause, EntryType, Hotline, LiveLeg, Rules

NAME = "hotline"
VERSION = 1
CAN_WAIT = False
__all__ = [
    "APART", "CAN_WAIT", "NAME", "VERSION", "failed", "has_somebody", "leased", "legs", "owner", "phase", "start",
    "start_in_fallback", "step", "timers", "wants", "wants_to_ring",
]


# --- how a call begins -------------------------------------------------------------------------------------------


def start(event: CallArrived, hotline: Hotline, rules: Rules, inbound_in_use: int) -> Step:
    """A caller reached a known hotline; `inbound_in_use` counts its other callers, waiting and talking."""
    state = _new(event, hotline, rules)
    if not hotline.is_active:
        return _refuse(state, "paused", event.at)
    if inbound_in_use >= hotline.channels_inbound:
        return _refuse(state, "busy", event.at)
    connected = WriteEntry(event.at, EntryType.CALLER_CONNECTED, phone=event.caller)
    if not hotline.phones:
        step = apologise(state, event.at)
        return Step(step.state, (connected, *step.commands))
    return Step(state, (connected, Play(state.leg, hotline.greeting, not_after=in_time(state, event.at))))


def start_in_fallback(event: FallbackStarted, hotline: Hotline, rules: Rules) -> Step:
    """The dialplan serves a caller of whom no engine knew: watch, write down, and be there when it gives up."""
    state = _new(event, hotline, rules)
    connected = WriteEntry(event.at, EntryType.CALLER_CONNECTED, phone=event.caller, message="fallback")
    step = to_fallback(state, event.at)
    return Step(step.state, (connected, *step.commands))


def _new(event: CallArrived | FallbackStarted, hotline: Hotline, rules: Rules) -> State:
    return State(
        phase="waiting", hotline=hotline, rules=rules, leg=event.leg, channel=event.channel, caller=event.caller,
        arrived_at=event.at, round_at=event.at,
    )


def _refuse(state: State, outcome: str, at: datetime) -> Step:
    state = replace(state, phase="closing", outcome=outcome)
    order = refusal(state, at)
    assert order is not None  # noqa: S101
    return Step(state, (order,))


# --- the machine -------------------------------------------------------------------------------------------------


def step(state: State, event: Event) -> Step:
    match event:
        case LegGranted():
            return ring(state, event)
        case PhonesTaken(at):
            return after_leg(state, at, blocked=True) if state.phase == "waiting" else Step(state)
        case Answered(at, leg):
            return agent_answered(state, leg, at)
        case DigitsEntered(at, leg, digits):
            return agent_accepted(state, leg, at) if digits == ACCEPT_KEY else agent_silent(state, leg)
        case Played(at, leg):
            return _played(state, leg, at)
        case Joined(at, leg, peer):
            return _joined(state, {leg, peer}, at)
        case HungUp(at, leg, was_left=was_left):
            before = _unheard_join(state, leg, at) if was_left else Step(state)
            after = _gone(before.state, event)
            return Step(after.state, (*before.commands, *after.commands))
        case DialRefused(at, leg):
            return agent_gone(state, leg, at, Cause.FAILURE, 503)
        case TimerFired(at, name):
            return next_round(state, at) if name == ROUND and state.pausing else Step(state)
        case FallbackStarted(at):
            return _fallen(state, at)
        case FallbackStepped():
            return _row_told(state, event)
        case FallbackExhausted(at):
            return _take_over(state, at)
        case OrderExpired(at):
            return _expired(state, at)
        case Reconciled(at, live):
            return _reconciled(state, live, at)
        case DialGranted() | DialDelayed() | Rendered() | CalledBack() | CancelOrdered() | AcknowledgeOrdered():
            return Step(state)  # of alarms, like those of their verb
        case Acknowledged() | Declined() | NoKey() | PinWrong() | MachineHeard() | StepDone() | Withdrawn():
            return Step(state)
        case _:
            assert_never(event)


# --- the caller's leg --------------------------------------------------------------------------------------------


def _played(state: State, leg_id: str, at: datetime) -> Step:
    if leg_id != state.leg:
        return Step(state)
    if state.phase == "apologising":
        said = () if state.apologised else (WriteEntry(at, EntryType.APOLOGY_PLAYED),)
        return Step(replace(state, apologised=True), said)
    if state.welcomed:
        return Step(state)
    return Step(replace(state, welcomed=True), (WriteEntry(at, EntryType.WELCOME_PLAYED),))


def _joined(state: State, both: set[str], at: datetime) -> Step:
    """The talk began: by our Bridge, or by the dialplan because no engine acted in time."""
    agent = next((leg for leg in state.legs if leg.leg in both), None)
    if agent is None or state.leg not in both or state.joined_at is not None or state.phase == "closing":
        return Step(state)
    told = [entry(agent, EntryType.BRIDGED, at)]
    if agent.stage in ("dialled", "asked"):  # who was joined had pressed the key, also when nobody heard of it
        told.insert(0, entry(agent, EntryType.AGENT_ACCEPTED, at))
    state = with_leg(state, replace(agent, stage="winner", answered_at=agent.answered_at or at, cancelled=False))
    state = replace(state, phase="talking", winner=agent.leg, joined_at=at, pausing=False)
    dismissed = dismiss_others(state, at)
    return Step(dismissed.state, (*told, *dismissed.commands))


def _unheard_join(state: State, leg: str, at: datetime) -> Step:
    """Whose other side hung up first has talked, also when nobody told that the two were joined."""
    agent = state.winner if leg == state.leg else leg
    if agent is None or state.phase not in ("waiting", "talking"):
        return Step(state)
    return _joined(state, {state.leg, agent}, at)


def _gone(state: State, event: HungUp) -> Step:
    if event.leg == state.leg:
        return _caller_gone(state, event.at, event.cause, event.was_left)
    return agent_gone(state, event.leg, event.at, event.cause, event.sip, event.was_left)


def _caller_gone(state: State, at: datetime, cause: int, was_left: bool = False) -> Step:
    if state.caller_gone or state.phase == "fallback":  # the fallback's own last row ends such a call
        return Step(state)
    rows: list[Command] = [caller_record(state, at, cause)]
    if state.phase in ("waiting", "talking"):
        agent = find(state, state.winner) if was_left and state.winner else None
        rows.append(entry(agent, EntryType.AGENT_HANGUP, at) if agent else WriteEntry(at, EntryType.CALLER_HANGUP))
    outcome = state.outcome or ("answered" if state.phase == "talking" else "callerHangup")
    state = replace(state, phase="closing", caller_gone=True, outcome=outcome)
    for leg in state.legs:
        if leg.stage != "leaving" and not (leg.cancelled and leg.stage == "dialled"):
            state = with_leg(state, replace(leg, cancelled=leg.cancelled or leg.leg != state.winner))
            rows.append(HangUp(leg.leg, Cause.NORMAL))
    step = close_if_empty(state, at)
    return Step(step.state, (*rows, *step.commands))


def _take_over(state: State, at: datetime) -> Step:
    if state.phase != "waiting":
        return take_over(state, at)
    before = to_fallback(state, at)  # an engine that just returned has not heard yet that the fallback began
    after = take_over(before.state, at)
    return Step(after.state, (*before.commands, *after.commands))


def _row_told(state: State, event: FallbackStepped) -> Step:
    """A row may be told twice (an engine died between import and deletion): each key counts once."""
    if event.key in state.rows_told:
        return Step(state)
    state = replace(state, rows_told=(*state.rows_told, event.key)) if event.key else state
    if event.step == "start":  # the live event may have told it already
        return Step(state) if state.is_fallback else _fell(state, event.at)
    if event.step == "joined":  # one of our own legs, joined by the dialplan
        step = _joined(replace(state, is_fallback=True), {event.channel_leg, state.leg}, event.at)
        return step if step.commands else Step(state)
    if event.step == "ended" and state.phase != "fallback":
        return _caller_gone(state, event.at, event.cause)
    return fallback_step(state, event)


def _fallen(state: State, at: datetime) -> Step:
    """The dialplan has the caller: also one whom we meant to refuse, or to whom an apology never came through."""
    is_ours = state.phase in ("waiting", "talking", "apologising") or state.outcome in REFUSALS
    return to_fallback(state, at) if is_ours and not state.caller_gone else Step(state)


def _fell(state: State, at: datetime) -> Step:
    """A row tells it, some time later: who only rang then may talk to the caller by now. Comparing stops what rings."""
    step = _fallen(state, at)
    return Step(step.state, tuple(one for one in step.commands if not isinstance(one, HangUp)))


def _expired(state: State, at: datetime) -> Step:
    """We came too late: the dialplan goes, or went, on without us; what was to be sent with it has not been said."""
    in_wait = state.phase in ("waiting", "apologising")
    return to_fallback(state, at) if in_wait else Step(state, dismiss_again(state))


# --- after a restart or a lost connection ------------------------------------------------------------------------


def _reconciled(state: State, live: Mapping[str, LiveLeg], at: datetime) -> Step:
    """Each difference between what we remember and what lives is answered like the event that was missed."""
    step = Step(state)
    for event in missed(state, live, at):
        step = _then(step, event)
    return Step(step.state, (*step.commands, *unsaid(step.state, live, at)))


def _then(before: Step, event: Event) -> Step:
    after = step(before.state, event)
    return Step(after.state, (*before.commands, *after.commands))
