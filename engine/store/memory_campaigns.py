"""The memory twin of `campaign_claims.py`, for unit and crash tests: it hands out the calls of a `CampaignBook`.

Several engines may share one book, as they share one Postgres. Time is the shelf's.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from engine.campaign_ports import Attempt, Claim, OpensAt
from engine.ports import Recorded
from engine.store.campaign_attempts import DESTINATION, FIELDS
from engine.store.campaign_claims import LEFT, LOOK_AGAIN, SLEEPS, ahead, paced
from engine.store.dialable import refusal
from engine.store.memory_campaign_book import RUNNING, Campaign, CampaignBook, Contact, Spool, Transmission
from engine.store.time_zones import zone, zones_of
from engine.vocabulary.program import CallDisposition, RetryRules, SpoolStatus, TransmissionStatus

NEVER_OPEN = "never within the calling window"


class MemoryCampaigns:
    """campaign_ports.CampaignStore on a CampaignBook: one engine's."""

    def __init__(self, book: CampaignBook, switch: str = "asterisk", wake_s: float = 0.05) -> None:
        self._all = book
        self._switch = switch
        self._wake_s = wake_s

    async def claim(self, limit: int, opens_at: OpensAt) -> Claim:
        book = self._book
        book.put_back()
        spools = self._sent(limit)
        spools += self._due_again(limit - len(spools))
        dues = [one.due_at for one in book.due(None)]
        running = [one for one in book.campaigns.values() if one.status in RUNNING]
        for place, campaign in enumerate(running):
            share = math.ceil((limit - len(spools)) / (len(running) - place))
            made, wakes_at = _Turn(book, self._switch, campaign, opens_at).hand_out(share)
            spools += made
            dues.append(wakes_at and min(wakes_at, book.now() + SLEEPS))
        attempts = [attempt for one in spools if (attempt := self._attempt(one)) is not None]
        soonest = min((due for due in dues if due is not None), default=None)
        return Claim(attempts, None if soonest is None else max(0.0, (soonest - book.now()).total_seconds()))

    async def inbound(self, did: str, caller: str) -> Attempt | None:
        book = self._book
        if did not in book.forwards:
            return None
        who = Contact(0, f"+{caller}" if caller else None)
        spool = book.send(who, "forward", {"to": book.forwards[did]})
        spool.claimed_by, spool.status, spool.started_at = self._switch, SpoolStatus.STARTED, book.now()
        spool.counted_s = book.shelf.clock.monotonic()
        return self._attempt(spool)

    async def free_lost(self, in_hand: Collection[str]) -> int:
        book, switches = self._book, {self._switch, *self._all.gone}
        lost = [one for one in book.spools.values()
                if one.claimed_by in switches and one.ended_at is None and one.status is SpoolStatus.QUEUED
                and one.call_id not in in_hand and one.call_id not in book.shelf.calls]
        for one in lost:
            if one.transmission.campaign_id is None:
                one.claimed_by = None
                continue
            book.end(one, SpoolStatus.INVALID, CallDisposition.WITHDRAWN, "never dialled: its engine ended")
            if one.transmission.status is TransmissionStatus.PROCESSING:
                one.transmission.status, one.transmission.due_at = TransmissionStatus.PENDING, book.now()
                one.transmission.try_done -= 1
        return len(lost)

    def refused(self, number: str, countries: frozenset[str]) -> str:
        found = refusal(f"+{number}", countries)
        return "" if found is None else found.why

    async def give_up(self, attempt: Attempt, why: str, is_final: bool = False) -> None:
        book = self._book
        spool = book.spools[attempt.spool_id]
        if spool.ended_at is not None:
            return
        book.end(spool, SpoolStatus.FAILED, CallDisposition.FAILED, why)
        book.count(attempt.campaign_id, CallDisposition.FAILED)
        one = spool.transmission
        if one.status is not TransmissionStatus.PROCESSING:
            return
        one.response = why
        if attempt.tries_left > 0 and not is_final:
            one.status = TransmissionStatus.PENDING_RETRY
            one.due_at = book.now() + timedelta(seconds=attempt.retry.failed_s)
        else:
            one.status = TransmissionStatus.FAILED
            book.count(attempt.campaign_id, "transmission failed")

    async def halted(self, campaign_ids: Collection[int]) -> Collection[int]:
        campaigns = self._book.campaigns
        return {one for one in campaign_ids if one not in campaigns or campaigns[one].status not in RUNNING}

    async def coming(self, limit: int) -> Sequence[Attempt]:
        book = self._book
        return [
            _attempt(book, _coming(one, contact))
            for one in book.campaigns.values() if one.status in RUNNING and "{" in str(one.program.get("text", ""))
            for contact in [it for it in one.members[one.cursor:one.limit] if it.number is not None][:limit]]

    async def recording(self, organisation_id: int, recording_id: int) -> bytes | None:
        return self._book.recordings.get((organisation_id, recording_id))

    async def keep_recording(self, recorded: Recorded, wav: bytes, duration_ms: int) -> None:
        self._book.keep(recorded, wav)

    async def dialled_within(self, within: timedelta) -> Sequence[float]:
        now_s = self._book.shelf.clock.monotonic()
        ages_s = [now_s - one.counted_s for one in self._book.spools.values()
                  if one.claimed_by == self._switch and one.counted_s is not None]
        return [age_s for age_s in ages_s if age_s <= within.total_seconds()]

    async def changes(self) -> AsyncGenerator[None, None]:
        while True:
            self._all.changed.clear()
            yield None
            try:
                async with asyncio.timeout(self._wake_s):
                    await self._all.changed.wait()
            except TimeoutError:
                pass

    # --- single transmissions ----------------------------------------------------------------------------------------

    def _sent(self, limit: int) -> list[Spool]:
        free = [one for one in self._all.spools.values()
                if one.transmission.campaign_id is None and one.status is SpoolStatus.QUEUED and one.ended_at is None
                and one.claimed_by is None][:limit]
        for one in free:
            one.claimed_by = self._switch
        return free

    def _due_again(self, limit: int) -> list[Spool]:
        book = self._all
        due = [one for one in book.due(None) if one.due_at is not None and one.due_at <= book.now()][:limit]
        return [_attempted(book, one, self._switch) for one in due]

    def _attempt(self, spool: Spool) -> Attempt | None:
        """None: nobody can be called by it, whatever is tried."""
        book, one = self._all, spool.transmission
        why = _unfit(book, one)
        if why is None:
            return _attempt(book, spool)
        book.end(spool, SpoolStatus.FAILED, CallDisposition.FAILED, why)
        one.status, one.response = TransmissionStatus.FAILED, why
        book.count(one.campaign_id, CallDisposition.FAILED)
        book.count(one.campaign_id, "transmission failed")
        return None

    @property
    def _book(self) -> CampaignBook:
        """With everything that was written. Raises StoreFailed."""
        self._all.shelf.reach()
        self._all.catch_up()
        return self._all


