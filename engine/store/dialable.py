"""Numbers that no alarm and no campaign ever dials. Pure; asked before an alarm is stored, a contact called.

By the metadata of phonenumbers. It knows no range that is newer than itself, and one such number must not stop an alarm
to a thousand people: an unknown number is dialled, unless a number that begins like it, or with which it begins, is one
that is never dialled (+49 900 with a digit too few, or too many, is still a premium-rate number).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType, shortnumberinfo

REMEMBERED = 50_000         # numbers: a look costs 30 µs, and the same people are alarmed again and again
TYPES = {
    PhoneNumberType.PREMIUM_RATE: ("premium-rate-number", "a premium-rate number"),
    PhoneNumberType.SHARED_COST: ("shared-cost-number", "a shared-cost number"),
}
AREA_CODES = range(2, 6)    # digits
TOO_MANY, TOO_FEW = 6, 7    # digits by which an unknown number may differ from one that is known
ZERO = (39, 378)            # country codes behind which a zero belongs to a subscriber's number: Italy, San Marino
GLOBAL = "001"              # phonenumbers' region of country codes that are no country's


@dataclass(frozen=True, slots=True)
class Refusal:
    """`rule` is the problem's type; `why` completes "+4911833 is …"."""

    rule: str
    why: str


@dataclass(frozen=True, slots=True)
class Nature:
    """What a number is by itself; `region` (ISO 3166-1) only of numbers that some organisation may dial."""

    refusal: Refusal | None = None
    region: str = ""


def refusal(number: str, countries: frozenset[str]) -> Refusal | None:
    """Why `number` (E.164 with a plus) is not dialled by an organisation that may dial these countries."""
    nature = nature_of(number)
    if nature.refusal is None and nature.region not in countries:
        return Refusal("country-not-allowed", f"a number in {nature.region}, where this organization does not call")
    return nature.refusal


@lru_cache(maxsize=REMEMBERED)
def nature_of(number: str) -> Nature:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return Nature(Refusal("invalid-number", "no valid number"))
    code = parsed.country_code or 0
    home = phonenumbers.region_code_for_country_code(code)
    if home == GLOBAL:
        return Nature(Refusal("satellite-number", "a satellite or global service number"))
    if _is_service(parsed, code):
        return Nature(Refusal("service-number", "an emergency or service number"))
    if not phonenumbers.is_valid_number(parsed):
        return _unknown(number, parsed, code, home)
    if kind := TYPES.get(phonenumbers.number_type(parsed)):
        return Nature(Refusal(*kind))
    return Nature(region=phonenumbers.region_code_for_number(parsed) or home)


def _unknown(number: str, parsed: phonenumbers.PhoneNumber, country_code: int, home: str) -> Nature:
    if not phonenumbers.is_possible_number(parsed):
        return Nature(Refusal("invalid-number", "no valid number"))
    bare = f"+{country_code}{parsed.national_number}"
    if bare != number and country_code not in ZERO:     # zeros too many: it is judged by what follows them
        return nature_of(bare)
    for other in _alike(number):
        if phonenumbers.is_possible_number(other) and (kind := TYPES.get(phonenumbers.number_type(other))):
            return Nature(Refusal(*kind))
    if len(phonenumbers.region_codes_for_country_code(country_code)) > 1:
        return Nature(Refusal("invalid-number", "a number of which nobody can say the country"))
    return Nature(region=home)


def _alike(number: str) -> Iterator[phonenumbers.PhoneNumber]:
    """Numbers with which this one begins, and such that begin with it."""
    shorter = (number[:-count] for count in range(1, TOO_MANY + 1))
    longer = (f"{number}{digit}{'0' * count}" for count in range(TOO_FEW) for digit in range(10))
    for text in (*shorter, *longer):
        try:
            yield phonenumbers.parse(text)
        except phonenumbers.NumberParseException:
            continue


def _is_service(number: phonenumbers.PhoneNumber, country_code: int) -> bool:
    """An emergency number of any country with this code, also with digits behind it; or another short code that is
    no subscriber's number. Of what is no number as it stands, without its leading zeros: +49 0112 is a way to 112."""
    regions = [it for it in phonenumbers.region_codes_for_country_code(country_code)
               if it in shortnumberinfo.SUPPORTED_SHORT_REGIONS]
    digits = phonenumbers.national_significant_number(number)
    local = {digits[length:] for length in AREA_CODES}      # an area code before 112 leads to the emergency desk there
    if any(shortnumberinfo.is_emergency_number(one, it) for one in local for it in regions):
        return True
    if phonenumbers.is_valid_number(number):
        return any(shortnumberinfo.is_emergency_number(digits, it) for it in regions)
    bare = phonenumbers.PhoneNumber(country_code, number.national_number)
    return any(shortnumberinfo.connects_to_emergency_number(str(number.national_number), it)
               or shortnumberinfo.is_valid_short_number_for_region(bare, it) for it in regions)
