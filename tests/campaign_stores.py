"""Campaigns as they are made, claimed, saved and read, in memory and in Postgres, for tests that must hold on both."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Protocol

import asyncpg

from engine.campaign_ports import Attempt, CampaignStore, OpensAt
from engine.ports import Batch, CallStore, SavedCall
from engine.store.calls import PostgresCalls
from engine.store.campaign_claims import PostgresCampaignClaims
from engine.store.memory_calls import MemoryCalls, Shelf
from engine.store.memory_campaign_book import RUNNING, Campaign, CampaignBook, Contact
from engine.store.memory_campaigns import MemoryCampaigns
from engine.store.pool import create_pool
from engine.switch.memory import MemorySwitch
from engine.vocabulary.commands import RowCommand, WriteSpool, WriteTransmission
from engine.vocabulary.program import CallDisposition, CallingHours, SpoolStatus, TransmissionStatus
from tests.clocks import SwitchClock

SWITCH, OTHER = "asterisk", "another"
OWN_NUMBER = "4930100"
TEXT = {"text": "Guten Tag {first_name}"}


def always(hours: CallingHours | None, zones: Sequence[tzinfo], holidays: Any, now: datetime) -> datetime | None:
    return now


class Doors:
    """An `OpensAt` that a test opens and closes. None: it never opens again."""

    def __init__(self) -> None:
        self.opens_in_s: float | None = 0.0
        self.asked: list[tuple[CallingHours | None, Sequence[tzinfo]]] = []

    def __call__(
        self, hours: CallingHours | None, zones: Sequence[tzinfo], holidays: Any, now: datetime
    ) -> datetime | None:
        self.asked.append((hours, zones))
        holidays(date(2026, 1, 1))
        return None if self.opens_in_s is None else now + timedelta(seconds=self.opens_in_s)


class CampaignWorld(Protocol):
    """Stores that several engines use, and what people do to them. Numbers are digits."""

    def campaigns(self, switch: str = SWITCH) -> CampaignStore: ...
    async def calls(self, switch: str = SWITCH) -> CallStore:
        """Those of an engine that owns its switch from now on."""
    async def start(self, *numbers: str | None, names: Sequence[str] = (), **facts: Any) -> int:
        """A running campaign to these numbers."""
    async def send(self, number: str, try_allowed: int = 1) -> int:
        """A single transmission, ordered to be tried at once; the spool's id."""
    async def joins(self, campaign_id: int, number: str) -> None: ...
    async def leaves(self, campaign_id: int, number: str) -> None: ...
    async def refuses(self, campaign_id: int, number: str) -> None:
        """The number is put onto a do-not-call list of the campaign."""
    async def opts_out(self, number: str) -> None: ...
    async def becomes(self, campaign_id: int, status: str) -> None:
        """An API pauses, stops or goes on."""
    async def loses_program(self, campaign_id: int) -> None: ...
    async def loses_group(self, campaign_id: int) -> None:
        """As a former release deleted it."""
    async def loses_numbers(self) -> None: ...
    async def allows(self, calls_a_minute: int) -> None: ...
    async def dies(self, switch: str, ago_s: float = 60) -> None:
        """The engine of this switch has not been heard of for long. Less than none: the clock was put back since."""
    async def age(self, seconds: float) -> None:
        """Time passes."""
    async def jumps(self, by_s: float) -> None:
        """The wall clock of the store is put forward, or back; nothing else."""
    def now(self) -> datetime: ...
    async def status(self, campaign_id: int) -> str: ...
    async def problem(self, campaign_id: int) -> str: ...
    async def transmissions(self, campaign_id: int | None = None) -> Mapping[str | None, tuple[str, int]]:
        """By number: status, and how often it was tried."""
    async def spools(self) -> Sequence[tuple[str, str | None]]:
        """Status and disposition, oldest first."""
    async def figures(self, campaign_id: int) -> Mapping[str, int]: ...
    async def kept(self) -> Sequence[bytes]: ...
    async def upload(self, wav: bytes) -> int: ...


