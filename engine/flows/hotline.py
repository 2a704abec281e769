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

`closing` ends when the last leg is gone. Legs of agents: dialled → asked → (winner | leaving) → gone. The winner is
chosen by one compare-and-set: `winner` is set only while it is None and the phase is `waiting`. Events about a leg
that is not ours, or that do not fit the phase, change nothing: late hang-ups are normal.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from engine.flows.hotline_fallback import fallback_step, take_over, to_fallback
from engine.flows.hotline_reconcile import missed, unsaid
from engine.flows.hotline_state import (
    ACCEPT_KEY,
    REFUSALS,
    ROUND,
    AgentLeg,
    State,
    Step,
    apology,
    caller_record,
    close_if_empty,
    demand,
    disposition,
    entry,
    find,
    in_time,
    may_ring,
    record,
    refusal,
    taken,
    tried_before,
    with_leg,
)
from engine.vocabulary.commands import (
    Bridge,
    Command,
    Dial,
    HangUp,
    Play,
    SetTimer,
    WriteEntry,
)
from engine.vocabulary.events import (
    Answered,
    CallArrived,
    DialRefused,
    DigitsEntered,
    Event,
    FallbackExhausted,
    FallbackStarted,
    FallbackStepped,
    HungUp,
    Joined,
    LegGranted,
    OrderExpired,
    PhonesTaken,
    Played,
    Reconciled,
    TimerFired,
)
from engine.vocabulary.values import (
    Cause,
    EntryType,
    Hotline,
    LiveLeg,
    RecordStatus,
    Rules,
)

NAME = "hotline"
VERSION = 1


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
        step = _apologise(state, event.at)
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
            return _ring(state, event)
        case PhonesTaken(at):
            return _after_leg(state, at, blocked=True) if state.phase == "waiting" else Step(state)
        case Answered(at, leg):
            return _answered(state, leg, at)
        case DigitsEntered(at, leg, digits):
            return _accepted(state, leg, at) if digits == ACCEPT_KEY else _silent(state, leg)
        case Played(at, leg):
            return _played(state, leg, at)
        case Joined(at, leg, peer):
            return _joined(state, {leg, peer}, at)
        case HungUp(at, leg, cause, sip, was_left):
            if leg == state.leg:
                return _caller_gone(state, at, cause, was_left)
            return _agent_gone(state, leg, at, cause, sip, was_left)
        case DialRefused(at, leg):
            return _agent_gone(state, leg, at, Cause.FAILURE, 503)
        case TimerFired(at, name):
            return _next_round(state, at) if name == ROUND and state.pausing else Step(state)
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
        case _:
            assert_never(event)


# --- agents' legs ------------------------------------------------------------------------------------------------


def _ring(state: State, event: LegGranted) -> Step:
    if event.phone not in demand(state):
        return Step(state)
    phone, hotline, rules = event.phone, state.hotline, state.rules
    before = tried_before(state, phone)
    tried = replace(before, times=before.times + 1, round=state.round)
    leg = AgentLeg(event.leg, phone, event.at)
    others = tuple(other for other in state.tried if other.number != phone.number)
    dial = Dial(
        leg=event.leg, number=phone.number, caller_id=hotline.number, ring_timeout_s=rules.ring_timeout_s,
        ask=hotline.ask, taken=f"{hotline.language}/taken", tries=rules.ask_tries, peer=state.channel,
    )
    return Step(
        replace(state, legs=(*state.legs, leg), tried=(*others, tried)),
        (dial, entry(leg, EntryType.AGENT_CALLED, event.at)),
    )


def _answered(state: State, leg_id: str, at: datetime) -> Step:
    leg = find(state, leg_id)
    if leg is None or leg.stage != "dialled":
        return Step(state)
    asked = replace(leg, stage="asked", answered_at=at)
    answered = entry(leg, EntryType.AGENT_ANSWERED, at)
    if state.phase == "waiting":
        return Step(with_leg(state, asked), (answered,))
    if state.phase == "talking":  # answered while the call was being taken
        step = _tell_taken(with_leg(state, asked), asked, at)
        return Step(step.state, (answered, *step.commands))
    return Step(with_leg(state, replace(asked, cancelled=True)), (answered, HangUp(leg_id, Cause.NORMAL)))


def _accepted(state: State, leg_id: str, at: datetime) -> Step:
    """The one compare-and-set: whoever comes first is the winner."""
    leg = find(state, leg_id)
    if leg is None or leg.stage not in ("dialled", "asked"):
        return Step(state)
    if leg.answered_at is None:
        leg = replace(leg, answered_at=at)
    accepted = entry(leg, EntryType.AGENT_ACCEPTED, at)
    if state.phase == "talking" and state.winner != leg_id:
        step = _tell_taken(state, leg, at)
        return Step(step.state, (accepted, *step.commands))
    if state.phase != "waiting":
        return Step(state)
    state = with_leg(state, replace(leg, stage="winner"))
    won = replace(state, phase="talking", winner=leg_id, accepted_at=at, pausing=False)
    bridge = Bridge(leg=state.leg, channel=state.channel, peer=leg_id, not_after=in_time(state, at))
    dismissed = _dismiss_others(won, at)
    return Step(dismissed.state, (bridge, accepted, *dismissed.commands))


