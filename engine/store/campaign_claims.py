"""Whom campaigns and single transmissions call next, out of Postgres: `campaign_ports.CampaignStore`. Its twin is
`memory_campaigns.py`.

Used by `engine/campaigns.py`; what a live call writes goes through `calls.py`. One campaign is handed out by one engine
at a time: its row is locked while the next of its list are chosen, so that any number of engines share one list and
nobody is called twice. A claim costs the same however long the list is.
"""

import json
import math
from collections.abc import AsyncGenerator, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from datetime import time as clock_time
from functools import partial
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import structlog

from engine.campaign_ports import Attempt, Claim, OpensAt
from engine.ports import Recorded
from engine.store.campaign_attempts import attempt, coming, unfit
from engine.store.dialable import refusal
from engine.store.holidays import CountryUnknown, is_holiday
from engine.store.listening import heard
from engine.store.pool import acquired
from engine.store.recordings import AUDIO_TIMEOUT_S, PostgresRecordings
from engine.store.statements import Connection, Statements
from engine.store.steady import Steady
from engine.store.time_zones import zone, zones_of
from engine.vocabulary.program import CallingHours

log = structlog.get_logger()

CHANNEL = "ringward_campaign"
WAKE_S = 1.0
GONE_AFTER = timedelta(seconds=30)  # what an engine claimed that has not beaten for so long is free
CATCH_UP = timedelta(milliseconds=400)  # a campaign that could not call loses the rest of that time
AHEAD = timedelta(milliseconds=500)     # so early calls are handed out that the grants space: few claims, no gaps
SECOND = 1.05  # with calls a second, as in policy/capacity.py: what the grants allow, that so many are not in hand
CAMPAIGNS_AT_ONCE = 20
LOOKED_AT = 500         # members a claim goes through at most, when it may call few of them
MOST_POSTPONED = 10_000  # whose windows are closed: then the list waits for the first of them
LONG_FOR_S = 5.0        # so long what was placed in an hour and a day is taken as known
LOOK_AGAIN = timedelta(seconds=1)       # while calls live, and nothing else is to be done
FULL_AGAIN = timedelta(milliseconds=200)
SLEEPS = timedelta(minutes=1)           # no campaign longer, whatever it waits for: the clock may be put back
PUT_RIGHT = 500         # transmissions at a time, after it was
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError)
LEFT = "no longer in the group"


@dataclass(slots=True)
class _Round:
    """One campaign's turn. `wanted`: how many calls it may have now."""

    row: "asyncpg.Record"
    hours: CallingHours | None
    wanted: int
    cursor: int
    spools: list[int] = field(default_factory=list)
    made: int = 0
    looked_at: int = 0

    @property
    def left(self) -> int:
        return self.wanted - len(self.spools)


@dataclass(slots=True)
class _Long:
    """What an organisation has placed within an hour and a day, reckoned at `at_s`, and what was handed out since."""

    at_s: float
    hour: int
    day: int

    def add(self, calls: int) -> None:
        self.hour += calls
        self.day += calls


@dataclass(slots=True)
class _Judged:
    """Contacts by what is to be done with them. `seen`: those that were looked at, in order."""

    seen: list["asyncpg.Record"] = field(default_factory=list)
    now: list["asyncpg.Record"] = field(default_factory=list)
    later: list[tuple["asyncpg.Record", datetime]] = field(default_factory=list)
    never: list[tuple["asyncpg.Record", str]] = field(default_factory=list)

    @property
    def done(self) -> list["asyncpg.Record"]:
        return [*self.now, *(one for one, _ in self.never)]