class MemoryCampaignWorld:
    def __init__(self) -> None:
        self.switch = MemorySwitch()
        self.clock = SwitchClock(self.switch)
        self.book = CampaignBook(Shelf(self.clock))
        self._contacts = 0

    def campaigns(self, switch: str = SWITCH) -> CampaignStore:
        return MemoryCampaigns(self.book, switch, wake_s=0.05)

    async def calls(self, switch: str = SWITCH) -> CallStore:
        made = MemoryCalls(self.book.shelf)
        self.book.shelf.owner_is_dead = True
        assert await made.take_over(10)
        return made

    async def start(self, *numbers: str | None, names: Sequence[str] = (), **facts: Any) -> int:
        members = [self._contact(number, name) for number, name in zip(numbers, _names(numbers, names), strict=True)]
        campaign = Campaign(len(self.book.campaigns) + 1, members, **{"program": TEXT, **facts})
        self.book.start(campaign)
        return campaign.campaign_id

    def _contact(self, number: str | None, name: str = "") -> Contact:
        self._contacts += 1
        return Contact(self._contacts, f"+{number}" if number else None, fields={"first_name": name})

    async def send(self, number: str, try_allowed: int = 1) -> int:
        return self.book.send(self._contact(number), "voicetts", TEXT, try_allowed).spool_id

    async def joins(self, campaign_id: int, number: str) -> None:
        self.book.campaigns[campaign_id].members.append(self._contact(number))

    async def leaves(self, campaign_id: int, number: str) -> None:
        for one in self.book.campaigns[campaign_id].members:
            one.has_left = one.has_left or one.number == f"+{number}"

    async def refuses(self, campaign_id: int, number: str) -> None:
        self.book.campaigns[campaign_id].refused.add(f"+{number}")

    async def opts_out(self, number: str) -> None:
        self.book.opted_out.add(f"+{number}")

    async def becomes(self, campaign_id: int, status: str) -> None:
        self.book.campaigns[campaign_id].status = status
        self.book.changed.set()

    async def loses_program(self, campaign_id: int) -> None:
        self.book.campaigns[campaign_id].program_type = ""

    async def loses_group(self, campaign_id: int) -> None:
        self.book.campaigns[campaign_id].has_group = False

    async def loses_numbers(self) -> None:
        self.book.numbers.clear()

    async def allows(self, calls_a_minute: int) -> None:
        self.book.calls_per_minute = calls_a_minute

    async def dies(self, switch: str, ago_s: float = 60) -> None:
        self.book.gone.add(switch)

    async def age(self, seconds: float) -> None:
        self.switch.advance(seconds)

    async def jumps(self, by_s: float) -> None:
        self.clock.jumps(by_s)

    def now(self) -> datetime:
        return self.switch.now()

    async def status(self, campaign_id: int) -> str:
        return self.book.campaigns[campaign_id].status

    async def problem(self, campaign_id: int) -> str:
        return self.book.campaigns[campaign_id].problem

    async def transmissions(self, campaign_id: int | None = None) -> Mapping[str | None, tuple[str, int]]:
        self.book.catch_up()
        return {one.contact.number and one.contact.number[1:]: (one.status.value, one.try_done)
                for one in self.book.transmissions.values() if one.campaign_id == campaign_id}

    async def spools(self) -> Sequence[tuple[str, str | None]]:
        self.book.catch_up()
        return [(one.status.value, one.disposition and one.disposition.value) for one in self.book.spools.values()]

    async def figures(self, campaign_id: int) -> Mapping[str, int]:
        self.book.catch_up()
        return {figure: count for (of, figure), count in self.book.figures.items() if of == campaign_id}

    async def kept(self) -> Sequence[bytes]:
        return [*self.book.kept.values()]

    async def upload(self, wav: bytes) -> int:
        self.book.recordings[1, 7] = wav
        return 7


