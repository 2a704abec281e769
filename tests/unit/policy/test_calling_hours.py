"""When a number may be rung: as tables, in the clock of the place, and against the definition minute by minute."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.policy.calling_hours import FURTHEST, CallingHours, is_open, opens_at

BERLIN, NEW_YORK, LOS_ANGELES, LORD_HOWE, KOLKATA = (ZoneInfo(name) for name in (
    "Europe/Berlin", "America/New_York", "America/Los_Angeles", "Australia/Lord_Howe", "Asia/Kolkata"))
BEIRUT, APIA = ZoneInfo("Asia/Beirut"), ZoneInfo("Pacific/Apia")
ALWAYS = frozenset(range(1, 8))
WORKDAYS = frozenset(range(1, 6))
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
# Thursday and Friday
CHRISTMAS = frozenset({date(2026, 12, 24), date(2026, 12, 25)})


def hours(text: str, weekdays: frozenset[int] = ALWAYS) -> CallingHours:
    start, _, end = text.partition("-")
    return CallingHours(time.fromisoformat(start), time.fromisoformat(end), weekdays)


def no_holiday(_: date) -> bool:
    return False


def at(zone: ZoneInfo, text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


# 5 January 2026 is a Monday.
@pytest.mark.parametrize("zone, window, weekdays, now, opens", [
    (BERLIN, "09:00-20:00", ALWAYS, "2026-01-05 12:00", "2026-01-05 12:00"),
    (BERLIN, "09:00-20:00", ALWAYS, "2026-01-05 08:59:59.999", "2026-01-05 09:00"),
    (BERLIN, "09:00-20:00", ALWAYS, "2026-01-05 09:00", "2026-01-05 09:00"),
    (BERLIN, "09:00-20:00", ALWAYS, "2026-01-05 19:59:59.999", "2026-01-05 19:59:59.999"),
    (BERLIN, "09:00-20:00", ALWAYS, "2026-01-05 20:00", "2026-01-06 09:00"),
    (KOLKATA, "09:00-20:00", ALWAYS, "2026-01-05 08:00", "2026-01-05 09:00"),
    (BERLIN, "09:00-20:00", WORKDAYS, "2026-01-09 20:00", "2026-01-12 09:00"),  # Friday evening
    (BERLIN, "09:00-20:00", frozenset({7}), "2026-01-05 12:00", "2026-01-11 09:00"),
    (BERLIN, "09:00-20:00", frozenset(), "2026-01-05 12:00", None),
    (BERLIN, "00:00-00:00", frozenset({3}), "2026-01-05 12:00", "2026-01-07 00:00"),
    (BERLIN, "09:00-09:00", frozenset({3}), "2026-01-05 12:00", "2026-01-07 00:00"),  # the whole day, not from nine
    (BERLIN, "09:00-09:00", frozenset({3}), "2026-01-07 23:59", "2026-01-07 23:59"),
    (BERLIN, "22:00-06:00", ALWAYS, "2026-01-05 12:00", "2026-01-05 22:00"),
    (BERLIN, "22:00-06:00", frozenset({1}), "2026-01-06 05:59", "2026-01-06 05:59"),  # Monday's window
    (BERLIN, "22:00-06:00", frozenset({2}), "2026-01-06 05:59", "2026-01-06 22:00"),
    (BERLIN, "22:00-06:00", frozenset({1}), "2026-01-06 22:00", "2026-01-12 22:00"),
    (BERLIN, "22:00-00:00", ALWAYS, "2026-01-05 23:59", "2026-01-05 23:59"),
    (BERLIN, "22:00-00:00", ALWAYS, "2026-01-06 00:00", "2026-01-06 22:00"),
])
def test_by_the_clock_and_the_weekday(
    zone: ZoneInfo, window: str, weekdays: frozenset[int], now: str, opens: str | None
) -> None:
    expected = None if opens is None else at(zone, opens)
    assert opens_at(hours(window, weekdays), [zone], no_holiday, at(zone, now)) == expected


@pytest.mark.parametrize("window, now, opens", [
    ("09:00-20:00", "2026-12-24 12:00", "2026-12-26 09:00"),
    ("09:00-20:00", "2026-12-23 20:00", "2026-12-26 09:00"),
    ("22:00-06:00", "2026-12-24 01:00", "2026-12-24 01:00"),  # began on the day before
    ("22:00-06:00", "2026-12-26 01:00", "2026-12-26 22:00"),  # began on the holiday
    ("00:00-00:00", "2026-12-24 12:00", "2026-12-26 00:00"),
])
def test_a_window_that_begins_on_a_holiday_stays_closed(window: str, now: str, opens: str) -> None:
    assert opens_at(hours(window), [BERLIN], CHRISTMAS.__contains__, at(BERLIN, now)) == at(BERLIN, opens)


@pytest.mark.parametrize("zone, window, now, opens", [
    # the clock goes from 2:00 to 3:00
    (BERLIN, "02:30-05:00", "2026-03-29 01:00", "2026-03-29 03:00"),
    (BERLIN, "02:30-02:45", "2026-03-29 01:00", "2026-03-30 02:30"),  # that window is not on that day
    (BERLIN, "09:00-20:00", "2026-03-28 20:00", "2026-03-29 09:00"),
    (BERLIN, "22:00-02:30", "2026-03-29 03:00", "2026-03-29 22:00"),
    (NEW_YORK, "02:30-05:00", "2026-03-08 01:00", "2026-03-08 03:00"),
    (LORD_HOWE, "02:15-05:00", "2026-10-04 01:00", "2026-10-04 02:30"),  # from 2:00 to 2:30
    (BEIRUT, "00:00-00:00", "2026-03-28 23:00", "2026-03-29 01:00"),  # from midnight to 1:00
    (APIA, "09:00-20:00", "2011-12-29 20:00", "2011-12-31 09:00"),  # 30 December was left out
])
def test_what_begins_in_the_skipped_hour_begins_at_its_end(
    zone: ZoneInfo, window: str, now: str, opens: str
) -> None:
    on_sundays = hours(window, frozenset({7}) if zone is BEIRUT else ALWAYS)
    assert opens_at(on_sundays, [zone], no_holiday, at(zone, now)) == at(zone, opens)


# The clock goes from 3:00 to 2:00 (1); on Lord Howe from 2:00 to 1:30.
@pytest.mark.parametrize("zone, window, now, fold, opens, opens_fold", [
    (BERLIN, "02:00-03:00", "2026-10-25 01:00", 0, "2026-10-25 02:00", 0),
    (BERLIN, "02:00-03:00", "2026-10-25 02:59", 0, "2026-10-25 02:59", 0),
    (BERLIN, "02:00-03:00", "2026-10-25 02:59", 1, "2026-10-25 02:59", 1),
    (BERLIN, "02:15-02:30", "2026-10-25 02:30", 0, "2026-10-25 02:15", 1),  # shown twice, open twice
    (BERLIN, "20:00-02:30", "2026-10-25 02:45", 0, "2026-10-25 02:00", 1),  # opens by the change
    (BERLIN, "20:00-02:30", "2026-10-25 02:30", 1, "2026-10-25 20:00", 0),
    (BERLIN, "02:45-08:00", "2026-10-25 02:00", 1, "2026-10-25 02:45", 1),
    (BERLIN, "09:00-20:00", "2026-10-24 20:00", 0, "2026-10-25 09:00", 0),
    (LORD_HOWE, "01:45-01:50", "2026-04-05 01:50", 0, "2026-04-05 01:45", 1),
])
def test_both_halves_of_the_doubled_hour_count(
    zone: ZoneInfo, window: str, now: str, fold: int, opens: str, opens_fold: int
) -> None:
    found = opens_at(hours(window), [zone], no_holiday, at(zone, now, fold))
    assert found == at(zone, opens, opens_fold)


@pytest.mark.parametrize("zones, window, weekdays, now, opens", [
    # as New York's clock shows it
    ([NEW_YORK, LOS_ANGELES], "09:00-20:00", ALWAYS, "2026-01-05 09:00", "2026-01-05 12:00"),
    ([LOS_ANGELES, NEW_YORK], "09:00-20:00", ALWAYS, "2026-01-05 19:59", "2026-01-05 19:59"),
    ([NEW_YORK, LOS_ANGELES], "09:00-20:00", ALWAYS, "2026-01-05 20:00", "2026-01-06 12:00"),
    ([NEW_YORK, LOS_ANGELES], "09:00-20:00", WORKDAYS, "2026-01-09 20:00", "2026-01-12 12:00"),
    ([NEW_YORK, LOS_ANGELES], "09:00-11:00", ALWAYS, "2026-01-05 09:00", None),  # never at once
    ([NEW_YORK, BERLIN, KOLKATA], "08:00-20:00", ALWAYS, "2026-01-05 09:00", "2026-01-05 09:00"),
    ([NEW_YORK, BERLIN, KOLKATA], "08:00-20:00", ALWAYS, "2026-01-05 09:30", "2026-01-06 08:00"),
    # from 8 to 28 March the two are only five hours apart
    ([NEW_YORK, BERLIN], "09:00-14:30", ALWAYS, "2026-03-06 09:00", "2026-03-08 09:00"),
])
def test_a_number_of_several_zones_is_rung_when_all_of_them_are_open(
    zones: Sequence[ZoneInfo], window: str, weekdays: frozenset[int], now: str, opens: str | None
) -> None:
    expected = None if opens is None else at(NEW_YORK, opens)
    assert opens_at(hours(window, weekdays), zones, no_holiday, at(NEW_YORK, now)) == expected


def test_without_hours_it_is_always_open() -> None:
    now = at(BERLIN, "2026-01-05 03:00")
    assert opens_at(None, [], no_holiday, now) is now


def test_without_a_zone_nobody_knows() -> None:
    with pytest.raises(ValueError, match="no zone"):
        opens_at(hours("09:00-20:00"), [], no_holiday, at(BERLIN, "2026-01-05 12:00"))


@pytest.mark.parametrize("closed_days, opens", [(60, True), (61, False)])
def test_it_looks_60_days_ahead(closed_days: int, opens: bool) -> None:
    now = at(KOLKATA, "2026-01-05 09:00")
    holidays = {now.date() + DAY * ahead for ahead in range(closed_days)}
    found = opens_at(hours("09:00-20:00"), [KOLKATA], holidays.__contains__, now)
    assert found == (now + FURTHEST if opens else None)


# --- against the definition

IsHoliday = Callable[[date], bool]
ZONES = st.lists(st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE, KOLKATA, BEIRUT]), min_size=1, max_size=3)
WEEKDAYS = st.one_of(st.just(ALWAYS), st.frozensets(st.integers(1, 7)))
CHANGES = ["2026-03-08 07:00", "2026-03-28 22:00", "2026-03-29 01:00", "2026-04-04 15:00", "2026-10-03 15:30",
           "2026-10-24 21:00", "2026-10-25 01:00", "2026-11-01 06:00", "2026-07-01 12:00"]


def shows_open(window: CallingHours, zone: ZoneInfo, is_holiday: IsHoliday, moment: datetime) -> bool:
    """Whether the wall's clock lies in the window of some day, as anybody would say it."""
    wall = moment.astimezone(zone).replace(tzinfo=None)
    for day in (wall.date(), wall.date() - DAY):
        begin, end = datetime.combine(day, window.start), datetime.combine(day, window.end)
        if begin == end:
            begin = end = datetime.combine(day, time.min)
        if end <= begin:
            end += DAY
        if begin <= wall < end and day.isoweekday() in window.weekdays and not is_holiday(day):
            return True
    return False


