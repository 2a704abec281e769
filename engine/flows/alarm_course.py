"""The course of an alarm as a whole: its waves and pauses, what decides it, and its end. Pure.

Used by `alarm*.py`. An alarm is decided once, by one compare: `outcome` is set only while it is None.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from engine.flows.alarm_ends import armed, round_timer, turned
from engine.flows.alarm_rows import attempt_row, disposition, recipient_row
from engine.flows.alarm_state import (
    OPEN,
    WAVE,
    Recipient,
    State,
    acknowledged,
    and_then,
    live_legs,
    quorum,
    tally,
    with_attempt,
)
from engine.flows.flow import Step
from engine.policy.escalation import wave_due_at
from engine.policy.quorum import is_reachable, is_reached
from engine.vocabulary.commands import (
    Command,
    Finish,
    HangUp,
    Play,
    RowCommand,
    SetTimer,
    WriteAlarm,
    WriteNote,
    WriteRecipient,
)
from engine.vocabulary.values import AlarmState, Cause, RecipientState


def settled(step: Step[State], at: datetime) -> Step[State]:
    """And what follows from it: the alarm is decided, or over. Looked for only where somebody's own part is over, since
    that costs a look at everybody."""
    is_news = any(
        told.state not in OPEN if isinstance(told, WriteRecipient) else isinstance(told, WriteAlarm)
        for told in step.commands
    )
    return and_then(step, settle(step.state, at)) if is_news or step.state.phase == "closing" else step


def settle(state: State, at: datetime) -> Step[State]:
    """What follows from how things stand: the alarm is decided, or over, or its next wave begins."""
    if state.phase == "over":
        return Step(state)
    if state.phase == "closing":
        return _finish(state, at) if not any(one.live for one in state.recipients) else Step(state)
    if is_reached(quorum(state.plan), acknowledged(state)):
        return decide(state, AlarmState.ACKNOWLEDGED, at, "quorumReached", "alarm-enough")
    step = early_waves(state, at)
    if any(one.state in OPEN for one in state.recipients):
        return step
    return and_then(step, decide(step.state, AlarmState.FAILED, at, "", ""))


def decide(state: State, outcome: AlarmState, at: datetime, kind: str, words: str, by: str = "") -> Step[State]:
    """`words`: what those who are listening hear instead; without, they hear the alarm to its end."""
    if state.outcome is not None:
        return Step(state)
    told: list[Command] = [WriteAlarm(at, outcome)]
    if kind:
        told.append(WriteNote(at, kind, message=by))
    recipients = list(state.recipients)
    for place, one in enumerate(recipients):
        if one.live:
            recipients[place], orders = dismissed(one, words)
            told += orders
    state = replace(state, phase="closing", outcome=outcome, recipients=tuple(recipients))
    return and_then(Step(state, tuple(told)), settle(state, at))


def dismissed(one: Recipient, words: str) -> tuple[Recipient, Sequence[Command]]:
    """A phone that rings for nothing stops without a missed call, and who is listening hears why."""
    orders: list[Command] = []
    for attempt in one.live:
        if attempt.is_cancelled or attempt.told:
            continue
        if attempt.stage == "ringing":
            one = with_attempt(one, replace(attempt, is_cancelled=True))
            orders.append(HangUp(attempt.leg, Cause.ANSWERED_ELSEWHERE))
        elif attempt.stage in ("listening", "held") and words:
            sound = f"{one.person.voice}/{words}"
            one = with_attempt(one, replace(attempt, told=sound))
            orders.append(Play(attempt.leg, sound, then="bye"))
    return one, orders


def _finish(state: State, at: datetime) -> Step[State]:
    assert state.outcome is not None  # noqa: S101
    outcome = state.outcome.value
    told: tuple[Command, ...] = (*_dropped(state), WriteNote(at, "finished", message=outcome), Finish(at, outcome))
    return Step(replace(state, phase="over"), told)


def failed(state: State, at: datetime) -> tuple[RowCommand, ...]:
    """A defect ended this alarm: its legs end as far as they came, whom it did not reach is unreached. What was decided
    before stays. The engine hangs up the legs that are nobody's any more."""
    rows: list[RowCommand] = [] if state.outcome is not None else [WriteAlarm(at, AlarmState.FAILED)]
    for place, attempt in live_legs(state):
        ended = replace(attempt, ended_at=at, disposition=disposition(attempt, Cause.FAILURE, 500))
        rows.append(attempt_row(state.recipients[place], ended))
    return (*rows, *_dropped(state), WriteNote(at, "finished", message="internal error"))


