"""Commands: orders, in the imperative. Three kinds, told apart by who carries them out.

* switch orders (`SwitchCommand`) go to the switch after the commit;
* engine orders (`EngineCommand`) are timers and speech, set going after the commit;
* rows (`RowCommand`) are saved *in* the transaction that saves the state.
"""

from dataclasses import dataclass
from datetime import datetime

from engine.vocabulary.program import CallDisposition, Prompt, SpoolStatus, TransmissionStatus
from engine.vocabulary.values import (
    TRUNK_CAUSES,
    AlarmAsk,
    AlarmState,
    Cause,
    Direction,
    Disposition,
    EntryType,
    RecipientState,
    RecordStatus,
)


@dataclass(frozen=True, slots=True)
class Play:
    """Answer if needed and play `sound`, then hold with music under a lease, or hang up with `cause` (`then="bye"`).

    `not_after`: by the switch's clock; later the order is wrong and is dropped with the rest of the step.
    """

    leg: str
    sound: str
    then: str = "hold"
    cause: int = 16
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Music under a lease: takes over a caller whose fallback is exhausted."""

    leg: str
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Dial:
    """Ring `number` (E.164 digits); once answered ask for the accept key, up to `tries` times.

    `peer` is the caller's *channel name*: with it the dialplan joins the two by itself when a person accepts and
    no engine acts in time. `taken` is what a person hears who accepts too late.
    """

    leg: str
    number: str
    caller_id: str
    ring_timeout_s: int
    ask: str
    taken: str
    tries: int
    peer: str
    trunk: str = "trunk"


@dataclass(frozen=True, slots=True)
class DialAlarm:
    """Ring `number` (E.164 digits) by `trunk`; once answered speak the alarm and ask for its key."""

    leg: str
    number: str
    trunk: str
    caller_id: str
    ring_timeout_s: int
    ask: AlarmAsk


@dataclass(frozen=True, slots=True)
class AskAlarm:
    """Speak the alarm to a leg that reached us (a call-back), and ask for its key."""

    leg: str
    ask: AlarmAsk
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class DialProgram:
    """Ring `number` (E.164 digits) by `trunk`; once answered do `first`."""

    leg: str
    number: str
    trunk: str
    caller_id: str
    ring_timeout_s: int
    first: Prompt


@dataclass(frozen=True, slots=True)
class RunStep:
    """The next step of a program, for a leg that is up."""

    leg: str
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Transfer:
    """Hand the leg over to a hotline: it arrives at `number` (digits) as a caller with the number `caller`."""

    leg: str
    number: str
    caller: str


@dataclass(frozen=True, slots=True)
class Bridge:
    """`channel`: the leg's full channel name; '' for a leg that we dialled."""

    leg: str
    channel: str
    peer: str
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class HangUp:
    leg: str
    cause: int
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """Refuse an unanswered inbound leg: cause 1 → 404, 17 → 486, 20 → 480, 34 → 503."""

    leg: str
    cause: int
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class SetTimer:
    name: str
    after_s: float


@dataclass(frozen=True, slots=True)
class Render:
    """Make a sound of a text, or of a stored recording; `Rendered` with the same key answers. What many people will
    hear is rendered before what is one person's own (`is_personal`). Asked again after a restart."""

    key: str
    language: str
    text: str = ""
    recording_id: int | None = None
    is_personal: bool = False


@dataclass(frozen=True, slots=True)
class WriteAlarm:
    """The alarm's state from now on."""

    at: datetime
    state: AlarmState


@dataclass(frozen=True, slots=True)
class WriteRecipient:
    recipient_id: int
    state: RecipientState
    acknowledged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WriteAttempt:
    """One leg to one person, written when it is ordered, answered and ended; the last one counts."""

    leg: str
    recipient_id: int
    number: str
    trunk: str
    placed_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    disposition: Disposition | None = None
    cause: int | None = None
    direction: Direction = Direction.OUTBOUND

    @property
    def never_rang(self) -> bool:
        """It ended on its way, by a trunk's fault: no call to that number. (In SQL: `dials` in alarms.sql.)"""
        failed = self.disposition is Disposition.FAILED and self.answered_at is None
        return failed and self.cause in {Cause.NO_USER_RESPONSE, *TRUNK_CAUSES}


@dataclass(frozen=True, slots=True)
class WriteNote:
    """A line of the alarm's timeline. `type`: see docs/alarms.md."""

    at: datetime
    type: str
    recipient_id: int | None = None
    leg: str | None = None
    number: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class WritePinFailure:
    at: datetime
    number: str


@dataclass(frozen=True, slots=True)
class WriteSpool:
    """One attempt of a program, written when it is dialled, answered and ended; the last one counts."""

    spool_id: int
    status: SpoolStatus
    number: str | None = None
    trunk: str | None = None
    started_at: datetime | None = None
    connected_at: datetime | None = None
    ended_at: datetime | None = None
    disposition: CallDisposition | None = None
    cause: int | None = None
    response: str | None = None


@dataclass(frozen=True, slots=True)
class WriteTransmission:
    """What follows from an attempt that ended. `again_s`: how long after this is saved the next one may begin, by the
    clock of the store, whose clock says what is due; None: never. `is_withdrawn`: it was none."""

    transmission_id: int
    status: TransmissionStatus
    response: str
    again_s: float | None = None
    is_withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What a step left (contracts/ictcore.md 3.6). `application_id`: the step, from 1. `data` up to 80 characters."""

    at: datetime
    spool_id: int
    application_id: int
    type: str
    name: str
    data: str


@dataclass(frozen=True, slots=True)
class WriteOptOut:
    """This number is not to be called by any campaign of the organisation any more."""

    at: datetime
    organisation_id: int
    number: str


@dataclass(frozen=True, slots=True)
class WriteEntry:
    """A line of the call log. `phone` is E.164 digits."""

    at: datetime
    type: EntryType
    user_id: int | None = None
    phone_id: int | None = None
    phone: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """A telephone record: one leg, from its start to its end."""

    leg: str
    direction: Direction
    from_number: str
    to_number: str
    start: datetime
    answer: datetime | None
    end: datetime
    status: RecordStatus
    cause: int
    fallback: bool = False


@dataclass(frozen=True, slots=True)
class Finish:
    """The flow is over: the live call's row goes, its log gets `outcome`."""

    at: datetime
    outcome: str


SwitchCommand = (
    Play | Hold | Dial | DialAlarm | DialProgram | AskAlarm | RunStep | Transfer | Bridge | HangUp | Reject
)
EngineCommand = SetTimer | Render
AlarmRow = WriteAlarm | WriteRecipient | WriteAttempt | WriteNote | WritePinFailure
ProgramRow = WriteSpool | WriteTransmission | WriteResult | WriteOptOut
RowCommand = WriteEntry | WriteRecord | AlarmRow | ProgramRow | Finish
Command = SwitchCommand | EngineCommand | RowCommand
