"""When clocks are put forward or back."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.policy.clock_changes import change_between, offset

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize("zone, day, change", [
    ("Europe/Berlin", "2026-03-29", "2026-03-29 01:00"),
    ("Europe/Berlin", "2026-10-25", "2026-10-25 01:00"),
    ("America/New_York", "2026-03-08", "2026-03-08 07:00"),
    ("Australia/Lord_Howe", "2026-04-04", "2026-04-04 15:00"),  # half an hour
    ("Asia/Kolkata", "2026-03-29", None),
    ("Europe/Berlin", "2026-03-28", None),
])
def test_the_change_of_a_day(zone: str, day: str, change: str | None) -> None:
    begin = utc(f"{day} 00:00")
    found = change_between(ZoneInfo(zone), begin, begin + 24 * HOUR)
    assert found == (None if change is None else utc(change))


@given(st.integers(1, 86_399_999_999), st.integers(0, 86_400_000_000))
def test_it_is_found_from_however_near(before_us: int, behind_us: int) -> None:
    change = utc("2026-03-29 01:00")
    begin, end = change - timedelta(microseconds=before_us), change + timedelta(microseconds=behind_us)
    assert change_between(BERLIN, begin, end) == change
    assert (offset(BERLIN, begin), offset(BERLIN, end)) == (HOUR, 2 * HOUR)


def test_what_begins_at_the_change_is_behind_it() -> None:
    change = utc("2026-03-29 01:00")
    assert change_between(BERLIN, change, change + HOUR) is None
