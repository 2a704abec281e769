"""`/spools`: attempts to reach somebody, and what the steps of a program left. The engine writes both.

A user sees those of his transmissions, `spool_admin` (`result_admin`) everybody's, also when the transmission is gone.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from api.ictcore.frame import Call, found, routes
from engine.store.filters import Wanted
from engine.store.spools import PostgresSpools

TAG = "spools"
ONE = "/spools/{spool_id}"
WHAT = "Spool"
# as the guide's three words
STATUSES: Mapping[str, Literal["initiated", "completed", "failed"]] = {
    "queued": "initiated", "started": "initiated", "connected": "initiated", "completed": "completed",
    "failed": "failed", "invalid": "failed"}
Seconds = Annotated[int | None, Field(description="since 1970; null: it did not come to that")]


class Spool(BaseModel):
    """`response`: why it ended. `amount`: seconds from the answer to the end."""

    spool_id: int
    time_spool: int
    time_start: Seconds
    time_connect: Seconds
    time_end: Seconds
    status: Literal["queued", "started", "connected", "completed", "failed", "invalid"]
    response: str
    transmission_id: int
    call_id: str
    amount: int
    service_flag: int
    provider_id: Annotated[int | None, Field(description="null: by a trunk that is no provider of the organization")]
    node_id: int = 1
    account_id: int | None


class Result(BaseModel):
    spool_result_id: int
    spool_id: int
    application_id: Annotated[int, Field(description="the step of the program, from 1")]
    type: str
    name: str
    data: str
    date_created: int


class SpoolStatusReply(BaseModel):
    status: Literal["initiated", "completed", "failed"]


@routes.on("GET", ONE + "/status", 404, permission="spool_read", tag=TAG)
async def get_spool_status(call: Call, spool_id: int, spools: PostgresSpools) -> SpoolStatusReply:
    """Initiated until it has ended."""
    status = await spools.status(call.organisation_id, spool_id, call.seen_by("spool"))
    return SpoolStatusReply(status=STATUSES[found(status, WHAT)])


@routes.on("GET", ONE + "/result", 404, permission="result_read", tag=TAG, also=(ONE + "/results",))
async def list_spool_results(call: Call, spool_id: int, spools: PostgresSpools) -> list[Result]:
    """What its steps left. Filters: spool_result_id, application_id, type, name; a part of data."""
    found(await spools.status(call.organisation_id, spool_id, call.seen_by("result")), WHAT)
    return told_results(await spools.results(call.organisation_id, spool_id, Wanted(call.query)))


def told_spools(rows: Sequence[Mapping[str, Any]]) -> list[Spool]:
    return [Spool(**row) for row in rows]


def told_results(rows: Sequence[Mapping[str, Any]]) -> list[Result]:
    return [Result(**row) for row in rows]
