"""`/contacts`: people who are no users. Only admins see and keep them."""

from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from api.access import Call
from api.fields import Int64, Text, UrlInt
from api.ringward.directory_fields import (
    Description,
    Email,
    Language,
    OneLine,
    PerhapsPhone,
    PhoneText,
    Resource,
    TimeZone,
    at,
    found,
    number_of,
)
from api.ringward.frame import LOCATION, PREFIX, CursorQuery, IdPath, Listing, listing, routes
from api.typed_routes import Reply
from engine.store.people import ContactData, PostgresPeople, StoredContact

PATH = "/contacts"
TAG = "contacts"
PersonName = Annotated[OneLine, Field(max_length=64)]
Custom = Annotated[OneLine, Field(max_length=128)]
WHO = ("firstName", "lastName", "phone", "email")


class ContactBody(Resource):
    """At least one of first name, last name, phone and e-mail address."""

    firstName: Annotated[PersonName, Field(examples=["Anna"])] = ""
    lastName: PersonName = ""
    phone: Annotated[PerhapsPhone, Field(
        description="kept as given; national forms are read in the organization's country. Empty: none")] = ""
    morePhones: Annotated[list[PhoneText], Field(
        max_length=10, description="rung after it, in this order; returned as E.164")] = Field(default_factory=list)
    email: Annotated[Email, Field(description="empty: none")] = ""
    address: Annotated[Text, Field(max_length=128)] = ""
    custom1: Custom = ""
    custom2: Custom = ""
    custom3: Custom = ""
    description: Description = ""
    language: Annotated[Language | None, Field(description="null: the organization's")] = None
    timeZone: Annotated[TimeZone | None, Field(description="null: the number's")] = None

    @model_validator(mode="after")
    def _is_somebody(self) -> "ContactBody":
        if not any(getattr(self, field).strip() for field in WHO):
            raise ValueError(f"one of {', '.join(WHO)} is needed")
        return self


class Contact(BaseModel):
    id: Int64
    firstName: str
    lastName: str
    phone: str
    morePhones: list[str]
    email: str
    address: str
    custom1: str
    custom2: str
    custom3: str
    description: str
    language: str | None
    timeZone: str | None


class ContactsQuery(CursorQuery):
    groupID: Annotated[UrlInt | None, Field(description="only the members of this group")] = None


@routes.on("GET", PATH, 403, tag=TAG)
async def list_contacts(call: Call, query: ContactsQuery, people: PostgresPeople) -> Listing[Contact]:
    """The contacts of the organization, or of one of its groups. Only admins may do this."""
    call.as_admin()
    rows = await people.contacts(call.organisation_id, query.cursor or 0, query.limit + 1, query.groupID)
    page, cursor = listing(rows, query.limit, lambda row: row.contact_id)
    return Listing(items=[_contact(row) for row in page], nextCursor=cursor)


@routes.on("POST", PATH, 403, tag=TAG, statuses=(201,), headers=LOCATION)
async def create_contact(call: Call, body: ContactBody, people: PostgresPeople) -> Reply[Contact]:
    """Make a contact. Only admins may do this."""
    call.as_admin()
    made = await people.create_contact(call.organisation_id, _data(call, body))
    return Reply(_contact(made), headers=at(PREFIX + PATH, made.contact_id))


@routes.on("GET", PATH + "/{id}", 403, 404, tag=TAG)
async def get_contact(call: Call, path: IdPath, people: PostgresPeople) -> Contact:
    """One contact. Only admins may do this."""
    call.as_admin()
    return _contact(found(await people.contact(call.organisation_id, path.id), "contact"))


@routes.on("PUT", PATH + "/{id}", 403, 404, tag=TAG)
async def update_contact(call: Call, path: IdPath, body: ContactBody, people: PostgresPeople) -> Contact:
    """Change a contact as a whole; what the body leaves out is emptied. Only admins may do this."""
    call.as_admin()
    changed = await people.replace_contact(call.organisation_id, path.id, _data(call, body))
    return _contact(found(changed, "contact"))


@routes.on("DELETE", PATH + "/{id}", 403, 404, tag=TAG)
async def delete_contact(call: Call, path: IdPath, people: PostgresPeople) -> None:
    """Remove a contact, also from its groups. An alarm that was posted before still rings it. Only admins may do this.
    """
    call.as_admin()
    found(await people.delete_contact(call.organisation_id, path.id) or None, "contact")


def _data(call: Call, body: ContactBody) -> ContactData:
    phone = body.phone.strip()
    number = number_of(call, phone, "phone") if phone else None
    more = [number_of(call, text, f"morePhones[{n}]") for n, text in enumerate(body.morePhones)]
    return ContactData(
        first_name=body.firstName, last_name=body.lastName, phone=phone, number=number,
        more_numbers=tuple(it for it in dict.fromkeys(more) if it != number), email=body.email, address=body.address,
        custom1=body.custom1, custom2=body.custom2, custom3=body.custom3, description=body.description,
        language=body.language, time_zone=body.timeZone)


def _contact(row: StoredContact) -> Contact:
    data = row.data
    return Contact(
        id=row.contact_id, firstName=data.first_name, lastName=data.last_name, phone=data.phone,
        morePhones=list(data.more_numbers), email=data.email, address=data.address, custom1=data.custom1,
        custom2=data.custom2, custom3=data.custom3, description=data.description, language=data.language,
        timeZone=data.time_zone)
