"""First Responder words to ours and back, as pure functions."""

import pytest

from api.errors import Invalid
from api.fields import utc_text
from api.first_responder.mapping import agent_phone, plus
from api.phone_numbers import e164
from engine.store.directory_port import Phone
from tests.directories import NOON


@pytest.mark.parametrize(("text", "country", "number"), [
    ("004924155660", "US", "+4924155660"), ("0664 1234567", "AT", "+436641234567"),
    ("044 668 18 00", "CH", "+41446681800"), ("06 12345678", "IT", "+390612345678"),
    ("01 23 45 67 89", "FR", "+33123456789"), ("491234567", "DE", "+49491234567")])
def test_national_forms_are_read_in_the_country(text: str, country: str, number: str) -> None:
    assert e164(text, country, "phone") == number


def test_every_number_we_return_is_read_as_itself() -> None:
    for number in ("+4924155660", "+390612345678", "+12125550123", "+436641234567"):
        returned = agent_phone(Phone(1, "Handy", number, True, 2)).phone
        assert returned == "00" + number[1:]
        for country in ("DE", "US", "JP"):
            assert e164(returned, country, "phone") == number


def test_a_refusal_names_the_field() -> None:
    with pytest.raises(Invalid) as refused:
        e164("12", "DE", "phone")
    assert (refused.value.status, "phone" in refused.value.error) == (400, True)


@pytest.mark.parametrize(("stored", "shown"), [("4930123", "+4930123"), ("+4930123", "+4930123"), ("", "")])
def test_numbers_of_logs_have_a_plus(stored: str, shown: str) -> None:
    assert plus(stored) == shown


def test_times_are_utc_with_milliseconds_and_z() -> None:
    assert utc_text(NOON) == "2026-11-21T12:00:00.123Z"
    assert utc_text(NOON.replace(microsecond=0)) == "2026-11-21T12:00:00.000Z"
