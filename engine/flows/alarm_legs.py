"""The legs of an alarm while they live: dialled, answered, keys, last words. Pure.

Used by `alarm.py` alone. Each leg: ringing → listening → (silent | declined | confirmed → thanked) → gone. A key counts
whenever it is told: the dialplan has written it down and thanked for it.
"""

from dataclasses import replace
from datetime import datetime

from engine.flows.alarm_course import dismissed
from engine.flows.alarm_ends import armed, phone_done, turned
from engine.flows.alarm_rows import attempt_row, leg_note, recipient_row
from engine.flows.alarm_speech import ask_of, closings, thanked
from engine.flows.alarm_state import (
    Attempt,
    Recipient,
    State,
    and_then,
    find,
    find_past,
    message_of,
    wants,
    with_attempt,
    with_recipient,
)
from engine.flows.flow import Step
from engine.vocabulary.commands import Command, DialAlarm, WriteNote, WritePinFailure
from engine.vocabulary.events import AcknowledgeOrdered, DialDelayed, DialGranted
from engine.vocabulary.values import Disposition, RecipientState

# --- ringing -----------------------------------------------------------------------------------------------------


def ring(state: State, event: DialGranted) -> Step[State]:
    place = _wanting(state, event.number)
    if place is None or not _is_due(state, place):
        return Step(state)
    one = state.recipients[place]
    if event.trunk in one.failed_trunks:  # one before it was passed over: on to the next, if there is any
        tried = replace(one, failed_trunks=(*one.failed_trunks, event.trunk))
        done = phone_done(state.plan, one, event.number, Disposition.FAILED)
        return turned(state, place, tried if event.others else done, event.at)
    message = message_of(state, one)
    assert message is not None  # noqa: S101
    attempt = Attempt(event.leg, event.number, event.trunk, event.at, event.others, pin_tries=event.pin_tries)
    dial = DialAlarm(
        leg=event.leg, number=event.number, trunk=event.trunk, caller_id=state.plan.caller_id,
        ring_timeout_s=state.plan.ring_timeout_s, ask=ask_of(state.plan, one, message, event.pin_tries),
    )
    told: list[Command] = [dial, attempt_row(one, attempt), leg_note(event.at, "dialled", one, attempt)]
    if state.plan.pin and not event.pin_tries:
        told.append(leg_note(event.at, "pinRefused", one, attempt))
    step = turned(state, place, replace(one, live=(*one.live, attempt)), event.at)
    return Step(step.state, (*told, *step.commands))


def delayed(state: State, event: DialDelayed) -> Step[State]:
    """The storm throttle: this number rests, and is wanted again after that."""
    place = _wanting(state, event.number)
    if place is None:
        return Step(state)
    one = replace(state.recipients[place], rests_until=event.until, next=None)
    until = event.until.isoformat(timespec="milliseconds").replace("+00:00", "Z")  # as the API writes times
    note = WriteNote(event.at, "delayed", one.person.recipient_id, number=event.number, message=until)
    step = armed(with_recipient(state, place, one), event.until, event.at)
    return Step(step.state, (note, *step.commands))


def _wanting(state: State, number: str) -> int | None:
    if state.phase != "ringing":
        return None
    for place, one in enumerate(state.recipients):
        if one.next is not None and one.next.number == number:
            return place
    return None


def _is_due(state: State, place: int) -> bool:
    one = state.recipients[place]
    if one.wave > state.wave or message_of(state, one) is None:
        return False
    if state.plan.strategy != "sequential":
        return True
    wanted = wants(state)
    return wanted is not None and one.next in wanted.numbers


# --- what is heard of a leg --------------------------------------------------------------------------------------


def answered(state: State, leg: str, at: datetime) -> Step[State]:
    found = find(state, leg)
    if found is None or found[1].stage != "ringing":
        return Step(state)
    place, attempt = found
    one, told = _answered(state.recipients[place], attempt, at)
    return Step(with_recipient(state, place, one), told)


def _answered(one: Recipient, attempt: Attempt, at: datetime) -> tuple[Recipient, tuple[Command, ...]]:
    if attempt.answered_at is not None:
        return one, ()
    attempt = replace(attempt, stage="listening", answered_at=at)
    return with_attempt(one, attempt), (attempt_row(one, attempt), leg_note(at, "answered", one, attempt))


def heard(state: State, leg: str, at: datetime, kind: str) -> Step[State]:
    """`kind`: noKey, machine, pinWrong, declined, played."""
    found = find(state, leg)
    if found is None:
        return Step(state)
    place, attempt = found
    if kind == "played":
        return thanked(state, place, attempt)
    if attempt.stage not in ("ringing", "listening"):
        return Step(state)
    one, before = _answered(state.recipients[place], attempt, at)
    attempt = next(now for now in one.live if now.leg == leg)
    one, told = HEARD[kind](one, attempt, at)
    if not before and not told and one == state.recipients[place]:
        return Step(state)
    return Step(with_recipient(state, place, one), (*before, *told))


