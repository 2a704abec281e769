"""Campaigns in memory: a test makes them in a `CampaignBook`, `memory_campaigns.py` hands out their calls.

The book is about the same `Shelf` as the twin of the live calls. What flows have written there is read in the order in
which it was saved, and changes transmissions and spools exactly as save_program_rows does (migration 0015): a
transmission only while an attempt of it lives, a spool until it has ended.
"""

import asyncio
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from engine.ports import Recorded
from engine.store.memory_calls import Shelf
from engine.vocabulary.commands import RowCommand, WriteOptOut, WriteResult, WriteSpool, WriteTransmission
from engine.vocabulary.program import CallDisposition, CallingHours, RetryRules, SpoolStatus, TransmissionStatus

WAITING = (TransmissionStatus.PENDING, TransmissionStatus.PENDING_RETRY)
FINAL = (TransmissionStatus.COMPLETED, TransmissionStatus.FAILED, TransmissionStatus.INVALID)
RUNNING = ("ready", "running")
SPEAKS = {"text": "Guten Tag {first_name}"}


@dataclass(slots=True)
class Contact:
    """`number`: E.164 with a plus, None: there is none. `time_zone` '': the number's."""

    contact_id: int
    number: str | None
    time_zone: str = ""
    language: str = "de"
    fields: Mapping[str, str] = field(default_factory=dict)
    has_left: bool = False  # the group that is called


@dataclass(slots=True)
class Transmission:
    transmission_id: int
    campaign_id: int | None
    contact: Contact
    program_type: str
    program: Mapping[str, Any]
    try_allowed: int
    status: TransmissionStatus = TransmissionStatus.PENDING
    response: str = ""
    try_done: int = 0
    last_run: datetime | None = None
    due_at: datetime | None = None


@dataclass(slots=True)
class Spool:
    spool_id: int
    transmission: Transmission
    claimed_by: str | None = None   # a switch
    call_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: SpoolStatus = SpoolStatus.QUEUED
    started_at: datetime | None = None
    counted_s: float | None = None  # when it was dialled, by the clock that caps go by
    ended_at: datetime | None = None
    disposition: CallDisposition | None = None
    response: str = ""


@dataclass(slots=True)
class Campaign:
    """`members` in the order in which they joined; those up to `limit` were there when it was started."""

    campaign_id: int
    members: list[Contact]
    program_type: str = "voicetts"  # '': it was deleted
    program: Mapping[str, Any] = field(default_factory=lambda: SPEAKS)
    has_group: bool = True
    cpm: int = 6000
    try_allowed: int = 1
    calls_per_second: float | None = None
    channels: int | None = None
    hours: CallingHours | None = None
    holidays: frozenset[date] = frozenset()
    retry: RetryRules = field(default_factory=RetryRules)
    opt_out_key: str = ""
    caller_ids: Sequence[str] = ()
    refused: set[str] = field(default_factory=set)  # on its do-not-call lists
    status: str = "new"
    problem: str = ""
    limit: int = 0
    cursor: int = 0     # members that were dealt with or put off
    paced_at: datetime | None = None
    postponed: dict[int, datetime] = field(default_factory=dict)    # by the member's place: when his window opens


