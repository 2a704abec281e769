"""The agents' legs of a hotline call: ring, ask, choose the winner, dismiss the others, ring again or give up. Pure.

Used by `hotline.py` alone. Legs: dialled → asked → (winner | silent | leaving) → gone. The winner is chosen by one
compare-and-set, in `agent_accepted`.
"""

from dataclasses import replace
from datetime import datetime

from engine.flows.hotline_state import (
    ROUND,
    AgentLeg,
    State,
    Step,
    Tried,
    apology,
    close_if_empty,
    demand,
    disposition,
    entry,
    find,
    in_time,
    may_ring,
    pause_s,
    record,
    taken,
    tried_before,
    with_leg,
)
from engine.policy.trunks import is_trunk_trouble
from engine.vocabulary.commands import Bridge, Command, Dial, HangUp, SetTimer, WriteEntry
from engine.vocabulary.events import LegGranted
from engine.vocabulary.values import Cause, EntryType, RecordStatus


def ring(state: State, event: LegGranted) -> Step:
    if event.phone not in demand(state):
        return Step(state)
    phone, hotline, rules = event.phone, state.hotline, state.rules
    before = tried_before(state, phone)
    tried = replace(before, times=before.times + 1, round=state.round)
    leg = AgentLeg(event.leg, phone, event.at, trunk=event.trunk, others=event.others)
    others = tuple(other for other in state.tried if other.number != phone.number)
    dial = Dial(
        leg=event.leg, number=phone.number, caller_id=hotline.number, ring_timeout_s=rules.ring_timeout_s,
        ask=hotline.ask, taken=f"{hotline.language}/taken", tries=rules.ask_tries, peer=state.channel,
        trunk=event.trunk,
    )
    return Step(
        replace(state, legs=(*state.legs, leg), tried=(*others, tried)),
        (dial, entry(leg, EntryType.AGENT_CALLED, event.at)),
    )


def agent_answered(state: State, leg_id: str, at: datetime) -> Step:
    leg = find(state, leg_id)
    if leg is None or leg.stage != "dialled":
        return Step(state)
    asked = replace(leg, stage="asked", answered_at=at)
    answered = entry(leg, EntryType.AGENT_ANSWERED, at)
    if state.phase == "waiting":
        return Step(with_leg(state, asked), (answered,))
    if state.phase == "talking":  # answered while the call was being taken
        step = _tell_taken(with_leg(state, asked), asked, at)
        return Step(step.state, (answered, *step.commands))
    if state.phase == "fallback":  # the dialplan joins him, perhaps at this moment
        return Step(with_leg(state, asked), (answered,))
    return Step(with_leg(state, replace(asked, cancelled=True)), (answered, HangUp(leg_id, Cause.NORMAL)))


def agent_accepted(state: State, leg_id: str, at: datetime) -> Step:
    """The one compare-and-set: whoever comes first is the winner."""
    leg = find(state, leg_id)
    if leg is None or leg.stage not in ("dialled", "asked"):
        return Step(state)
    if leg.answered_at is None:
        leg = replace(leg, answered_at=at)
    accepted = entry(leg, EntryType.AGENT_ACCEPTED, at)
    if state.phase == "talking" and state.winner != leg_id:
        step = _tell_taken(state, leg, at)
        return Step(step.state, (accepted, *step.commands))
    if state.phase != "waiting":
        return Step(state)
    state = with_leg(state, replace(leg, stage="winner"))
    won = replace(state, phase="talking", winner=leg_id, pausing=False)
    bridge = Bridge(leg=state.leg, channel=state.channel, peer=leg_id, not_after=in_time(state, at))
    dismissed = dismiss_others(won, at)
    return Step(dismissed.state, (bridge, accepted, *dismissed.commands))


def agent_silent(state: State, leg_id: str) -> Step:
    """Asked to the end without the accept key: a mailbox, or nobody. The verb hangs up by itself."""
    leg = find(state, leg_id)
    if leg is None or leg.stage != "asked":
        return Step(state)
    return Step(with_leg(state, replace(leg, stage="silent")))


def dismiss_others(state: State, at: datetime) -> Step:
    """Ringing phones stop without a missed call, people on the line hear that the call is taken."""
    commands: list[Command] = []
    for leg in state.legs:
        if leg.leg == state.winner:
            continue
        if leg.stage == "asked":
            told = _tell_taken(state, leg, at)
            state = told.state
            commands += told.commands
        elif leg.stage == "dialled" and not leg.cancelled:
            state = with_leg(state, replace(leg, cancelled=True))
            commands.append(HangUp(leg.leg, Cause.ANSWERED_ELSEWHERE))
    return Step(state, tuple(commands))


