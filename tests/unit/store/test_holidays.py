"""Public holidays by country and part of it."""

import subprocess
import sys
from datetime import date

import pytest

from engine.store.holidays import CountryUnknown, countries, is_holiday


@pytest.mark.parametrize("country, day, expected", [
    ("DE", "2026-12-25", True),
    ("DE", "2026-12-24", False),
    ("DE", "2026-04-03", True),  # Good Friday moves
    ("DE", "2026-01-06", False),
    ("DE-BY", "2026-01-06", True),
    ("DE-BE", "2026-01-06", False),
    ("DE-BY", "2026-12-25", True),  # what is one in the whole country is one in each part
    ("US", "2026-07-03", True),  # the Fourth is a Saturday
    ("US", "2026-12-28", False),
    ("IN", "2027-01-26", True),
])
def test_holidays(country: str, day: str, expected: bool) -> None:
    assert is_holiday(country, date.fromisoformat(day)) is expected


@pytest.mark.parametrize("code", ["XX", "", "-", "DE-", "DE-XX", "DE-BY-BY", "de", "DEU", "Germany", "XX-BY"])
def test_of_an_unknown_country_it_is_said_which(code: str) -> None:
    with pytest.raises(CountryUnknown, match=f"'{code}'"):
        is_holiday(code, date(2026, 1, 1))


def test_countries_and_their_parts() -> None:
    assert "BY" in countries()["DE"]
    assert "DEU" not in countries()


@pytest.mark.parametrize("country", sorted(countries()))
def test_all_of_them_can_be_asked(country: str) -> None:
    for code in (country, *(f"{country}-{part}" for part in countries()[country])):
        assert is_holiday(code, date(2026, 3, 10)) in (True, False)


def test_the_package_is_imported_only_when_it_is_asked() -> None:
    done = subprocess.run([sys.executable, "-c", "import sys, engine.store.holidays; print(*sys.modules)"],
                          capture_output=True, text=True, check=True)
    assert "holidays" not in done.stdout.split()
