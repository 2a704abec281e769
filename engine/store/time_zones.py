"""Which clocks hang where a phone number is. Asked by the dispatcher before a contact is rung, and by the API;
and of a country, for schedules of who has not said where he is.

Numbers are read with the tables of phonenumbers, zones with the data of the IANA (of the machine, else of tzdata).
"""

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import timezone
from phonenumbers.tzdata import TIMEZONE_DATA

REMEMBERED = 16384
UNKNOWN = (timezone.UNKNOWN_TIMEZONE,)


@lru_cache(maxsize=REMEMBERED)
def zones_of(number: str) -> tuple[ZoneInfo, ...]:
    """The zones in which a number (E.164 with a plus) may be rung; empty: not known.

    A number of a place has that place's, any other all those of its country: 42 for an American toll-free one. What
    the tables do not know as a valid number, a new range perhaps, has those of its longest known prefix.
    """
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return ()
    names = timezone.time_zones_for_number(parsed)
    if names == UNKNOWN:
        names = timezone.time_zones_for_geographical_number(parsed)
    return _zones(names)


@lru_cache(maxsize=256)
def zone_of_country(country: str) -> ZoneInfo | None:
    """The zone of a country (ISO 3166) with one; of several that show the same time all year, the first. None: there is
    none such. Countries with one calling code count as one."""
    names = TIMEZONE_DATA.get(str(phonenumbers.country_code_for_region(country)), ())
    found = _zones(names)
    return found[0] if found and len({_clock(it) for it in found}) == 1 else None


def _clock(zone: ZoneInfo) -> tuple[timedelta | None, ...]:
    """How far it is from UTC in each month, which tells zones apart."""
    return tuple(datetime(2025, month, 1, tzinfo=zone).utcoffset() for month in range(1, 13))


@lru_cache
def _zones(names: tuple[str, ...]) -> tuple[ZoneInfo, ...]:
    """One tuple for all numbers of a place."""
    found = (zone(name) for name in names if name != timezone.UNKNOWN_TIMEZONE)
    return tuple(it for it in found if it is not None)


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo | None:
    """None: no zone is called so."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):     # unknown; a path; the name of a folder
        return None
