"""Schedules of campaigns and transmissions: `/campaigns/{id}/start/schedule`, `…/stop/schedule`, `/transmissions/{id}/
schedule`. Sections "Campaign schedule" and "Transmission Schdule" of the guide. `engine/schedules.py` does them.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from api.ictcore.fields import Flag
from api.ictcore.frame import Call, found, routes
from api.ictcore.schedule_fields import ScheduleBody, new_schedule
from engine.store.campaigns import PostgresCampaigns
from engine.store.schedules import PostgresSchedules

TAG = "schedules"
MADE = "schedule_id"
OF_CAMPAIGN = "/campaigns/{campaign_id}"
OF_TRANSMISSION = "/transmissions/{transmission_id}/schedule"


class Schedule(BaseModel):
    """ICTCore's task. `status`: 0 on hold, 1 pending, 2 processed, 3 expired. `due_at`: null, never again. `problem`:
    why it did nothing when it was due."""

    schedule_id: int
    task_id: int
    type: str
    action: str
    data: int
    status: int
    due_at: int | None
    expiry: int
    last_run: int | None
    weight: int
    is_recurring: Flag
    time_zone: str
    fields: dict[str, str]
    account_id: int | None
    problem: str


@routes.on("POST", OF_CAMPAIGN + "/start/schedule", 404, 412, permission="schedule_create", tag=TAG, creates=MADE)
@routes.on("PUT", OF_CAMPAIGN + "/start/schedule", 404, 412, permission="schedule_create", tag=TAG, creates=MADE)
async def schedule_start(call: Call, campaign_id: int, body: ScheduleBody, campaigns: PostgresCampaigns,
                         schedules: PostgresSchedules) -> int:
    """Start a campaign at a time: `delay` (seconds), `timestamp`, `datetime` or the fields of cron; without any, in a
    minute."""
    call.needs("campaign_start")
    return await _of_campaign(call, campaign_id, "start", body, campaigns, schedules)


@routes.on("POST", OF_CAMPAIGN + "/stop/schedule", 404, 412, permission="schedule_create", tag=TAG, creates=MADE)
@routes.on("PUT", OF_CAMPAIGN + "/stop/schedule", 404, 412, permission="schedule_create", tag=TAG, creates=MADE)
async def schedule_stop(call: Call, campaign_id: int, body: ScheduleBody, campaigns: PostgresCampaigns,
                        schedules: PostgresSchedules) -> int:
    """Stop a campaign at a time."""
    call.needs("campaign_stop")
    return await _of_campaign(call, campaign_id, "stop", body, campaigns, schedules)


@routes.on("POST", OF_CAMPAIGN + "/schedule", 404, permission="schedule_delete", tag=TAG)
@routes.on("DELETE", OF_CAMPAIGN + "/schedule", 404, permission="schedule_delete", tag=TAG)
async def cancel_campaign_schedules(call: Call, campaign_id: int, campaigns: PostgresCampaigns,
                                    schedules: PostgresSchedules) -> None:
    """Cancel all schedules of a campaign."""
    await _campaign_account(call, campaign_id, campaigns)
    await schedules.cancel(call.organisation_id, "campaign", campaign_id)


@routes.on("GET", OF_CAMPAIGN + "/schedule", 404, permission="schedule_list", tag=TAG)
async def list_campaign_schedules(call: Call, campaign_id: int, campaigns: PostgresCampaigns,
                                  schedules: PostgresSchedules) -> list[Schedule]:
    """The schedules of a campaign, those that were done or missed as well. Not in ICTCore's guide."""
    await _campaign_account(call, campaign_id, campaigns)
    return [_schedule(it) for it in await schedules.of(call.organisation_id, "campaign", campaign_id)]


@routes.on("PUT", OF_TRANSMISSION, 404, 412, permission="schedule_create", tag=TAG, creates=MADE)
async def schedule_transmission(call: Call, transmission_id: int, body: ScheduleBody, schedules: PostgresSchedules,
                                ) -> int:
    """Send a transmission at a time."""
    call.needs("transmission_send")
    account_id = await _transmission_account(call, transmission_id, schedules)
    return await _create(call, "transmission", transmission_id, account_id, "send", body, schedules)


@routes.on("DELETE", OF_TRANSMISSION, 404, permission="schedule_delete", tag=TAG)
async def cancel_transmission_schedules(call: Call, transmission_id: int, schedules: PostgresSchedules) -> None:
    """Cancel all schedules of a transmission."""
    await _transmission_account(call, transmission_id, schedules)
    await schedules.cancel(call.organisation_id, "transmission", transmission_id)


@routes.on("GET", OF_TRANSMISSION, 404, permission="schedule_list", tag=TAG)
async def list_transmission_schedules(call: Call, transmission_id: int, schedules: PostgresSchedules,
                                      ) -> list[Schedule]:
    """The schedules of a transmission, those that were missed as well. Not in ICTCore's guide."""
    await _transmission_account(call, transmission_id, schedules)
    return [_schedule(it) for it in await schedules.of(call.organisation_id, "transmission", transmission_id)]


# --- shared

async def _of_campaign(call: Call, campaign_id: int, action: str, body: ScheduleBody, campaigns: PostgresCampaigns,
                       schedules: PostgresSchedules) -> int:
    account_id = await _campaign_account(call, campaign_id, campaigns)
    return await _create(call, "campaign", campaign_id, account_id, action, body, schedules)


async def _create(call: Call, type_: str, row_id: int, account_id: int | None, action: str, body: ScheduleBody,
                  schedules: PostgresSchedules) -> int:
    zone = await schedules.zone_of(call.organisation_id, account_id)
    new = new_schedule(action, body, zone, datetime.now(UTC))
    made = await schedules.create(call.organisation_id, call.user_id, type_, row_id, account_id, new)
    return found(made, type_.capitalize())


async def _campaign_account(call: Call, campaign_id: int, campaigns: PostgresCampaigns) -> int | None:
    seen = await campaigns.campaign(call.organisation_id, campaign_id, call.seen_by("campaign"))
    return found(seen, "Campaign").account_id


async def _transmission_account(call: Call, transmission_id: int, schedules: PostgresSchedules) -> int | None:
    seen = await schedules.account_of_transmission(
        call.organisation_id, transmission_id, call.seen_by("transmission"))
    return found(seen, "Transmission")[0]


def _schedule(row: Mapping[str, Any]) -> Schedule:
    return Schedule(
        schedule_id=row["id"], task_id=row["id"], expiry=row["expiry_s"], due_at=_epoch(row["due_at"]),
        last_run=_epoch(row["last_run"]), **{name: row[name] for name in (
            "type", "action", "data", "status", "weight", "is_recurring", "time_zone", "fields", "account_id",
            "problem")})


def _epoch(at: datetime | None) -> int | None:
    return None if at is None else int(at.timestamp())
