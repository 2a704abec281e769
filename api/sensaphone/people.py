"""`contact` and `user`: whom groups are made of. Read and created here; what else they have is other APIs'."""

from collections.abc import Sequence

from api.errors import Invalid
from api.sensaphone import mapping
from api.sensaphone.frame import Call, operations
from api.sensaphone.results import Code, Failure
from api.sensaphone.schemas import (
    ContactsResponse,
    CreateContacts,
    CreateUsers,
    ReadContacts,
    ReadUsers,
    UsersResponse,
)
from engine.store.directory_port import NameTaken
from engine.store.ictcore_people import IctcorePeople
from engine.store.ictcore_users import IctcoreUsers
from engine.store.sensaphone_people import SensaphonePeople

MOST = 50_000       # contacts or users of one answer: the API knows no pages
NO_MORE_OF_HIM = ("first_name", "last_name", "phone", "email", "address", "company", "country_id", "timezone_id")


@operations.on("contact", "read")
async def read_contacts(call: Call, body: ReadContacts, people: SensaphonePeople) -> ContactsResponse:
    """All contacts, or some, whole or by their properties."""
    items = body.contact
    call.needs("contact_list" if items is None else "contact_read")
    ids = None if items is None else mapping.wanted_ids(it.contact_id for it in items)
    rows = await people.contacts(call.organisation_id, call.seen_by("contact"), ids, MOST + 1)
    _check_count("contact", rows)
    return {"contact": mapping.told_people("contact", items, [mapping.contact(row) for row in rows])}


@operations.on("contact", "create")
async def create_contacts(call: Call, body: CreateContacts, people: IctcorePeople) -> ContactsResponse:
    """New contacts: `destination` is a phone number, national forms are read in the organisation's country, or an
    e-mail address."""
    call.needs("contact_create")
    made = [mapping.contact_data(n, it, call.country) for n, it in enumerate(body.contact)]
    async with people.together():
        ids = [await people.create_contact(call.organisation_id, call.user_id, it) for it in made]
    return {"contact": [{"contact_id": row_id} for row_id in ids]}


@operations.on("user", "read")
async def read_users(call: Call, body: ReadUsers, people: SensaphonePeople) -> UsersResponse:
    """All users, or some, whole or by their properties. Who has no `user_admin` sees himself and whom he made."""
    items = body.user
    call.needs("user_read")
    ids = None if items is None else mapping.wanted_ids(it.user_id for it in items)
    rows = await people.users(call.organisation_id, call.seen_by("user"), ids, MOST + 1)
    _check_count("user", rows)
    return {"user": mapping.told_people("user", items, [mapping.user(row) for row in rows])}


@operations.on("user", "create")
async def create_users(call: Call, body: CreateUsers, users: IctcoreUsers) -> UsersResponse:
    """New users with the role `user`, without a password: they cannot log in. Names are unique in the system."""
    call.needs("user_create")
    ids = []
    async with users.together():
        for n, it in enumerate(body.user):
            columns = {"name": it.name, "active": it.enable, **dict.fromkeys(NO_MORE_OF_HIM, "")}
            try:
                ids.append(await users.create(call.organisation_id, columns, call.user_id))
            except NameTaken:
                raise Invalid(f"user[{n}].name", "is taken: names are unique in the system") from None
    return {"user": [{"user_id": row_id} for row_id in ids]}


def _check_count(resource: str, rows: Sequence[object]) -> None:
    if len(rows) > MOST:
        raise Failure(Code.FAILED, f"{resource}: there are more than {MOST}, ask for them by {resource}_id")
