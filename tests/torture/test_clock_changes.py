"""Every change of the clocks of three years in four zones: windows and schedules, minute by minute, by the wall alone.

What is right is worked out here in another way than in `engine/policy`: a table of what the clock on the wall shows in
every minute of the four days around a change. Casablanca changes its clocks around Ramadan, Lord Howe by half an hour.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from engine.policy import calling_hours
from engine.policy.calling_hours import opens_at
from engine.policy.schedule import next_due, parse
from engine.vocabulary.program import CallingHours
from tests.torture.report import Tally

ZONES = ("Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca")
YEARS = (2026, 2027, 2028)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
AROUND = timedelta(days=2)
ALWAYS, SUNDAYS = frozenset(range(1, 8)), frozenset({7})
WINDOWS = [(time(*start), time(*end), weekdays) for start, end, weekdays in (
    ((9, 0), (20, 0), ALWAYS), ((2, 30), (5, 0), ALWAYS), ((1, 45), (1, 50), ALWAYS), ((23, 30), (0, 30), ALWAYS),
    ((22, 0), (2, 30), ALWAYS), ((0, 0), (0, 0), SUNDAYS), ((20, 0), (9, 0), SUNDAYS))]


def changes(zone: ZoneInfo) -> Iterator[datetime]:
    """The first whole minute of each new offset."""
    moment = datetime(YEARS[0], 1, 1, tzinfo=UTC)
    while moment.year <= YEARS[-1]:
        if moment.astimezone(zone).utcoffset() != (moment + HOUR).astimezone(zone).utcoffset():
            minutes = [moment + n * MINUTE for n in range(61)]
            before = moment.astimezone(zone).utcoffset()
            yield next(one for one in minutes if one.astimezone(zone).utcoffset() != before)
        moment += HOUR


def wall(zone: ZoneInfo, change: datetime) -> list[tuple[datetime, datetime]]:
    """(moment, what the clock shows) for every minute around a change."""
    moments = [change - AROUND + n * MINUTE for n in range(int(2 * AROUND / MINUTE))]
    return [(moment, moment.astimezone(zone).replace(tzinfo=None, fold=0)) for moment in moments]


def is_open(start: time, end: time, weekdays: frozenset[int], shown: datetime) -> bool:
    """By the clock on the wall: a window that goes over midnight belongs to the day on which it began."""
    if start < end:
        return start <= shown.time() < end and shown.isoweekday() in weekdays
    if start == end or shown.time() >= start:
        return shown.isoweekday() in weekdays
    return shown.time() < end and (shown.date() - timedelta(days=1)).isoweekday() in weekdays


def no_holiday(_: date) -> bool:
    return False


@pytest.mark.parametrize("name", ZONES)
def test_a_window_is_never_open_at_a_time_that_the_wall_does_not_show(name: str, tally: Tally) -> None:
    zone = ZoneInfo(name)
    for change in changes(zone):
        tally.faults += 1
        minutes = wall(zone, change)
        for start, end, weekdays in WINDOWS:
            hours = CallingHours(start, end, weekdays)
            openings: list[datetime | None] = [None] * len(minutes)
            following: datetime | None = None
            for place in range(len(minutes) - 1, -1, -1):
                moment, shown = minutes[place]
                following = moment if is_open(start, end, weekdays, shown) else following
                openings[place] = following
            for place, ((moment, shown), opening) in enumerate(zip(minutes, openings, strict=True)):
                found_open = calling_hours.is_open(hours, [zone], no_holiday, moment)
                assert found_open == is_open(start, end, weekdays, shown), f"{name} {hours}, the wall shows {shown}"
                if opening is not None and place % 7 == 0:     # None: it is behind the table
                    found = opens_at(hours, [zone], no_holiday, moment)
                    assert found == opening, f"{name} {hours}, the wall shows {shown}: {found} for {opening}"
    assert tally.faults >= 2 * len(YEARS) - 1, "too few changes were found"


@pytest.mark.parametrize("name", ZONES)
def test_a_schedule_is_due_once_a_day_whatever_the_clocks_do(name: str, tally: Tally) -> None:
    """At the first moment that the wall shows its time; at the change, if the wall skips it."""
    zone = ZoneInfo(name)
    for change in changes(zone):
        tally.faults += 1
        minutes = wall(zone, change)
        first: dict[datetime, datetime] = {}
        for moment, shown in minutes:
            first.setdefault(shown, moment)
        days = sorted({shown.date() for _, shown in minutes})[1:-1]
        for hour in range(24):
            for minute in (0, 15, 30, 45, 59):
                expected = [first.get(datetime.combine(day, time(hour, minute)), change) for day in days]
                cron = parse({"hour": str(hour), "minute": str(minute)})
                due: list[datetime] = []
                moment = next_due(cron, zone, expected[0] - MINUTE)
                while moment is not None and len(due) < len(days):
                    due.append(moment)
                    moment = next_due(cron, zone, moment)
                assert due == expected, f"{name} {hour}:{minute:02} around {change}"
