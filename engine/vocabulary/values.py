"""Values that events, commands and stored state share.

Used everywhere; imports nothing of ours. Numbers are E.164 digits *without* a plus (`4930123`), as the
switch dials them; the API layer adds `00` or `+`. Times are aware UTC datetimes. Leg ids are lower-case
UUID text for legs we dial and Asterisk's own uniqueid (`1795291439.33477`) for legs that reached us.
"""

from dataclasses import dataclass
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
