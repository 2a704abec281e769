"""The directory in Postgres (`directory_port.Directory`). SQL is in `sql/directory.sql`.

Every method is one use of a pooled connection under one deadline, and a transaction where it writes more than one row.
"""

import json
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias

import asyncpg

from engine.store import queries
from engine.store.directory_port import (
    CallLog,
    EngineBeat,
    HotlineData,
    LogEntry,
    NameTaken,
    NoNumberLeft,
    NoSipCustomer,
    Organisation,
    Page,
    Phone,
    PhoneData,
    Principal,
    SipCustomer,
    StoredHotline,
    TelephoneRecord,
    UnknownUsers,
    User,
)
from engine.store.pool import DEADLINE_S, acquired
from engine.store.tokens import digest, new_token

SQL = queries.load("directory")
Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[Any]"


class PostgresDirectory:
    def __init__(self, pool: "asyncpg.Pool[Any]", deadline_s: float = DEADLINE_S) -> None:
        self._pool = pool
        self._deadline_s = deadline_s

    def _connection(self) -> AbstractAsyncContextManager[Connection]:
        return acquired(self._pool, self._deadline_s)

    # --- across organisations

    async def principal(self, digest: bytes) -> Principal | None:
        row = await self._row("principal", digest)
        if row is None:
            return None
        return Principal(row["organisation_id"], row["user_id"], row["is_admin"], row["country"], row["is_system"],
                         frozenset(it for it in row["countries"] if it))

    async def organisations(self) -> Sequence[Organisation]:
        return [Organisation(*row) for row in await self._rows("organisations")]

    async def create_organisation(self, name: str, country: str = "DE", language: str = "de") -> Organisation:
        row = await self._row("create_organisation", name, country, language)
        assert row is not None      # noqa: S101 - INSERT … RETURNING
        return Organisation(*row)

    async def organisation_of_user(self, user_id: int) -> int | None:
        row = await self._row("organisation_of_user", user_id)
        return None if row is None else row["organisation_id"]

    async def add_numbers(self, numbers: Sequence[str]) -> Sequence[str]:
        return [row["number"] for row in await self._rows("add_numbers", list(numbers))]

    async def engine_beat(self) -> EngineBeat | None:
        row = await self._row("engine_beat")
        return None if row is None else EngineBeat(row["age_s"], json.loads(row["state"]), row["metrics"])

    # --- tokens

    async def issue_token(self, organisation_id: int, user_id: int | None) -> str:
        async with self._connection() as connection:
            return await _issue(connection, organisation_id, user_id)

    async def revoke_tokens(self, organisation_id: int, user_id: int | None) -> int:
        return len(await self._rows("revoke_tokens", organisation_id, user_id))

    async def rotate_token(self, organisation_id: int, user_id: int | None) -> str:
        async with self._connection() as connection, connection.transaction():
            await connection.execute(SQL["revoke_tokens"], organisation_id, user_id)
            return await _issue(connection, organisation_id, user_id)

    async def issue_system_token(self) -> str:
        token = new_token("system")
        await self._rows("issue_system_token", digest(token))
        return token

    async def revoke_system_tokens(self) -> int:
        return len(await self._rows("revoke_system_tokens"))

    # --- users

    async def users(self, organisation_id: int) -> Sequence[User]:
        return [User(*row) for row in await self._rows("users", organisation_id)]

    async def user(self, organisation_id: int, user_id: int) -> User | None:
        row = await self._row("user", organisation_id, user_id)
        return None if row is None else User(*row)

    async def create_user(self, organisation_id: int, name: str, *, is_admin: bool = False, allow_admins: bool = False,
                          language: str = "de", password_hash: str | None = None) -> User:
        row = await self._row("create_user", organisation_id, name, is_admin, allow_admins, language, password_hash)
        if row is None:
            raise NameTaken(name)
        return User(*row)

    async def set_allow_admins(self, organisation_id: int, user_id: int, allowed: bool) -> User | None:
        row = await self._row("set_allow_admins", organisation_id, user_id, allowed)
        return None if row is None else User(*row)

    # --- phones

    async def phones(self, organisation_id: int, user_id: int) -> Sequence[Phone]:
        return [_phone(row) for row in await self._rows("phones", organisation_id, user_id)]

    async def phone(self, organisation_id: int, phone_id: int) -> Phone | None:
        row = await self._row("phone", organisation_id, phone_id)
        return None if row is None else _phone(row)

    async def create_phone(self, organisation_id: int, data: PhoneData, position: int | None = None) -> Phone:
        row = await self._row("create_phone", organisation_id, data.user_id, data.name, data.number, data.is_active,
                              position)
        if row is None:
            raise UnknownUsers([data.user_id])
        return _phone(row)

    async def replace_phone(
        self, organisation_id: int, phone_id: int, data: PhoneData, position: int | None = None) -> Phone | None:
        async with self._connection() as connection, connection.transaction():
            await _check_users(connection, organisation_id, [data.user_id])
            row = await connection.fetchrow(SQL["replace_phone"], organisation_id, phone_id, data.user_id, data.name,
                                            data.number, data.is_active, position)
        return None if row is None else _phone(row)

    async def delete_phone(self, organisation_id: int, phone_id: int) -> bool:
        return await self._row("delete_phone", organisation_id, phone_id) is not None

    # --- sip-customer

    async def sip_customer(self, organisation_id: int) -> SipCustomer | None:
        row = await self._row("sip_customer", organisation_id)
        return None if row is None else SipCustomer(*row)

    async def save_sip_customer(self, organisation_id: int, customer: SipCustomer) -> None:
        await self._row("save_sip_customer", organisation_id, customer.name, customer.street,
                        customer.street_housenumber, customer.city, customer.city_code, customer.country)

    # --- hotlines

    async def hotlines(self, organisation_id: int, limit: int, offset: int) -> Page[StoredHotline]:
        async with self._connection() as connection:
            rows = await connection.fetch(SQL["hotlines"], organisation_id, limit, offset)
            total = await connection.fetchval(SQL["count_hotlines"], organisation_id)
        return Page([_hotline(row) for row in rows], total)

    async def hotline(self, organisation_id: int, hotline_id: int) -> StoredHotline | None:
        row = await self._row("hotline", organisation_id, hotline_id)
        return None if row is None else _hotline(row)

    async def create_hotline(self, organisation_id: int, data: HotlineData) -> StoredHotline:
        async with self._connection() as connection, connection.transaction():
            if await connection.fetchrow(SQL["sip_customer"], organisation_id) is None:
                raise NoSipCustomer("the organisation has no sip-customer")
            await _check_users(connection, organisation_id, data.agents)
            number = await connection.fetchval(SQL["take_number"])
            if number is None:
                raise NoNumberLeft("no number left")
            hotline_id = await connection.fetchval(SQL["create_hotline"], organisation_id, number, *_columns(data))
            await connection.execute(SQL["assign_number"], number, hotline_id)
            await connection.execute(SQL["add_agents"], organisation_id, hotline_id, list(data.agents))
            return await _stored(connection, organisation_id, hotline_id)

    async def replace_hotline(self, organisation_id: int, hotline_id: int, data: HotlineData) -> StoredHotline | None:
        async with self._connection() as connection, connection.transaction():
            if await connection.fetchrow(SQL["hotline_for_update"], organisation_id, hotline_id) is None:
                return None
            await _check_users(connection, organisation_id, data.agents)
            await connection.execute(SQL["replace_hotline"], organisation_id, hotline_id, *_columns(data))
            await connection.execute(SQL["drop_agents"], organisation_id, hotline_id)
            await connection.execute(SQL["add_agents"], organisation_id, hotline_id, list(data.agents))
            return await _stored(connection, organisation_id, hotline_id)

    async def delete_hotline(self, organisation_id: int, hotline_id: int) -> bool:
        async with self._connection() as connection, connection.transaction():
            if await connection.fetchrow(SQL["hotline_for_update"], organisation_id, hotline_id) is None:
                return False
            await connection.execute(SQL["delete_hotline"], organisation_id, hotline_id)
            await connection.execute(SQL["free_number"], hotline_id)
            return True

    # --- what happened

    async def call_logs(self, organisation_id: int, hotline_id: int, limit: int, offset: int) -> Page[CallLog] | None:
        page = await self._page("call_logs", organisation_id, hotline_id, limit, offset)
        return None if page is None else Page([CallLog(*row) for row in page.items], page.total)

    async def call_log(
        self, organisation_id: int, hotline_id: int, log_id: int) -> tuple[CallLog, Sequence[LogEntry]] | None:
        async with self._connection() as connection:
            row = await connection.fetchrow(SQL["call_log"], organisation_id, hotline_id, log_id)
            if row is None:
                return None
            entries = await connection.fetch(SQL["log_entries"], organisation_id, log_id)
        return CallLog(*row), [LogEntry(*entry) for entry in entries]

    async def records(
        self, organisation_id: int, hotline_id: int, limit: int, offset: int) -> Page[TelephoneRecord] | None:
        page = await self._page("records", organisation_id, hotline_id, limit, offset)
        return None if page is None else Page([TelephoneRecord(*row) for row in page.items], page.total)

    # --- one statement each

    async def _row(self, query: str, *args: Any) -> "asyncpg.Record | None":
        async with self._connection() as connection:
            return await connection.fetchrow(SQL[query], *args)

    async def _rows(self, query: str, *args: Any) -> "list[asyncpg.Record]":
        async with self._connection() as connection:
            return await connection.fetch(SQL[query], *args)

    async def _page(
        self, query: str, organisation_id: int, hotline_id: int, limit: int, offset: int,
    ) -> "Page[asyncpg.Record] | None":
        async with self._connection() as connection:
            if await connection.fetchrow(SQL["hotline_exists"], organisation_id, hotline_id) is None:
                return None
            rows = await connection.fetch(SQL[query], organisation_id, hotline_id, limit, offset)
            total = await connection.fetchval(SQL[f"count_{query}"], organisation_id, hotline_id)
        return Page(rows, total)


