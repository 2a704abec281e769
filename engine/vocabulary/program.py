"""Values of programs and campaigns: what is run with somebody who is called, and how an attempt ended.

As in `values.py` numbers are E.164 digits without a plus, and times aware UTC datetimes.
"""

from dataclasses import dataclass
from datetime import time
from enum import StrEnum

# types of programs that are run by voice; others are kept
VOICE_TYPES = frozenset({"voicemessage", "voicetts", "ivr", "agent", "forward"})


class CallDisposition(StrEnum):
    """How one attempt to run a program with somebody ended."""

    ANSWERED = "answered"
    MAILBOX = "mailbox"  # the program's own step `amd` heard a machine
    BUSY = "busy"
    NO_ANSWER = "noAnswer"
    DECLINED = "declined"  # refused for good (603), or opted out: nobody calls again for this campaign
    INVALID_NUMBER = "invalidNumber"
    FAILED = "failed"
    LOST = "lost"  # nobody knows what became of it: it counts as an attempt
    WITHDRAWN = "withdrawn"  # it was never dialled: no attempt


class TransmissionStatus(StrEnum):
    """ICTCore's, as far as the engine sets them (contracts/ictcore.md 3.5)."""

    PENDING = "pending"
    PENDING_RETRY = "pending_retry"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    INVALID = "invalid"


class SpoolStatus(StrEnum):
    QUEUED = "queued"
    STARTED = "started"
    CONNECTED = "connected"
    COMPLETED = "completed"
    FAILED = "failed"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class ProgramStep:
    """One step of a program, as `policy/scheme.py` makes it of what an API took. `kind` says which fields count.

    play: `recording_id`. say: `text`. menu: `text` or `recording_id`, then one of the keys `valid`, `tries` times.
    input: the same prompt, then up to `digits` keys, ended by `#`. record: up to `seconds`. wait: `seconds`. transfer:
    `to`, a hotline's number or anybody's (E.164 digits). amd: hears whether a person or a machine answered. dnc: the
    number of this call is never to be called again. disconnect: the end.

    Texts hold the placeholders of a contact (`{first_name}`, `[contact:first_name]`) and of results of steps before
    (`[result:age]`). `name`: of its result. `links`: (label, place of the next step); the label is the key that was
    pressed, `timeout`, `human`, `machine`, `success`, `error`, or '' for every end. No link fits: the call ends.
    """

    kind: str
    name: str = ""
    text: str = ""
    recording_id: int | None = None
    valid: str = ""
    digits: int = 1
    tries: int = 3
    timeout_s: int = 10
    seconds: float = 0.0
    to: str = ""
    links: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class RetryRules:
    """After how many seconds somebody is called again, by how the attempt ended. What is not in here is final."""

    busy_s: float = 300.0
    no_answer_s: float = 1800.0
    failed_s: float = 600.0


@dataclass(frozen=True, slots=True)
class ProgramPlan:
    """One attempt, frozen when it was claimed: whom to call, and what is run when somebody answers.

    `sounds`: per step the name of what is heard first ('' nothing, or known only in the call: it is rendered then).
    Of the steps' texts only `[result:…]` is left open. `tries_left`: attempts that may follow this one. `opt_out_key`:
    '' nobody can opt out by a key. `campaign_id` None: a single transmission.
    `calls_per_second`: of its campaign.
    """

    spool_id: int
    transmission_id: int
    campaign_id: int | None
    organisation_id: int
    number: str
    caller_id: str
    language: str
    voice: str
    ring_timeout_s: int
    steps: tuple[ProgramStep, ...]
    sounds: tuple[str, ...]
    tries_left: int = 0
    retry: RetryRules = RetryRules()
    opt_out_key: str = ""
    calls_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the verb `step` does with a leg, see dialplans/asterisk/program.conf. `number` tells it from the one before.

    play: `sound`. collect: `sound`, then up to `digits` keys (`#` ends them) within `timeout_s`. record: up to
    `seconds`, into the file `file`. amd. pause: `seconds`. `is_last`: hang up after it, unless a
    key was pressed; `is_last_by_key`: hang up if one was.
    """

    verb: str
    number: int
    sound: str = ""
    digits: int = 0
    timeout_s: int = 0
    seconds: float = 0.0
    file: str = ""
    is_last: bool = False
    is_last_by_key: bool = False


@dataclass(frozen=True, slots=True)
class CallingHours:
    """From `start` until before `end`, on ISO weekdays (Monday 1 … Sunday 7).

    `start == end` is the whole day, from midnight. An `end` before the start is on the next day: such a window belongs
    to the weekday on which it began, after midnight as well, and so does the question of a holiday.
    """

    start: time
    end: time
    weekdays: frozenset[int]
