"""The alarm: people are rung until enough of them have acknowledged.

    start ──► rendering ── the first message is spoken ──► ringing ──┐
                  │                                          │       │ enough acknowledged → acknowledged
                  └── expired, cancelled, nobody to ring ────┤       │ nobody is left to try → failed
                                                             │       │ its time is over → expired
                                                             ▼       │ ordered → cancelled
    over ◄── the last leg is gone ──────────────────────── closing ◄─┘

    A recipient:  pending ◄──► ringing ──► acknowledged | declined | unreached     (unreached may still call back)
    His turn:     wanted → leg → next phone → … → pause → next round → … → unreached
    A leg:        ringing → listening → (silent | declined | confirmed → thanked) → gone

The outcome is chosen by one compare-and-set: `outcome` is set only while it is None. After it nobody is rung; ringing
phones stop, and who is listening hears why (an alarm that expired is heard to its end). A key counts also after it.
Parts: what is remembered `alarm_state.py`, live legs `alarm_legs.py`, ended ones and whose turn is next
`alarm_ends.py`, waves, pauses, outcome `alarm_course.py`, speech `alarm_speech.py`, people who call back
`alarm_callback.py`, restarts `alarm_reconcile.py`. Events about a leg that is not ours, or that do not fit, change
nothing.
"""

from datetime import datetime, timedelta
from typing import assert_never

from engine.flows.alarm_callback import called_back
from engine.flows.alarm_course import decide, failed, settle, settled, wake, wave_due, wave_timer
from engine.flows.alarm_ends import leg_gone
from engine.flows.alarm_legs import acknowledge, acknowledged, answered, declined, delayed, heard, ring
from engine.flows.alarm_reconcile import missed, timers, unsaid
from engine.flows.alarm_rows import recipient_row
from engine.flows.alarm_speech import messages, rendered, speech_of
from engine.flows.alarm_state import (
    APART,
    BEGIN,
    EXPIRE,
    Recipient,
    State,
    and_then,
    has_somebody,
    leased,
    legs,
    owner,
    phase,
    wants,
    wants_to_ring,
)
from engine.flows.flow import Step
from engine.policy.escalation import wave_of
from engine.policy.routing import Wanted
from engine.vocabulary.commands import Command, SetTimer, WriteNote
from engine.vocabulary.events import (
    Acknowledged,
    AcknowledgeOrdered,
    Answered,
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
from engine.vocabulary.values import AlarmPlan, AlarmState, Cause, Person, RecipientState

NAME = "alarm"
VERSION = 1
CAN_WAIT = False
__all__ = [
    "APART", "CAN_WAIT", "NAME", "VERSION", "failed", "has_somebody", "leased", "legs", "owner", "phase", "start",
    "step", "timers", "wants", "wants_to_ring",
]


# --- how an alarm begins -----------------------------------------------------------------------------------------


def start(plan: AlarmPlan, persons: tuple[Person, ...], at: datetime) -> Step[State]:
    """Nothing is decided here, also when nobody can be rung or the alarm has expired: the first timer does that."""
    recipients = tuple(_recipient(plan, person) for person in persons)
    first = -1 if plan.strategy == "waves" and plan.waves and plan.waves[0].after_s > 0 else 0
    state = State("rendering", plan, at, recipients, wave=first)
    expires_at = plan.created_at + timedelta(seconds=plan.expires_s)
    told: list[Command] = [
        SetTimer(BEGIN, 0.0), SetTimer(EXPIRE, max(0.0, (expires_at - at).total_seconds())), *wave_timer(state, at)
    ]
    told += [recipient_row(one) for one in recipients if one.state is RecipientState.UNREACHED]
    if plan.strategy == "waves" and first == 0:
        told.append(WriteNote(at, "waveStarted", message="1"))
    return Step(state, (*told, *messages(state)))


def _recipient(plan: AlarmPlan, person: Person) -> Recipient:
    wave = wave_of(person.groups, plan.waves) if plan.strategy == "waves" else 0
    if not person.phones:
        return Recipient(person, "", wave, RecipientState.UNREACHED)
    return Recipient(person, speech_of(plan, person), wave, next=Wanted(person.phones[0]))


# --- the machine -------------------------------------------------------------------------------------------------


def step(state: State, event: Event) -> Step[State]:
    if state.phase == "over":
        return Step(state)
    return settled(_told(state, event), event.at)


def _told(state: State, event: Event) -> Step[State]:
    match event:
        case DialGranted():
            return ring(state, event)
        case DialDelayed():
            return delayed(state, event)
        case Answered(at, leg):
            return answered(state, leg, at)
        case Acknowledged(at, leg):
            return acknowledged(state, leg, at)
        case Declined(at, leg):
            return declined(state, leg, at)
        case NoKey(at, leg):
            return heard(state, leg, at, "noKey")
        case PinWrong(at, leg):
            return heard(state, leg, at, "pinWrong")
        case MachineHeard(at, leg):
            return heard(state, leg, at, "machine")
        case Played(at, leg):
            return heard(state, leg, at, "played")
        case HungUp(at, leg, cause, sip):
            return leg_gone(state, leg, at, cause, sip)
        case DialRefused(at, leg):
            return leg_gone(state, leg, at, Cause.FAILURE, 503)
        case CalledBack():
            return called_back(state, event)
        case CancelOrdered(at, by):
            return decide(state, AlarmState.CANCELLED, at, "cancelOrdered", "alarm-cancelled", by)
        case AcknowledgeOrdered():
            return acknowledge(state, event)
        case Rendered():
            return rendered(state, event)
        case TimerFired(at, name):
            after = _timer(state, name, at)
            return and_then(after, settle(after.state, at))
        case Reconciled(at, live):
            before = settled(missed(state, live, at), at)
            return and_then(before, unsaid(before.state, live, at))
        case (  # of hotlines; and that every number is in use elsewhere: one will be free
            LegGranted() | PhonesTaken() | DigitsEntered() | Joined() | FallbackStarted() | FallbackStepped()
            | FallbackExhausted() | OrderExpired() | StepDone() | Withdrawn()
        ):
            return Step(state)
        case _:
            assert_never(event)


def _timer(state: State, name: str, at: datetime) -> Step[State]:
    if name == EXPIRE:
        return decide(state, AlarmState.EXPIRED, at, "expired", "")
    after = wave_due(state, name, at)
    return after if after.state is not state else wake(state, name, at)
