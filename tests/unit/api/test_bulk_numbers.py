"""The fast way to read numbers answers what the library answers."""

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api import bulk_numbers
from api.bulk_numbers import Numbers
from api.errors import Invalid
from api.phone_numbers import e164

REGIONS = st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS))
DIGITS = st.text("0123456789", min_size=1, max_size=15)


def answer(read: Numbers | None, text: str, region: str) -> str:
    try:
        return read.e164(text, "phone") if read else e164(text, region, "phone")
    except Invalid as error:
        return str(error)


@given(REGIONS, DIGITS, st.sampled_from(["", "0", "00", "+", "1", "8", "{0}", "+{0}", "00{0}", "+{0} (0)", "{0}0"]),
       st.sampled_from(["", " ", "-", "/", ".", "("]), st.integers(0, 15))
@settings(max_examples=1000)
def test_anything(region: str, digits: str, prefix: str, sign: str, at: int) -> None:
    text = prefix.format(phonenumbers.country_code_for_region(region)) + digits[:at] + sign + digits[at:]
    assert answer(Numbers(region), text, region) == answer(None, text, region)


@given(REGIONS, REGIONS, st.sampled_from([0, 1, 2]), st.integers(0, 3), st.text("0123456789", max_size=3))
@settings(max_examples=1000)
def test_numbers_that_exist_and_their_like(region: str, home: str, form: int, cut: int, more: str) -> None:
    number = phonenumbers.example_number(region)
    assert number
    text = phonenumbers.format_number(number, form)
    changed = text[:len(text) - cut] + more
    assert answer(Numbers(home), changed, home) == answer(None, changed, home)


@pytest.mark.parametrize("text, country, expected", [
    ("030 555123", "DE", "+4930555123"), ("+49 170 1234567", "DE", "+491701234567"),
    ("0043 1 58858", "DE", "+43158858"), ("612 34 56 78", "ES", "+34612345678"),
    ("(650) 253-0000", "US", "+16502530000"),
])
def test_the_usual_forms_do_not_need_the_library(
        text: str, country: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_numbers, "e164", None)
    assert Numbers(country).e164(text, "phone") == expected
