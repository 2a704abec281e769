"""An alarm after a restart or a lost connection: what it missed, and what was perhaps never said. Pure.

Used by `alarm.py` alone. A snapshot is a moment old: legs that are younger than SETTLED may be missing in it. The
dialplan's notes of acknowledgements are told before: a leg that is gone without one was not acknowledged.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from engine.flows.alarm_course import wake_timer, wave_timer
from engine.flows.alarm_ends import leg_gone
from engine.flows.alarm_legs import answered
from engine.flows.alarm_speech import ask_of, messages, unspoken
from engine.flows.alarm_state import (
    BEGIN,
    EXPIRE,
    SETTLED,
    Attempt,
    Recipient,
    State,
    and_then,
    leased,
    live_legs,
    message_of,
)
from engine.flows.flow import Step
from engine.vocabulary.commands import AskAlarm, Command, HangUp, Hold, Play, SetTimer
from engine.vocabulary.values import Cause, LiveLeg

SPEAKS = "rw-play"  # where a leg is that hears its last words already
WAITS = ("rw-claim", "rw-hold")  # where a leg is that reached us and does not hear the alarm


def missed(state: State, live: Mapping[str, LiveLeg], at: datetime) -> Step[State]:
    step = Step(state)
    for _, attempt in live_legs(state):
        here = live.get(attempt.leg)
        if here is None and attempt.placed_at < at - SETTLED:
            step = and_then(step, leg_gone(step.state, attempt.leg, at, Cause.INTERWORKING, 0, is_lost=True))
        elif here is not None and here.is_up:
            step = and_then(step, answered(step.state, attempt.leg, at))
    return step


def unsaid(state: State, live: Mapping[str, LiveLeg], at: datetime) -> Step[State]:
    """What an engine before us may have left unsaid. Saying it twice is harmless."""
    if state.phase == "over":
        return Step(state)
    told = [order for place, attempt in live_legs(state) if (here := live.get(attempt.leg)) is not None
            for order in _unsaid_to(state, state.recipients[place], attempt, here)]
    return Step(state, (*told, *_speech(state)))


def timers(state: State, at: datetime) -> Sequence[SetTimer]:
    if state.outcome is not None:
        return ()
    expires_at = state.plan.created_at + timedelta(seconds=state.plan.expires_s)
    begin = (SetTimer(BEGIN, 0.0),) if state.phase == "rendering" else ()
    expire = SetTimer(EXPIRE, max(0.0, (expires_at - at).total_seconds()))
    return (*begin, expire, *wave_timer(state, at), *wake_timer(state, at))


def _speech(state: State) -> Iterator[Command]:
    if state.phase != "closing" or leased(state):
        yield from messages(state)
    yield from unspoken(state)


def _unsaid_to(state: State, one: Recipient, attempt: Attempt, here: LiveLeg) -> Iterator[Command]:
    message = message_of(state, one)
    if attempt.is_cancelled:
        yield HangUp(attempt.leg, Cause.NORMAL if here.is_up else Cause.ANSWERED_ELSEWHERE)
    elif attempt.told:
        if here.place != SPEAKS:
            yield Play(attempt.leg, attempt.told, then="bye")
    elif here.place not in WAITS:
        return
    elif attempt.stage == "held":
        yield Hold(attempt.leg)
    elif attempt.stage == "listening" and message is not None:
        yield AskAlarm(attempt.leg, ask_of(state.plan, one, message, attempt.pin_tries))