async def _issue(connection: Connection, organisation_id: int, user_id: int | None) -> str:
    token = new_token("organisation" if user_id is None else "user")
    if await connection.fetchrow(SQL["issue_token"], organisation_id, user_id, digest(token)) is None:
        raise UnknownUsers([user_id or 0])
    return token


async def _check_users(connection: Connection, organisation_id: int, ids: Sequence[int]) -> None:
    missing = await connection.fetch(SQL["missing_users"], organisation_id, list(ids))
    if missing:
        raise UnknownUsers([row["id"] for row in missing])


async def _stored(connection: Connection, organisation_id: int, hotline_id: int) -> StoredHotline:
    row = await connection.fetchrow(SQL["hotline"], organisation_id, hotline_id)
    assert row is not None      # noqa: S101 - this transaction wrote it
    return _hotline(row)


def _columns(data: HotlineData) -> tuple[Any, ...]:
    return (data.name, data.is_active, data.channels_inbound, data.channels_outbound, data.tts_inbound,
            data.tts_outbound)


def _phone(row: "asyncpg.Record") -> Phone:
    return Phone(phone_id=row["id"], user_id=row["user_id"], name=row["name"], number=row["number"],
                 is_active=row["is_active"], position=row["position"])


def _hotline(row: "asyncpg.Record") -> StoredHotline:
    data = HotlineData(
        name=row["name"], is_active=row["is_active"], channels_inbound=row["channels_inbound"],
        channels_outbound=row["channels_outbound"], tts_inbound=row["tts_inbound"], tts_outbound=row["tts_outbound"],
        agents=tuple(row["agents"]))
    return StoredHotline(row["id"], row["organisation_id"], row["number"], row["status"], data)
