"""`/transmissions`, `/calls`, `/faxes`, `/smses`, `/emails`: who is to be reached by a program, and what became of it.
Section "Transmission - the actual call or action" of the guide, and the reports of "Reports, Stats".

A user sees his own, `transmission_admin` everybody's. Schedules are in `schedules.py`.
"""

from typing import Any

from pydantic import BaseModel

from api.errors import ApiError
from api.ictcore.frame import Call, failed, found, routes
from api.ictcore.program_fields import EMAIL, FAX, SMS, VOICE, known, reference
from api.ictcore.sending import send
from api.ictcore.spools import Result, Spool, told_results, told_spools
from api.ictcore.transmission_fields import (
    Status,
    Stores,
    Transmission,
    TransmissionPost,
    TransmissionPut,
    account_of,
    listed,
    make_transmission,
    told,
)
from engine.store.filters import Wanted
from engine.store.programs import PostgresPrograms
from engine.store.spools import PostgresSpools
from engine.store.transmissions import PostgresTransmissions

TAG = "transmissions"
ONE = "/transmissions/{transmission_id}"
WHAT = "Transmission"
BY_SERVICE = (("/calls", VOICE), ("/faxes", FAX), ("/smses", SMS), ("/emails", EMAIL))


class StatusReply(BaseModel):
    status: Status


@routes.creates("transmission_id", "/transmissions", 403, 404, 412, permission="transmission_create", tag=TAG)
async def create_transmission(
    call: Call, body: TransmissionPost, programs: PostgresPrograms, stores: Stores) -> int:
    """Make a transmission. It waits for `…/send`.

    Without a contact_id a contact is made of phone or email. The account is the caller's own, title, origin and
    service those of the program, unless they are given.
    """
    if body.program_id is None:
        raise failed("program_id", "is required")
    program = await programs.program(call.organisation_id, body.program_id, call.seen_by("program"))
    return await make_transmission(call, body, found(program, "Program"), stores)


@routes.on("GET", "/transmissions", permission="transmission_list", tag=TAG)
async def list_transmissions(call: Call, transmissions: PostgresTransmissions) -> list[Transmission]:
    """Filters: transmission_id, program_id, account_id, contact_id, campaign_id, is_deleted; service_flag by its bits;
    a part of title, origin, direction, status, response, phone, email, username, account_phone, contact_phone, …
    """
    return listed(await transmissions.page(call.organisation_id, call.wanted("transmission")))


@routes.on("GET", ONE, 404, permission="transmission_read", tag=TAG)
async def get_transmission(call: Call, transmission_id: int, transmissions: PostgresTransmissions) -> Transmission:
    return told(await _seen(call, transmission_id, transmissions))


@routes.on("PUT", ONE, 404, 412, 423, permission="transmission_update", tag=TAG)
async def update_transmission(
    call: Call, transmission_id: int, body: TransmissionPut, stores: Stores) -> Transmission:
    """Change what the body names. Whom it reaches, and by which program, not while it is processing or in a campaign.

    Its status is the engine's.
    """
    transmissions = stores.transmissions
    await _seen(call, transmission_id, transmissions)
    columns = body.given()
    await known(call, stores.programs, *(
        reference(call, name, columns[name]) for name in ("contact_id", "program_id") if name in columns))
    if "account_id" in columns:
        columns["account_id"] = await account_of(call, columns["account_id"], stores)
    if not await transmissions.update(call.organisation_id, transmission_id, call.seen_by("transmission"), columns):
        await _seen(call, transmission_id, transmissions)
        raise ApiError(423, "the transmission is processing, or in a campaign: its contact and program stay")
    return told(await _seen(call, transmission_id, transmissions))


@routes.on("DELETE", ONE, 404, permission="transmission_delete", tag=TAG)
async def delete_transmission(call: Call, transmission_id: int, transmissions: PostgresTransmissions) -> None:
    """Remove a transmission and its schedules. A call of it goes on; its spools and results stay."""
    removed = await transmissions.delete(call.organisation_id, transmission_id, call.seen_by("transmission"))
    found(removed or None, WHAT)


# --- sending

@routes.creates("spool_id", ONE + "/send", 404, 412, 423, 501, permission="transmission_send", tag=TAG)
async def send_transmission(call: Call, transmission_id: int, transmissions: PostgresTransmissions) -> int:
    """Call now. 423 while it is processing, and when it is completed or invalid.

    412 for a number that is not called: none, not dialled by this organization, do-not-call, or all calls are placed.
    501 for fax, SMS and e-mail.
    """
    return await send(call, transmission_id, transmissions)


@routes.creates("spool_id", ONE + "/retry", 404, 412, 423, 501, permission="transmission_send", tag=TAG)
async def retry_transmission(call: Call, transmission_id: int, transmissions: PostgresTransmissions) -> int:
    """The same as `…/send`."""
    return await send(call, transmission_id, transmissions)


@routes.on("GET", ONE + "/clone", 404, permission="transmission_create", tag=TAG, creates="transmission_id")
async def clone_transmission(call: Call, transmission_id: int, transmissions: PostgresTransmissions) -> int:
    """Make another one like it, pending and of no campaign."""
    return found(await transmissions.clone(
        call.organisation_id, transmission_id, call.seen_by("transmission"), call.user_id), WHAT)


# --- reports

@routes.on("GET", ONE + "/status", 404, permission="transmission_read", tag=TAG)
async def get_transmission_status(
    call: Call, transmission_id: int, transmissions: PostgresTransmissions) -> StatusReply:
    return StatusReply(status=(await _seen(call, transmission_id, transmissions))["status"])


@routes.on("GET", ONE + "/detail", 404, permission="spool_read", tag=TAG, also=(ONE + "/logs", ONE + "/spools"))
async def list_transmission_spools(
    call: Call, transmission_id: int, transmissions: PostgresTransmissions, spools: PostgresSpools) -> list[Spool]:
    """Its attempts, the first one first."""
    await _seen(call, transmission_id, transmissions)
    return told_spools(await spools.of_transmission(call.organisation_id, transmission_id))


@routes.on("GET", ONE + "/result", 404, permission="result_read", tag=TAG, also=(ONE + "/results",))
async def list_transmission_results(
    call: Call, transmission_id: int, transmissions: PostgresTransmissions, spools: PostgresSpools) -> list[Result]:
    """What the steps of its last attempt left. Filters: spool_result_id, application_id, type, name; a part of data."""
    await _seen(call, transmission_id, transmissions)
    spool_id = await spools.last_of(call.organisation_id, transmission_id)
    if spool_id is None:
        return []
    return told_results(await spools.results(call.organisation_id, spool_id, Wanted(call.query)))


# --- by service

def _of_service(path: str, service_flag: int) -> None:
    async def page(call: Call, transmissions: PostgresTransmissions) -> list[Transmission]:
        wanted = call.wanted("transmission")
        values: dict[str, Any] = {**wanted.values, "service_flag": str(service_flag)}
        return listed(await transmissions.page(call.organisation_id, Wanted(values, wanted.seen_by)))

    page.__name__ = f"list_{path.strip('/')}"
    page.__doc__ = "The transmissions of this service, with the filters of `GET /transmissions`."
    routes.on("GET", path, permission="transmission_list", tag=TAG)(page)


for _path, _flag in BY_SERVICE:
    _of_service(_path, _flag)


async def _seen(call: Call, transmission_id: int, transmissions: PostgresTransmissions) -> Any:
    """Raises NotFound, also for one of somebody else."""
    row = await transmissions.transmission(call.organisation_id, transmission_id, call.seen_by("transmission"))
    return found(row, WHAT)