class PostgresCampaignClaims(Statements):
    NAME = "campaign_claims"

    def __init__(self, database_url: str, pool: "asyncpg.Pool[Any]", switch: str, wake_s: float = WAKE_S) -> None:
        super().__init__(pool)
        self._database_url = database_url
        self._switch = switch
        self._wake_s = wake_s
        self._long: dict[int, _Long] = {}   # by organisation
        self._steady = Steady()

    async def claim(self, limit: int, opens_at: OpensAt) -> Claim:
        async with acquired(self._pool) as connection:
            self._steady.saw(await connection.fetchval(self._sql["keep_steady"], self._steady.expected()))
            async with connection.transaction():
                return await self._claim(connection, limit, opens_at)

    async def _claim(self, connection: Connection, limit: int, opens_at: OpensAt) -> Claim:
        spools = [row["id"] for row in await connection.fetch(self._sql["take_sent"], self._switch, limit)]
        await connection.execute(self._sql["put_back"], PUT_RIGHT)
        if limit > len(spools):
            due = await connection.fetch(self._sql["take_due"], self._switch, limit - len(spools))
            spools += [row["id"] for row in due]
        awake = await connection.fetch(self._sql["awake"], CAMPAIGNS_AT_ONCE, SLEEPS + LOOK_AGAIN)
        for place, row in enumerate(awake):
            share = math.ceil((limit - len(spools)) / (len(awake) - place))
            spools += await self._turn(connection, row, share, opens_at)
        attempts = await self._attempts(connection, spools) if spools else []
        due_in = await connection.fetchval(self._sql["next_due"])
        return Claim(attempts, None if due_in is None else max(0.0, due_in.total_seconds()))

    async def inbound(self, did: str, caller: str) -> Attempt | None:
        async with acquired(self._pool) as connection, connection.transaction():
            made = await connection.fetchrow(self._sql["take_inbound"], self._switch, f"+{did}", f"+{caller}")
            return None if made is None else (await self._attempts(connection, [made["id"]]))[0]

    async def free_lost(self, in_hand: Collection[str]) -> int:
        row = await self._row("free_lost", self._switch, list(in_hand), GONE_AFTER)
        return 0 if row is None else int(row[0])

    def refused(self, number: str, countries: frozenset[str]) -> str:
        found = refusal(f"+{number}", countries)
        return "" if found is None else found.why

    async def give_up(self, attempt: Attempt, why: str, is_final: bool = False) -> None:
        is_tried_again = attempt.tries_left > 0 and not is_final
        after = timedelta(seconds=attempt.retry.failed_s) if is_tried_again else None
        await self._row("give_up", attempt.spool_id, why, after)

    async def halted(self, campaign_ids: Collection[int]) -> Collection[int]:
        return {row["id"] for row in await self._rows("halted", list(campaign_ids))}

    async def coming(self, limit: int) -> Sequence[Attempt]:
        return [coming(row) for row in await self._rows("coming", limit)]

    async def recording(self, organisation_id: int, recording_id: int) -> bytes | None:
        return await PostgresRecordings(self._pool).audio(organisation_id, recording_id)

    async def keep_recording(self, recorded: Recorded, wav: bytes, duration_ms: int) -> None:
        async with acquired(self._pool, AUDIO_TIMEOUT_S) as connection:
            await connection.execute(self._sql["keep_recording"], recorded.spool_id, recorded.application_id, wav,
                                     duration_ms, timeout=AUDIO_TIMEOUT_S)

    async def dialled_within(self, within: timedelta) -> Sequence[float]:
        return [row[0] for row in await self._rows("dialled_within", self._switch, within)]

    async def changes(self) -> AsyncGenerator[None, None]:
        async for _ in heard(self._database_url, CHANNEL, self._wake_s):
            yield None

    # --- one campaign's turn -----------------------------------------------------------------------------------------

    async def _turn(
        self, connection: Connection, row: "asyncpg.Record", share: int, opens_at: OpensAt,
    ) -> Sequence[int]:
        """One that cannot be read (another version wrote it) keeps no other from calling."""
        try:
            return await self._hand_out(connection, row, share, opens_at)
        except UNREADABLE as error:
            log.error("campaigns.unreadable", campaign=row["id"], error=type(error).__name__)
            await connection.execute(self._sql["break"], row["id"], "its settings cannot be read")
            return ()

    async def _hand_out(
        self, connection: Connection, row: "asyncpg.Record", share: int, opens_at: OpensAt,
    ) -> Sequence[int]:
        """Spools of calls that are to be made now."""
        if row["program_type"] is None:
            await connection.execute(self._sql["break"], row["id"], "its program was deleted")
            return ()
        if not row["has_group"]:    # its removal has broken it already, unless a former release removed the group
            await connection.execute(self._sql["break"], row["id"], "its group was deleted")
            return ()
        now, interval = row["now"], _interval(row)
        paced_at = paced(row["paced_at"], now, interval, ahead(row["calls_per_second"]))
        until = now + ahead(row["calls_per_second"])
        in_time = math.floor((until - paced_at) / interval) + 1 if paced_at <= until else 0
        free = in_time if row["channels"] is None else min(in_time, row["channels"] - row["live"])
        allowed = min(free, await self._allowed(connection, row)) if free > 0 else 0
        turn = _Round(row, _hours(row), max(0, min(allowed, share)), row["member_cursor"])
        if turn.wanted:
            await self._choose(connection, turn, opens_at)
            self._long[row["organisation_id"]].add(len(turn.spools))
            paced_at += interval * len(turn.spools)
        wakes_at = await self._wakes_at(connection, turn, paced_at, allowed, in_time)
        wakes_at = wakes_at and min(wakes_at, now + SLEEPS)
        await connection.execute(
            self._sql["advance"], row["id"], turn.cursor, paced_at, wakes_at, turn.made, bool(turn.spools))
        if wakes_at is None:    # after it was written that it runs: the last ones may have been made just now
            await connection.execute(self._sql["complete"], row["id"])
        return turn.spools

    async def _allowed(self, connection: Connection, row: "asyncpg.Record") -> int:
        """By what the organisation may dial a minute, an hour, a day."""
        placed = await connection.fetchrow(self._sql["dialled"], row["organisation_id"], self._steady.at)
        assert placed is not None   # noqa: S101 - counts
        long = await self._placed_long(connection, row["organisation_id"], placed["claimed"])
        left: int = min(row["calls_per_minute"] - placed["minute"] - placed["claimed"],
                        row["calls_per_hour"] - long.hour, row["calls_per_day"] - long.day)
        return left

    async def _placed_long(self, connection: Connection, organisation_id: int, claimed: int) -> _Long:
        """At most LONG_FOR_S old but for what we have handed out: two engines may exceed an hour's limit by as much."""
        known = self._long.get(organisation_id)
        if known is not None and monotonic() - known.at_s < LONG_FOR_S:
            return known
        placed = await connection.fetchrow(self._sql["dialled_long"], organisation_id, self._steady.at)
        assert placed is not None   # noqa: S101 - counts
        made = self._long[organisation_id] = _Long(monotonic(), placed["hour"] + claimed, placed["day"] + claimed)
        return made

    async def _choose(self, connection: Connection, turn: _Round, opens_at: OpensAt) -> None:
        """Who waits for another attempt first, then whose window has opened, then the list."""
        row = turn.row
        common = (row["id"], row["organisation_id"], row["dnc_list_ids"])
        again = await connection.fetch(self._sql["due_again"], *common, turn.left)
        await self._call_again(connection, turn, _judged(turn, again, opens_at))
        if turn.left:
            opened = await connection.fetch(self._sql["due_postponed"], *common, turn.left)
            judged = _judged(turn, opened, opens_at)
            await self._call(connection, turn, judged)
            if done := [one["contact_id"] for one in judged.done]:
                await connection.execute(self._sql["postponed_no_more"], row["id"], done)
        postponed = row["postponed"]
        while turn.left and turn.looked_at < LOOKED_AT and postponed < MOST_POSTPONED:
            most = max(turn.left, 50) if turn.hours else turn.left
            members = await connection.fetch(
                self._sql["new_members"], *common, most, row["group_id"], turn.cursor, row["member_limit"])
            if not members:
                turn.cursor = max(turn.cursor, row["member_limit"])
                break
            judged = _judged(turn, members, opens_at)
            await self._call(connection, turn, judged)
            turn.looked_at += len(judged.seen)
            turn.cursor = judged.seen[-1]["member_id"]
            postponed += len(judged.later)

    async def _call(self, connection: Connection, turn: _Round, judged: "_Judged") -> None:
        """Transmissions of those who may be called now, and of those who never are; others are put off."""
        if judged.later:
            late = [{"contact_id": one["contact_id"], "member_id": one["member_id"], "due_at": due_at.isoformat()}
                    for one, due_at in judged.later]
            await connection.execute(self._sql["postpone"], turn.row["id"], json.dumps(late))
        made = [{"contact_id": one["contact_id"], "status": "processing", "response": ""} for one in judged.now]
        made += [{"contact_id": one["contact_id"], "status": "invalid", "response": why}
                 for one, why in judged.never if why != LEFT]
        if not made:
            return
        said = json.dumps([{"ord": place, **one} for place, one in enumerate(made)])
        rows = await connection.fetch(self._sql["make"], turn.row["id"], said)
        turn.made += len(rows)
        await self._count_invalid(connection, turn, sum(1 for row in rows if row["status"] == "invalid"))
        await self._spool(connection, turn, [row["id"] for row in rows if row["status"] == "processing"])

    async def _call_again(self, connection: Connection, turn: _Round, judged: "_Judged") -> None:
        if judged.later:
            late = [{"transmission_id": one["transmission_id"], "due_at": due_at.isoformat()}
                    for one, due_at in judged.later]
            await connection.execute(self._sql["postpone_again"], json.dumps(late))
        for one, why in judged.never:
            await connection.execute(self._sql["never_again"], one["transmission_id"], why)
        await self._count_invalid(connection, turn, len(judged.never))
        if calls := [one["transmission_id"] for one in judged.now]:
            await connection.execute(self._sql["again"], calls)
            await self._spool(connection, turn, calls)

    async def _count_invalid(self, connection: Connection, turn: _Round, count: int) -> None:
        if count:
            await connection.execute(self._sql["count"], turn.row["id"], "transmission invalid", count)

    async def _spool(self, connection: Connection, turn: _Round, transmissions: Sequence[int]) -> None:
        if transmissions:
            rows = await connection.fetch(self._sql["spool"], self._switch, transmissions)
            turn.spools += [row["id"] for row in rows]

    async def _wakes_at(
        self, connection: Connection, turn: _Round, paced_at: datetime, allowed: int, in_time: int,
    ) -> datetime | None:
        """When to look at it again. None: it is over."""
        now: datetime = turn.row["now"]
        early = ahead(turn.row["calls_per_second"]) / 2
        if turn.wanted and len(turn.spools) >= turn.wanted:
            return max(paced_at - early, now)
        if not turn.wanted:
            return paced_at - early if in_time <= 0 else now + FULL_AGAIN
        left = await connection.fetchrow(self._sql["what_is_left"], turn.row["id"], turn.cursor)
        assert left is not None     # noqa: S101 - subqueries
        if left["has_members"] and turn.looked_at >= LOOKED_AT:
            return now
        dues = [left["next_try"], left["next_window"], now + LOOK_AGAIN if left["is_live"] else None]
        if left["has_members"] and left["next_window"] is None:
            dues.append(now + LOOK_AGAIN)
        return min((due for due in dues if due is not None), default=None)

    # --- what a call needs to know -----------------------------------------------------------------------------------

    async def _attempts(self, connection: Connection, spools: Sequence[int]) -> Sequence[Attempt]:
        await connection.execute(self._sql["gone_transmissions"], spools)
        found = []
        for row in await connection.fetch(self._sql["attempts"], spools):
            why = unfit(row)
            try:
                if why is None:
                    found.append(attempt(row))
            except UNREADABLE as error:
                log.error("campaigns.attempt_unreadable", spool=row["spool_id"], error=type(error).__name__)
                why = "its program or campaign cannot be read"
            if why is not None:
                await connection.execute(self._sql["give_up"], row["spool_id"], why, None)
        return found


