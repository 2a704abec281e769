"""Field types of the directory's resources: what a client may write, and how long it may be.

Lengths are those of the columns of ICTCore's API, so that a row made here can be read through every API. No text has
control characters; of those with several lines, line breaks and tabs.
"""

from functools import cache
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import available_timezones

import phonenumbers
from pydantic import AfterValidator, Field

from api.access import Call
from api.errors import Forbidden, NotFound
from api.fields import Body, Int64, Line, Text
from api.phone_numbers import NO_PHONE, e164
from api.wording import saying

T = TypeVar("T")
LONGEST_PHONE = 32

# one line, perhaps empty
OneLine = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
Name = Annotated[Line, Field(max_length=128)]
Description = Annotated[Text, Field(max_length=255)]
Spoken = Annotated[Literal["de", "en", "es", "fr", "it"],
                   Field(description="of prompts and voice", examples=["de"])]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}$", examples=["de"],
                                description="ISO 639-1; rung in it where a message has it"),
                     saying("must be a language code of two letters, ISO 639-1")]
# the digits and the usual signs between them; what they mean is read in a country
PhoneText = Annotated[str, Field(pattern=r"^ *\+?[0-9 ()/.\-]{1,31}$", max_length=LONGEST_PHONE,
                                 examples=["+4930555123"]), saying(NO_PHONE)]
PerhapsPhone = Annotated[str, Field(pattern=r"^( *\+?[0-9 ()/.\-]{1,31})?$", max_length=LONGEST_PHONE,
                                    examples=["030 555123"]), saying(NO_PHONE)]
Email = Annotated[str, Field(pattern=r"^([^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f]+)?$", max_length=64,
                             examples=["anna@example.org"]),
                  saying("must be an e-mail address of up to 64 characters")]


def _country(text: str) -> str:
    if text not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("not a country code of ISO 3166-1")
    return text


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _time_zone(text: str) -> str:
    if text not in _time_zones():
        raise ValueError("not a time zone of the IANA data base")
    return text


Country = Annotated[str, AfterValidator(_country), Field(
    json_schema_extra={"enum": sorted(phonenumbers.SUPPORTED_REGIONS)}, examples=["DE"])]
TimeZone = Annotated[str, AfterValidator(_time_zone), Field(
    json_schema_extra={"enum": sorted(_time_zones())}, examples=["Europe/Berlin"])]


class Resource(Body):
    """What is sent as a whole. Its `id` may stand in it and is ignored, so that what a GET answered can be PUT back."""

    id: Annotated[Int64 | None, Field(description="ignored")] = None


def number_of(call: Call, text: str, field: str) -> str:
    """A phone number as E.164, national forms read in the organisation's country. Raises Invalid."""
    return e164(text, call.principal.country, field)


def found(value: T | None, what: str) -> T:
    """Raises NotFound."""
    if value is None:
        raise NotFound(what)
    return value


def as_system(call: Call) -> None:
    """Raises Forbidden for every other token."""
    if not call.principal.is_system:
        raise Forbidden("API-TOKEN", "only a system token may do this")


def at(path: str, row_id: Any) -> dict[str, str]:
    """The header that tells where the new resource is."""
    return {"Location": f"{path}/{row_id}"}
