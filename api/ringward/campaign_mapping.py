"""Campaigns between their rows and what `/campaigns/{id}` says. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from api.ringward.campaign_schemas import (
    Campaign,
    CampaignBody,
    Progress,
    Retry,
    ToldRetry,
    ToldWindow,
    Transmissions,
    Window,
)
from engine.store.campaigns import LIVE, Figures, StoredCampaign
from engine.vocabulary.program import CallDisposition

LAST_S = 10.0           # of which attempts are counted for the calls a second
LONGEST_S = 3650 * 86400
DISPOSITIONS = tuple(it for it in CallDisposition if it is not CallDisposition.WITHDRAWN)


def columns(body: CampaignBody, caller_ids: Sequence[str], country: str) -> dict[str, Any]:
    """What a PUT writes."""
    return {
        "cpm": body.cpm, "calls_per_second": body.callsPerSecond, "channels": body.channels,
        "call_window": None if body.window is None else _window(body.window, country),
        "retry": body.retry.model_dump(), "dnc_list_ids": list(dict.fromkeys(body.dncListIDs)),
        "opt_out_key": body.optOutKey, "caller_ids": list(dict.fromkeys(caller_ids))}


def _window(window: Window, country: str) -> dict[str, Any]:
    return window.model_dump(by_alias=True) | {"country": window.country or country}


def campaign(row: StoredCampaign) -> Campaign:
    window = row.window
    return Campaign(
        id=row.campaign_id, name=row.name, cpm=row.cpm, callsPerSecond=row.calls_per_second, channels=row.channels,
        window=None if window is None else ToldWindow.model_validate(window),
        retry=ToldRetry(**{**Retry().model_dump(), **row.retry}), dncListIDs=list(row.dnc_list_ids),
        optOutKey=row.opt_out_key, callerIDs=list(row.caller_ids), status=row.status,
        problem=row.problem, programID=row.program_id, programType=row.program_type, groupID=row.group_id,
        tryAllowed=row.try_allowed, contactTotal=row.contact_total, transmissions=row.transmissions,
        createdAt=row.created_at, startedAt=row.started_at, finishedAt=row.finished_at)


def progress(row: Figures, now: datetime) -> Progress:
    counted = {name: row.figures.get(f"transmission {name}", 0) for name in (
        "completed", "failed", "invalid", "removed")}
    retry = max(row.transmissions - row.pending - row.processing - sum(counted.values()), 0)
    counted.pop("removed")
    dispositions = {it.value: row.figures.get(it.value, 0) for it in DISPOSITIONS}
    ended = sum(dispositions.values())
    return Progress(
        state=row.status, contacts=row.contact_total,
        transmissions=Transmissions(
            made=row.transmissions, pending=row.pending, retry=retry, processing=row.processing, **counted),
        dispositions=dispositions, postponed=row.postponed, live=row.live, callsPerSecond=row.started / LAST_S,
        answerRate=round(dispositions["answered"] / ended, 4) if ended else None,
        estimatedEnd=_end(row, retry, now))


def _end(row: Figures, retry: int, now: datetime) -> datetime | None:
    """By the rate of now; before the first calls by the one that is wanted."""
    if row.status not in LIVE:
        return None
    unlisted = max(row.contact_total - row.transmissions - row.postponed, 0) if row.has_more else 0
    rate = row.started / LAST_S or min(row.cpm / 60, row.calls_per_second or row.cpm / 60)
    left = unlisted + row.postponed + row.pending + retry
    return now + timedelta(seconds=min(left / rate, LONGEST_S))