def _judged(turn: _Round, contacts: Sequence["asyncpg.Record"], opens_at: OpensAt) -> _Judged:
    """Up to as many as may be called now."""
    found, now, holidays = _Judged(), turn.row["now"], _holidays(turn.row)
    for one in contacts:
        why = LEFT if one["has_left"] else _refused(turn.row, one)
        zones = _zones(one) if turn.hours else ()   # a look into the tables of all numbers
        due_at = None if why else opens_at(turn.hours, zones, holidays, now)
        if why or due_at is None:
            found.never.append((one, why or "never within the calling window"))
        elif due_at > now:
            found.later.append((one, due_at))
        elif len(found.now) < turn.left:
            found.now.append(one)
        else:
            break
        found.seen.append(one)
    return found


def ahead(calls_per_second: float | None) -> timedelta:
    """Calls a minute are kept by the claims alone: nobody spaces what they hand out."""
    return timedelta(0) if calls_per_second is None else AHEAD


def paced(paced_at: datetime | None, now: datetime, interval: timedelta, early: timedelta) -> datetime:
    """When the next call may come. Never later than one that was handed out just now would leave it: what says more was
    written before the clock was put back, or for a slower pace."""
    return min(max(paced_at or now, now - CATCH_UP), now + interval + early)


def _interval(row: "asyncpg.Record") -> timedelta:
    """Between two calls of a campaign."""
    fastest_s = 0.0 if row["calls_per_second"] is None else SECOND / row["calls_per_second"]
    return timedelta(seconds=max(60.0 / row["cpm"], fastest_s))