def slowly(window: CallingHours, zones: Sequence[ZoneInfo], is_holiday: IsHoliday, now: datetime, step: timedelta,
           days: int) -> datetime | None:
    """The first moment that is open everywhere, in steps."""
    moments = (now + step * count for count in range(days * DAY // step + 1))
    return next((it for it in moments if all(shows_open(window, zone, is_holiday, it) for zone in zones)), None)


def clocks(minutes: int) -> st.SearchStrategy[time]:
    return st.integers(0, 24 * 60 // minutes - 1).map(lambda n: time(n * minutes // 60, n * minutes % 60))


def moments(minutes: int, within: timedelta) -> st.SearchStrategy[datetime]:
    most = within // (minutes * MINUTE)
    return st.builds(lambda change, count: at_utc(change) + count * minutes * MINUTE, st.sampled_from(CHANGES),
                     st.integers(-most, most))


def at_utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@settings(deadline=None)
@given(clocks(1), clocks(1), WEEKDAYS, ZONES, moments(1, DAY), st.frozensets(st.integers(-1, 3), max_size=2))
def test_every_minute_of_three_days(
    start: time, end: time, weekdays: frozenset[int], zones: list[ZoneInfo], now: datetime, closed: frozenset[int]
) -> None:
    window = CallingHours(start, end, weekdays)
    is_holiday = frozenset(now.date() + ahead * DAY for ahead in closed).__contains__
    found = opens_at(window, zones, is_holiday, now)
    expected = slowly(window, zones, is_holiday, now, MINUTE, 3)
    assert found == expected or (expected is None and (found is None or found > now + 3 * DAY))


@settings(deadline=None, max_examples=50)
@given(clocks(15), clocks(15), WEEKDAYS, ZONES, moments(15, 30 * DAY))
def test_every_quarter_hour_of_60_days(
    start: time, end: time, weekdays: frozenset[int], zones: list[ZoneInfo], now: datetime
) -> None:
    window = CallingHours(start, end, weekdays)
    found = opens_at(window, zones, no_holiday, now)
    assert found == slowly(window, zones, no_holiday, now, 15 * MINUTE, FURTHEST.days)
    assert found is None or is_open(window, zones, no_holiday, found)
