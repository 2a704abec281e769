"""What time it must be, for one who asks the steady clock again and again."""

from datetime import UTC, datetime, timedelta

from engine.store.steady import Steady

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_whoever_asks_for_the_first_time_expects_nothing() -> None:
    assert Steady().expected() is None


def test_time_goes_on_from_the_last_answer_by_the_monotonic_clock() -> None:
    passed_s = 100.0
    steady = Steady(lambda: passed_s)
    steady.saw(NOON)
    passed_s += 3600
    assert steady.expected() == NOON + timedelta(hours=1)
    steady.saw(NOON + timedelta(minutes=59))
    passed_s += 2
    assert steady.expected() == NOON + timedelta(minutes=59, seconds=2)
