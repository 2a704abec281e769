"""The body of a schedule becomes a moment, or is refused by its field."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api.errors import ApiError
from api.ictcore.schedule_fields import ScheduleBody, new_schedule

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 25, 12, 0, 30, tzinfo=UTC)     # a Wednesday, 13:00:30 in Berlin


def due(now: datetime = NOW, **body: Any) -> datetime:
    return new_schedule("start", ScheduleBody(**body), BERLIN, now).due_at


@pytest.mark.parametrize(("body", "due_at"), [
    ({}, NOW + timedelta(seconds=60)),
    ({"delay": 0}, NOW),
    ({"delay": 90}, NOW + timedelta(seconds=90)),
    ({"timestamp": int(NOW.timestamp()) + 5}, NOW + timedelta(seconds=5)),
    ({"timestamp": int(NOW.timestamp()) - 299}, NOW - timedelta(seconds=299)),
    ({"datetime": "2026-11-30 09:00"}, datetime(2026, 11, 30, 8, tzinfo=UTC)),
    ({"datetime": "2026-11-30T09:00:05-05:00"}, datetime(2026, 11, 30, 14, 0, 5, tzinfo=UTC)),
    ({"minute": "*"}, datetime(2026, 11, 25, 12, 1, tzinfo=UTC)),
    ({"hour": "9", "minute": "0"}, datetime(2026, 11, 26, 8, tzinfo=UTC)),
    ({"weekday": "1", "hour": "9", "minute": "0"}, datetime(2026, 11, 29, 8, tzinfo=UTC)),
    ({"weekday": "1", "day": "26", "hour": "9", "minute": "0"}, datetime(2026, 11, 26, 8, tzinfo=UTC)),
])
def test_a_body_names_a_moment(body: dict[str, Any], due_at: datetime) -> None:
    assert due(**body) == due_at


def test_what_falls_into_the_skipped_hour_is_due_at_the_change() -> None:
    before = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert due(before, hour="2", minute="30", day="29") == datetime(2026, 3, 29, 1, tzinfo=UTC)


def test_fields_and_extras_are_kept_as_given() -> None:
    made = new_schedule("stop", ScheduleBody(
        minute="*/20", is_recurring=True, expiry=5, weight=-3), BERLIN, NOW)
    assert (made.action, made.fields, made.time_zone, made.is_recurring, made.expiry_s, made.weight) == (
        "stop", {"minute": "*/20"}, "Europe/Berlin", True, 5, -3)


@pytest.mark.parametrize(("body", "field"), [
    ({"timestamp": int(NOW.timestamp()) - 301}, "timestamp"), ({"datetime": "2026-11-25 12:00"}, "datetime"),
    ({"datetime": ""}, "datetime"), ({"datetime": "9999-12-31T23:59:59-23:00"}, "datetime"),
    ({"delay": 1, "datetime": "2026-11-30 09:00"}, "datetime"), ({"delay": 1, "hour": "*"}, "hour"),
    ({"is_recurring": True}, "is_recurring"), ({"minute": "61"}, "minute"), ({"year": "2025"}, "year")])
def test_what_names_none_is_refused_by_its_field(body: dict[str, Any], field: str) -> None:
    with pytest.raises(ApiError, match=f"Data validation failed, for {field}: ") as refused:
        due(**body)
    assert refused.value.status == 412
