"""A contact as the ICTCore API tells it and reads it; of `contacts.py` and `groups.py`."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field

from api.errors import Invalid
from api.ictcore.contact_csv import Address, ContactEmail, ContactPhone, Custom, PersonName
from api.ictcore.fields import Body, Description
from api.ictcore.frame import Call, failed
from api.phone_numbers import e164
from engine.store.ictcore_people import ContactChanges


def _no_fraction(value: Any) -> Any:
    if isinstance(value, float):
        raise ValueError("must be a text or a whole number")
    return value


Phone = Annotated[ContactPhone, BeforeValidator(_no_fraction), Field(
    description="kept as given; national forms are read in the organization's country")]


class ContactBody(Body):
    first_name: PersonName = ""
    last_name: PersonName = ""
    phone: Phone = ""
    email: ContactEmail = ""
    address: Address = ""
    custom1: Custom = ""
    custom2: Custom = ""
    custom3: Custom = ""
    description: Description = ""


class Contact(BaseModel):
    contact_id: int
    first_name: str
    last_name: str
    phone: str
    email: str
    address: str
    custom1: str
    custom2: str
    custom3: str
    description: str


NOBODY = "either phone or email is needed"


def changes(call: Call, body: ContactBody) -> ContactChanges:
    """What stands in the body. Raises ApiError 412."""
    given = body.given()
    phone = given.get("phone", "")
    try:
        number = e164(phone, call.country, "phone") if phone.strip() else None
    except Invalid as error:
        raise failed("phone", error.problems[0].problem) from None
    return ContactChanges(number=number, **given)
