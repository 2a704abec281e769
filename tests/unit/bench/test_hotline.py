"""What the bench of the hotline makes of the times that its phones saw."""

import pytest

from bench.hotline import first_ms, later_ms
from engine.softphone import NeverHappened


def test_reach_is_the_time_until_the_first_phone_rings_whichever_that_is() -> None:
    assert first_ms(10.0, [10.030, 10.020, 10.045]) == pytest.approx(20)


def test_both_hear_each_other_when_the_later_of_the_two_does() -> None:
    assert later_ms(0.040, 0.055) == later_ms(0.055, 0.040) == pytest.approx(55)


def test_who_heard_the_other_at_once_has_heard_him() -> None:
    assert later_ms(0.0, 0.030) == pytest.approx(30)


@pytest.mark.parametrize("both", [(None, 0.04), (0.04, None), (None, None)])
def test_a_talk_that_one_side_does_not_hear_has_no_figure(both: tuple[float | None, float | None]) -> None:
    with pytest.raises(NeverHappened):
        later_ms(*both)
