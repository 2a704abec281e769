"""What an alarm remembers: the plan, and of each recipient how far he was rung; what it wants and uses. Pure.

Used by `alarm*.py`, and by the engine through `alarm.py`. Invariants: a recipient has at most one live leg that is not
cancelled; `next` is set only while he has no live leg; a step leaves every recipient that it does not change the same
object, because recipients are stored singly.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engine.flows.flow import Apart, Leg, Owner, Step
from engine.policy.escalation import Candidate, next_in_line
from engine.policy.quorum import Quorum, is_reachable, missing
from engine.policy.routing import Wanted, Wants
from engine.vocabulary.values import PIN_TRIES, AlarmPlan, AlarmState, Direction, Disposition, Person, RecipientState

OPEN = (RecipientState.PENDING, RecipientState.RINGING)
# Timers. Those of waves and rounds bear what they are for, so that one which came to nothing is known by its name.
BEGIN, EXPIRE, WAVE, ROUND = "begin", "expire", "wave", "round"
RANK = 1
SETTLED = timedelta(seconds=1)     # a snapshot may miss legs that are younger
APART = Apart(once=("plan",), many="recipients")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One leg to one person.

    `stage`: ringing → listening → (silent | declined | confirmed → thanked) → gone. A leg that reached us begins with
    `listening`, or with `held` while its message is not rendered. `is_cancelled`: we hung it up. `told`: the last words
    we sent it to, after which it ends. `others`: trunks left to try after its own. `is_trunks`: it failed on the way,
    the phone never rang.
    """

    leg: str
    number: str
    trunk: str
    placed_at: datetime
    others: int = 0
    stage: str = "ringing"
    direction: Direction = Direction.OUTBOUND
    answered_at: datetime | None = None
    pin_tries: int = PIN_TRIES
    pin_wrong_at: datetime | None = None  # last
    is_machine: bool = False
    is_cancelled: bool = False
    is_trunks: bool = False
    told: str = ""
    ended_at: datetime | None = None
    disposition: Disposition | None = None
    cause: int | None = None


@dataclass(frozen=True, slots=True)
class Recipient:
    """`speech`: the key of what he hears. `sound`: what is rendered for him alone. `phone`: the place of the phone that
    is next in this `round`; `next`: that it may be rung now, as far as it depends on him."""

    person: Person
    speech: str
    wave: int = 0
    state: RecipientState = RecipientState.PENDING
    acknowledged_at: datetime | None = None
    sound: str | None = None
    live: tuple[Attempt, ...] = ()
    past: tuple[Attempt, ...] = ()
    round: int = 1
    phone: int = 0
    next: Wanted | None = None
    pauses_until: datetime | None = None  # between two rounds
    rests_until: datetime | None = None  # by the storm throttle
    dropped: tuple[str, ...] = ()  # phones that are not rung in later rounds
    failed_trunks: tuple[str, ...] = ()  # for the phone that is next
    lost: tuple[str, ...] = ()  # numbers of dials of unknown fate