def _silent(state: State, leg_id: str) -> Step:
    """Asked to the end without the accept key: a mailbox, or nobody. The verb hangs up by itself."""
    leg = find(state, leg_id)
    if leg is None or leg.stage != "asked":
        return Step(state)
    return Step(with_leg(state, replace(leg, stage="silent")))


def _dismiss_others(state: State, at: datetime) -> Step:
    """Ringing phones stop without a missed call, people on the line hear that the call is taken."""
    commands: list[Command] = []
    for leg in state.legs:
        if leg.leg == state.winner:
            continue
        if leg.stage == "asked":
            told = _tell_taken(state, leg, at)
            state = told.state
            commands += told.commands
        elif leg.stage == "dialled" and not leg.cancelled:
            state = with_leg(state, replace(leg, cancelled=True))
            commands.append(HangUp(leg.leg, Cause.ANSWERED_ELSEWHERE))
    return Step(state, tuple(commands))


def _tell_taken(state: State, leg: AgentLeg, at: datetime) -> Step:
    state = with_leg(state, replace(leg, stage="leaving", cancelled=True))
    return Step(state, (taken(state, leg), entry(leg, EntryType.AGENT_TAKEN, at)))


def _agent_gone(state: State, leg_id: str, at: datetime, cause: int, sip: int, was_left: bool = False) -> Step:
    leg = find(state, leg_id)
    if leg is None:
        return Step(state)
    status, kind = disposition(leg, cause, sip)
    declined = status is RecordStatus.REJECTED
    told: list[Command] = [record(leg, state.hotline.number, at, status, cause)]
    tried = tried_before(state, leg.phone)
    others = tuple(item for item in state.tried if item.number != leg.phone.number)
    state = replace(
        state, legs=tuple(item for item in state.legs if item.leg != leg_id),
        tried=(*others, replace(tried, declined=tried.declined or declined)),
    )
    if leg_id == state.winner:
        step = _winner_gone(state, leg, at, was_left)
        return Step(step.state, (*told, *step.commands))
    told.append(entry(leg, kind, at))
    step = _after_leg(state, at)
    return Step(step.state, (*told, *step.commands))


def _winner_gone(state: State, leg: AgentLeg, at: datetime, was_left: bool) -> Step:
    hung_up = WriteEntry(at, EntryType.CALLER_HANGUP) if was_left else entry(leg, EntryType.AGENT_HANGUP, at)
    if state.phase == "talking" and state.joined_at is None and not state.caller_gone:
        # Gone in the instant between key and bridge: the caller still hears music, so ring on.
        state = replace(state, phase="waiting", winner=None, round=state.round + 1, round_at=at)
        step = _after_leg(state, at)
        return Step(step.state, (hung_up, *step.commands))
    if state.phase == "talking":
        closing = replace(state, phase="closing", outcome="answered")
        return Step(closing, (hung_up, HangUp(state.leg, Cause.NORMAL)))
    return close_if_empty(state, at)


def _after_leg(state: State, at: datetime, blocked: bool = False) -> Step:
    """A leg ended, or (`blocked`) every phone still wanted is in use elsewhere: go on, pause, or give up."""
    if state.phase == "closing":
        return close_if_empty(state, at)
    ringing = any(not leg.cancelled for leg in state.legs)
    if state.phase != "waiting" or state.pausing or ringing:
        return Step(state)
    wanted = demand(state)
    if wanted and not blocked:
        return Step(state)
    again = any(may_ring(state, phone) and tried_before(state, phone).times for phone in state.hotline.phones)
    if again:
        round_min_s = min(state.rules.round_min_s, state.rules.ring_timeout_s)
        lasted_s = (at - (state.round_at or at)).total_seconds()
        pause_s = max(0.0, round_min_s - lasted_s)
        return Step(replace(state, pausing=True), (SetTimer(ROUND, pause_s),))
    return Step(state) if wanted else _apologise(state, at)


def _next_round(state: State, at: datetime) -> Step:
    return Step(replace(state, round=state.round + 1, round_at=at, pausing=False))


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
    bridged = entry(agent, EntryType.BRIDGED, at)
    state = with_leg(state, replace(agent, stage="winner", answered_at=agent.answered_at or at, cancelled=False))
    state = replace(state, phase="talking", winner=agent.leg, joined_at=at, pausing=False)
    dismissed = _dismiss_others(state, at)
    return Step(dismissed.state, (bridged, *dismissed.commands))


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


def _apologise(state: State, at: datetime) -> Step:
    return Step(
        replace(state, phase="apologising", outcome="noAgentAvailable", pausing=False),
        (apology(state, at), WriteEntry(at, EntryType.NO_AGENT_AVAILABLE)),
    )


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
        return Step(state) if state.is_fallback else _fallen(state, event.at)
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


def _expired(state: State, at: datetime) -> Step:
    """We came too late: the dialplan goes, or went, on without us."""
    if state.phase == "talking":
        return _dismiss_again(state)
    if state.phase in ("waiting", "apologising"):
        return to_fallback(state, at)
    return Step(state)


def _dismiss_again(state: State) -> Step:
    """The step that chose the winner was not sent: the winner is joined by the dialplan, the others must still go."""
    commands: list[Command] = []
    for leg in state.legs:
        if leg.stage == "leaving":
            commands.append(taken(state, leg))
        elif leg.cancelled:
            commands.append(HangUp(leg.leg, Cause.ANSWERED_ELSEWHERE))
    return Step(state, tuple(commands))


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
