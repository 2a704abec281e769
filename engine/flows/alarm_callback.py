"""Somebody calls back the number that rang: he hears the alarm that is open for his phone, and may acknowledge. Pure.

Used by `alarm.py` alone. What rings or speaks to him elsewhere is hung up first, and that phone has had its turn in
this round. Whoever is not rung any more hears why; such a leg is none of the alarm's, it ends by itself.
"""

from dataclasses import replace

from engine.flows.alarm_ends import phone_done, turned
from engine.flows.alarm_rows import attempt_row, is_outbound, leg_note
from engine.flows.alarm_speech import ask_of
from engine.flows.alarm_state import Attempt, Recipient, State, find, find_past, message_of, with_attempt
from engine.flows.flow import Step
from engine.vocabulary.commands import AskAlarm, Command, HangUp, Hold, Play, WriteNote
from engine.vocabulary.events import CalledBack
from engine.vocabulary.values import AlarmState, Cause, Direction, Disposition, RecipientState

OVER_WORDS = {AlarmState.ACKNOWLEDGED: "alarm-enough", AlarmState.CANCELLED: "alarm-cancelled"}
KNOWN_WORDS = {RecipientState.ACKNOWLEDGED: "alarm-noted", RecipientState.DECLINED: "alarm-declined"}


def called_back(state: State, event: CalledBack) -> Step[State]:
    if find(state, event.leg) is not None or find_past(state, event.leg) is not None:
        return Step(state)
    place = next((place for place, one in enumerate(state.recipients) if event.number in one.person.phones), None)
    if place is None:
        return Step(state, (Play(event.leg, f"{state.recipients[0].person.voice}/alarm-none", then="bye"),))
    one = state.recipients[place]
    words = KNOWN_WORDS.get(one.state)
    if state.outcome is not None:
        words = words or OVER_WORDS.get(state.outcome, "alarm-none")
    if words:
        note = WriteNote(event.at, "calledBack", one.person.recipient_id, event.leg, event.number)
        return Step(state, (note, Play(event.leg, f"{one.person.voice}/{words}", then="bye")))
    return _take(state, place, event)


def _take(state: State, place: int, event: CalledBack) -> Step[State]:
    one, hung_up = _hung_up(state, state.recipients[place])
    message = message_of(state, one)
    attempt = Attempt(
        event.leg, event.number, "", event.at, stage="held" if message is None else "listening",
        direction=Direction.INBOUND, answered_at=event.at, pin_tries=event.pin_tries,
    )
    told: list[Command] = [
        *hung_up, _said(state, one, attempt, message), attempt_row(one, attempt),
        leg_note(event.at, "calledBack", one, attempt),
    ]
    if state.plan.pin and not event.pin_tries:
        told.append(leg_note(event.at, "pinRefused", one, attempt))
    step = turned(state, place, replace(one, live=(*one.live, attempt)), event.at)
    return Step(step.state, (*told, *step.commands))


def _said(state: State, one: Recipient, attempt: Attempt, message: str | None) -> Command:
    if message is None:
        return Hold(attempt.leg)
    return AskAlarm(attempt.leg, ask_of(state.plan, one, message, attempt.pin_tries))


def _hung_up(state: State, one: Recipient) -> tuple[Recipient, list[Command]]:
    orders: list[Command] = []
    for attempt in one.live:
        if attempt.is_cancelled:
            continue
        one = with_attempt(one, replace(attempt, is_cancelled=True))
        cause = Cause.ANSWERED_ELSEWHERE if attempt.stage == "ringing" else Cause.NORMAL
        orders.append(HangUp(attempt.leg, cause))
        if is_outbound(attempt):
            one = phone_done(state.plan, one, attempt.number, Disposition.CANCELLED)
    return one, orders
