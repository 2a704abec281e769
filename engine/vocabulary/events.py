"""Events: facts, in the past tense. The switch, the clock and the allocator tell them; flows answer them.

Every event carries `at`, the aware UTC time it happened by the *switch's* clock, because some orders are only
right while the fact is young (ARCHITECTURE.md, "When the engine is gone"). `leg` is the leg it happened to.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from engine.vocabulary.values import PIN_TRIES, AgentPhone, LiveLeg


@dataclass(frozen=True, slots=True)
class CallArrived:
    """A channel reached us and waits for its first order. `did` and `caller` are digits only ('' if withheld)."""

    at: datetime
    leg: str
    channel: str
    did: str
    caller: str


@dataclass(frozen=True, slots=True)
class LegGranted:
    """The allocator gives this call one of the phones it wants, and the id of the leg to dial it with. `others`: trunks
    that are left to try when this one fails."""

    at: datetime
    leg: str
    phone: AgentPhone
    trunk: str = "trunk"
    others: int = 0


@dataclass(frozen=True, slots=True)
class DialGranted:
    """The allocator lets this call ring one of the numbers it wants, by this trunk, with this leg id. `others`: so many
    more trunks lead to this number, should this one fail. `pin_tries`: so many pins may be guessed from there now."""

    at: datetime
    leg: str
    number: str
    trunk: str
    pin_tries: int = PIN_TRIES
    others: int = 0


@dataclass(frozen=True, slots=True)
class DialDelayed:
    """The storm throttle lets a wanted number rest until then; told once."""

    at: datetime
    number: str
    until: datetime


@dataclass(frozen=True, slots=True)
class PhonesTaken:
    """Every phone that this call still wants is in use by other calls: nothing can be granted now."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Answered:
    """A leg we dialled was answered (200 OK). Early media and 183 are no answer."""

    at: datetime
    leg: str


@dataclass(frozen=True, slots=True)
class DialRefused:
    """The switch refused to dial: there never was a channel for this leg."""

    at: datetime
    leg: str


@dataclass(frozen=True, slots=True)
class Played:
    """A `Play` ran to its end."""

    at: datetime
    leg: str


@dataclass(frozen=True, slots=True)
class DigitsEntered:
    """The `Ask` verb ended: with the accept key, or with '' after its last try (silence or wrong keys)."""

    at: datetime
    leg: str
    digits: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A person pressed the alarm's key (with the right pin, if there is one). The dialplan has written it down, and has
    said or says so. `leg` may have ended: the dialplan's note of it was found later."""

    at: datetime
    leg: str


@dataclass(frozen=True, slots=True)
class Declined:
    at: datetime
    leg: str


@dataclass(frozen=True, slots=True)
class NoKey:
    """The verb `alarm` asked to the end, and nobody pressed a key that counts."""

    at: datetime
    leg: str


@dataclass(frozen=True, slots=True)
class PinWrong:
    at: datetime
    leg: str


@dataclass(frozen=True, slots=True)
class MachineHeard:
    """The switch thinks that an answering machine answered. A hint; it decides nothing."""

    at: datetime
    leg: str


@dataclass(frozen=True, slots=True)
class StepDone:
    """The verb `step` has done what it was told. `number`: the prompt's. `digits`: what was pressed ('' nothing);
    `status`: of amd `human` or `machine`, of record `recorded`."""

    at: datetime
    leg: str
    number: int
    digits: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Whoever is not dialled yet is not to be dialled: the campaign was paused, or its turn took too long."""

    at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class CalledBack:
    """Somebody whom an open alarm wants called the number that rang. `number`: the caller's."""

    at: datetime
    leg: str
    channel: str
    number: str
    pin_tries: int = PIN_TRIES


@dataclass(frozen=True, slots=True)
class CancelOrdered:
    """By whom: text for the timeline."""

    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class AcknowledgeOrdered:
    """An operator acknowledges for a recipient."""

    at: datetime
    recipient_id: int
    by: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """The answer to `Render`: the sound's name, '' when it cannot be spoken."""

    at: datetime
    key: str
    sound: str


@dataclass(frozen=True, slots=True)
class HungUp:
    """A leg ended. `cause` is Q.850; `sip` the final SIP response of the far side (0 when it did not refuse);
    `was_left`: the other side of its talk hung up first (the two events of a talk's end come in any order)."""

    at: datetime
    leg: str
    cause: int
    sip: int
    was_left: bool = False


@dataclass(frozen=True, slots=True)
class Joined:
    """The dialplan itself joined a leg to a peer, because no engine did in time. No order is needed."""

    at: datetime
    leg: str
    peer: str


@dataclass(frozen=True, slots=True)
class FallbackStarted:
    """A caller waited without an engine until the lease ran out: the dialplan now rings by itself."""

    at: datetime
    leg: str
    channel: str
    did: str
    caller: str


@dataclass(frozen=True, slots=True)
class FallbackStepped:
    """A row that the fallback left, about the caller's `leg`.

    `step`: ring, answered, silent, accepted, leg (an agent's leg `channel_leg` ended, with Dial's `status`),
    apology, ended. `number` is the agent's.
    """

    at: datetime
    leg: str
    step: str
    number: str = ""
    channel_leg: str = ""
    status: str = ""
    cause: int = 16
    key: str = ""  # a row told twice is known by it


@dataclass(frozen=True, slots=True)
class FallbackExhausted:
    """The fallback rang everybody in vain. The caller listens to music for a moment: an engine may take over."""

    at: datetime
    leg: str


@dataclass(frozen=True, slots=True)
class OrderExpired:
    """Orders of this call were not sent: they came after the moment up to which they were right (`not_after`)."""

    at: datetime
    leg: str


@dataclass(frozen=True, slots=True)
class TimerFired:
    at: datetime
    name: str


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What lives on the switch, told to every stored call when the engine starts or the connection returns."""

    at: datetime
    live: Mapping[str, LiveLeg]


Event = (
    LegGranted
    | DialGranted
    | DialDelayed
    | PhonesTaken
    | Answered
    | DialRefused
    | Played
    | DigitsEntered
    | Acknowledged
    | Declined
    | NoKey
    | PinWrong
    | MachineHeard
    | StepDone
    | Withdrawn
    | CalledBack
    | CancelOrdered
    | AcknowledgeOrdered
    | Rendered
    | HungUp
    | Joined
    | FallbackStarted
    | FallbackStepped
    | FallbackExhausted
    | OrderExpired
    | TimerFired
    | Reconciled
)
