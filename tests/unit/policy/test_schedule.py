"""Cron fields of the ICTCore API: how they are read, and what they name next, against a look at every minute."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.policy.schedule import BOUNDS, LAST_YEAR, ScheduleInvalid, is_missed, next_due, parse

BERLIN, NEW_YORK, LORD_HOWE, KOLKATA = (ZoneInfo(name) for name in (
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"))
MINUTE = timedelta(minutes=1)


def at(zone: ZoneInfo, text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def cron(text: str) -> dict[str, str]:
    """`minute=0 hour=9` as fields."""
    return dict(part.split("=") for part in text.split())


def due(text: str, after: str, zone: ZoneInfo = BERLIN, times: int = 1, fold: int = 0) -> list[str]:
    """What the clock shows the next few times; ends early when it is never due again. A `*` is a repeated hour."""
    found: list[str] = []
    moment: datetime | None = at(zone, after, fold)
    while len(found) < times:
        assert moment is not None
        moment = next_due(parse(cron(text)), zone, moment)
        if moment is None:
            break
        assert moment.tzinfo is UTC
        local = moment.astimezone(zone)
        found.append(f"{local:%Y-%m-%d %H:%M}{'*' * local.fold}")
    return found


# --- reading

@pytest.mark.parametrize("field, text, allowed", [
    ("month", "*", range(1, 13)),
    ("month", "3", [3]),
    ("month", "03", [3]),
    ("month", "3,1,3", [1, 3]),
    ("month", " 1 , 3 - 5 ", [1, 3, 4, 5]),
    ("month", "1,3-5,*/6", [1, 3, 4, 5, 6, 12]),
    ("month", "*/5", [5, 10]),
    ("month", "2,*", range(1, 13)),
    ("day", "*/10", [10, 20, 30]),
    ("weekday", "*/2", [2, 4, 6]),
    ("hour", "*/6", [6, 12, 18]),  # and not 0
    ("minute", "*/15", [15, 30, 45]),
    ("minute", "0,*/15", [0, 15, 30, 45]),
    ("minute", "*/1", range(1, 60)),
    ("minute", "5-5", [5]),
    ("year", "2026-2028", [2026, 2027, 2028]),
    ("year", "*/100", [2000, 2100]),
    ("year", "*", range(1970, LAST_YEAR + 1)),
])
def test_a_field(field: str, text: str, allowed: list[int]) -> None:
    assert getattr(parse({field: text}), f"{field}s") == tuple(allowed)


@pytest.mark.parametrize("field, text, problem", [
    ("minute", "60", "60 is not between 0 and 59"),
    ("hour", "24", "24 is not between 0 and 23"),
    ("day", "0", "0 is not between 1 and 31"),
    ("month", "13", "13 is not between 1 and 12"),
    ("weekday", "0", "0 is not between 1 and 7"),
    ("weekday", "8", "8 is not between 1 and 7"),
    ("year", "1969", "1969 is not between 1970 and 2199"),
    ("month", "jan", "'jan' is not a number"),
    ("month", "", "'' is not a number"),
    ("month", "1,,2", "'' is not a number"),
    ("hour", "-1", "'' is not a number"),
    ("hour", "1-2-3", "'2-3' is not a number"),
    ("hour", "5-3", "'5-3' ends before it begins"),
    ("hour", "1-30", "30 is not between 0 and 23"),
    ("hour", "*/0", "0 is not between 1 and 23"),
    ("hour", "*/24", "24 is not between 1 and 23"),
    ("hour", "*/x", "'x' is not a number"),
    ("hour", "1-10/2", "'10/2' is not a number"),
    ("hour", "1.5", "'1.5' is not a number"),
    ("hour", "²", "'²' is not a number"),
    ("hour", "٣", "'٣' is not a number"),
    ("hour", "00001", "'00001' is not a number"),
    ("year", "*/1500", "no multiple of 1500 is between 1970 and 2199"),
    ("minute", "1," * 501, "longer than 1000 characters"),
])
def test_what_cannot_be_read_is_said_by_field(field: str, text: str, problem: str) -> None:
    with pytest.raises(ScheduleInvalid) as raised:
        parse({field: text})
    assert (raised.value.field, raised.value.problem) == (field, problem)


def test_a_weekday_beside_a_day_must_be_right_as_well() -> None:
    with pytest.raises(ScheduleInvalid, match="weekday"):
        parse({"day": "1", "weekday": "9"})


def test_other_names_are_not_read() -> None:
    assert parse({"is_recurring": "1", "expiry": "300"}) == parse({})


# --- what is due next. 5 January 2026 is a Monday.

@pytest.mark.parametrize("text, after, expected", [
    ("", "2026-01-05 12:00", ["2026-01-05 12:01", "2026-01-05 12:02"]),
    ("", "2026-01-05 12:00:59.999", ["2026-01-05 12:01", "2026-01-05 12:02"]),
    ("minute=0 hour=9", "2026-01-05 08:59:59", ["2026-01-05 09:00", "2026-01-06 09:00"]),
    ("minute=0 hour=9", "2026-01-05 09:00", ["2026-01-06 09:00", "2026-01-07 09:00"]),
    ("minute=*/20 hour=8,10", "2026-01-05 08:40", ["2026-01-05 10:20", "2026-01-05 10:40", "2026-01-06 08:20"]),
    ("minute=0 hour=0 day=31", "2026-01-31 00:00", ["2026-03-31 00:00", "2026-05-31 00:00"]),
    ("minute=30 hour=23 month=12 day=31", "2026-12-31 23:29", ["2026-12-31 23:30", "2027-12-31 23:30"]),
    ("minute=0 hour=9 weekday=1", "2026-01-05 12:00", ["2026-01-11 09:00", "2026-01-18 09:00"]),  # Sunday
    ("minute=0 hour=9 weekday=2-6", "2026-01-09 09:00", ["2026-01-12 09:00", "2026-01-13 09:00"]),  # workdays
    ("minute=0 hour=9 weekday=7", "2026-01-05 12:00", ["2026-01-10 09:00"]),
    ("minute=0 hour=9 day=7 weekday=1", "2026-01-05 12:00", ["2026-01-07 09:00"]),  # a Wednesday: the day counts
    ("minute=0 hour=9 day=* weekday=1", "2026-01-05 12:00", ["2026-01-11 09:00"]),
    ("minute=0 hour=9 day=29 month=2", "2026-01-05 12:00", ["2028-02-29 09:00", "2032-02-29 09:00"]),
    ("minute=0 hour=9 day=29 month=2", "2096-03-01 00:00", ["2104-02-29 09:00"]),  # 2100 has none
    ("minute=0 hour=9 day=1 month=1 year=2050", "2026-01-05 12:00", ["2050-01-01 09:00"]),
])
def test_next(text: str, after: str, expected: list[str]) -> None:
    assert due(text, after, times=len(expected)) == expected


@pytest.mark.parametrize("text", [
    "year=2025", "year=1970-2025", "day=31 month=2", "day=31 month=2,4,6,9,11", "day=29 month=2 year=2027,2029,2100",
    "minute=0 hour=12 day=5 month=1 year=2026",
])
def test_never(text: str) -> None:
    assert due(text, "2026-01-05 12:00") == []


@pytest.mark.parametrize("zone, text, after, expected", [
    # from 2:00 to 3:00
    (BERLIN, "minute=30 hour=2", "2026-03-28 12:00", ["2026-03-29 03:00", "2026-03-30 02:30"]),
    (BERLIN, "minute=30 hour=2,3", "2026-03-29 00:00", ["2026-03-29 03:00", "2026-03-29 03:30"]),
    (BERLIN, "minute=0 hour=2,3", "2026-03-29 00:00", ["2026-03-29 03:00", "2026-03-30 02:00"]),  # both, once
    (BERLIN, "minute=0,*/20", "2026-03-29 01:20",
     ["2026-03-29 01:40", "2026-03-29 03:00", "2026-03-29 03:20"]),
    (BERLIN, "minute=30 hour=2", "2026-03-29 03:00", ["2026-03-30 02:30"]),
    (NEW_YORK, "minute=30 hour=2", "2026-03-07 12:00", ["2026-03-08 03:00", "2026-03-09 02:30"]),
    (LORD_HOWE, "minute=15 hour=2", "2026-10-03 12:00", ["2026-10-04 02:30", "2026-10-05 02:15"]),
    (KOLKATA, "minute=30 hour=2", "2026-03-28 12:00", ["2026-03-29 02:30", "2026-03-30 02:30"]),
])
def test_what_is_due_in_the_skipped_hour_is_due_when_the_clock_jumps(
    zone: ZoneInfo, text: str, after: str, expected: list[str]
) -> None:
    assert due(text, after, zone, len(expected)) == expected


@pytest.mark.parametrize("zone, text, after, fold, expected", [
    # from 3:00 to 2:00; on Lord Howe from 2:00 to 1:30
    (BERLIN, "minute=30 hour=2", "2026-10-24 12:00", 0, ["2026-10-25 02:30", "2026-10-26 02:30"]),
    (BERLIN, "minute=0,30", "2026-10-25 02:00", 0, ["2026-10-25 02:30", "2026-10-25 03:00"]),
    (BERLIN, "minute=0,30", "2026-10-25 02:10", 1, ["2026-10-25 03:00", "2026-10-25 03:30"]),
    (BERLIN, "", "2026-10-25 02:59", 0, ["2026-10-25 03:00"]),
    (NEW_YORK, "minute=30 hour=1", "2026-10-31 12:00", 0, ["2026-11-01 01:30", "2026-11-02 01:30"]),
    (LORD_HOWE, "minute=45 hour=1", "2026-04-04 12:00", 0, ["2026-04-05 01:45", "2026-04-06 01:45"]),
])
def test_what_is_due_in_the_doubled_hour_is_due_the_first_time(
    zone: ZoneInfo, text: str, after: str, fold: int, expected: list[str]
) -> None:
    assert due(text, after, zone, len(expected), fold) == expected


@pytest.mark.parametrize("seconds, missed", [(-1, False), (0, False), (300, False), (300.001, True)])
def test_it_is_missed_when_it_has_expired(seconds: float, missed: bool) -> None:
    due_at = at(BERLIN, "2026-01-05 12:00")
    assert is_missed(due_at, 300, due_at + timedelta(seconds=seconds)) is missed


# --- against the definition

class Field(NamedTuple):
    text: str
    allowed: frozenset[int]


CHANGES = ["2026-03-08 07:00", "2026-03-29 01:00", "2026-04-04 15:00", "2026-10-03 15:30", "2026-10-25 01:00",
           "2026-11-01 06:00", "2026-07-01 00:00", "2027-12-31 23:00", "2028-02-28 12:00"]


def numbers(name: str) -> st.SearchStrategy[Field]:
    low, high = BOUNDS[name]
    one = st.integers(low, high).map(lambda it: Field(str(it), frozenset([it])))
    some = st.lists(st.integers(low, high), min_size=2, max_size=2).map(sorted).map(
        lambda ends: Field(f"{ends[0]}-{ends[1]}", frozenset(range(ends[0], ends[1] + 1))))
    step = st.integers(max(low, 1), high).map(
        lambda n: Field(f"*/{n}", frozenset(it for it in range(low, high + 1) if it and it % n == 0)))
    parts = st.lists(st.one_of(one, some, step), min_size=1, max_size=3)
    return parts.map(lambda them: Field(",".join(it.text for it in them), frozenset().union(*(
        it.allowed for it in them))))


def fields() -> st.SearchStrategy[dict[str, Field]]:
    return st.fixed_dictionaries({}, optional={
        "year": st.sampled_from([Field("2026", frozenset([2026])), Field("2026-2028", frozenset(range(2026, 2029)))]),
        **{name: numbers(name) for name in BOUNDS if name != "year"}})


def shows(wall: datetime, given: Mapping[str, Field]) -> bool:
    """Whether this is what the fields ask for."""
    sunday_first = (wall.weekday() + 1) % 7 + 1
    says = {"year": wall.year, "month": wall.month, "day": wall.day, "weekday": sunday_first, "hour": wall.hour,
            "minute": wall.minute}
    if "day" in given:
        del says["weekday"]
    return all(name not in given or value in given[name].allowed for name, value in says.items())


def slowly(given: Mapping[str, Field], zone: ZoneInfo, after: datetime, days: int) -> Iterator[datetime]:
    """Whatever is due in these days, by a look at each minute of the clock."""
    last = after.astimezone(zone)
    for count in range(1, days * 24 * 60):
        moment = after + count * MINUTE
        now = moment.astimezone(zone)
        walls = [now.replace(tzinfo=None)]
        while walls[0] - last.replace(tzinfo=None) > MINUTE:     # what was skipped counts now
            walls.insert(0, walls[0] - MINUTE)
        if not now.fold and any(shows(wall, given) for wall in walls):
            yield moment
        last = now


@settings(deadline=None)
@given(fields(), st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, KOLKATA]), st.sampled_from(CHANGES),
       st.integers(-24 * 60, 24 * 60))
def test_every_minute_of_two_days(given: dict[str, Field], zone: ZoneInfo, change: str, minutes: int) -> None:
    after = datetime.fromisoformat(change).replace(tzinfo=UTC) + minutes * MINUTE
    cron_fields = parse({name: field.text for name, field in given.items()})
    moment: datetime | None = after
    for expected in slowly(given, zone, after, 2):
        assert moment is not None
        moment = next_due(cron_fields, zone, moment)
        assert moment == expected
    last = next_due(cron_fields, zone, moment) if moment else None
    assert last is None or last >= after + timedelta(days=2)


@settings(deadline=None)
@given(fields(), st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, KOLKATA]), st.datetimes(
    datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))
def test_what_is_found_is_what_the_fields_ask_for(given: dict[str, Field], zone: ZoneInfo, after: datetime) -> None:
    found = next_due(parse({name: field.text for name, field in given.items()}), zone, after)
    if found is not None:
        walls = [found.astimezone(zone).replace(tzinfo=None) - back * MINUTE for back in range(61)]
        assert found > after
        assert (found.second, found.microsecond) == (0, 0)
        assert any(shows(wall, given) for wall in walls)
