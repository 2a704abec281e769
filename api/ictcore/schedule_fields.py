"""The body of a schedule (contract 3.9): which moment it means, by whose clock. Pure; called by `schedules.py`.

One of `delay`, `timestamp`, `datetime`, or cron fields; nothing at all is a delay of a minute.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from api.errors import ApiError
from api.ictcore.fields import Body, Flag, OneLine
from api.ictcore.frame import failed
from engine.policy.schedule import BOUNDS, ScheduleInvalid, is_missed, next_due, parse
from engine.store.schedules import NewSchedule

DELAY_S = 60
EXPIRY_S = 300
YEARS_S = 10 * 366 * 86400
LATEST = 2**33      # seconds since 1970: the year 2242
MOMENTS = ("delay", "timestamp", "datetime")
CronField = Annotated[OneLine, Field(max_length=1000)]


class ScheduleBody(Body):
    """A day clears the weekday. `expiry`: seconds for which it may be done late; then it is missed."""

    delay: Annotated[int | None, Field(ge=0, le=YEARS_S, description="seconds from now")] = None
    timestamp: Annotated[int | None, Field(ge=0, le=LATEST, description="seconds since 1970, UTC")] = None
    datetime: Annotated[str | None, Field(
        max_length=40, description="ISO 8601; without an offset in the time zone of the account's user")] = None
    year: CronField | None = None
    month: CronField | None = None
    day: CronField | None = None
    weekday: Annotated[CronField | None, Field(description="1 is Sunday")] = None
    hour: CronField | None = None
    minute: Annotated[CronField | None, Field(description="*/n is n, 2n …")] = None
    is_recurring: Flag = False
    expiry: Annotated[int, Field(ge=1, le=31 * 86400)] = EXPIRY_S
    weight: Annotated[int, Field(ge=-10_000, le=10_000, description="of one moment the lighter comes first")] = 0

    def cron(self) -> Mapping[str, str]:
        """The fields that were given."""
        return {name: text for name in BOUNDS if (text := getattr(self, name)) is not None}


def new_schedule(action: str, body: ScheduleBody, zone: ZoneInfo, now: datetime) -> NewSchedule:
    """Raises ApiError 412: the field says nothing that will be."""
    given = [name for name in MOMENTS if getattr(body, name) is not None]
    cron = body.cron()
    if len(given) + bool(cron) > 1:
        raise failed((given + list(cron))[1], f"only one of {', '.join(MOMENTS)} and cron fields")
    if body.is_recurring and not cron:
        raise failed("is_recurring", "needs cron fields")
    due_at = _next(cron, zone, now) if cron else _moment(body, zone, now)
    if is_missed(due_at, body.expiry, now):
        raise failed(given[0], "is over")
    return NewSchedule(action, due_at, cron, zone.key, body.is_recurring, body.expiry, body.weight)


def _next(cron: Mapping[str, str], zone: ZoneInfo, now: datetime) -> datetime:
    try:
        due_at = next_due(parse(cron), zone, now)
    except ScheduleInvalid as error:
        raise failed(error.field, error.problem) from None
    if due_at is None:
        raise failed(next(iter(cron)), "is never due")
    return due_at


def _moment(body: ScheduleBody, zone: ZoneInfo, now: datetime) -> datetime:
    if body.timestamp is not None:
        return datetime.fromtimestamp(body.timestamp, UTC)
    if body.datetime is not None:
        return _read(body.datetime, zone)
    return now + timedelta(seconds=DELAY_S if body.delay is None else body.delay)


def _read(text: str, zone: ZoneInfo) -> datetime:
    try:
        at = datetime.fromisoformat(text.strip())
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _no_datetime() from None


def _no_datetime() -> ApiError:
    return failed("datetime", "must be a date and time such as 2026-11-30 09:00")
