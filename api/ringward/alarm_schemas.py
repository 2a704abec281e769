"""The fields of alarms, their ranges and defaults. Bodies are strict: an unknown member is refused.

What depends on more than one member, or on the directory, is checked in `alarm_order.py` and `alarm_people.py`.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema, model_validator

from api.fields import Body, FromUrl, Int64, Line, Text, UrlInt, UtcTime
from api.phone_numbers import NO_PHONE, WRITTEN
from api.ringward.frame import CursorQuery
from api.wording import saying
from engine.vocabulary.values import AlarmState, Direction, Disposition, RecipientState

MOST_RECIPIENTS = 10_000
TEXT_CHARS = 1000
CLOSING = {
    "de": "Danke. {acknowledged} von {needed} haben zugesagt.",
    "en": "Thank you. {acknowledged} of {needed} have agreed.",
    "es": "Gracias. {acknowledged} de {needed} han confirmado.",
    "fr": "Merci. {acknowledged} sur {needed} ont accepté.",
    "it": "Grazie. {acknowledged} su {needed} hanno confermato.",
}
RETRY_ON = ["busy", "noAnswer", "mailbox", "failed"]
# ISO 639-1. Which of them are spoken depends on the voice; the one that comes with Ringward speaks de en es fr it.
LANGUAGES = frozenset(re.findall("..", (
    "aaabaeafakamanarasavayazbabebgbhbibmbnbobrbscacechcocrcscucvcydadedvdzeeeleneoeseteufafffifjfofrfygagdglgngugvhahehi"
    "hohrhthuhyhziaidieigiiikioisitiujajvkakgkikjkkklkmknkokrkskukvkwkylalblgliln"
    "loltlulvmgmhmimkmlmnmrmsmtmynanbndnengnlnnnonrnvnyocojomorospapiplpsptqurmrnrorurwsascsdsesgsiskslsmsnsosqsrssstsusvsw"
    "tatetgthtitktltntotrtstttwtyugukuruzvevivowawoxhyiyozazhzu")))


def _is_language(code: Any) -> Any:
    if isinstance(code, str) and code not in LANGUAGES:
        raise ValueError("not a language code of ISO 639-1")
    return code


def _is_needed(value: Any) -> Any:
    is_number = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_RECIPIENTS
    if not is_number and value != "all":
        raise ValueError(f'neither a number from 1 to {MOST_RECIPIENTS} nor "all"')
    return value


Needed = Annotated[int | str, PlainValidator(_is_needed), WithJsonSchema(
    {"anyOf": [{"type": "integer", "minimum": 1, "maximum": MOST_RECIPIENTS}, {"const": "all"}]})]
Language = Annotated[str, Field(pattern="^[a-z]{2}$", examples=["de"]), BeforeValidator(_is_language)]
Spoken = Annotated[Text, Field(max_length=TEXT_CHARS)]
Key = Annotated[str, Field(pattern="^[0-9]$", description="one digit"), saying("must be one digit, as a string")]
Role = Annotated[Line, Field(max_length=50, examples=["driver"])]
FieldName = Annotated[str, Field(pattern="^[A-Za-z_À-ɏ][A-Za-z0-9_À-ɏ]{0,39}$"),
                      saying("a placeholder's name is of up to 40 letters, digits and _, no digit first")]
FieldValue = Annotated[str, Field(max_length=500, pattern=r"^[^{}\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"),
                       saying("must be text of up to 500 characters, without { and }")]
Pin = Annotated[str, Field(pattern="^[0-9]{3,12}$"), saying("must be 3 to 12 digits, as a string")]


class Message(Body):
    """What is said: a text by language, or a recording. `{name}` and `{role}` are the recipient's own."""

    model_config = ConfigDict(extra="allow", json_schema_extra={
        "examples": [{"de": "Brand in {place}.", "en": "Fire in {place}."}],
        "propertyNames": {"pattern": "^([a-z]{2}|recordingID)$"}, "minProperties": 1})
    __pydantic_extra__: dict[str, Spoken]

    recordingID: Annotated[Int64 | None, Field(description="played instead of a text")] = None

    @property
    def texts(self) -> dict[str, str]:
        return self.__pydantic_extra__


