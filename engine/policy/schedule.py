"""Cron fields of the ICTCore API, and the next moment that they name. Pure; `zone` and `after` are arguments.

Used by the API, which refuses what cannot be read, and by the dispatcher, which asks when a schedule is due next. A
field is `*` (also when it is missing), or a list of numbers, ranges and steps: `1,5-7,*/20`. Two things are other than
in a crontab:

- Weekdays count from Sunday = 1 to Saturday = 7.
- `*/n` means n, 2n, 3n … in every field: `*/15` of a minute is 15, 30 and 45, and not 0.

A day clears the weekday: when both are given the day counts, and the weekday is read but not asked. (In the contract
each clears the other and so the later one counts; of the fields of one request none is the later.)

Where clocks change: what is due in an hour that is skipped is due at the moment of the change, once; what is due in an
hour that comes twice is due the first time only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from engine.policy.clock_changes import change_between
from engine.vocabulary.values import RingwardError

FIRST_YEAR, LAST_YEAR = 1970, 2199
BOUNDS = {"year": (FIRST_YEAR, LAST_YEAR), "month": (1, 12), "day": (1, 31), "weekday": (1, 7), "hour": (0, 23),
          "minute": (0, 59)}
ALL = "*"
STEP = "*/"
LONGEST_FIELD = 1000
DAY = timedelta(days=1)


class ScheduleInvalid(RingwardError):
    """`field` is a cron field, `problem` what is wrong with it."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Cron:
    """What each field allows, ascending and never empty. A moment is due that all of them allow."""

    years: tuple[int, ...]
    months: tuple[int, ...]
    days: tuple[int, ...]
    weekdays: tuple[int, ...]
    hours: tuple[int, ...]
    minutes: tuple[int, ...]


def parse(fields: Mapping[str, str]) -> Cron:
    """Other names than those of the fields are ignored. Raises ScheduleInvalid."""
    texts = {name: fields.get(name, ALL).strip() for name in BOUNDS}
    allowed = {name: _allowed(name, text) for name, text in texts.items()}
    if texts["day"] != ALL:
        allowed["weekday"] = _allowed("weekday", ALL)
    return Cron(*allowed.values())


def next_due(cron: Cron, zone: tzinfo, after: datetime) -> datetime | None:
    """The first moment behind `after` that is due by the clocks of the zone, in UTC; None: never again."""
    since = after.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0, fold=0) + timedelta(minutes=1)
    # In the second of two equal hours the clock shows times that were due in the first.
    moments = (_moment(wall, zone) for wall in _due_on_the_wall(cron, since))
    return next((moment for moment in moments if moment > after), None)


def is_missed(due_at: datetime, expiry_s: float, now: datetime) -> bool:
    """Whether it is too late to do what was due then."""
    return now > due_at + timedelta(seconds=expiry_s)


# --- reading

def _allowed(field: str, text: str) -> tuple[int, ...]:
    if len(text) > LONGEST_FIELD:
        raise ScheduleInvalid(field, f"longer than {LONGEST_FIELD} characters")
    return tuple(sorted({number for part in text.split(",") for number in _numbers(field, part.strip())}))


def _numbers(field: str, part: str) -> range:
    first, last = BOUNDS[field]
    if part == ALL:
        return range(first, last + 1)
    if part.startswith(STEP):
        return _multiples(field, _number(field, part.removeprefix(STEP), 1))
    begin, dash, end = (it.strip() for it in part.partition("-"))
    low = _number(field, begin, first)
    high = _number(field, end, first) if dash else low
    if high < low:
        raise ScheduleInvalid(field, f"'{part}' ends before it begins")
    return range(low, high + 1)


def _multiples(field: str, step: int) -> range:
    first, last = BOUNDS[field]
    multiples = range(max(1, -(-first // step)) * step, last + 1, step)
    if not multiples:
        raise ScheduleInvalid(field, f"no multiple of {step} is between {first} and {last}")
    return multiples


def _number(field: str, text: str, first: int) -> int:
    last = BOUNDS[field][1]
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise ScheduleInvalid(field, f"'{text}' is not a number")
    if not first <= int(text) <= last:
        raise ScheduleInvalid(field, f"{int(text)} is not between {first} and {last}")
    return int(text)


# --- searching

def _due_on_the_wall(cron: Cron, since: datetime) -> Iterator[datetime]:
    """What the clock on the wall shows when it is due, ascending from `since`."""
    for day in _days(cron, since.date()):
        begin = since.hour, since.minute
        for hour in cron.hours:
            if day == since.date() and hour < since.hour:
                continue
            for minute in cron.minutes:
                if day > since.date() or (hour, minute) >= begin:
                    yield datetime(day.year, day.month, day.day, hour, minute)


def _days(cron: Cron, since: date) -> Iterator[date]:
    months = ((year, month) for year in cron.years if year >= since.year for month in cron.months)
    for year, month in months:
        if (year, month) < (since.year, since.month):
            continue
        for number in cron.days:
            day = _day(year, month, number)
            if day is not None and day >= since and day.isoweekday() % 7 + 1 in cron.weekdays:
                yield day


def _day(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number)
    except ValueError:  # 30 February
        return None


def _moment(wall: datetime, zone: tzinfo) -> datetime:
    """When the clock shows that first; when it skips it, the moment of the change."""
    moment = wall.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None, fold=0) == wall:
        return moment
    return change_between(zone, moment - DAY, moment) or moment
