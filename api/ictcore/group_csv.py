"""`/groups/{group_id}/csv`: a group's contacts in and out as a file. Its form and rules are in `contact_csv.py`."""

import structlog
from aiohttp import web

from api.ictcore.contact_csv import SAMPLE, contacts, exported
from api.ictcore.csv_body import LARGEST, received
from api.ictcore.frame import Call, found, routes
from api.ictcore.groups import TAG, seen
from engine.ports import StoreFailed
from engine.store.contact_import import PostgresContactImport
from engine.store.ictcore_people import IctcorePeople

log = structlog.get_logger()
CSV = "text/csv"
TYPES = (CSV, "text/plain")


@routes.on("GET", "/groups/sample/csv", permission="group_read", tag=TAG, produces=CSV)
async def get_sample(request: web.Request) -> web.StreamResponse:
    """Two rows as an example."""
    return web.Response(body=exported(SAMPLE), headers=_headers("sample"))


@routes.on("POST", "/groups/{group_id}/csv", 404, 408, 411, 412, 413, 415, permission="contact_create", tag=TAG,
           consumes=TYPES, limit=LARGEST)
async def import_contacts(call: Call, group_id: int, request: web.Request, people: IctcorePeople,
                          imports: PostgresContactImport) -> dict[str, int]:
    """New contacts into a group: all rows of the file, or none and a 412 with line, column and reason of each bad one.

    Columns: phone, first_name, last_name, email, address, custom1, custom2, custom3, description; in this order, or
    named by a header. Separated by commas or semicolons, in UTF-8 or Latin-1.
    """
    call.needs("group_update")
    await seen(call, group_id, people)
    async with received(request) as spool:
        count = await imports.load(call.organisation_id, group_id, call.user_id,
                                   lambda: contacts(spool.file, spool.encoding, call.country))
    return {"group_id": group_id, "imported": found(count, "Group")}


@routes.on("GET", "/groups/{group_id}/csv", 404, permission="group_read", tag=TAG, produces=CSV)
async def export_contacts(call: Call, group_id: int, request: web.Request, people: IctcorePeople,
                          ) -> web.StreamResponse:
    """The contacts of a group, with the filters of `GET /contacts`; without a header."""
    call.needs("contact_list")
    await seen(call, group_id, people)
    pages = people.export(call.organisation_id, group_id, call.wanted("contact"))
    first = await anext(pages)
    answer = web.StreamResponse(headers=_headers(f"group_{group_id}"))
    await answer.prepare(request)
    try:
        await answer.write(exported(first))
        async for page in pages:
            await answer.write(exported(page))
        await answer.write_eof()
    except StoreFailed:
        # it has begun as a success: only a connection that breaks tells that it is not whole
        log.warning("ictcore.export_broken", group_id=group_id)
        if request.transport is not None:
            request.transport.abort()
    return answer


def _headers(name: str) -> dict[str, str]:
    return {"Content-Type": f"{CSV}; charset=utf-8", "Content-Disposition": f'attachment; filename="{name}.csv"'}
