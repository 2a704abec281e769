"""A transmission as the ICTCore API tells and reads it, and how one is made. Of `transmissions.py`, `programs.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from api.fields import INT64_MAX
from api.ictcore.contact_csv import ContactEmail
from api.ictcore.contact_fields import ContactBody, Phone, changes
from api.ictcore.fields import Body, Flag, OneLine
from api.ictcore.frame import Call, failed
from api.ictcore.program_fields import SERVICES, Id, known, reference
from engine.store.ictcore_accounts import IctcoreAccounts
from engine.store.ictcore_people import IctcorePeople
from engine.store.programs import PostgresPrograms, StoredProgram
from engine.store.transmissions import PostgresTransmissions

MY_DEFAULT = -1             # ICTCore's way to say "the caller's own first account"
Title = Annotated[OneLine, Field(max_length=255)]
ServiceFlag = Annotated[Literal[1, 2, 4, 8], Field(description="1 voice, 2 fax, 4 SMS, 8 e-mail")]
AccountId = Annotated[int, Field(ge=MY_DEFAULT, le=INT64_MAX, description="-1: the caller's own")]
Direction = Literal["outbound", "inbound"]
Status = Literal["pending", "pending_retry", "initializing", "processing", "done", "completed", "failed", "invalid"]


class TransmissionChange(Body):
    title: Title | None = None
    origin: Title | None = None
    contact_id: Id | None = None
    account_id: AccountId | None = None
    service_flag: ServiceFlag | None = None
    direction: Direction = "outbound"
    try_allowed: Annotated[int, Field(ge=1, le=100)] = 1
    is_deleted: Flag = False


class TransmissionBody(TransmissionChange):
    """Without a contact_id one is made of phone or email."""

    phone: Phone = ""
    email: ContactEmail = ""


class TransmissionPut(TransmissionChange):
    program_id: Id | None = None


class TransmissionPost(TransmissionBody):
    program_id: Id | None = None


class Reached(BaseModel):
    """The contact or the account of a transmission."""

    first_name: str
    last_name: str
    phone: str
    email: str


class ReachedContact(Reached):
    contact_id: int


class ReachedAccount(Reached):
    account_id: int
    username: str


class Transmission(BaseModel):
    transmission_id: int
    title: str
    origin: str
    contact_id: int
    account_id: int | None
    service_flag: int
    program_id: int
    direction: Direction
    status: Status
    response: str
    try_allowed: int
    try_done: int
    last_run: Annotated[int | None, Field(description="seconds since 1970")]
    is_deleted: Flag
    campaign_id: int | None
    user_id: int | None
    username: str | None
    account_phone: str | None
    account_email: str | None
    contact_phone: str | None
    contact_email: str | None
    account: ReachedAccount | None
    contact: ReachedContact | None


@dataclass(frozen=True, slots=True)
class Stores:
    """What making a transmission needs; a service of the application."""

    transmissions: PostgresTransmissions
    programs: PostgresPrograms
    people: IctcorePeople
    accounts: IctcoreAccounts


def listed(rows: Sequence[Mapping[str, Any]]) -> list[Transmission]:
    return [told(row) for row in rows]


def told(row: Mapping[str, Any]) -> Transmission:
    return Transmission(
        **{name: row[name] for name in Transmission.model_fields if name not in ("account", "contact")},
        account=ReachedAccount(account_id=row["account_id"], username=row["account_username"],
                               **_reached(row, "account")) if row["has_account"] else None,
        contact=ReachedContact(contact_id=row["contact_id"], **_reached(row, "contact"))
        if row["has_contact"] else None)


def _reached(row: Mapping[str, Any], table: str) -> dict[str, Any]:
    return {name: row[f"{table}_{name}"] for name in Reached.model_fields}


async def make_transmission(call: Call, body: TransmissionBody, program: StoredProgram, stores: Stores) -> int:
    """With its contact, or nothing is made. Raises ApiError 412 and 404."""
    given = body.given()
    columns = {
        "title": given.get("title", program.name[:255]), "origin": given.get("origin", program.type),
        "program_id": program.program_id, "account_id": await account_of(call, body.account_id or MY_DEFAULT, stores),
        "service_flag": body.service_flag or SERVICES[program.type], "direction": body.direction,
        "try_allowed": body.try_allowed, "is_deleted": body.is_deleted}
    async with stores.transmissions.together():
        contact_id = await _contact(call, body, stores)
        return await stores.transmissions.create(
            call.organisation_id, call.user_id, columns | {"contact_id": contact_id})


async def _contact(call: Call, body: TransmissionBody, stores: Stores) -> int:
    if body.contact_id is not None:
        await known(call, stores.programs, reference(call, "contact_id", body.contact_id))
        return body.contact_id
    if not body.phone.strip() and not body.email:
        raise failed("contact_id", "is required, or phone or email")
    call.needs("contact_create")
    contact = ContactBody(**{name: it for name, it in (("phone", body.phone), ("email", body.email)) if it})
    return await stores.people.create_contact(call.organisation_id, call.user_id, changes(call, contact))


async def account_of(call: Call, account_id: int, stores: Stores) -> int | None:
    """Raises NotFound. The caller's own may be none."""
    if account_id in (MY_DEFAULT, 0):
        return await stores.accounts.default_of(call.organisation_id, call.user_id)
    await known(call, stores.programs, reference(call, "account_id", account_id))
    return account_id