def _hours(row: "asyncpg.Record") -> CallingHours | None:
    window = json.loads(row["call_window"]) if row["call_window"] else None
    if not window:
        return None
    return CallingHours(clock_time.fromisoformat(window["from"]), clock_time.fromisoformat(window["to"]),
                        frozenset(window.get("weekdays", range(1, 8))))


def _holidays(row: "asyncpg.Record") -> Any:
    window = json.loads(row["call_window"]) if row["call_window"] else {}
    if not window.get("holidays"):
        return lambda _: False
    return partial(_is_holiday, window.get("country") or row["country"])


def _is_holiday(country: str, day: Any) -> bool:
    try:
        return is_holiday(country, day)
    except CountryUnknown:
        return False


def _zones(one: "asyncpg.Record") -> Sequence[ZoneInfo]:
    """The contact's own, else the number's."""
    own = zone(one["time_zone"]) if one["time_zone"] else None
    return (own,) if own is not None else zones_of(one["number"]) or (ZoneInfo("UTC"),)


def _refused(row: "asyncpg.Record", one: "asyncpg.Record") -> str:
    """Why this contact is never called; '' when he may be."""
    if one["number"] is None:
        return "no phone number"
    if one["is_refused"]:
        return "do not call"
    found = refusal(one["number"], frozenset(row["countries"]))
    return "" if found is None else found.why[:80]
