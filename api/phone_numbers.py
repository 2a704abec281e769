"""Phone numbers as people write them, made E.164 once, at the edge."""

import re

import phonenumbers

from api.errors import Invalid

E164 = re.compile(r"\+[0-9]{3,15}")
# what a schema lets through: digits and the usual signs between them
WRITTEN = r"^ *\+?[0-9 ()/.\-]{1,40}$"
NO_PHONE = "must be a phone number: digits, with + or 00 in front when it is international"


def parsed(text: str, country: str) -> phonenumbers.PhoneNumber | None:
    """`0049…`, `+49…` or a national form of `country`; None when it is no phone number at all."""
    number = re.sub("^ *00", "+", text)       # not every country's own international prefix is 00
    try:
        return phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return None


def e164(text: str, country: str, field: str) -> str:
    """As `+49…`. Raises Invalid when it is no possible number. The schema has let through nothing but `WRITTEN`."""
    number = parsed(text, country)
    if number is None:
        raise Invalid(field, "not a phone number")
    found = written(number)
    # "possible" for local dialling only is not enough, and some national plans are longer than E.164's 15 digits
    if not _is_possible(number) or not E164.fullmatch(found):
        raise Invalid(field, "not a possible phone number")
    return found


def written(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _is_possible(number: phonenumbers.PhoneNumber) -> bool:
    return phonenumbers.is_possible_number_with_reason(number) == phonenumbers.ValidationResult.IS_POSSIBLE