class _Turn:
    """One campaign's turn in a claim."""

    def __init__(self, book: CampaignBook, switch: str, campaign: Campaign, opens_at: OpensAt) -> None:
        self._book = book
        self._switch = switch
        self._campaign = campaign
        self._opens_at = opens_at
        self._now = book.now()
        self._wanted = 0
        self._made: list[Spool] = []

    def hand_out(self, share: int) -> tuple[list[Spool], datetime | None]:
        """The calls that are to be made now, and when to look at it again."""
        campaign, now = self._campaign, self._now
        if not campaign.program_type:
            campaign.status, campaign.problem = "broken", "its program was deleted"
            return [], None
        if not campaign.has_group:
            campaign.status, campaign.problem = "broken", "its group was deleted"
            return [], None
        interval = _interval(campaign)
        early = ahead(campaign.calls_per_second)
        paced_at = paced(campaign.paced_at, now, interval, early)
        in_time = math.floor((now + early - paced_at) / interval) + 1 if paced_at <= now + early else 0
        live = len(self._book.live(campaign))
        free = in_time if campaign.channels is None else min(in_time, campaign.channels - live)
        self._wanted = max(0, min(free, self._allowed(), share))
        if self._wanted:
            self._choose()
        campaign.paced_at = paced_at + interval * len(self._made)
        if self._made:
            campaign.status = "running"
        if self._wanted and len(self._made) == self._wanted:
            return self._made, max(campaign.paced_at - early / 2, now)
        if not self._wanted:
            return self._made, campaign.paced_at - early / 2 if in_time <= 0 else now + LOOK_AGAIN
        wakes_at = self._next_moment()
        if wakes_at is None:
            campaign.status = "completed"
        return self._made, wakes_at

    def _allowed(self) -> int:
        """By what the organisation may dial a minute: what is claimed counts as dialled."""
        since_s = self._book.shelf.clock.monotonic() - 60
        dialled = [one for one in self._book.spools.values() if (
            one.counted_s > since_s if one.counted_s is not None else one.claimed_by and one.ended_at is None)]
        return self._book.calls_per_minute - len(dialled)

    def _choose(self) -> None:
        """Who waits for another attempt first, then whose window has opened, then the list."""
        book, campaign = self._book, self._campaign
        for one in book.due(campaign.campaign_id):
            if self._is_full or one.due_at is None or one.due_at > self._now:
                break
            self._call_again(one)
        for place in self._opened():
            if self._is_full:
                return
            del campaign.postponed[place]
            self._call(place)
        while not self._is_full and campaign.cursor < campaign.limit:
            campaign.cursor += 1
            self._call(campaign.cursor - 1)

    def _opened(self) -> Iterator[int]:
        return iter([place for place, due_at in sorted(self._campaign.postponed.items(), key=lambda it: it[1])
                     if due_at <= self._now])

    @property
    def _is_full(self) -> bool:
        return len(self._made) == self._wanted

    def _call_again(self, one: Transmission) -> None:
        why, due_at = self._judged(one.contact)
        if why:
            one.status, one.response, one.due_at = TransmissionStatus.INVALID, why, None
            self._book.count(one.campaign_id, "transmission invalid")
        elif due_at is not None:
            one.due_at = due_at
        else:
            self._made.append(_attempted(self._book, one, self._switch))

    def _call(self, place: int) -> None:
        campaign, book = self._campaign, self._book
        contact = campaign.members[place]
        why, due_at = self._judged(contact)
        if why == LEFT or any(one.contact is contact for one in book.of(campaign)):
            return
        if due_at is not None:
            campaign.postponed[place] = due_at
            return
        made = Transmission(len(book.transmissions) + 1, campaign.campaign_id, contact, campaign.program_type,
                            campaign.program, campaign.try_allowed)
        book.transmissions[made.transmission_id] = made
        campaign.status = "running"
        if why:
            made.status, made.response = TransmissionStatus.INVALID, why
            book.count(campaign.campaign_id, "transmission invalid")
        else:
            self._made.append(_attempted(book, made, self._switch))

    def _judged(self, contact: Contact) -> tuple[str, datetime | None]:
        """Why he is never called, '' when he may be; and when, None: now."""
        campaign = self._campaign
        if contact.has_left:
            return LEFT, None
        if contact.number is None:
            return "no phone number", None
        if contact.number in campaign.refused | self._book.opted_out:
            return "do not call", None
        if (found := refusal(contact.number, self._book.countries)) is not None:
            return found.why[:80], None
        due_at = self._opens_at(campaign.hours, _zones(contact), lambda day: day in campaign.holidays, self._now)
        if due_at is None:
            return NEVER_OPEN, None
        return "", due_at if due_at > self._now else None

    def _next_moment(self) -> datetime | None:
        """None: everybody was dealt with."""
        again = [one.due_at for one in self._book.due(self._campaign.campaign_id) if one.due_at is not None]
        live = [self._now + LOOK_AGAIN] if self._book.live(self._campaign) else []
        return min((*again, *self._campaign.postponed.values(), *live), default=None)