def declined(state: State, leg: str, at: datetime) -> Step[State]:
    """Final, also when the note of it was found after the leg had ended."""
    past = find_past(state, leg)
    if past is None:
        return heard(state, leg, at, "declined")
    place, attempt = past
    if attempt.disposition in (Disposition.ACKNOWLEDGED, Disposition.DECLINED):
        return Step(state)
    attempt = replace(attempt, disposition=Disposition.DECLINED, answered_at=attempt.answered_at or at)
    one = state.recipients[place]
    one = replace(one, past=tuple(attempt if other.leg == leg else other for other in one.past))
    told: tuple[Command, ...] = (attempt_row(one, attempt),)
    if one.state not in (RecipientState.ACKNOWLEDGED, RecipientState.DECLINED):
        one = replace(one, state=RecipientState.DECLINED, next=None)
        told = (*told, recipient_row(one), leg_note(at, "declined", one, attempt))
        one, orders = dismissed(one, "alarm-declined")
        told = (*told, *orders)
    return Step(with_recipient(state, place, one), told)


def _no_key(one: Recipient, attempt: Attempt, at: datetime) -> tuple[Recipient, tuple[Command, ...]]:
    silent = replace(attempt, stage="silent")
    return with_attempt(one, silent), (leg_note(at, "noKey", one, attempt),)


def _machine(one: Recipient, attempt: Attempt, at: datetime) -> tuple[Recipient, tuple[Command, ...]]:
    """A hint: what the machine, or the person, does next decides."""
    return with_attempt(one, replace(attempt, is_machine=True)), ()


def _pin_wrong(one: Recipient, attempt: Attempt, at: datetime) -> tuple[Recipient, tuple[Command, ...]]:
    if attempt.pin_wrong_at == at:
        return one, ()
    note = leg_note(at, "pinWrong", one, attempt)
    return with_attempt(one, replace(attempt, pin_wrong_at=at)), (note, WritePinFailure(at, attempt.number))


def _declined(one: Recipient, attempt: Attempt, at: datetime) -> tuple[Recipient, tuple[Command, ...]]:
    one = with_attempt(one, replace(attempt, stage="declined"))
    if one.state is RecipientState.ACKNOWLEDGED:
        return one, ()
    one = replace(one, state=RecipientState.DECLINED, next=None)
    return one, (recipient_row(one), leg_note(at, "declined", one, attempt))


HEARD = {"noKey": _no_key, "machine": _machine, "pinWrong": _pin_wrong, "declined": _declined}


# --- acknowledged ------------------------------------------------------------------------------------------------


def acknowledged(state: State, leg: str, at: datetime) -> Step[State]:
    """The key counts, also that of a leg which ended: then the note of it was found later."""
    found = find(state, leg)
    if found is not None:
        return _key_pressed(state, *found, at)
    past = find_past(state, leg)
    if past is None or past[1].disposition is Disposition.ACKNOWLEDGED:
        return Step(state)
    place, attempt = past
    attempt = replace(attempt, disposition=Disposition.ACKNOWLEDGED, answered_at=attempt.answered_at or at)
    one = state.recipients[place]
    one = replace(one, past=tuple(attempt if other.leg == leg else other for other in one.past))
    state = with_recipient(state, place, one)
    step = _counted(state, place, at, leg_note(at, "acknowledged", one, attempt))
    return Step(step.state, (attempt_row(one, attempt), *step.commands))


def _key_pressed(state: State, place: int, attempt: Attempt, at: datetime) -> Step[State]:
    if attempt.stage in ("confirmed", "thanked"):
        return Step(state)
    one, before = _answered(state.recipients[place], attempt, at)
    attempt = replace(attempt, stage="confirmed", answered_at=attempt.answered_at or at)
    one = with_attempt(one, attempt)
    step = _counted(with_recipient(state, place, one), place, at, leg_note(at, "acknowledged", one, attempt))
    return Step(step.state, (*before, *step.commands))


def acknowledge(state: State, event: AcknowledgeOrdered) -> Step[State]:
    """An operator does it for this recipient."""
    for place, one in enumerate(state.recipients):
        if one.person.recipient_id == event.recipient_id:
            note = WriteNote(event.at, "operatorAcknowledged", event.recipient_id, message=event.by)
            return _counted(state, place, event.at, note)
    return Step(state)


def _counted(state: State, place: int, at: datetime, note: WriteNote) -> Step[State]:
    """One more has acknowledged, unless he had before; that is all there is to tell him."""
    one = state.recipients[place]
    if one.state is RecipientState.ACKNOWLEDGED:
        return Step(state)
    one = replace(one, state=RecipientState.ACKNOWLEDGED, acknowledged_at=at, next=None)
    told = (recipient_row(one), note)
    one, orders = dismissed(one, "alarm-noted")
    state = with_recipient(state, place, one)
    return and_then(Step(state, (*told, *orders)), closings(state))
