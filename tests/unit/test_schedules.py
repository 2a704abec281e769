"""What is decided about a schedule when its time has come. How it is done: `tests/contract/test_schedules.py`."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from engine.schedules import decided
from engine.vocabulary.schedules import DueSchedule, ScheduleDecision

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
ONCE = DueSchedule(1, "campaign", "start", {}, "UTC", is_recurring=False, expiry_s=300, due_at=NOON)
DAILY = replace(ONCE, fields={"hour": "13", "minute": "0"}, time_zone="Europe/Berlin", is_recurring=True)
LATE = NOON + timedelta(seconds=301)


def test_a_single_moment_is_never_due_again() -> None:
    assert decided(ONCE, NOON) == ScheduleDecision(is_missed=False, next_due=None)
    assert decided(ONCE, LATE) == ScheduleDecision(is_missed=True, next_due=None)
    assert decided(replace(ONCE, fields=DAILY.fields), NOON).next_due is None


def test_a_recurring_one_is_due_again_by_its_own_clock_also_when_it_was_missed() -> None:
    tomorrow = NOON + timedelta(days=1)
    assert decided(DAILY, NOON) == ScheduleDecision(is_missed=False, next_due=tomorrow)
    assert decided(DAILY, LATE) == ScheduleDecision(is_missed=True, next_due=tomorrow)
    assert decided(DAILY, NOON + timedelta(days=7, seconds=1)).next_due == NOON + timedelta(days=8)
