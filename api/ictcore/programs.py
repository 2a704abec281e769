"""`/programs`: what is run with somebody who is called. The sections of the guide from "Program" to "Voice TTS".

A user sees his own, `program_admin` everybody's. Each type has paths of its own, made here from the table of types.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from pydantic import Field

from api.errors import ApiError
from api.ictcore.fields import Body
from api.ictcore.frame import Call, found, read_as, routes
from api.ictcore.program_fields import (
    LARGEST,
    MODELS,
    ListedProgram,
    Program,
    ProgramChange,
    ProgramPost,
    ProgramTyped,
    checked,
    merged,
    model_of,
    told,
)
from api.ictcore.transmission_fields import Stores, Transmission, TransmissionBody, listed, make_transmission
from engine.store.filters import Wanted
from engine.store.programs import PostgresPrograms, ProgramInUse, StoredProgram
from engine.store.transmissions import PostgresTransmissions

TAG = "programs"
ONE = "/programs/{program_id}"
OF_ONE = ONE + "/transmissions"
WHAT = "Program"


class Both(Body):
    """A program, and a transmission that runs it."""

    program_data: Annotated[dict[str, Any], Field(description="as the body of POST /programs/{type}")]
    transmission_data: Annotated[dict[str, Any], Field(description="as the body of POST /transmissions")]


@routes.on("GET", "/programs", permission="program_list", tag=TAG)
async def list_programs(call: Call, programs: PostgresPrograms) -> list[ListedProgram]:
    """Filters: program_id; name, type (contain it); user_id, before, after."""
    return _rows(await programs.page(call.organisation_id, call.wanted("program")))


@routes.on("POST", "/programs", 404, 412, permission="program_create", tag=TAG, creates="program_id", limit=LARGEST)
async def create_program(call: Call, body: ProgramTyped, programs: PostgresPrograms) -> int:
    """Make a program of the type that the body names."""
    type_ = body.type or ""
    return await _create(call, type_, read_as(model_of(type_), body.given()), programs)


@routes.on("GET", ONE, 404, permission="program_read", tag=TAG)
async def get_program(call: Call, program_id: int, programs: PostgresPrograms) -> Program:
    return told(await seen(call, program_id, programs))


@routes.on("PUT", ONE, 404, 412, permission="program_update", tag=TAG, limit=LARGEST)
async def update_program(call: Call, program_id: int, body: ProgramChange, programs: PostgresPrograms) -> Program:
    """Change what the body names; the type stays. Calls that have begun go on as they are."""
    row = await seen(call, program_id, programs)
    wanted = merged(row, body)
    data = await checked(call, row.type, wanted, programs)
    changed = await programs.update(call.organisation_id, program_id, call.seen_by("program"), wanted.name,
                                    wanted.parent_id, data)
    return told(found(changed, WHAT))


@routes.on("DELETE", ONE, 404, 423, permission="program_delete", tag=TAG)
async def delete_program(call: Call, program_id: int, programs: PostgresPrograms) -> None:
    """Remove a program; refused with 423 while a campaign or a transmission is still to call with it."""
    try:
        found(await programs.delete(call.organisation_id, program_id, call.seen_by("program")) or None, WHAT)
    except ProgramInUse as error:
        raise ApiError(423, f"the program is used by {error} that is not over") from None


# --- transmissions of a program

@routes.on("PUT", OF_ONE, 404, 412, permission="transmission_create", tag=TAG, creates="transmission_id")
async def transmit_program(
    call: Call, program_id: int, body: TransmissionBody, programs: PostgresPrograms, stores: Stores) -> int:
    """Make a transmission of this program. It waits for `POST /transmissions/{transmission_id}/send`."""
    return await make_transmission(call, body, await seen(call, program_id, programs), stores)


@routes.on("GET", OF_ONE, 404, permission="transmission_list", tag=TAG)
async def list_program_transmissions(
    call: Call, program_id: int, programs: PostgresPrograms, transmissions: PostgresTransmissions,
) -> list[Transmission]:
    """The transmissions of a program, with the filters of `GET /transmissions`."""
    await seen(call, program_id, programs)
    wanted = call.wanted("transmission")
    return listed(await transmissions.page(
        call.organisation_id, Wanted({**wanted.values, "program_id": str(program_id)}, wanted.seen_by)))


# --- by type

def _of_type(type_: str, model: type[ProgramPost]) -> None:
    """Its paths: what a guide's section about a type prints, and its list."""
    path = f"/programs/{type_}"

    async def create(call: Call, body: Any, programs: PostgresPrograms) -> int:
        return await _create(call, type_, body, programs)

    async def page(call: Call, programs: PostgresPrograms) -> list[ListedProgram]:
        wanted = call.wanted("program")
        return _rows(await programs.page(
            call.organisation_id, Wanted({**wanted.values, "is_type": type_}, wanted.seen_by)))

    async def create_both(call: Call, body: Both, programs: PostgresPrograms, stores: Stores) -> int:
        call.needs("program_create")
        program, transmission = read_as(model, body.program_data), read_as(TransmissionBody, body.transmission_data)
        async with programs.together():
            made = await seen(call, await _create(call, type_, program, programs), programs)
            return await make_transmission(call, transmission, made, stores)

    create.__annotations__["body"] = model
    on = routes.on
    _named(create, f"create_{type_}", f"Make a program of the type {type_}.")
    _named(page, f"list_{type_}", f"The programs of the type {type_}, with the filters of `GET /programs`.")
    _named(create_both, f"transmit_{type_}", f"Make a program of the type {type_} and a transmission of it.")
    on("POST", path, 404, 412, permission="program_create", tag=TAG, creates="program_id", limit=LARGEST)(create)
    on("GET", path, permission="program_list", tag=TAG)(page)
    on("POST", f"{path}/transmissions", 404, 412, permission="transmission_create", tag=TAG,
       creates="transmission_id", limit=LARGEST)(create_both)


def _named(handler: Callable[..., Awaitable[Any]], name: str, documentation: str) -> None:
    handler.__name__, handler.__doc__ = name, documentation     # the operation's id and text in the OpenAPI document


for _type, _model in MODELS.items():
    _of_type(_type, _model)


# --- shared

async def seen(call: Call, program_id: int, programs: PostgresPrograms) -> StoredProgram:
    """Raises NotFound, also for one of somebody else."""
    return found(await programs.program(call.organisation_id, program_id, call.seen_by("program")), WHAT)


async def _create(call: Call, type_: str, body: ProgramPost, programs: PostgresPrograms) -> int:
    data = await checked(call, type_, body, programs)
    return await programs.create(call.organisation_id, call.user_id, body.name, type_, body.parent_id, data)


def _rows(rows: Any) -> list[ListedProgram]:
    return [ListedProgram(program_id=it.program_id, name=it.name, type=it.type, parent_id=it.parent_id) for it in rows]