def _attempted(book: CampaignBook, one: Transmission, switch: str) -> Spool:
    """Its next attempt begins."""
    one.status, one.due_at, one.last_run = TransmissionStatus.PROCESSING, None, book.now()
    one.try_done += 1
    return book.spool(one, switch)


def _coming(campaign: Campaign, contact: Contact) -> Spool:
    later = Transmission(0, campaign.campaign_id, contact, campaign.program_type, campaign.program, 0)
    return Spool(0, later, call_id="")


def _interval(campaign: Campaign) -> timedelta:
    fastest_s = 0.0 if campaign.calls_per_second is None else 1.0 / campaign.calls_per_second
    return timedelta(seconds=max(60.0 / campaign.cpm, fastest_s))


def _zones(contact: Contact) -> Sequence[ZoneInfo]:
    own = zone(contact.time_zone) if contact.time_zone else None
    return (own,) if own is not None else zones_of(contact.number or "") or (ZoneInfo("UTC"),)


def _unfit(book: CampaignBook, one: Transmission) -> str | None:
    campaign = book.campaigns.get(one.campaign_id or 0)
    if one.contact.number is None:
        return "no phone number"
    if not book.numbers and not (campaign and campaign.caller_ids):
        return "the organization has no number to show"
    found = refusal(one.contact.number, book.countries)
    return None if found is None else found.why[:80]


def _attempt(book: CampaignBook, spool: Spool) -> Attempt:
    one, campaign = spool.transmission, book.campaigns.get(spool.transmission.campaign_id or 0)
    contact = one.contact
    shown = (campaign.caller_ids if campaign else ()) or book.numbers[:1] or ["+"]
    number = contact.number or "+"
    named = {"number": number, "title": "", DESTINATION: number}
    fields = {name: contact.fields.get(name, "") for name in FIELDS} | named
    return Attempt(
        spool.call_id, spool.spool_id, one.transmission_id, one.campaign_id, book.organisation_id, one.program_type,
        one.program, number[1:], shown[one.transmission_id % len(shown)][1:], contact.language, fields,
        one.try_allowed - one.try_done, campaign.retry if campaign else RetryRules(),
        campaign.opt_out_key if campaign else "", countries=book.countries,
        calls_per_second=campaign.calls_per_second if campaign else None, hotlines=frozenset(book.hotlines))
