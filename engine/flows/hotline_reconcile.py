"""A hotline call after a restart or a lost connection: what it missed, and what was perhaps never said. Pure.

Used by `hotline.py` alone. A snapshot is a moment old: legs that are younger than SETTLED may be missing in it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from engine.flows.hotline_state import ACCEPT_KEY, ROUND, AgentLeg, State, apology, in_time, pause_s, refusal, taken
from engine.vocabulary.commands import Command, HangUp, Play, SetTimer
from engine.vocabulary.events import (
    Answered,
    DigitsEntered,
    Event,
    FallbackStarted,
    FallbackStepped,
    HungUp,
    Joined,
)
from engine.vocabulary.values import Cause, LiveLeg

SETTLED = timedelta(seconds=1)


def missed(state: State, live: Mapping[str, LiveLeg], at: datetime) -> Iterator[Event]:
    """The events that would lead from what we remember to what lives."""
    caller = live.get(state.leg)
    if caller is None and not state.caller_gone and state.arrived_at < at - SETTLED:
        if state.phase == "fallback":  # its rows were told before: what did not come by now is lost
            yield FallbackStepped(at, state.leg, "ended")
        else:
            yield HungUp(at, state.leg, Cause.INTERWORKING, 0)
    elif caller is not None and caller.place == "rw-fall" and state.phase != "fallback":
        for leg in state.legs:  # first, for those who only ring are stopped, and nobody who talks to him
            if leg.leg in live and live[leg.leg].is_up:
                yield Answered(at, leg.leg)
        yield FallbackStarted(at, state.leg, caller.channel, "", "")
    for leg in state.legs:
        yield from _missed_of(leg, caller, live.get(leg.leg), at)


def _missed_of(leg: AgentLeg, caller: LiveLeg | None, here: LiveLeg | None, at: datetime) -> Iterator[Event]:
    if here is None:
        if leg.dialled_at < at - SETTLED:
            yield HungUp(at, leg.leg, Cause.INTERWORKING, 0)
    elif caller is not None and here.bridge and here.bridge == caller.bridge:
        yield Joined(at, leg.leg, caller.leg)
    elif here.is_up:
        yield Answered(at, leg.leg)
        if here.place == "rw-accepted":
            yield DigitsEntered(at, leg.leg, ACCEPT_KEY)


def unsaid(state: State, live: Mapping[str, LiveLeg], at: datetime) -> tuple[Command, ...]:
    """What an engine before us may have left unsaid. Saying it twice is harmless. Not a Bridge: a second one ends the
    talk, so the dialplan joins those two."""
    caller = live.get(state.leg)
    return (*_unsaid_to_caller(state, caller, live, at), *_dismissals(state, live, at))


def _unsaid_to_caller(
    state: State, caller: LiveLeg | None, live: Mapping[str, LiveLeg], at: datetime
) -> tuple[Command, ...]:
    match state.phase:
        case "waiting" if caller is not None and caller.place == "rw-claim":
            until = in_time(state, state.arrived_at)
            return (*_rounds(state, at), Play(state.leg, state.hotline.greeting, not_after=until))
        case "waiting":
            return _rounds(state, at)
        case "apologising" if caller is not None and caller.place in ("rw-claim", "rw-hold"):
            return (apology(state, at),)
        case "closing" if caller is not None and not state.caller_gone:
            return (refusal(state, at) or HangUp(state.leg, Cause.NORMAL),)
        case _:
            return ()


def _dismissals(state: State, live: Mapping[str, LiveLeg], at: datetime) -> tuple[Command, ...]:
    """Phones that ring for nothing, and people who do not know yet that the call is taken."""
    told: list[Command] = []
    for leg in state.legs:
        here = live.get(leg.leg)
        if here is None or here.bridge:
            continue
        if leg.stage == "leaving":
            if here.place in ("rw-ask", "rw-accepted"):
                told.append(taken(state, leg))
        elif state.phase == "closing":
            told.append(HangUp(leg.leg, Cause.NORMAL))
        elif state.phase == "fallback":
            if leg.cancelled and not here.is_up:  # the dialplan joins who answered, perhaps at this moment
                told.append(HangUp(leg.leg, Cause.ANSWERED_ELSEWHERE, in_time(state, at)))
        elif leg.cancelled:
            told.append(HangUp(leg.leg, Cause.ANSWERED_ELSEWHERE))
    return tuple(told)


def _rounds(state: State, at: datetime) -> tuple[Command, ...]:
    return (SetTimer(ROUND, pause_s(state, at)),) if state.pausing else ()