@dataclass(frozen=True, slots=True)
class Sound:
    """What many hear, rendered: '' when it cannot be spoken."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Closing:
    """The last words of this language for so many who acknowledged. `name` None: not rendered yet."""

    language: str
    count: int
    name: str | None = None

    @property
    def key(self) -> str:
        return f"c:{self.language}:{self.count}"


@dataclass(frozen=True, slots=True)
class State:
    """One alarm. `wave`: the last that began, -1 before the first. `wakes_at`: for when the timer `round` is set."""

    phase: str  # rendering, ringing, closing, over
    plan: AlarmPlan
    began_at: datetime
    recipients: tuple[Recipient, ...]
    wave: int = 0
    outcome: AlarmState | None = None
    wakes_at: datetime | None = None
    sounds: tuple[Sound, ...] = ()
    closings: tuple[Closing, ...] = ()


def and_then(before: Step[State], after: Step[State]) -> Step[State]:
    """Two steps as one: `after` began with the state that `before` ended with."""
    return Step(after.state, (*before.commands, *after.commands)) if before.commands else after


# --- finding and changing ----------------------------------------------------------------------------------------


def find(state: State, leg: str) -> tuple[int, Attempt] | None:
    """A live leg and the place of its recipient."""
    for place, one in enumerate(state.recipients):
        if one.live:
            for attempt in one.live:
                if attempt.leg == leg:
                    return place, attempt
    return None


def find_past(state: State, leg: str) -> tuple[int, Attempt] | None:
    for place, one in enumerate(state.recipients):
        for attempt in one.past:
            if attempt.leg == leg:
                return place, attempt
    return None


def with_recipient(state: State, place: int, changed: Recipient) -> State:
    if changed is state.recipients[place]:
        return state
    recipients = list(state.recipients)
    recipients[place] = changed
    return replace(state, recipients=tuple(recipients))


def with_attempt(one: Recipient, changed: Attempt) -> Recipient:
    return replace(one, live=tuple(changed if changed.leg == attempt.leg else attempt for attempt in one.live))


def live_legs(state: State) -> Iterator[tuple[int, Attempt]]:
    for place, one in enumerate(state.recipients):
        for attempt in one.live:
            yield place, attempt


# --- counting ----------------------------------------------------------------------------------------------------


def quorum(plan: AlarmPlan) -> Quorum:
    return Quorum(plan.needed, plan.by_role)


def tally(state: State, *states: RecipientState) -> Counter[str]:
    """How many recipients of each role are in these states, among those whose wave has begun."""
    wave = state.wave
    return Counter(one.person.role for one in state.recipients if one.state in states and one.wave <= wave)


def acknowledged(state: State) -> Counter[str]:
    """Of all waves: who was called back by nobody may still have called us."""
    done = RecipientState.ACKNOWLEDGED
    return Counter(one.person.role for one in state.recipients if one.state is done)


# --- what is spoken ----------------------------------------------------------------------------------------------


def message_of(state: State, one: Recipient) -> str | None:
    """The sound of this recipient's message; None while it is not rendered."""
    name = one.sound
    if name is None:
        name = next((sound.name for sound in state.sounds if sound.key == one.speech), None)
    return f"{one.person.voice}/alarm-untold" if name == "" else name


# --- what the engine asks ----------------------------------------------------------------------------------------


def phase(state: State) -> str:
    return state.phase


def owner(state: State) -> Owner:
    return Owner(state.plan.organisation_id)


def wants(state: State) -> Wants | None:
    if state.phase != "ringing":
        return None
    wave, ready = state.wave, {sound.key for sound in state.sounds}
    places = [
        place for place, one in enumerate(state.recipients)
        if one.next is not None and one.wave <= wave and (one.speech in ready or one.sound is not None)
    ]
    if state.plan.strategy == "sequential" and places:
        places = _in_line(state, places)
    numbers = tuple(wanted for place in places if (wanted := state.recipients[place].next) is not None)
    return Wants(RANK, state.plan.created_at, numbers, None, state.plan.organisation_id) if numbers else None


def _in_line(state: State, places: list[int]) -> list[int]:
    done, needed = acknowledged(state), quorum(state.plan)
    ringing = tally(state, RecipientState.RINGING)
    if missing(needed, done) <= sum(ringing.values()) and not needed.by_role:
        return []  # the usual case, at once
    hope = is_reachable(needed, done, tally(state, *OPEN))
    people = ((place, state.recipients[place]) for place in places)
    candidates = (Candidate(one.phone == 0, one.round, place, one.person.role) for place, one in people)
    return list(next_in_line(candidates, needed, done, ringing, hope))


def legs(one: Recipient) -> tuple[Leg, ...]:
    return tuple(
        Leg(attempt.leg, attempt.number if attempt.direction is Direction.OUTBOUND else "", attempt.trunk)
        for attempt in one.live
    )


def has_somebody(state: State) -> bool:
    return any(attempt.stage != "ringing" for _, attempt in live_legs(state))


def leased(state: State) -> tuple[str, ...]:
    return tuple(attempt.leg for _, attempt in live_legs(state) if attempt.stage == "held" and not attempt.told)


def wants_to_ring(state: State, leg: str, at: datetime) -> bool:
    """An older one may have rung and ended unheard: it is missed (`alarm_reconcile.py`), and another attempt follows,
    which is written down and counts for the throttle."""
    found = find(state, leg)
    if found is None or found[1].stage != "ringing" or found[1].is_cancelled:
        return False
    return found[1].placed_at >= at - SETTLED
