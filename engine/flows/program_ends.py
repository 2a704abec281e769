"""How a program's call ends: what is written about the attempt, and whether another one follows. Pure."""

from dataclasses import replace
from datetime import datetime

from engine.flows.flow import Step
from engine.flows.program_state import State
from engine.policy.redial import again_after_s
from engine.vocabulary.commands import (
    Command,
    Finish,
    HangUp,
    RowCommand,
    WriteResult,
    WriteSpool,
    WriteTransmission,
)
from engine.vocabulary.program import CallDisposition, SpoolStatus, TransmissionStatus
from engine.vocabulary.values import Cause

LONGEST_DATA = 80  # contracts/ictcore.md 3.3
FINAL_FAILURES = {CallDisposition.INVALID_NUMBER: TransmissionStatus.INVALID}


def closing(state: State, at: datetime) -> Step[State]:
    """Nothing more is to be said: the leg, and whoever it was to talk to, are hung up."""
    if state.phase in ("closing", "over"):
        return Step(state)
    told = [HangUp(leg, Cause.NORMAL) for leg in (state.leg, state.peer) if leg]
    return Step(replace(state, phase="closing"), tuple(told))


def over(state: State, at: datetime, how: CallDisposition, cause: int) -> Step[State]:
    """The attempt has ended so."""
    told = (*_ended(state, at, how, cause), Finish(at, how.value))
    return Step(replace(state, phase="over", leg="", peer=""), told)


def reached(state: State) -> CallDisposition:
    """How an attempt ended that was answered."""
    if state.has_opted_out:
        return CallDisposition.DECLINED
    return CallDisposition.MAILBOX if state.is_machine else CallDisposition.ANSWERED


def _ended(state: State, at: datetime, how: CallDisposition, cause: int) -> tuple[RowCommand, ...]:
    was_reached = how in (CallDisposition.ANSWERED, CallDisposition.MAILBOX) or state.has_opted_out
    status = SpoolStatus.COMPLETED if was_reached else SpoolStatus.FAILED
    spool = WriteSpool(
        state.plan.spool_id, status, started_at=state.dialled_at, connected_at=state.answered_at, ended_at=at,
        disposition=how, cause=cause, response=how.value,
    )
    return spool, _transmission(state, at, how)


def _transmission(state: State, at: datetime, how: CallDisposition) -> WriteTransmission:
    """A mailbox that heard the message was reached, as far as this program is concerned."""
    plan = state.plan
    is_done = how is CallDisposition.ANSWERED or state.has_opted_out or (
        how is CallDisposition.MAILBOX and state.was_heard)
    if is_done:
        return WriteTransmission(plan.transmission_id, TransmissionStatus.COMPLETED, how.value)
    again_s = again_after_s(how, plan.tries_left, plan.retry)
    if again_s is None:
        status = FINAL_FAILURES.get(how, TransmissionStatus.FAILED)
        return WriteTransmission(plan.transmission_id, status, how.value)
    return WriteTransmission(plan.transmission_id, TransmissionStatus.PENDING_RETRY, how.value, again_s)


def withdrawn(state: State, at: datetime, why: str) -> Step[State]:
    """It was not dialled: no attempt, and whoever claims it next looks at windows and lists again."""
    if state.phase != "waiting" or state.plan.campaign_id is None:
        return Step(state)
    plan, how = state.plan, CallDisposition.WITHDRAWN
    told: tuple[Command, ...] = (
        WriteSpool(plan.spool_id, SpoolStatus.INVALID, ended_at=at, disposition=how, response=why),
        WriteTransmission(plan.transmission_id, TransmissionStatus.PENDING, "", 0.0, is_withdrawn=True),
        Finish(at, how.value),
    )
    return Step(replace(state, phase="over"), told)


def failed(state: State, at: datetime) -> tuple[RowCommand, ...]:
    """A defect ended this call: nobody tries it again. The engine hangs up the legs that are nobody's any more."""
    plan, words = state.plan, "internal error"
    return (
        WriteSpool(
            plan.spool_id, SpoolStatus.FAILED, started_at=state.dialled_at, connected_at=state.answered_at, ended_at=at,
            disposition=CallDisposition.FAILED, response=words),
        WriteResult(at, plan.spool_id, state.place + 1, "error", "error", words),
        WriteTransmission(plan.transmission_id, TransmissionStatus.FAILED, words),
    )
