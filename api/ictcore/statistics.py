"""`GET /statistics`: how much there is of everything, and how much of it is going on."""

from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import BaseModel

from api.fields import INT64_MAX
from api.ictcore.frame import Call, failed, routes
from engine.store.spools import PostgresSpools

TAG = "statistics"
LATEST = 10**11     # seconds since 1970


class Statistics(BaseModel):
    campaign_total: int
    campaign_active: int
    group_total: int
    contact_total: int
    transmission_total: int
    transmission_active: int
    transmission_inbound: int
    transmission_outbound: int
    spool_total: int
    spool_success: int
    spool_failed: int
    user_total: int
    account_total: int


@routes.on("GET", "/statistics", 412, permission="statistic_read", tag=TAG)
async def get_statistics(call: Call, spools: PostgresSpools) -> Statistics:
    """Of what the caller made; who holds `statistic_admin` sees everybody's.

    Filters: since (or from), seconds since 1970; user_id; service_flag, of transmissions and spools.
    """
    since = _number(call.query, "since", LATEST)
    since = _number(call.query, "from", LATEST) if since is None else since
    wanted_id = _number(call.query, "user_id", INT64_MAX)
    seen_by = call.seen_by("statistic")
    user_id = wanted_id if seen_by is None else seen_by
    if seen_by is not None and wanted_id not in (None, seen_by):
        user_id = 0     # of others he sees nothing
    return Statistics(**await spools.statistics(
        call.organisation_id, user_id, None if since is None else datetime.fromtimestamp(since, UTC),
        _number(call.query, "service_flag", INT64_MAX)))


def _number(query: Mapping[str, str], name: str, largest: int) -> int | None:
    """Raises ApiError 412."""
    text = query.get(name, "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 19 or int(text) > largest:
        raise failed(name, "must be a whole number")
    return int(text)