class PostgresCampaignWorld:
    def __init__(self, url: str, pool: "asyncpg.Pool[Any]") -> None:
        self.url = url
        self.pool = pool
        self.engines: list[PostgresCalls] = []

    def campaigns(self, switch: str = SWITCH) -> CampaignStore:
        return PostgresCampaignClaims(self.url, self.pool, switch, wake_s=0.05)

    async def calls(self, switch: str = SWITCH) -> CallStore:
        self.engines.append(PostgresCalls(self.url, switch))
        assert await self.engines[-1].take_over(0)
        return self.engines[-1]

    async def start(self, *numbers: str | None, names: Sequence[str] = (), **facts: Any) -> int:
        group_id = await self.pool.fetchval(
            "INSERT INTO contact_groups (organisation_id, name) VALUES (1, 'Alle') RETURNING id")
        for number, name in zip(numbers, _names(numbers, names), strict=True):
            await self._join(group_id, number, name)
        program_type, program = facts.pop("program_type", "voicetts"), facts.pop("program", TEXT)
        program_id = await self.pool.fetchval(
            "INSERT INTO programs (organisation_id, name, type, data) VALUES (1, 'Gruß', $1, $2) RETURNING id",
            program_type, json.dumps(program))
        list_id = await self.pool.fetchval(
            "INSERT INTO dnc_lists (organisation_id, name) VALUES (1, 'nicht') RETURNING id")
        columns = {"organisation_id": 1, "program_id": program_id, "group_id": group_id, "dnc_list_ids": [list_id],
                   "cpm": 6000, **facts}
        names_of, places = ", ".join(columns), ", ".join(f"${n}" for n in range(1, len(columns) + 1))
        campaign_id: int = await self.pool.fetchval(
            f"INSERT INTO campaigns ({names_of}) VALUES ({places}) RETURNING id", *columns.values())    # noqa: S608
        await self.pool.execute(
            "UPDATE campaigns c SET status = 'ready', wakes_at = clock_timestamp(), member_limit = coalesce("
            "(SELECT max(id) FROM contact_group_members m WHERE m.group_id = c.group_id), 0) WHERE id = $1",
            campaign_id)
        return campaign_id

    async def _join(self, group_id: int, number: str | None, name: str = "") -> None:
        await self.pool.execute(
            "WITH made AS (INSERT INTO contacts (organisation_id, first_name, number) VALUES (1, $2, $3) RETURNING id) "
            "INSERT INTO contact_group_members (organisation_id, group_id, contact_id) SELECT 1, $1, id FROM made",
            group_id, name, f"+{number}" if number else None)

    async def send(self, number: str, try_allowed: int = 1) -> int:
        spool_id: int = await self.pool.fetchval(
            "WITH p AS (INSERT INTO programs (organisation_id, name, type, data) VALUES (1, '', 'voicetts', $3) "
            "RETURNING id), c AS (INSERT INTO contacts (organisation_id, number) VALUES (1, $1) RETURNING id), "
            "t AS (INSERT INTO transmissions (organisation_id, contact_id, program_id, status, try_allowed, try_done, "
            "last_run) SELECT 1, c.id, p.id, 'processing', $2, 1, clock_timestamp() FROM p, c RETURNING id) "
            "INSERT INTO spools (organisation_id, transmission_id, is_sent) SELECT 1, id, true FROM t RETURNING id",
            f"+{number}", try_allowed, json.dumps(TEXT))
        return spool_id

    async def joins(self, campaign_id: int, number: str) -> None:
        await self._join(await self.pool.fetchval("SELECT group_id FROM campaigns WHERE id = $1", campaign_id), number)

    async def leaves(self, campaign_id: int, number: str) -> None:
        await self.pool.execute(
            "DELETE FROM contact_group_members m USING campaigns k, contacts c WHERE k.id = $1 "
            "AND m.group_id = k.group_id AND c.id = m.contact_id AND c.number = $2", campaign_id, f"+{number}")

    async def refuses(self, campaign_id: int, number: str) -> None:
        await self.pool.execute(
            "INSERT INTO dnc_numbers (list_id, number) SELECT dnc_list_ids[1], $2 FROM campaigns WHERE id = $1",
            campaign_id, f"+{number}")

    async def opts_out(self, number: str) -> None:
        await self.pool.execute(
            "WITH l AS (INSERT INTO dnc_lists (organisation_id, name, is_opt_out) VALUES (1, '', true) RETURNING id) "
            "INSERT INTO dnc_numbers (list_id, number) SELECT id, $1 FROM l", f"+{number}")

    async def becomes(self, campaign_id: int, status: str) -> None:
        await self.pool.execute(
            "UPDATE campaigns SET status = $2, wakes_at = CASE WHEN $3 THEN clock_timestamp() END WHERE id = $1",
            campaign_id, status, status in RUNNING)

    async def loses_program(self, campaign_id: int) -> None:
        await self.pool.execute("DELETE FROM programs USING campaigns c WHERE c.id = $1 AND programs.id = c.program_id",
                                campaign_id)

    async def loses_group(self, campaign_id: int) -> None:
        await self.pool.execute(
            "DELETE FROM contact_groups USING campaigns c WHERE c.id = $1 AND contact_groups.id = c.group_id",
            campaign_id)

    async def loses_numbers(self) -> None:
        await self.pool.execute("DELETE FROM numbers")

    async def allows(self, calls_a_minute: int) -> None:
        await self.pool.execute("UPDATE organisations SET calls_per_minute = $1", calls_a_minute)

    async def dies(self, switch: str, ago_s: float = 60) -> None:
        await self.pool.execute("UPDATE engines SET beat_at = beat_at - $1::interval WHERE switch = $2",
                                timedelta(seconds=ago_s), switch)

    async def age(self, seconds: float) -> None:
        """What is to come is that much nearer, what was is that much further away."""
        await self._by_the_wall_clock(seconds)
        await self.pool.execute(
            "UPDATE spools SET counted_at = counted_at - $1::interval", timedelta(seconds=seconds))

    async def jumps(self, by_s: float) -> None:
        """To the wall clock all is nearer, or further away; and so it has run away from the steady one."""
        await self._by_the_wall_clock(by_s)
        await self.pool.execute(
            "INSERT INTO steady_clock (jumped) VALUES (-$1::interval) "
            "ON CONFLICT (is_only) DO UPDATE SET jumped = steady_clock.jumped - $1::interval", timedelta(seconds=by_s))

    async def _by_the_wall_clock(self, seconds: float) -> None:
        ago = timedelta(seconds=seconds)
        for query in (
            "UPDATE campaigns SET paced_at = paced_at - $1::interval, wakes_at = wakes_at - $1::interval",
            "UPDATE transmissions SET due_at = due_at - $1::interval, last_run = last_run - $1::interval",
            "UPDATE campaign_postponed SET due_at = due_at - $1::interval",
            "UPDATE spools SET time_start = time_start - $1::interval",
        ):
            await self.pool.execute(query, ago)

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def status(self, campaign_id: int) -> str:
        status: str = await self.pool.fetchval("SELECT status FROM campaigns WHERE id = $1", campaign_id)
        return status

    async def problem(self, campaign_id: int) -> str:
        problem: str = await self.pool.fetchval("SELECT problem FROM campaigns WHERE id = $1", campaign_id)
        return problem

    async def transmissions(self, campaign_id: int | None = None) -> Mapping[str | None, tuple[str, int]]:
        rows = await self.pool.fetch(
            "SELECT c.number, t.status, t.try_done FROM transmissions t JOIN contacts c ON c.id = t.contact_id "
            "WHERE t.campaign_id IS NOT DISTINCT FROM $1 ORDER BY t.id", campaign_id)
        return {row["number"] and row["number"][1:]: (row["status"], row["try_done"]) for row in rows}

    async def spools(self) -> Sequence[tuple[str, str | None]]:
        return [tuple(row) for row in await self.pool.fetch("SELECT status, disposition FROM spools ORDER BY id")]

    async def figures(self, campaign_id: int) -> Mapping[str, int]:
        return dict(await self.pool.fetch(
            "SELECT figure, sum(count)::integer FROM campaign_figures WHERE campaign_id = $1 GROUP BY 1", campaign_id))

    async def kept(self) -> Sequence[bytes]:
        return [row[0] for row in await self.pool.fetch(
            "SELECT r.audio FROM results s JOIN recordings r ON r.id::text = s.data WHERE s.name = 'recording'")]

    async def upload(self, wav: bytes) -> int:
        recording_id: int = await self.pool.fetchval(
            "INSERT INTO recordings (organisation_id, name, audio, digest, duration_ms) VALUES (1, '', $1, '', 1) "
            "RETURNING id", wav)
        return recording_id