@dataclass(slots=True)
class CampaignBook:
    """One organisation's. `numbers`: its own, with a plus. `gone`: switches whose engines have not beaten for long."""

    shelf: Shelf
    organisation_id: int = 1
    numbers: list[str] = field(default_factory=lambda: ["+4930100"])
    countries: frozenset[str] = frozenset({"DE"})
    hotlines: set[str] = field(default_factory=set)     # digits
    calls_per_minute: int = 2000
    campaigns: dict[int, Campaign] = field(default_factory=dict)
    transmissions: dict[int, Transmission] = field(default_factory=dict)
    spools: dict[int, Spool] = field(default_factory=dict)
    opted_out: set[str] = field(default_factory=set)    # with a plus
    results: list[WriteResult] = field(default_factory=list)
    figures: Counter[tuple[int, str]] = field(default_factory=Counter)
    recordings: dict[tuple[int, int], bytes] = field(default_factory=dict)
    kept: dict[tuple[int, int], bytes] = field(default_factory=dict)
    forwards: dict[str, str] = field(default_factory=dict)  # digits: a number of a program `forward` → its extension
    gone: set[str] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _read: int = 0      # rows of the shelf

    # --- what people do ----------------------------------------------------------------------------------------------

    def start(self, campaign: Campaign) -> None:
        campaign.status, campaign.limit = "ready", len(campaign.members)
        self.campaigns[campaign.campaign_id] = campaign
        self.changed.set()

    def send(self, contact: Contact, program_type: str, program: Mapping[str, Any], try_allowed: int = 1) -> Spool:
        """A single transmission whose first attempt is ordered at once."""
        made = Transmission(len(self.transmissions) + 1, None, contact, program_type, program, try_allowed,
                            TransmissionStatus.PROCESSING, try_done=1, last_run=self.now())
        self.transmissions[made.transmission_id] = made
        self.changed.set()
        return self.spool(made, None)

    def spool(self, transmission: Transmission, switch: str | None) -> Spool:
        made = Spool(len(self.spools) + 1, transmission, switch)
        self.spools[made.spool_id] = made
        return made

    def end(self, spool: Spool, status: SpoolStatus, how: CallDisposition, why: str) -> None:
        """Without a word of its flow."""
        spool.status, spool.disposition, spool.response, spool.ended_at = status, how, why, self.now()

    # --- what is known -----------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        return self.shelf.clock.now()

    def of(self, campaign: Campaign) -> Iterator[Transmission]:
        return (one for one in self.transmissions.values() if one.campaign_id == campaign.campaign_id)

    def live(self, campaign: Campaign) -> list[Spool]:
        return [one for one in self.spools.values()
                if one.transmission.campaign_id == campaign.campaign_id and one.ended_at is None]

    def due(self, campaign_id: int | None) -> list[Transmission]:
        """Those that wait for an attempt, soonest first."""
        waiting = [one for one in self.transmissions.values()
                   if one.campaign_id == campaign_id and one.status in WAITING and one.due_at is not None]
        return sorted(waiting, key=lambda one: one.due_at or self.now())

    def put_back(self) -> None:
        """Who was called in the future waits anew: the clock was put back since."""
        for one in self.transmissions.values():
            if one.status in WAITING and one.due_at and one.last_run and one.last_run > self.now():
                one.due_at, one.last_run = self.now() + (one.due_at - one.last_run), self.now()

    def count(self, campaign_id: int | None, figure: str) -> None:
        if campaign_id is not None:
            self.figures[campaign_id, figure] += 1

    def catch_up(self) -> None:
        """What flows have written since this was asked last."""
        rows = self.shelf.rows
        while self._read < len(rows):
            self._take(rows[self._read][1], self.shelf.saved_at[self._read], self.shelf.saved_s[self._read])
            self._read += 1

    def _take(self, row: RowCommand, saved_at: datetime, saved_s: float) -> None:
        match row:
            case WriteSpool():
                self._spool_said(row, saved_s)
            case WriteTransmission():
                self._transmission_said(row, saved_at)
            case WriteResult():
                self.results.append(row)
            case WriteOptOut(number=number):
                self.opted_out.add(f"+{number}")

    def _spool_said(self, row: WriteSpool, saved_s: float) -> None:
        spool = self.spools.get(row.spool_id)
        if spool is None or spool.ended_at is not None:
            return
        spool.status, spool.ended_at, spool.disposition = row.status, row.ended_at, row.disposition
        spool.started_at = spool.started_at or row.started_at
        if spool.counted_s is None and row.started_at is not None:
            spool.counted_s = saved_s
        spool.response = row.response or spool.response
        if row.disposition not in (None, CallDisposition.WITHDRAWN):
            self.count(spool.transmission.campaign_id, str(row.disposition))

    def _transmission_said(self, row: WriteTransmission, saved_at: datetime) -> None:
        one = self.transmissions.get(row.transmission_id)
        if one is None or one.status is not TransmissionStatus.PROCESSING:
            return
        one.status, one.response = row.status, row.response
        one.due_at = None if row.again_s is None else saved_at + timedelta(seconds=row.again_s)
        one.try_done -= row.is_withdrawn
        if row.status in FINAL:
            self.count(one.campaign_id, f"transmission {row.status}")

    def keep(self, recorded: Recorded, wav: bytes) -> None:
        key = recorded.spool_id, recorded.application_id
        if recorded.spool_id in self.spools and key not in self.kept:
            self.kept[key] = wav
            said = str(len(self.kept))
            self.results.append(
                WriteResult(self.now(), recorded.spool_id, recorded.application_id, "message", "recording", said))