class RecipientBody(Body):
    """Exactly one of `userID`, `contactID`, `groupID` and `phone`; `language` and `name` belong to a `phone`."""

    userID: Int64 | None = None
    contactID: Int64 | None = None
    groupID: Int64 | None = None
    phone: Annotated[str | None, Field(pattern=WRITTEN, examples=["+4930555123"], description=(
        "a national form is read in the organization's country")), saying(NO_PHONE)] = None
    role: Annotated[Role | None, Field(description="counted by `byRole`; a group's role is its members'")] = None
    language: Annotated[Language | None, Field(description="default: the organization's")] = None
    name: Annotated[Annotated[Line, Field(max_length=200)] | None, Field()] = None

    @model_validator(mode="after")
    def _is_one_of_four(self) -> "RecipientBody":
        given = [it for it in (self.userID, self.contactID, self.groupID, self.phone) if it is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of userID, contactID, groupID and phone")
        if self.phone is None and (self.language is not None or self.name is not None):
            raise ValueError("language and name are given for a phone alone; others have their own")
        return self


class AcknowledgeBody(Body):
    needed: Annotated[Needed, Field(description="how many people must acknowledge")] = 1
    byRole: Annotated[
        dict[Role, Annotated[int, Field(ge=1, le=MOST_RECIPIENTS)]],
        Field(default_factory=dict, max_length=50, description="and of whom: at least so many of a role")]
    key: Key = "1"
    declineKey: Annotated[Key | None, Field(description="null: nobody can decline by a key")] = "9"
    pin: Annotated[Pin | None, Field(description="asked for after the key; no answer contains it")] = None


class WaveBody(Body):
    afterS: Annotated[int, Field(ge=0, le=86_400, description="seconds after the alarm began")]
    groupIDs: Annotated[list[Int64], Field(default_factory=list, max_length=100, description="none: everyone left")]


class StrategyBody(Body):
    """`parallel`: everyone at once; `sequential`: as many at a time as are still needed; `waves`: group after group."""

    type: Literal["parallel", "sequential", "waves"] = "parallel"
    waves: Annotated[list[WaveBody], Field(default_factory=list, max_length=100)]


class RetryBody(Body):
    rounds: Annotated[int, Field(ge=1, le=20, description="how often each phone is rung")] = 3
    pauseS: Annotated[int, Field(ge=0, le=3600, description="seconds from a round's end to the next")] = 60
    on: Annotated[
        list[Literal["busy", "noAnswer", "mailbox", "failed"]],
        Field(default_factory=lambda: list(RETRY_ON), max_length=4, json_schema_extra={"default": RETRY_ON},
              description="mailbox: whatever answered without a key")]


class AlarmBody(Body):
    organizationID: Int64
    message: Message
    fields: Annotated[dict[FieldName, FieldValue], Field(
        default_factory=dict, max_length=50, description="values of the message's placeholders",
        examples=[{"place": "Halle 3"}])]
    # The first malformed one is told and no more are looked at: ten thousand with fifty mistakes each took seconds.
    recipients: Annotated[list[RecipientBody], Field(min_length=1, max_length=MOST_RECIPIENTS, fail_fast=True)]
    acknowledge: Annotated[AcknowledgeBody, Field(default_factory=AcknowledgeBody)]
    strategy: Annotated[StrategyBody, Field(default_factory=StrategyBody)]
    retry: Annotated[RetryBody, Field(default_factory=RetryBody)]
    ringTimeoutS: Annotated[int, Field(ge=5, le=120, description="seconds")] = 25
    expiresS: Annotated[int, Field(ge=10, le=86_400, description="no phone is rung any more after so long")] = 1800
    amd: Annotated[bool, Field(description="listen for answering machines; a hint that decides nothing alone")] = False
    closing: Annotated[
        dict[Language, Spoken] | None,
        Field(description="said after an acknowledgement, by language, with {acknowledged} and {needed}")] = CLOSING


# --- parameters

class KeyHeader(BaseModel):
    idempotency_key: Annotated[str | None, Field(
        alias="Idempotency-Key", min_length=1, max_length=255, pattern=r"^[\x20-\x7e]+$",
        description="the same key and body within 24 hours are the same alarm")] = None


RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _time(value: Any) -> Any:
    if not isinstance(value, str) or not RFC_3339.fullmatch(value):
        raise ValueError("not a time of RFC 3339, e.g. 2026-11-21T12:00:00Z")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("not a time that there is") from None


class AlarmsQuery(CursorQuery):
    state: Annotated[AlarmState | None, Field(strict=False, description="only alarms in this state")] = None
    since: Annotated[UtcTime | None, BeforeValidator(_time), Field(description="created at or after")] = None


class RecipientPath(FromUrl):
    id: UrlInt
    rid: UrlInt


# --- answers

class Attempt(BaseModel):
    """One leg to one phone, or a person's call back (`inbound`)."""

    legID: str
    direction: Direction
    phone: str
    disposition: Annotated[Disposition | None, Field(description="null while it lives")]
    cause: Annotated[int | None, Field(description="hang-up cause, Q.850")]
    placedAt: UtcTime
    answeredAt: UtcTime | None
    endedAt: UtcTime | None


class Recipient(BaseModel):
    id: Int64
    userID: Int64 | None
    contactID: Int64 | None
    name: str
    role: str
    language: str
    phones: list[str]
    state: RecipientState
    acknowledgedAt: UtcTime | None
    attempts: list[Attempt]


class Counts(BaseModel):
    """Recipients by state."""

    total: int
    pending: int
    ringing: int
    acknowledged: int
    declined: int
    unreached: int


class Note(BaseModel):
    """A line of the timeline."""

    at: UtcTime
    type: str
    recipientID: Int64 | None
    legID: str | None
    phone: str | None
    message: str


class Order(BaseModel):
    """What somebody ordered and the engine has not yet taken up."""

    kind: Literal["cancel", "acknowledge"]
    recipientID: Int64 | None
    at: UtcTime


class AlarmSummary(BaseModel):
    id: Int64
    organizationID: Int64
    state: AlarmState
    createdAt: UtcTime
    decidedAt: Annotated[UtcTime | None, Field(description="when it was acknowledged, failed, cancelled or expired")]
    finishedAt: Annotated[UtcTime | None, Field(description="when its last call had ended")]
    needed: int
    counts: Counts


class Alarm(AlarmSummary):
    request: Annotated[dict[str, Any], Field(description="what was posted, without recipients and pin")]
    orders: list[Order]
    recipients: list[Recipient]
    timeline: list[Note]