def dismiss_again(state: State) -> tuple[Command, ...]:
    """What was said to agents in a step that was not sent, because an order before it came too late."""
    if state.phase == "fallback":  # the order was to stop a phone, and whom it rang may talk to the caller by now
        return ()
    commands: list[Command] = []
    for leg in state.legs:
        if state.phase == "closing":
            commands.append(HangUp(leg.leg, Cause.NORMAL))
        elif leg.stage == "leaving":
            commands.append(taken(state, leg))
        elif leg.cancelled:
            commands.append(HangUp(leg.leg, Cause.ANSWERED_ELSEWHERE))
    return tuple(commands)


def _tell_taken(state: State, leg: AgentLeg, at: datetime) -> Step:
    state = with_leg(state, replace(leg, stage="leaving", cancelled=True))
    return Step(state, (taken(state, leg), entry(leg, EntryType.AGENT_TAKEN, at)))


def agent_gone(state: State, leg_id: str, at: datetime, cause: int, sip: int, was_left: bool = False) -> Step:
    leg = find(state, leg_id)
    if leg is None:
        return Step(state)
    status, kind = disposition(leg, cause, sip)
    declined = status is RecordStatus.REJECTED
    told: list[Command] = [record(leg, state.hotline.number, at, status, cause)]
    tried = _after(tried_before(state, leg.phone), leg, declined, cause, sip)
    others = tuple(item for item in state.tried if item.number != leg.phone.number)
    state = replace(state, legs=tuple(item for item in state.legs if item.leg != leg_id), tried=(*others, tried))
    if leg_id == state.winner:
        step = _winner_gone(state, leg, at, was_left)
        return Step(step.state, (*told, *step.commands))
    told.append(entry(leg, kind, at))
    step = after_leg(state, at)
    return Step(step.state, (*told, *step.commands))


def _after(tried: Tried, leg: AgentLeg, declined: bool, cause: int, sip: int) -> Tried:
    """A trunk's failure costs the phone neither its turn nor its round while there is another trunk."""
    if leg.stage == "dialled" and not leg.cancelled and leg.others and is_trunk_trouble(cause, sip):
        return replace(tried, times=tried.times - 1, round=tried.round - 1, failed_trunks=tried.failed_trunks + 1)
    return replace(tried, declined=tried.declined or declined, failed_trunks=0)


def _winner_gone(state: State, leg: AgentLeg, at: datetime, was_left: bool) -> Step:
    hung_up = WriteEntry(at, EntryType.CALLER_HANGUP) if was_left else entry(leg, EntryType.AGENT_HANGUP, at)
    if state.phase == "talking" and state.joined_at is None and not state.caller_gone:
        # Gone in the instant between key and bridge: the caller still hears music, so ring on.
        state = replace(state, phase="waiting", winner=None, round=state.round + 1, round_at=at)
        step = after_leg(state, at)
        return Step(step.state, (hung_up, *step.commands))
    if state.phase == "talking":
        closing = replace(state, phase="closing", outcome="answered")
        return Step(closing, (hung_up, HangUp(state.leg, Cause.NORMAL)))
    return close_if_empty(state, at)


def after_leg(state: State, at: datetime, blocked: bool = False) -> Step:
    """A leg ended, or (`blocked`) every phone still wanted is in use elsewhere: go on, pause, or give up."""
    if state.phase == "closing":
        return close_if_empty(state, at)
    ringing = any(not leg.cancelled for leg in state.legs)
    if state.phase != "waiting" or state.pausing or ringing:
        return Step(state)
    wanted = demand(state)
    if wanted and not blocked:
        return Step(state)
    if any(may_ring(state, phone) and phone not in wanted for phone in state.hotline.phones):  # a new round rings these
        return Step(replace(state, pausing=True), (SetTimer(ROUND, pause_s(state, at)),))
    return Step(state) if wanted else apologise(state, at)


def next_round(state: State, at: datetime) -> Step:
    return Step(replace(state, round=state.round + 1, round_at=at, pausing=False))


def apologise(state: State, at: datetime) -> Step:
    return Step(
        replace(state, phase="apologising", outcome="noAgentAvailable", pausing=False),
        (apology(state, at), WriteEntry(at, EntryType.NO_AGENT_AVAILABLE)),
    )
