"""Posting an alarm: one transaction in which it is resolved, checked and stored, or nothing is. Called by `alarms.py`.

Order matters: a key that is remembered is answered before anything else is asked, because the directory may have
changed since; the organisation is locked last and shortest, to count its calls.
"""

import asyncio
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from api.errors import Invalid
from api.ringward.alarm_order import Texts, checked
from api.ringward.alarm_people import People, group_ids, needed, people
from api.ringward.alarm_schemas import AlarmBody
from api.ringward.frame import Conflict, Refused
from engine.store.alarm_book import PostgresAlarmBook
from engine.store.alarm_posting import AlarmPosting, Budget, KeyReused, NewNote, PostingOrganisation
from engine.vocabulary.values import AlarmPlan, Wave

MANY = 200      # recipients; more are merged beside the event loop (30 µs a number)


@dataclass(frozen=True, slots=True)
class Posted:
    alarm_id: int
    is_replayed: bool = False


async def post_alarm(
    book: PostgresAlarmBook, organisation_id: int, body: AlarmBody, by: str, key: str | None, path: str) -> Posted:
    """Raises Invalid, Conflict, Refused; nothing is stored then."""
    asked = body.model_dump(mode="json", exclude_unset=True)
    texts = checked(body)
    async with book.posting(organisation_id) as posting:
        if key is not None and (known := await _remembered(posting, key, _digest(path, asked))) is not None:
            return Posted(known, is_replayed=True)
        organisation = await posting.organisation()
        if organisation.number is None:
            raise Refused("no-number", "organizationID", (
                "the organization has no number of its own to show as caller: take one by POST /numbers"))
        await _check_recording(posting, body)
        found = await _people(posting, body, organisation, texts)
        wanted = needed(body, found.recipients)
        budget = await posting.budget()
        _check_budget(budget, found)
        plan = _plan(body, organisation_id, organisation.number, texts, wanted, budget)
        notes = [NewNote("created", message=by), *found.notes]
        alarm_id = await posting.create(plan, _request(asked), found.recipients, notes)
        if key is not None:
            await posting.made(key, alarm_id)
    return Posted(alarm_id)


async def _remembered(posting: AlarmPosting, key: str, digest: bytes) -> int | None:
    try:
        return await posting.remembered(key, digest)
    except KeyReused:
        raise Conflict("idempotency-key-reused", "Idempotency-Key", "was given with another request before") from None


def _digest(path: str, asked: dict[str, Any]) -> bytes:
    said = json.dumps(asked, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"POST {path}\n{said}".encode()).digest()


async def _check_recording(posting: AlarmPosting, body: AlarmBody) -> None:
    recording = body.message.recordingID
    if recording is not None and not await posting.has_recording(recording):
        raise Invalid("message.recordingID", f"there is no such recording: {recording}")


async def _people(
    posting: AlarmPosting, body: AlarmBody, organisation: PostingOrganisation, texts: Texts) -> People:
    directory = await posting.directory(
        {it.userID for it in body.recipients if it.userID is not None},
        {it.contactID for it in body.recipients if it.contactID is not None}, group_ids(body))
    if len(body.recipients) + sum(map(len, directory.groups.values())) > MANY:
        return await asyncio.to_thread(people, body, directory, organisation, texts)
    return people(body, directory, organisation, texts)


def _check_budget(budget: Budget, found: People) -> None:
    """Every person who has a phone is one call at least. Names whoever would be one too many."""
    reachable = [asked for it, asked in zip(found.recipients, found.asked, strict=True) if it.phones]
    for rule, cap, left in budget.left:
        if len(reachable) > left:
            left = max(left, 0)
            time = rule.rpartition("-")[2]
            raise Refused(rule, reachable[left], f"{len(reachable)} calls needed, {left} of {cap} a {time} are left")


def _request(asked: dict[str, Any]) -> dict[str, Any]:
    """What is kept of the body for its readers: not the pin, and not the recipients, who have rows of their own."""
    kept = {name: value for name, value in asked.items() if name not in ("organizationID", "recipients")}
    if "acknowledge" in kept:
        kept["acknowledge"] = {name: value for name, value in kept["acknowledge"].items() if name != "pin"}
    return kept


def _plan(body: AlarmBody, organisation_id: int, caller_id: str, texts: Texts, wanted: int,
          budget: Budget) -> AlarmPlan:
    acknowledge = body.acknowledge
    return AlarmPlan(
        alarm_id=0, organisation_id=organisation_id, caller_id=caller_id.removeprefix("+"), created_at=budget.now,
        message=texts.message, recording_id=body.message.recordingID, closing=texts.closing, needed=wanted,
        by_role=tuple(acknowledge.byRole.items()), key=acknowledge.key, decline_key=acknowledge.declineKey or "",
        pin=acknowledge.pin or "", strategy=body.strategy.type,
        waves=tuple(Wave(wave.afterS, tuple(wave.groupIDs)) for wave in body.strategy.waves),
        rounds=body.retry.rounds, pause_s=body.retry.pauseS, retry_on=tuple(dict.fromkeys(body.retry.on)),
        ring_timeout_s=body.ringTimeoutS, expires_s=body.expiresS, amd=body.amd)
