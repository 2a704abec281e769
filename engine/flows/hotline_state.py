"""What a hotline call remembers: the caller, the agents' legs, who was tried; how ends read; rows. Pure.

Used by `hotline*.py`, and by the engine to ask what a call wants and uses.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engine.flows.flow import Step as FlowStep
from engine.policy.trunks import MAIN
from engine.vocabulary.commands import Finish, Play, Reject, WriteEntry, WriteRecord
from engine.vocabulary.values import AgentPhone, Cause, Direction, EntryType, Hotline, RecordStatus, Rules

ACCEPT_KEY = "1"
ROUND = "round"


@dataclass(frozen=True, slots=True)
class AgentLeg:
    """One dial of one phone.

    `stage`: dialled → asked → winner | silent (no key to the end) | leaving (hears that the call is taken).
    `cancelled`: we ended it, so its end says nothing about the person.
    """

    leg: str
    phone: AgentPhone
    dialled_at: datetime
    stage: str = "dialled"
    answered_at: datetime | None = None
    cancelled: bool = False
    trunk: str = MAIN
    others: int = 0  # trunks that are left to try


@dataclass(frozen=True, slots=True)
class Tried:
    """How often a phone was rung for this caller, and in which round last. `failed_trunks`: since it was rung last."""

    number: str
    times: int = 0
    round: int = 0
    declined: bool = False
    failed_trunks: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """One caller of one hotline. `tried` has an item for each phone rung at least once."""

    phase: str  # waiting, talking, apologising, fallback, closing
    hotline: Hotline
    rules: Rules
    leg: str
    channel: str
    caller: str
    arrived_at: datetime
    round: int = 1
    round_at: datetime | None = None
    pausing: bool = False  # between two rounds
    welcomed: bool = False
    apologised: bool = False
    legs: tuple[AgentLeg, ...] = ()
    tried: tuple[Tried, ...] = ()
    winner: str | None = None
    joined_at: datetime | None = None
    caller_gone: bool = False
    outcome: str = ""
    is_fallback: bool = False
    rows_told: tuple[str, ...] = ()  # keys of the fallback rows that were told
    fallback_legs: tuple[AgentLeg, ...] = ()  # the dialplan's own legs, as its rows tell them


class Step(FlowStep[State]):
    __slots__ = ()


BUSY_SIP = {486, 600}
DECLINED_SIP = {603, 607}
NO_ANSWER_SIP = {408, 480, 487}
NO_ANSWER_CAUSES = {0, Cause.NORMAL, Cause.NO_USER_RESPONSE, Cause.NO_ANSWER, Cause.INTERWORKING}


def disposition(leg: AgentLeg, cause: int, sip: int) -> tuple[RecordStatus, EntryType]:
    """How a leg that did not win, or a winner that left, ended. `sip`: the far side's final refusal, or 0.

    The SIP code decides where there is one: cause 21 comes from a person's 603 and from a trunk's 403 alike.
    """
    if leg.stage == "winner":
        return RecordStatus.ANSWERED, EntryType.AGENT_HANGUP
    if leg.cancelled:
        return RecordStatus.CANCELLED, EntryType.AGENT_CANCELLED
    if leg.stage == "silent":
        return RecordStatus.NO_ANSWER, EntryType.AGENT_NO_ANSWER
    if leg.stage == "asked" and cause == Cause.NO_AUDIO:  # a dead line is no person who declined
        return RecordStatus.FAILED, EntryType.AGENT_FAILED
    if leg.stage == "asked":
        return RecordStatus.REJECTED, EntryType.AGENT_REJECTED
    return _unanswered(cause, sip)


def _unanswered(cause: int, sip: int) -> tuple[RecordStatus, EntryType]:
    if sip in BUSY_SIP or (not sip and cause == Cause.BUSY):
        return RecordStatus.BUSY, EntryType.AGENT_BUSY
    if sip in DECLINED_SIP or (not sip and cause == Cause.REJECTED):
        return RecordStatus.REJECTED, EntryType.AGENT_REJECTED
    if sip in NO_ANSWER_SIP or (not sip and cause in NO_ANSWER_CAUSES):
        return RecordStatus.NO_ANSWER, EntryType.AGENT_NO_ANSWER
    return RecordStatus.FAILED, EntryType.AGENT_FAILED


def entry(leg: AgentLeg, kind: EntryType, at: datetime) -> WriteEntry:
    return WriteEntry(
        at, kind, user_id=leg.phone.user_id, phone_id=leg.phone.phone_id, phone=leg.phone.number
    )


def record(leg: AgentLeg, hotline_number: str, at: datetime, status: RecordStatus, cause: int) -> WriteRecord:
    return WriteRecord(
        leg=leg.leg, direction=Direction.OUTBOUND, from_number=hotline_number, to_number=leg.phone.number,
        start=leg.dialled_at, answer=leg.answered_at, end=at, status=status, cause=cause,
    )


def caller_record(state: State, at: datetime, cause: int) -> WriteRecord:
    refused = {"busy": RecordStatus.BUSY, "paused": RecordStatus.FAILED}
    status = refused.get(state.outcome, RecordStatus.ANSWERED)
    return WriteRecord(
        leg=state.leg, direction=Direction.INBOUND, from_number=state.caller, to_number=state.hotline.number,
        start=state.arrived_at, answer=state.arrived_at if status is RecordStatus.ANSWERED else None, end=at,
        status=status, cause=cause, fallback=state.is_fallback,
    )


def in_time(state: State, at: datetime) -> datetime:
    """Up to when an order about the caller is right that answers a fact of the time `at`."""
    return at + timedelta(seconds=state.rules.claim_within_s)


def apology(state: State, at: datetime) -> Play:
    sound = f"{state.hotline.language}/apology"
    return Play(state.leg, sound, then="bye", cause=Cause.NORMAL, not_after=in_time(state, at))


def taken(state: State, leg: AgentLeg) -> Play:
    return Play(leg.leg, f"{state.hotline.language}/taken", then="bye", cause=Cause.ANSWERED_ELSEWHERE)


REFUSALS = {"busy": Cause.BUSY, "paused": Cause.SUBSCRIBER_ABSENT}


def refusal(state: State, at: datetime) -> Reject | None:
    """The order that refuses this caller, if he is refused."""
    cause = REFUSALS.get(state.outcome)
    return Reject(state.leg, cause, in_time(state, at)) if cause else None


def close_if_empty(state: State, at: datetime) -> Step:
    if not state.caller_gone or state.legs:
        return Step(state)
    return Step(state, (WriteEntry(at, EntryType.CALL_ENDED, message=state.outcome), Finish(at, state.outcome)))


def find(state: State, leg_id: str) -> AgentLeg | None:
    return next((leg for leg in state.legs if leg.leg == leg_id), None)


def with_leg(state: State, changed: AgentLeg) -> State:
    return replace(state, legs=tuple(changed if leg.leg == changed.leg else leg for leg in state.legs))


def pause_s(state: State, at: datetime) -> float:
    """What is left of the least time of a round."""
    lasted_s = (at - (state.round_at or at)).total_seconds()
    return max(0.0, min(state.rules.round_min_s, state.rules.ring_timeout_s) - lasted_s)


def demand(state: State) -> tuple[AgentPhone, ...]:
    """Phones to ring now, in the agents' order: not declined, not rung in this round, tries left."""
    if state.phase != "waiting" or state.pausing:
        return ()
    busy = {leg.phone.number for leg in state.legs}
    return tuple(
        phone for phone in state.hotline.phones
        if phone.number not in busy and may_ring(state, phone) and tried_before(state, phone).round < state.round
    )


def legs_in_use(state: State) -> dict[str, AgentLeg]:
    """Numbers with a leg of this call, ours or the dialplan's, and that leg."""
    legs = (*state.fallback_legs, *state.legs) if state.phase == "fallback" else state.legs
    return {leg.phone.number: leg for leg in legs if leg.stage != "gone"}


def leased(state: State) -> tuple[str, ...]:
    """Legs that wait under a lease: the caller, until somebody accepted; an apology may be longer than a lease. Never a
    leg in a talk."""
    waits = state.phase in ("waiting", "apologising") and not state.caller_gone
    return (state.leg,) if waits else ()


def takes_inbound_channel(state: State) -> bool:
    return not state.caller_gone and state.phase != "closing"


def may_ring(state: State, phone: AgentPhone) -> bool:
    tried = tried_before(state, phone)
    return not tried.declined and tried.times < state.rules.rounds


def tried_before(state: State, phone: AgentPhone) -> Tried:
    return next((tried for tried in state.tried if tried.number == phone.number), Tried(phone.number))
