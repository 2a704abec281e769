"""A hotline call after a restart or a lost connection: what it missed, and what was perhaps never said. Pure.

Used by `hotline.py` alone. A snapshot is a moment old: legs that are younger than SETTLED may be missing in it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from engine.flows.hotline_state import ACCEPT_KEY, ROUND, AgentLeg, State, apology, in_time, refusal, taken
from engine.vocabulary.commands import Bridge, Command, HangUp, Play, SetTimer
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
    """What an engine before us may have left unsaid. Saying it twice is harmless, but a second Bridge ends the talk."""
    caller = live.get(state.leg)
    return (*_unsaid_to_caller(state, caller, live, at), *_dismissals(state, live))


def _unsaid_to_caller(
    state: State, caller: LiveLeg | None, live: Mapping[str, LiveLeg], at: datetime
) -> tuple[Command, ...]:
    match state.phase:
        case "waiting" if caller is not None and caller.place == "rw-claim":
            until = in_time(state, state.arrived_at)
            return (*_rounds(state), Play(state.leg, state.hotline.greeting, not_after=until))
        case "waiting":
            return _rounds(state)
        case "talking" if state.winner in live and caller is not None:
            return _bridge_if_overdue(state, at)
        case "apologising" if caller is not None and caller.place in ("rw-claim", "rw-hold"):
            return (apology(state, at),)
        case "closing" if caller is not None and not state.caller_gone:
            return (refusal(state, at) or HangUp(state.leg, Cause.NORMAL),)
        case _:
            return ()


def _bridge_if_overdue(state: State, at: datetime) -> tuple[Command, ...]:
    """Never while the first Bridge may be on its way, nor when the dialplan may be joining the two by itself."""
    accepted_at = state.accepted_at
    if state.joined_at is not None or accepted_at is None or at < accepted_at + SETTLED:
        return ()
    until = in_time(state, accepted_at)
    return (Bridge(leg=state.leg, channel=state.channel, peer=str(state.winner), not_after=until),)


def _dismissals(state: State, live: Mapping[str, LiveLeg]) -> tuple[Command, ...]:
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
        elif leg.cancelled:
            told.append(HangUp(leg.leg, Cause.ANSWERED_ELSEWHERE))
    return tuple(told)


def _rounds(state: State) -> tuple[Command, ...]:
    return (SetTimer(ROUND, 0.0),) if state.pausing else ()
