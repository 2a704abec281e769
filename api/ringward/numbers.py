"""`/numbers`: an organisation's own numbers and its hotlines'; to a system token, the pool of all of them."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from api.access import Call
from api.errors import Forbidden, Invalid
from api.fields import Body, FromUrl, Int64
from api.phone_numbers import e164
from api.ringward.directory_fields import OneLine, as_system, at, found
from api.ringward.frame import LOCATION, PREFIX, Conflict, CursorQuery, Listing, listing, routes
from api.typed_routes import Reply
from engine.store.directory_port import NoNumberLeft
from engine.store.numbers import NumberInUse, PostgresNumbers, StoredNumber

PATH = "/numbers"
TAG = "numbers"
NumberName = Annotated[OneLine, Field(max_length=128)]
International = Annotated[str, Field(pattern=r"^(\+|00)[0-9 ()/.\-]{3,30}$", examples=["+4930555123"])]


class NumberPath(FromUrl):
    number: Annotated[str, Field(pattern=r"^\+?[0-9]{3,15}$", description="international, with or without its plus",
                                 examples=["+4930555123"])]

    @property
    def e164(self) -> str:
        return "+" + self.number.removeprefix("+")


class TakeBody(Body):
    """`numbers` is for system tokens, the others for an organization's."""

    organizationID: Int64 | None = None
    name: NumberName = ""
    numbers: Annotated[list[International] | None, Field(
        min_length=1, max_length=1000, description="to be put at the end of the pool")] = None


class NameBody(Body):
    """What a GET answered can be PUT back."""

    name: NumberName
    number: Annotated[str | None, Field(description="ignored")] = None
    use: Annotated[str | None, Field(description="ignored")] = None
    organizationID: Annotated[Int64 | None, Field(description="ignored")] = None
    hotlineID: Annotated[Int64 | None, Field(description="ignored")] = None


class Number(BaseModel):
    number: Annotated[str, Field(examples=["+4930555123"])]
    name: Annotated[str, Field(description="a hotline's number has the hotline's name")]
    use: Annotated[Literal["alarm", "hotline", "free"], Field(
        description="alarm: what the organization's alarms show as caller")]
    organizationID: Int64 | None
    hotlineID: Int64 | None


class AddedNumbers(BaseModel):
    added: Annotated[list[str], Field(description="those that were not there before")]


@routes.on("GET", PATH, 403, tag=TAG, also_system=True)
async def list_numbers(call: Call, query: CursorQuery, numbers: PostgresNumbers) -> Listing[Number]:
    """The numbers of the organization; those of the whole system for a system token. Only admins may do this."""
    after, limit = query.cursor or 0, query.limit + 1
    if call.principal.is_system:
        rows = await numbers.pool_page(after, limit)
    else:
        call.as_admin()
        rows = await numbers.page(call.organisation_id, after, limit)
    page, cursor = listing(rows, query.limit, lambda row: row.position)
    return Listing(items=[_number(row) for row in page], nextCursor=cursor)


@routes.on("POST", PATH, 403, 409, tag=TAG, statuses=(201,), headers=LOCATION, also_system=True)
async def take_number(call: Call, body: TakeBody, numbers: PostgresNumbers) -> Reply[Number | AddedNumbers]:
    """Take the next free number of the pool for the organization's alarms; 409 when there is none left.

    A system token adds `numbers` to the pool instead. Only admins may do this.
    """
    if call.principal.is_system:
        return await _add(call, body)
    if body.numbers is not None:
        raise Forbidden("numbers", "only a system token adds numbers to the pool")
    call.in_organisation(body.organizationID, "organizationID")
    call.as_admin()
    try:
        taken = await numbers.take(call.organisation_id, body.name)
    except NoNumberLeft:
        raise Conflict("no-number-left", "numbers", "no number is left in the pool") from None
    return Reply(_number(taken), headers=at(PREFIX + PATH, taken.number))


@routes.on("GET", PATH + "/{number}", 403, 404, tag=TAG, also_system=True)
async def get_number(call: Call, path: NumberPath, numbers: PostgresNumbers) -> Number:
    """One number of the organization; any for a system token. Only admins may do this."""
    if call.principal.is_system:
        return _number(found(await numbers.pool_number(path.e164), "number"))
    call.as_admin()
    return _number(found(await numbers.number(call.organisation_id, path.e164), "number"))


@routes.on("PUT", PATH + "/{number}", 403, 404, 409, tag=TAG)
async def rename_number(call: Call, path: NumberPath, body: NameBody, numbers: PostgresNumbers) -> Number:
    """Name a number of the organization's own. A hotline's is named with the hotline. Only admins may do this."""
    call.as_admin()
    try:
        return _number(found(await numbers.rename(call.organisation_id, path.e164, body.name), "number"))
    except NumberInUse:
        raise _of_a_hotline("its name is the hotline's") from None


@routes.on("DELETE", PATH + "/{number}", 403, 404, 409, tag=TAG, also_system=True)
async def give_number_back(call: Call, path: NumberPath, numbers: PostgresNumbers) -> None:
    """Give a number back to the end of the pool. A hotline's goes with the hotline. Only admins may do this.

    A system token removes a free number from the pool; 409 while it is used.
    """
    try:
        if call.principal.is_system:
            found(await numbers.remove(path.e164) or None, "number")
        else:
            call.as_admin()
            found(await numbers.give_back(call.organisation_id, path.e164) or None, "number")
    except NumberInUse:
        raise _of_a_hotline("it is given back with the hotline or by its organization") from None


async def _add(call: Call, body: TakeBody) -> Reply[Number | AddedNumbers]:
    as_system(call)
    if body.numbers is None:
        raise Invalid("numbers", "is needed: a system token puts numbers into the pool and takes none")
    wanted = [e164(text, "ZZ", f"numbers[{n}]") for n, text in enumerate(body.numbers)]
    added = list(await call.directory.add_numbers(wanted))
    return Reply(AddedNumbers(added=added), headers={"Location": PREFIX + PATH})


def _of_a_hotline(problem: str) -> Conflict:
    return Conflict("number-in-use", "number", problem)


def _number(row: StoredNumber) -> Number:
    use: Literal["alarm", "hotline", "free"] = (
        "hotline" if row.hotline_id is not None else "free" if row.organisation_id is None else "alarm")
    return Number(number=row.number, name=row.name, use=use, organizationID=row.organisation_id,
                  hotlineID=row.hotline_id)
