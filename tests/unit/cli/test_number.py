"""Consecutive numbers."""

import pytest

from engine.cli.number import consecutive
from engine.vocabulary.values import RingwardError


def test_numbers_follow_each_other_over_every_carry() -> None:
    assert consecutive("+4930999998", 3) == ["+4930999998", "+4930999999", "+4931000000"]


@pytest.mark.parametrize("text", ["030123456", "+49", "+999123456", "", "+4930x1234567", "0049301234567",
                                  "+4930123456789012345"])
def test_what_is_no_possible_number_in_international_form_is_refused(text: str) -> None:
    with pytest.raises(RingwardError):
        consecutive(text, 1)


def test_a_range_that_runs_out_of_its_country_is_refused() -> None:
    with pytest.raises(RingwardError):
        consecutive("+4999999999999", 2)
