"""Public holidays of a country or of a part of it, by the package `holidays`. Asked with the calling hours.

A code is ISO 3166: `DE`, or `DE-BY` for Bavaria. Without the part only the holidays of the whole country count. The
package is imported when it is first asked (about 60 ms and 15 MB with the first country), since most systems never do.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from engine.vocabulary.values import RingwardError

if TYPE_CHECKING:
    from holidays import HolidayBase

REMEMBERED = 256


class CountryUnknown(RingwardError):
    """No holidays are known of it."""

    def __init__(self, code: str) -> None:
        super().__init__(f"no holidays are known of '{code}'")
        self.code = code


def is_holiday(country: str, day: date) -> bool:
    """Raises CountryUnknown."""
    return day in _calendar(country)


@cache
def countries() -> Mapping[str, Sequence[str]]:
    """Of each country's code, the codes of its parts behind the dash."""
    import holidays

    return holidays.list_supported_countries(include_aliases=False)


@lru_cache(maxsize=REMEMBERED)
def _calendar(code: str) -> "HolidayBase":
    """It works out a year when it is first asked for a day of it."""
    import holidays

    country, dash, part = code.partition("-")
    if country not in countries() or (dash and part not in countries()[country]):
        raise CountryUnknown(code)
    return holidays.country_holidays(country, subdiv=part or None)
