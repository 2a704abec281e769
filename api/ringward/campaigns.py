"""`/campaigns/{id}`: how a campaign of the ICTCore API calls, by the same ids. Made and removed there (`/ictcore`).

Whoever holds a token of the organisation reads; a user who is no admin, what he made. Only admins change.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any

import phonenumbers
from aiohttp import web

from api.access import Call
from api.errors import Invalid
from api.ictcore.contact_csv import escaped
from api.ictcore.csv_rows import written
from api.ringward import campaign_mapping as mapping
from api.ringward.campaign_schemas import Campaign, CampaignBody, Progress, Window
from api.ringward.csv_download import CSV, download
from api.ringward.directory_fields import found, number_of
from api.ringward.events import EventsQuery, LastEventHeader, Streams, stream, wanted_types
from api.ringward.frame import Base, Conflict, IdPath, Refused, routes
from api.typed_routes import SERVICES
from engine.store.campaigns import CampaignNotReady, ContactResult, PostgresCampaigns, ProgramNotRun, StoredCampaign
from engine.store.dnc import PostgresDnc
from engine.store.events import PostgresEvents
from engine.store.holidays import CountryUnknown, is_holiday
from engine.store.numbers import PostgresNumbers

PATH = "/campaigns/{id}"
TAG = "campaigns"
RESULT_COLUMNS = ("contact_id", "phone", "first_name", "last_name", "status", "tries", "disposition")


@routes.on("GET", PATH, 403, 404, tag=TAG)
async def get_campaign(call: Call, path: IdPath, campaigns: PostgresCampaigns) -> Campaign:
    """One campaign: how it calls, and what it is at this moment."""
    return mapping.campaign(await _seen(call, path.id, campaigns))


@routes.on("PUT", PATH, 403, 404, tag=TAG)
async def update_campaign(call: Call, path: IdPath, body: CampaignBody, campaigns: PostgresCampaigns,
                          dnc: PostgresDnc, numbers: PostgresNumbers) -> Campaign:
    """Change how a campaign calls, as a whole: what is left out gets its default. While it runs, at once: the next call
    is by it. What is called, and how often at most, is set at `/ictcore/campaigns`. Only admins may do this.
    """
    call.as_admin()
    await _seen(call, path.id, campaigns)
    await _check(call, body, dnc)
    columns = mapping.columns(body, await _caller_ids(call, body.callerIDs, numbers), call.principal.country)
    await campaigns.update(call.organisation_id, path.id, None, columns)
    return mapping.campaign(await _seen(call, path.id, campaigns))


@routes.on("POST", PATH + "/start", 403, 404, 409, 422, tag=TAG)
async def start_campaign(call: Call, path: IdPath, campaigns: PostgresCampaigns) -> Campaign:
    """Call everybody who is in the group now; who joins later is not called. One that is paused goes on. Only admins
    may do this.
    """
    return await _acted(call, path.id, campaigns, campaigns.start)


@routes.on("POST", PATH + "/pause", 403, 404, 409, tag=TAG)
async def pause_campaign(call: Call, path: IdPath, campaigns: PostgresCampaigns) -> Campaign:
    """Call nobody else; who is on the line stays. Only admins may do this."""
    return await _acted(call, path.id, campaigns, campaigns.pause)


@routes.on("POST", PATH + "/resume", 403, 404, 409, 422, tag=TAG)
async def resume_campaign(call: Call, path: IdPath, campaigns: PostgresCampaigns) -> Campaign:
    """Go on with one that is paused. Only admins may do this."""
    return await _acted(call, path.id, campaigns, campaigns.resume)


@routes.on("POST", PATH + "/stop", 403, 404, 409, tag=TAG)
async def stop_campaign(call: Call, path: IdPath, campaigns: PostgresCampaigns) -> Campaign:
    """End it for good: nobody else is called, whoever waits for another attempt has failed. Only admins may do this."""
    return await _acted(call, path.id, campaigns, campaigns.finish)


@routes.on("GET", PATH + "/progress", 403, 404, tag=TAG)
async def get_progress(call: Call, path: IdPath, campaigns: PostgresCampaigns) -> Progress:
    """How far it is. Costs the same for a million contacts as for ten: ask every second."""
    await _seen(call, path.id, campaigns)
    figures = found(await campaigns.figures(call.organisation_id, path.id), "campaign")
    return mapping.progress(figures, datetime.now(UTC))


@routes.on("GET", PATH + "/events", 403, 404, 429, tag=TAG, produces="text/event-stream")
async def stream_campaign_events(call: Call, path: IdPath, request: web.Request, query: EventsQuery,
                                 header: LastEventHeader, campaigns: PostgresCampaigns, events: PostgresEvents,
                                 streams: Streams) -> web.StreamResponse:
    """What happens to this campaign, as `GET /events` tells it: its states, and each transmission that is over."""
    await _seen(call, path.id, campaigns)
    wanted = wanted_types(query.types)
    return await stream(call, request, header, lambda it: it.data.get("campaignID") == path.id and wanted(it.type),
                        events, streams)


@routes.on("GET", PATH + "/results.csv", 403, 404, tag=TAG, produces=CSV)
async def get_results(call: Call, path: IdPath, request: web.Request, campaigns: PostgresCampaigns,
                      ) -> web.StreamResponse:
    """Who was called and what came of it: with a header; behind the fixed columns one for each result of the program
    (`dtmf`, and its steps by their names). Only admins may do this.
    """
    call.as_admin()
    await _seen(call, path.id, campaigns)
    names = await campaigns.result_names(call.organisation_id, path.id)
    return await download(request, f"campaign_{path.id}", _csv(
        campaigns.results(call.organisation_id, path.id), names))


# --- shared

async def _seen(call: Call, campaign_id: int, campaigns: PostgresCampaigns) -> StoredCampaign:
    seen_by = None if call.principal.is_admin else call.principal.user_id
    return found(await campaigns.campaign(call.organisation_id, campaign_id, seen_by), "campaign")


async def _acted(call: Call, campaign_id: int, campaigns: PostgresCampaigns, act: Any) -> Campaign:
    call.as_admin()
    async with _told():
        found(await act(call.organisation_id, campaign_id) or None, "campaign")
    return mapping.campaign(await _seen(call, campaign_id, campaigns))


@asynccontextmanager
async def _told() -> AsyncIterator[None]:
    try:
        yield
    except CampaignNotReady as error:
        raise Conflict("campaign-not-ready", "status", str(error)) from None
    except ProgramNotRun as error:
        raise Refused("program-not-run", "programID", str(error)) from None


async def _check(call: Call, body: CampaignBody, dnc: PostgresDnc) -> None:
    """Raises Invalid."""
    if body.window is not None:
        _check_country(body.window, call.principal.country)
    for list_id in await dnc.unknown(call.organisation_id, body.dncListIDs):
        raise Invalid(f"dncListIDs[{body.dncListIDs.index(list_id)}]", "not of this organization")


def _check_country(window: Window, country: str) -> None:
    """Holidays are known of more or fewer countries than there are."""
    if window.country and window.country.partition("-")[0] not in phonenumbers.SUPPORTED_REGIONS:
        raise Invalid("window.country", "not a country code of ISO 3166")
    if window.holidays:
        try:
            is_holiday(window.country or country, date(2026, 1, 1))
        except CountryUnknown as error:
            raise Invalid("window.country", str(error)) from None


async def _caller_ids(call: Call, texts: Sequence[str], numbers: PostgresNumbers) -> Sequence[str]:
    """As E.164. Raises Invalid: not the organisation's."""
    given = [number_of(call, text, f"callerIDs[{n}]") for n, text in enumerate(texts)]
    own = await numbers.own(call.organisation_id, given) if given else frozenset()
    for n, number in enumerate(given):
        if number not in own:
            raise Invalid(f"callerIDs[{n}]", "not a number of this organization")
    return given


async def _csv(pages: AsyncIterator[Sequence[ContactResult]], names: Sequence[str]) -> AsyncIterator[bytes]:
    yield written([[*RESULT_COLUMNS, *map(escaped, names)]])
    async for page in pages:
        yield written(_cells(it, names) for it in page)


def _cells(row: ContactResult, names: Sequence[str]) -> Sequence[str]:
    own = str(row.contact_id), row.phone, escaped(row.first_name), escaped(row.last_name), row.status, str(row.tries)
    return [*own, row.disposition, *(escaped(row.results.get(it, "")) for it in names)]


def install(app: web.Application, base: Base) -> None:
    app[SERVICES].setdefault(PostgresCampaigns, PostgresCampaigns(base.pool, base.deadline_s))
