"""What becomes of a number on its way to a provider."""

import pytest

from engine.vocabulary.dialling import dialled, rewrites


@pytest.mark.parametrize(("prefix", "number", "there"), [
    ("", "4930123", "4930123"),
    ("12", "4930123", "124930123"),
    ("49|0", "4930123", "030123"),
    ("49|0", "43123", "43123"),
    ("49|0,|00", "43123", "0043123"),
    ("49|0,|00", "4930123", "030123"),
    ("|00,49|0,4930|", "4930123", "123"),
    ("49|", "4930123", "30123"),
    ("4930|1,4930|2", "4930123", "1123"),
])
def test_a_number_is_rewritten_by_the_entry_that_takes_most_away(prefix: str, number: str, there: str) -> None:
    assert dialled(number, rewrites(prefix)) == there


@pytest.mark.parametrize("prefix", [
    "+49|0", "|", ",", "49|0,", "1|2|3", " 49|0", "49|0, 1|", "a", "٣|1", "²", "1" * 17, "1|" + "2" * 17, "49;0",
    "4\n9",
])
def test_what_is_no_prefix_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="remove"):
        rewrites(prefix)
