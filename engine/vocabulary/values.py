"""Values that events, commands and stored state share.

Used everywhere; imports nothing of ours. Numbers are E.164 digits *without* a plus (`4930123`), as the
switch dials them; the API layer adds `00` or `+`. Times are aware UTC datetimes. Leg ids are lower-case
UUID text for legs we dial and Asterisk's own uniqueid (`1795291439.33477`) for legs that reached us.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum


class RingwardError(Exception):
    """Base of every error that Ringward raises on purpose."""


class Cause(IntEnum):
    """Hang-up causes (ITU-T Q.850) that Ringward sends or tells apart."""

    UNALLOCATED = 1
    NORMAL = 16
    BUSY = 17
    NO_USER_RESPONSE = 18
    NO_ANSWER = 19
    SUBSCRIBER_ABSENT = 20
    REJECTED = 21
    ANSWERED_ELSEWHERE = 26
    CONGESTION = 34
    FAILURE = 38
    NO_AUDIO = 44  # "requested channel not available": what the switch gives a leg without RTP
    INTERWORKING = 127


# By these a trunk says that it failed. 41: temporary failure, 42: switching equipment congestion.
TRUNK_CAUSES = frozenset({Cause.CONGESTION, Cause.FAILURE, 41, 42})


class EntryType(StrEnum):
    """Types of call log entries (contracts/first_responder.md 1.5, and three of ours)."""

    CALLER_CONNECTED = "callerConnected"
    WELCOME_PLAYED = "welcomePlayed"
    AGENT_CALLED = "agentCalled"
    AGENT_ANSWERED = "agentAnswered"
    AGENT_ACCEPTED = "agentAccepted"
    AGENT_REJECTED = "agentRejected"
    AGENT_BUSY = "agentBusy"
    AGENT_NO_ANSWER = "agentNoAnswer"
    AGENT_FAILED = "agentFailed"
    BRIDGED = "bridged"
    AGENT_CANCELLED = "agentCancelled"
    CALLER_HANGUP = "callerHangup"
    AGENT_HANGUP = "agentHangup"
    CALL_ENDED = "callEnded"
    NO_AGENT_AVAILABLE = "noAgentAvailable"
    # ours
    AGENT_TAKEN = "agentTaken"
    FALLBACK_STARTED = "fallbackStarted"
    APOLOGY_PLAYED = "apologyPlayed"


class RecordStatus(StrEnum):
    """How a leg ended, in its telephone record."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "noAnswer"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Direction(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"


@dataclass(frozen=True, slots=True)
class AgentPhone:
    """A phone that a hotline may ring: row ids of phone and user, number as E.164 digits without plus."""

    phone_id: int
    user_id: int
    number: str


@dataclass(frozen=True, slots=True)
class Hotline:
    """A hotline as a call needs it, frozen at the moment the caller arrived.

    `greeting`, `ask` and the prompts are sound names below the sounds folder (`cache/9f…`, `de/taken`),
    never paths from outside.
    """

    hotline_id: int
    organisation_id: int
    number: str
    language: str
    is_active: bool
    channels_inbound: int
    channels_outbound: int
    greeting: str
    ask: str
    phones: tuple[AgentPhone, ...]


@dataclass(frozen=True, slots=True)
class Provider:
    """A trunk that an organisation brings: by whom its calls go out, and who may call in. Its host, user name, password
    and prefix are the only text from users that reaches a switch. `channels`, `cps`: 0 is the settings' default."""

    provider_id: int
    organisation_id: int
    host: str
    port: int
    username: str
    password: str = field(repr=False)
    prefix: str         # see dialling.py
    registers: bool
    weight: int
    channels: int = 0
    cps: float = 0

    @property
    def trunk(self) -> str:
        """Its name among trunks, and of all that it is on the switch."""
        return f"p{self.provider_id}"


def is_provider(trunk: str) -> bool:
    """By its name; no trunk of the settings has such a one."""
    return trunk[:1] == "p" and trunk[1:].isdecimal()


@dataclass(frozen=True, slots=True)
class LiveLeg:
    """A channel that lives on the switch now. `place` is the verb it runs; `bridge` is '' when it is not joined."""

    leg: str
    channel: str
    place: str
    is_up: bool
    bridge: str
    linked: str
    age_s: float


@dataclass(frozen=True, slots=True)
class Rules:
    """Settings that a call keeps from its start to its end (see `engine/settings.py`)."""

    ring_timeout_s: int
    rounds: int
    round_min_s: float
    ask_tries: int
    # orders that compete with a deadline of the dialplan are right only while the fact is this young
    claim_within_s: float


class AlarmState(StrEnum):
    QUEUED = "queued"
    RINGING = "ringing"
    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class RecipientState(StrEnum):
    PENDING = "pending"
    RINGING = "ringing"
    ACKNOWLEDGED = "acknowledged"
    DECLINED = "declined"
    UNREACHED = "unreached"


class Disposition(StrEnum):
    """How one attempt to reach a person ended."""

    ACKNOWLEDGED = "acknowledged"
    DECLINED = "declined"
    ANSWERED = "answered"  # somebody or something answered and hung up before the end of the questions
    MAILBOX = "mailbox"  # listened to the end without a key, or sounded like a machine
    BUSY = "busy"
    NO_ANSWER = "noAnswer"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Person:
    """A recipient of an alarm, frozen when the alarm was posted. `phones` in the order in which they are rung.

    `language` is one of the message's; `voice` that of the recorded prompts (`de`, `en` …). `groups`: the contact
    groups that brought this person, for waves.
    """

    recipient_id: int
    name: str
    role: str
    language: str
    voice: str
    phones: tuple[str, ...]
    groups: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Wave:
    """`group_ids` empty: everybody who is in no former wave."""

    after_s: float
    group_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class AlarmPlan:
    """What was ordered, frozen when the alarm was posted.

    `message`: (language, text) with the shared fields filled in; of placeholders only `{name}` and `{role}` are left.
    `recording_id`: played instead of the text. `closing`: (language, text) with `{acknowledged}` and `{needed}`.
    `needed` is a number of people also when "all" was ordered. `retry_on`: busy, noAnswer, mailbox, failed (mailbox:
    everything that answered and pressed no key). The pin is never logged and never read by an API.
    """

    alarm_id: int
    organisation_id: int
    caller_id: str
    created_at: datetime
    message: tuple[tuple[str, str], ...]
    recording_id: int | None
    closing: tuple[tuple[str, str], ...]
    needed: int
    by_role: tuple[tuple[str, int], ...]
    key: str
    decline_key: str
    pin: str
    strategy: str  # parallel, sequential, waves
    waves: tuple[Wave, ...]
    rounds: int
    pause_s: float
    retry_on: tuple[str, ...]
    ring_timeout_s: int
    expires_s: float
    amd: bool


PIN_TRIES = 3  # a call


@dataclass(frozen=True, slots=True)
class AlarmAsk:
    """What the verb `alarm` says and listens for. `message`: a sound name; `voice`: the recorded prompts' language.

    `decline_key` '' when nobody can decline; `tries` 0: as often as the switch asks everybody (setting ask_tries).
    `pin` is compared by the dialplan, for `pin_tries` guesses at most; 0: no pin is right, too many were wrong from
    this number of late.
    """

    message: str
    voice: str
    key: str
    decline_key: str
    pin: str = ""
    pin_tries: int = PIN_TRIES
    amd: bool = False
    tries: int = 0
