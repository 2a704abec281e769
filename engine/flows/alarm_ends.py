"""A leg of an alarm ended: which phone of this person is next, in which round, or was he not reached. Pure.

Used by `alarm*.py`. A phone's turn ends with its leg, except when the phone itself was perhaps never rung: trunk
trouble is tried again by the next trunk, a dial of unknown fate is dialled again. Neither uses up the round.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from engine.flows.alarm_rows import (
    NOTED_ENDS,
    attempt_row,
    disposition,
    is_outbound,
    is_trunks,
    leg_note,
    recipient_row,
)
from engine.flows.alarm_state import OPEN, ROUND, Attempt, Recipient, State, find, with_recipient
from engine.flows.flow import Step
from engine.policy.escalation import is_retried, next_phone
from engine.policy.routing import Wanted
from engine.vocabulary.commands import Command, SetTimer, WriteNote
from engine.vocabulary.values import AlarmPlan, Disposition, RecipientState

AGAIN_AFTER_LOSS = 3  # times a phone is rung again whose dial was lost
JUDGED = ("ringing", "listening", "held")  # stages in which nothing is known yet of how it will end


def leg_gone(state: State, leg: str, at: datetime, cause: int, sip: int, is_lost: bool = False) -> Step[State]:
    """`is_lost`: it is not on the switch any more, and nobody heard why."""
    found = find(state, leg)
    if found is None:
        return Step(state)
    place, attempt = found
    is_lost = is_lost and attempt.stage in JUDGED and not attempt.is_cancelled and not attempt.told
    how = Disposition.FAILED if is_lost else disposition(attempt, cause, sip)
    trouble = not is_lost and is_trunks(attempt, cause, sip)
    ended = replace(attempt, ended_at=at, disposition=how, cause=cause, is_trunks=trouble)
    one = state.recipients[place]
    one = replace(one, live=tuple(other for other in one.live if other.leg != leg), past=(*one.past, ended))
    told: list[Command] = [attempt_row(one, ended)]
    if how in NOTED_ENDS:
        told.append(leg_note(at, how.value, one, ended))
    if is_outbound(ended) and how is not Disposition.CANCELLED:
        one = _after(state.plan, one, ended, is_lost)
    step = turned(state, place, one, at)
    return Step(step.state, (*told, *step.commands))


def _after(plan: AlarmPlan, one: Recipient, ended: Attempt, is_lost: bool) -> Recipient:
    if ended.is_trunks and ended.others:
        return replace(one, failed_trunks=(*one.failed_trunks, ended.trunk))
    if is_lost and one.lost.count(ended.number) < AGAIN_AFTER_LOSS:
        return replace(one, lost=(*one.lost, ended.number))
    assert ended.disposition is not None  # noqa: S101
    return phone_done(plan, one, ended.number, ended.disposition)


def phone_done(plan: AlarmPlan, one: Recipient, number: str, how: Disposition) -> Recipient:
    """This phone had its turn in this round."""
    dropped = one.dropped if is_retried(how, plan.retry_on) else (*one.dropped, number)
    return replace(one, phone=one.phone + 1, failed_trunks=(), dropped=dropped)


def turned(state: State, place: int, one: Recipient, at: datetime) -> Step[State]:
    """Put the changed recipient in, with whatever is next for him now."""
    after = one
    told: tuple[Command, ...] = ()
    if one.state in OPEN or (one.state is RecipientState.UNREACHED and one.live):
        after = _turn(state, one, at)
        if after.state is not state.recipients[place].state:
            told = (recipient_row(after),)
            if after.state is RecipientState.UNREACHED and state.phase != "closing":
                told = (*told, WriteNote(at, "unreached", one.person.recipient_id))
    state = with_recipient(state, place, after)
    if after.pauses_until is not None and one.pauses_until is None:
        step = armed(state, after.pauses_until, at)
        return Step(step.state, (*told, *step.commands))
    return Step(state, told)


def _turn(state: State, one: Recipient, at: datetime) -> Recipient:
    if one.live:
        return replace(one, state=RecipientState.RINGING, next=None)
    if state.phase == "closing":
        return replace(one, state=RecipientState.UNREACHED, next=None)
    plan, phones = state.plan, one.person.phones
    waiting = replace(one, state=RecipientState.PENDING, next=None)
    if one.pauses_until is not None or one.rests_until is not None:
        return waiting
    phone = next_phone(phones, one.phone, one.dropped)
    if phone is not None:
        wanted = Wanted(phones[phone], _is_repeat(one, phones[phone]), len(one.failed_trunks))
        return replace(waiting, phone=phone, next=wanted)
    first = next_phone(phones, 0, one.dropped)
    if first is not None and one.round < plan.rounds:
        until = at + timedelta(seconds=plan.pause_s)
        return replace(waiting, round=one.round + 1, phone=0, pauses_until=until)
    return replace(waiting, state=RecipientState.UNREACHED)


def _is_repeat(one: Recipient, number: str) -> bool:
    """Did this alarm ring this number before? What failed on the way to it did not."""
    return any(past.number == number and is_outbound(past) and not past.is_trunks for past in one.past)


def armed(state: State, due: datetime, at: datetime) -> Step[State]:
    """One timer at a time, for whoever is due first."""
    if state.wakes_at is not None and state.wakes_at <= due:
        return Step(state)
    return Step(replace(state, wakes_at=due), (SetTimer(round_timer(due), max(0.0, (due - at).total_seconds())),))


def round_timer(due: datetime) -> str:
    return f"{ROUND} {due.isoformat()}"
