"""`/campaigns`: a program run with everybody of a group. Section "Group Campaign" of the guide; more can be set
below `/ringward/v1/campaigns/{id}`.

The engine dials; here are rows alone. Users see their own, `campaign_admin` everybody's.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from api.errors import ApiError
from api.ictcore.fields import Body, Number, OneLine128
from api.ictcore.frame import Call, failed, found, routes
from engine.store.campaigns import CampaignNotReady, PostgresCampaigns, ProgramNotRun, StoredCampaign
from engine.store.ictcore_accounts import IctcoreAccounts
from engine.store.ictcore_people import IctcorePeople

TAG = "campaigns"
ONE = "/campaigns/{campaign_id}"
MY_DEFAULT = -1


class CampaignBody(Body):
    """`cpm`: calls a minute."""

    program_id: Number | None = None
    group_id: Number | None = None
    cpm: Annotated[int, Field(ge=1, le=60_000)] = 2
    try_allowed: Annotated[int, Field(ge=1, le=100)] = 1
    account_id: Annotated[Number | None, Field(description="the caller's own, if it is left out or -1")] = None
    name: OneLine128 = ""
    source: OneLine128 = ""


class Campaign(BaseModel):
    """`contact_total`: members of the group when it was started; `contact_done`: those whose turn has come. `pid` is
    always 0."""

    campaign_id: int
    name: str
    program_id: int
    program_type: str
    group_id: int
    cpm: int
    try_allowed: int
    account_id: int | None
    source: str
    status: str
    contact_total: int
    contact_done: int
    pid: int
    last_run: int | None
    created_by: int | None


@routes.creates("campaign_id", "/campaigns", 404, 412, permission="campaign_create", tag=TAG)
async def create_campaign(call: Call, body: CampaignBody, campaigns: PostgresCampaigns, people: IctcorePeople,
                          accounts: IctcoreAccounts) -> int:
    """Make a campaign; nobody is called before it is started."""
    for name in ("program_id", "group_id"):
        if getattr(body, name) is None:
            raise failed(name, "is needed")
    columns = await _columns(call, body.model_dump(), campaigns, people, accounts)
    return await campaigns.create(call.organisation_id, call.user_id, columns)


@routes.on("GET", "/campaigns", permission="campaign_list", tag=TAG)
async def list_campaigns(call: Call, campaigns: PostgresCampaigns) -> list[Campaign]:
    """Filters: campaign_id, group_id; program_id by its end, status by a part."""
    return [_campaign(it) for it in await campaigns.page(call.organisation_id, call.wanted("campaign"))]


@routes.on("GET", ONE, 404, permission="campaign_read", tag=TAG)
async def get_campaign(call: Call, campaign_id: int, campaigns: PostgresCampaigns) -> Campaign:
    """One campaign; its counts hold at every moment."""
    return _campaign(await _seen(call, campaign_id, campaigns))


@routes.on("PUT", ONE, 404, 412, 423, permission="campaign_update", tag=TAG)
async def update_campaign(call: Call, campaign_id: int, body: CampaignBody, campaigns: PostgresCampaigns,
                          people: IctcorePeople, accounts: IctcoreAccounts) -> Campaign:
    """Change what the body names, also while it runs; program and group only before it is started."""
    before = await _seen(call, campaign_id, campaigns)
    changes = {name: value for name, value in body.given().items() if getattr(before, name) != value}
    columns = await _columns(call, changes, campaigns, people, accounts)
    async with _told():
        await campaigns.update(call.organisation_id, campaign_id, call.seen_by("campaign"), columns)
    return _campaign(await _seen(call, campaign_id, campaigns))


@routes.on("DELETE", ONE, 404, permission="campaign_delete", tag=TAG)
async def delete_campaign(call: Call, campaign_id: int, campaigns: PostgresCampaigns) -> None:
    """Remove a campaign and its schedules, at any moment: nobody else is called. What was called stays."""
    gone = await campaigns.delete(call.organisation_id, campaign_id, call.seen_by("campaign"))
    found(gone or None, "Campaign")


@routes.on("PUT", ONE + "/start", 404, 423, 501, permission="campaign_start", tag=TAG)
@routes.on("GET", ONE + "/start", 404, 423, 501, permission="campaign_start", tag=TAG)
async def start_campaign(call: Call, campaign_id: int, campaigns: PostgresCampaigns) -> bool:
    """Call who is in the group now, or go on after a stop."""
    async with _told():
        found(await campaigns.start(call.organisation_id, campaign_id, call.seen_by("campaign")) or None, "Campaign")
    return True


@routes.on("PUT", ONE + "/stop", 404, 423, permission="campaign_stop", tag=TAG)
@routes.on("GET", ONE + "/stop", 404, 423, permission="campaign_stop", tag=TAG)
async def stop_campaign(call: Call, campaign_id: int, campaigns: PostgresCampaigns) -> bool:
    """Call nobody else until it is started again."""
    async with _told():
        found(await campaigns.pause(call.organisation_id, campaign_id, call.seen_by("campaign")) or None, "Campaign")
    return True


# --- shared

@asynccontextmanager
async def _told() -> AsyncIterator[None]:
    """What the store refuses, in ICTCore's codes."""
    try:
        yield
    except CampaignNotReady as error:
        raise ApiError(423, f"Campaign not ready: {error}") from None
    except ProgramNotRun as error:
        raise ApiError(501, str(error)) from None


async def _seen(call: Call, campaign_id: int, campaigns: PostgresCampaigns) -> StoredCampaign:
    return found(await campaigns.campaign(call.organisation_id, campaign_id, call.seen_by("campaign")), "Campaign")


async def _columns(call: Call, given: dict[str, Any], campaigns: PostgresCampaigns, people: IctcorePeople,
                   accounts: IctcoreAccounts) -> dict[str, Any]:
    """As they are stored. Raises NotFound for what the caller does not see."""
    organisation_id, columns = call.organisation_id, dict(given)
    if "program_id" in columns:
        found(await campaigns.program_type(organisation_id, columns["program_id"], call.seen_by("program")), "Program")
    if "group_id" in columns:
        found(await people.group(organisation_id, columns["group_id"], call.seen_by("group")), "Group")
    if "account_id" in columns:
        if columns["account_id"] in (None, MY_DEFAULT):
            columns["account_id"] = await accounts.default_of(organisation_id, call.user_id)
        else:
            found(await accounts.account(organisation_id, columns["account_id"], call.seen_by("account")), "Account")
    return columns


def _campaign(row: StoredCampaign) -> Campaign:
    return Campaign(
        contact_done=row.transmissions - row.pending, pid=0, last_run=_epoch(row.last_run),
        **{name: getattr(row, name) for name in (
            "campaign_id", "name", "program_id", "program_type", "group_id", "cpm", "try_allowed", "account_id",
            "source", "status", "contact_total", "created_by")})


def _epoch(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp())
