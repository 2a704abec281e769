"""The part of a hotline call that the dialplan plays while no engine does. Pure; used by `hotline.py` alone.

The engine never redirects a caller in fallback. It watches, writes down the steps that the dialplan left in the
switch's own database, and takes over only when the fallback has rung everybody in vain.
"""

from dataclasses import replace
from datetime import datetime

from engine.flows.hotline_state import (
    AgentLeg,
    State,
    Step,
    caller_record,
    close_if_empty,
    disposition,
    entry,
    in_time,
    with_leg,
)
from engine.vocabulary.commands import Command, HangUp, Hold, WriteEntry, WriteRecord
from engine.vocabulary.events import FallbackStepped
from engine.vocabulary.values import AgentPhone, Cause, Direction, EntryType


def to_fallback(state: State, at: datetime) -> Step:
    """Stop our ringing legs, while it is sure that they only ring: people who are being asked are joined by the
    dialplan, and a late hang-up would cut their talk."""
    if state.joined_at is not None:
        return Step(state)
    commands: list[Command] = [WriteEntry(at, EntryType.FALLBACK_STARTED)]
    for leg in state.legs:
        if leg.stage == "dialled" and not leg.cancelled:
            state = with_leg(state, replace(leg, cancelled=True))
            commands.append(HangUp(leg.leg, Cause.ANSWERED_ELSEWHERE, in_time(state, at)))
    state = replace(state, phase="fallback", is_fallback=True, pausing=False, winner=None, outcome="")
    return Step(state, tuple(commands))


def take_over(state: State, at: datetime) -> Step:
    """The fallback gave up and the caller waits a moment for an engine: begin again, with fresh tries."""
    if state.phase != "fallback":
        return Step(state)
    fresh = replace(state, phase="waiting", round=1, round_at=at, tried=(), pausing=False, apologised=False)
    return Step(fresh, (Hold(state.leg, in_time(state, at)),))


def fallback_step(state: State, event: FallbackStepped) -> Step:
    """One row that the dialplan left, in its order."""
    if event.step == "ended":
        return _ended(state, event) if state.phase == "fallback" else Step(state)
    if event.step == "apology":
        return _apology(state, event)
    if event.step == "ring":
        leg = AgentLeg(event.channel_leg, _phone(state, event.number), event.at)
        return Step(_with_legs(state, leg), (_entry(leg, EntryType.AGENT_CALLED, event.at),))
    leg_or_none = next((leg for leg in state.fallback_legs if leg.leg == event.channel_leg), None)
    return _leg_stepped(state, leg_or_none, event) if leg_or_none else Step(state)


def _leg_stepped(state: State, leg: AgentLeg, event: FallbackStepped) -> Step:
    match event.step:
        case "answered":
            leg = replace(leg, stage="asked", answered_at=event.at)
            return Step(_with_legs(state, leg), (_entry(leg, EntryType.AGENT_ANSWERED, event.at),))
        case "silent":
            return Step(_with_legs(state, replace(leg, stage="silent")))
        case "accepted":
            leg = replace(leg, stage="winner")
            rows = (
                _entry(leg, EntryType.AGENT_ACCEPTED, event.at), _entry(leg, EntryType.BRIDGED, event.at)
            )
            return Step(replace(_with_legs(state, leg), outcome="answered"), rows)
        case "leg" if leg.stage == "winner":  # who left the talk is told by the caller's last row
            return Step(_with_legs(state, replace(leg, stage="gone")), (_leg_record(state, leg, event),))
        case "leg":
            rest = tuple(other for other in state.fallback_legs if other.leg != leg.leg)
            return Step(replace(state, fallback_legs=rest), _leg_rows(state, leg, event))
        case _:
            return Step(state)


def _leg_rows(state: State, leg: AgentLeg, event: FallbackStepped) -> tuple[Command, ...]:
    """The end of a leg that did not talk."""
    leg = replace(leg, cancelled=event.status == "CANCEL")
    _, kind = disposition(leg, event.cause, 0)
    return (_leg_record(state, leg, event), _entry(leg, kind, event.at))


def _leg_record(state: State, leg: AgentLeg, event: FallbackStepped) -> WriteRecord:
    status, _ = disposition(leg, event.cause, 0)
    return WriteRecord(
        leg=leg.leg, direction=Direction.OUTBOUND, from_number=state.hotline.number,
        to_number=leg.phone.number, start=leg.dialled_at, answer=leg.answered_at, end=event.at,
        status=status, cause=event.cause, fallback=True,
    )


def _apology(state: State, event: FallbackStepped) -> Step:
    rows = (
        WriteEntry(event.at, EntryType.NO_AGENT_AVAILABLE, message="fallback"),
        WriteEntry(event.at, EntryType.APOLOGY_PLAYED, message="fallback"),
    )
    return Step(replace(state, outcome="noAgentAvailable"), rows)


def _ended(state: State, event: FallbackStepped) -> Step:
    """The caller's last row; its status is LEFT when the agent left the talk first."""
    rows: list[Command] = []
    talked = next((leg for leg in state.fallback_legs if leg.stage in ("winner", "gone")), None)
    for leg in state.fallback_legs:  # a leg whose own last row is missing ended with the caller
        if leg.stage == "winner":
            rows.append(_leg_record(state, leg, event))
        elif leg.stage != "gone":
            rows += _leg_rows(state, leg, replace(event, status="CANCEL"))
    state = replace(
        state, phase="closing", caller_gone=True, fallback_legs=(), outcome=state.outcome or "callerHangup"
    )
    rows.append(caller_record(state, event.at, event.cause))
    if talked is not None and event.status == "LEFT":
        rows.append(_entry(talked, EntryType.AGENT_HANGUP, event.at))
    elif state.outcome in ("answered", "callerHangup"):
        rows.append(WriteEntry(event.at, EntryType.CALLER_HANGUP, message="fallback"))
    for own in state.legs:
        state = with_leg(state, replace(own, cancelled=True))
        rows.append(HangUp(own.leg, Cause.NORMAL))
    step = close_if_empty(state, event.at)
    return Step(step.state, (*rows, *step.commands))


def _phone(state: State, number: str) -> AgentPhone:
    known = next((phone for phone in state.hotline.phones if phone.number == number), None)
    return known or AgentPhone(0, 0, number)


def _entry(leg: AgentLeg, kind: EntryType, at: datetime) -> WriteEntry:
    row = replace(entry(leg, kind, at), message="fallback")
    return row if leg.phone.phone_id else replace(row, user_id=None, phone_id=None)


def _with_legs(state: State, changed: AgentLeg) -> State:
    others = tuple(leg for leg in state.fallback_legs if leg.leg != changed.leg)
    return replace(state, fallback_legs=(*others, changed))