def _dropped(state: State) -> Iterator[WriteRecipient]:
    """Those for whom nothing is left to come."""
    for one in state.recipients:
        if one.state in OPEN:
            yield recipient_row(replace(one, state=RecipientState.UNREACHED))


# --- waves -------------------------------------------------------------------------------------------------------


def last_wave(state: State) -> int:
    return max((one.wave for one in state.recipients), default=0)


def early_waves(state: State, at: datetime) -> Step[State]:
    """The next wave begins as soon as those before it can no longer suffice; the first begins at its time."""
    step = Step(state)
    if state.plan.strategy != "waves" or state.wave < 0 or state.phase != "ringing":
        return step
    last, needed, done = last_wave(state), quorum(state.plan), acknowledged(state)
    while step.state.wave < last and not is_reachable(needed, done, tally(step.state, *OPEN)):
        step = and_then(step, next_wave(step.state, at))
    return step


def next_wave(state: State, at: datetime) -> Step[State]:
    wave = state.wave + 1
    state = replace(state, wave=wave)
    return Step(state, (WriteNote(at, "waveStarted", message=str(wave + 1)), *wave_timer(state, at)))


def wave_due(state: State, name: str, at: datetime) -> Step[State]:
    """A wave's time has come, unless it began before."""
    if _next_due_at(state) is None or name != _wave_timer(state):
        return Step(state)
    return next_wave(state, at)


def wave_timer(state: State, at: datetime) -> tuple[SetTimer, ...]:
    due = _next_due_at(state)
    return (SetTimer(_wave_timer(state), max(0.0, (due - at).total_seconds())),) if due is not None else ()


def _wave_timer(state: State) -> str:
    return f"{WAVE} {state.wave + 2}"  # people count from one


def _next_due_at(state: State) -> datetime | None:
    if state.plan.strategy != "waves" or state.outcome is not None or state.wave >= last_wave(state):
        return None
    return wave_due_at(state.plan.waves, state.wave + 1, state.began_at)


# --- pauses ------------------------------------------------------------------------------------------------------


def wake(state: State, name: str, at: datetime) -> Step[State]:
    """Whoever paused between two rounds, or rested by the throttle, until now may be rung again."""
    due = state.wakes_at
    if due is None or name != round_timer(due) or state.phase not in ("rendering", "ringing"):
        return Step(state)
    at = max(at, due)  # the timer is right, whatever became of the clock
    step = Step(replace(state, wakes_at=None))
    for place, one in enumerate(state.recipients):
        if one.pauses_until is not None or one.rests_until is not None:
            step = and_then(step, _woken(step.state, place, one, at))
    return and_then(step, _next_wake(step.state, at))


def _woken(state: State, place: int, one: Recipient, at: datetime) -> Step[State]:
    told: tuple[Command, ...] = ()
    if one.pauses_until is not None and one.pauses_until <= at:
        if one.state in OPEN:
            told = (WriteNote(at, "roundStarted", one.person.recipient_id, message=str(one.round)),)
        one = replace(one, pauses_until=None)
    if one.rests_until is not None and one.rests_until <= at:
        one = replace(one, rests_until=None)
    if one is state.recipients[place]:
        return Step(state)
    step = turned(state, place, one, at)
    return Step(step.state, (*told, *step.commands))


def _next_wake(state: State, at: datetime) -> Step[State]:
    dues = [
        due for one in state.recipients if one.state in OPEN
        for due in (one.pauses_until, one.rests_until) if due is not None
    ]
    return armed(state, min(dues), at) if dues else Step(state)


def wake_timer(state: State, at: datetime) -> tuple[SetTimer, ...]:
    """The timer that is set, once more: it died with the engine."""
    due = state.wakes_at
    return (SetTimer(round_timer(due), max(0.0, (due - at).total_seconds())),) if due is not None else ()