@asynccontextmanager
async def campaign_world(database_url: str | None) -> AsyncIterator[CampaignWorld]:
    if database_url is None:
        yield MemoryCampaignWorld()
        return
    pool = await create_pool(database_url)
    try:
        await pool.execute("INSERT INTO organisations (name) VALUES ('Feuerwehr')")
        await pool.execute("INSERT INTO numbers (number, organisation_id) VALUES ($1, 1)", f"+{OWN_NUMBER}")
        made = PostgresCampaignWorld(database_url, pool)
        yield made
        for engine in made.engines:
            await engine.close()
    finally:
        pool.terminate()


async def claimed(store: CampaignStore, limit: int = 40, opens_at: OpensAt = always) -> list[str]:
    """Numbers, in the order in which they are handed out."""
    return [one.number for one in (await store.claim(limit, opens_at)).attempts]


async def several(w: CampaignWorld, campaigns: CampaignStore, count: int) -> list[Attempt]:
    """The next ones, as time goes by."""
    got: list[Attempt] = []
    for _ in range(count):
        got += (await campaigns.claim(count - len(got), always)).attempts
        await w.age(1)
    assert len(got) == count
    return got


def live(attempt: Attempt, **changes: Any) -> SavedCall:
    """The attempt's live call."""
    made = SavedCall(
        call_id=attempt.call_id, organisation_id=1, hotline_id=None, flow="program", version=1, phase="waiting",
        state={}, started_at=datetime.fromisoformat("2026-01-01T12:00:00+00:00"), caller_leg="", is_new=True)
    return replace(made, **changes)


def saving(call: SavedCall, *rows: RowCommand) -> Batch:
    return Batch({call.call_id: call}, [(call.call_id, row) for row in rows])


def ended(
    attempt: Attempt, at: datetime, how: CallDisposition, status: TransmissionStatus, again_s: float | None = None
) -> list[RowCommand]:
    """What a flow writes when its attempt has ended."""
    reached = how is CallDisposition.ANSWERED
    return [
        WriteSpool(attempt.spool_id, SpoolStatus.COMPLETED if reached else SpoolStatus.FAILED, started_at=at,
                   ended_at=at, disposition=how),
        WriteTransmission(attempt.transmission_id, status, how.value, again_s)]


def _names(numbers: Sequence[str | None], names: Sequence[str]) -> Sequence[str]:
    return [*names, *[""] * (len(numbers) - len(names))]
