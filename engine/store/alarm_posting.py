"""The transaction in which an alarm is posted: who is meant, how much may still be dialled, and the alarm's rows.

Made by `PostgresAlarmBook.posting`; the use case that calls its methods in order is `api/ringward/alarm_post.py`. The
rows' trigger wakes the engine when the transaction has committed.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import asyncpg

from engine.store.alarm_plan import dump_plan
from engine.store.statements import Connection
from engine.vocabulary.values import AlarmPlan, RecipientState, RingwardError


class KeyReused(RingwardError):
    """The idempotency key belongs to another request."""


@dataclass(frozen=True, slots=True)
class PostingOrganisation:
    """`countries` are those it may dial; `number` is the caller id of its alarms, None while it has none."""

    language: str
    country: str
    countries: frozenset[str]
    number: str | None


@dataclass(frozen=True, slots=True)
class Somebody:
    """A user or a contact of the directory. `numbers` in the order in which they are rung."""

    name: str
    language: str | None
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Member:
    user_id: int | None
    contact_id: int | None


@dataclass(frozen=True, slots=True)
class Directory:
    """Those that were asked for and are there, by id; a group's members in the order in which they joined."""

    users: Mapping[int, Somebody]
    contacts: Mapping[int, Somebody]
    groups: Mapping[int, Sequence[Member]]


@dataclass(frozen=True, slots=True)
class Budget:
    """How many more calls the organisation may place: (rule, cap, how many are left), shortest time first."""

    now: datetime
    left: Sequence[tuple[str, int, int]]


@dataclass(frozen=True, slots=True)
class NewRecipient:
    user_id: int | None
    contact_id: int | None
    name: str
    role: str
    language: str
    voice: str
    phones: tuple[str, ...]
    group_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NewNote:
    """`position` is the place of its recipient among the recipients, None when it is about no (remaining) one."""

    type: str
    position: int | None = None
    phone: str | None = None
    message: str = ""


class AlarmPosting:
    def __init__(self, connection: Connection, sql: Mapping[str, str], organisation_id: int) -> None:
        self._connection = connection
        self._sql = sql
        self._organisation_id = organisation_id

    async def remembered(self, key: str, digest: bytes) -> int | None:
        """The alarm that this key made, None when the key is new: it is ours now. Raises KeyReused."""
        if await self._connection.fetchval(self._sql["remember_key"], self._organisation_id, key, digest):
            return None
        row = await self._connection.fetchrow(self._sql["remembered_key"], self._organisation_id, key)
        if row is None or row["request_digest"] != digest:
            raise KeyReused(key)
        alarm_id: int = row["resource_id"]
        return alarm_id

    async def made(self, key: str, alarm_id: int) -> None:
        await self._connection.execute(self._sql["key_made"], self._organisation_id, key, alarm_id)

    async def organisation(self) -> PostingOrganisation:
        row = await self._connection.fetchrow(self._sql["posting_organisation"], self._organisation_id)
        assert row is not None      # noqa: S101 - the token's own
        return PostingOrganisation(row["language"], row["country"], frozenset(row["countries"]),
                                   row["number"])

    async def directory(
        self, users: Collection[int], contacts: Collection[int], groups: Collection[int]) -> Directory:
        """These and everybody in the groups; what is not the organisation's is not there."""
        members: dict[int, list[Member]] = {row["id"]: [] for row in await self._some("some_groups", groups)}
        for row in await self._some("members_of_groups", members):
            members[row["group_id"]].append(Member(row["user_id"], row["contact_id"]))
        everybody = [it for group in members.values() for it in group]
        user_rows = await self._some("some_users", {*users, *(it.user_id for it in everybody if it.user_id)})
        contact_rows = await self._some(
            "some_contacts", {*contacts, *(it.contact_id for it in everybody if it.contact_id)})
        return Directory(
            {row["id"]: Somebody(row["name"], row["language"], tuple(row["numbers"])) for row in user_rows},
            {row["id"]: Somebody(row["name"], row["language"], tuple(row["numbers"])) for row in contact_rows}, members)

    async def has_recording(self, recording_id: int) -> bool:
        found = await self._connection.fetchval(self._sql["recording_exists"], self._organisation_id, recording_id)
        return found is not None

    async def budget(self) -> Budget:
        """Locks out other POSTs of the organisation until this transaction ends."""
        caps = await self._connection.fetchrow(self._sql["lock_budget"], self._organisation_id)
        assert caps is not None      # noqa: S101 - the token's own
        placed = await self._connection.fetchrow(self._sql["calls_placed"], self._organisation_id, caps["steady"])
        assert placed is not None    # noqa: S101 - counts
        left = [(f"calls-per-{it}", caps[f"calls_per_{it}"],
                 caps[f"calls_per_{it}"] - placed[it] - placed["waiting"]) for it in ("minute", "hour", "day")]
        return Budget(caps["now"], left)

    async def create(self, plan: AlarmPlan, request: Mapping[str, object], recipients: Sequence[NewRecipient],
                     notes: Sequence[NewNote]) -> int:
        """The alarm's id. Who has no phone is unreached at once."""
        alarm_id: int = await self._connection.fetchval(
            self._sql["create_alarm"], self._organisation_id, plan.needed, dump_plan(plan), json.dumps(request),
            plan.created_at)
        rows = [asdict(it) | {"position": n, "state": RecipientState.PENDING if it.phones else RecipientState.UNREACHED}
                for n, it in enumerate(recipients)]
        await self._connection.execute(self._sql["add_recipients"], self._organisation_id, alarm_id, json.dumps(rows))
        told = [asdict(it) | {"ord": n} for n, it in enumerate(notes)]
        await self._connection.execute(
            self._sql["add_notes"], self._organisation_id, alarm_id, json.dumps(told), plan.created_at)
        return alarm_id

    async def _some(self, query: str, ids: Collection[int]) -> "list[asyncpg.Record]":
        return await self._connection.fetch(self._sql[query], self._organisation_id, list(ids)) if ids else []
