"""What `/campaigns/{id}` takes and tells: a campaign's settings, what stands beside them, and its progress."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from api.fields import Body, Int64, UtcTime
from api.ringward.directory_fields import PhoneText, Resource
from api.wording import saying

MOST_CPM = 60_000
WEEK_S = 7 * 86400
EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]
Ignored = Annotated[Any, Field(description="ignored")]
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["09:00"]),
                  saying("must be a time of day such as 09:00")]
Seconds = Annotated[int, Field(ge=1, le=WEEK_S)]


def _once_each(days: list[int]) -> list[int]:
    return sorted(set(days))


Weekdays = Annotated[list[Annotated[int, Field(ge=1, le=7)]], Field(min_length=1, max_length=7),
                     AfterValidator(_once_each)]


class Window(Body):
    """When somebody may be called, by the clock where he is. `to` before `from` is on the next day; equal, the whole
    day."""

    from_: Annotated[Clock, Field(alias="from")]
    to: Clock
    weekdays: Annotated[Weekdays, Field(description="1 is Monday", examples=[[1, 2, 3, 4, 5]])] = EVERY_DAY
    country: Annotated[str | None, Field(
        pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$", examples=["DE", "DE-BY"],
        description="whose holidays: ISO 3166, or a part of it; left out: the organization's")] = None
    holidays: Annotated[bool, Field(description="nobody is called on public holidays")] = False


class Retry(Body):
    """After how many seconds somebody is called again, as long as ICTCore's `try_allowed` allows it."""

    busyS: Seconds = 300
    noAnswerS: Seconds = 1800
    failedS: Seconds = 600


class CampaignBody(Resource):
    """Changed as a whole: what is left out gets its default. What a GET answered can be PUT back."""

    cpm: Annotated[int, Field(ge=1, le=MOST_CPM, description="calls a minute")] = 2
    callsPerSecond: Annotated[float | None, Field(
        gt=0, le=1000, allow_inf_nan=False, description="at most; null: cpm alone")] = None
    channels: Annotated[int | None, Field(
        ge=1, le=10_000, description="calls at once; null: what trunks and organization allow")] = None
    window: Annotated[Window | None, Field(description="null: at any time")] = None
    retry: Retry = Field(default_factory=Retry)
    dncListIDs: Annotated[list[Int64], Field(max_length=100)] = Field(default_factory=list)
    optOutKey: Annotated[str, Field(
        pattern=r"^[0-9*#]?$", examples=["9"], description="who presses it is never called again; empty: none")] = ""
    callerIDs: Annotated[list[PhoneText], Field(
        max_length=1000, description="the organization's numbers, shown in turn; none: its first one")] = Field(
        default_factory=list)
    name: Ignored = None
    status: Ignored = None
    problem: Ignored = None
    programID: Ignored = None
    programType: Ignored = None
    groupID: Ignored = None
    tryAllowed: Ignored = None
    contactTotal: Ignored = None
    transmissions: Ignored = None
    createdAt: Ignored = None
    startedAt: Ignored = None
    finishedAt: Ignored = None


class ToldWindow(BaseModel):
    from_: Annotated[str, Field(alias="from")]
    to: str
    weekdays: list[int]
    country: str
    holidays: bool


class ToldRetry(BaseModel):
    busyS: int
    noAnswerS: int
    failedS: int


Status = Literal["new", "ready", "running", "paused", "completed", "broken"]


class Campaign(BaseModel):
    id: Int64
    name: str
    cpm: int
    callsPerSecond: float | None
    channels: int | None
    window: ToldWindow | None
    retry: ToldRetry
    dncListIDs: list[Int64]
    optOutKey: str
    callerIDs: list[str]
    status: Status
    problem: Annotated[str, Field(description="of one that is broken: why it cannot go on")]
    programID: Int64
    programType: Annotated[str, Field(description="empty: the program is gone")]
    groupID: Int64
    tryAllowed: int
    contactTotal: Annotated[Int64, Field(description="members of the group when it was started")]
    transmissions: Annotated[Int64, Field(description="how many of them were taken up")]
    createdAt: UtcTime
    startedAt: UtcTime | None
    finishedAt: UtcTime | None


class Transmissions(BaseModel):
    """`made` is the sum of the others, and of those that were deleted before they were over."""

    made: Int64
    pending: Int64
    retry: Annotated[Int64, Field(description="wait for another attempt")]
    processing: Annotated[Int64, Field(description="an attempt is queued or lives")]
    completed: Int64
    failed: Int64
    invalid: Annotated[Int64, Field(description="never called: no number, do-not-call, opted out")]


class Progress(BaseModel):
    state: Status
    contacts: Annotated[Int64, Field(description="members of the group when it was started")]
    transmissions: Transmissions
    dispositions: Annotated[dict[str, int], Field(
        description="how attempts ended: answered, mailbox, busy, noAnswer, declined, invalidNumber, failed, lost")]
    postponed: Annotated[int, Field(description="wait for their window to open")]
    live: Annotated[int, Field(description="calls at this moment")]
    callsPerSecond: Annotated[float, Field(description="begun in the last ten seconds")]
    answerRate: Annotated[float | None, Field(description="answered attempts of those that ended; null: none has")]
    estimatedEnd: Annotated[UtcTime | None, Field(
        description="by the calls a second of now, retries not foreseen; null: it is not running")]
