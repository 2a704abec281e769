"""The directory in memory: the twin of `directory.py` for fast tests, passing the same contract tests.

Rows are frozen values in dicts by id; a method that raises has changed nothing.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

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
    T,
    TelephoneRecord,
    UnknownUsers,
    User,
)
from engine.store.tokens import digest, new_token

SYSTEM = 0                  # the organisation of system tokens: none
LAST_POSITION = 1_000_000   # of a phone


@dataclass(slots=True)
class MemoryHotline:
    """A hotline's row: what the API stores and what the engine adds to it."""

    stored: StoredHotline
    revision: int = 1
    ready_revision: int = 0
    greeting: str | None = None
    ask: str | None = None
    error: str | None = None
    deleted: bool = False


@dataclass(slots=True)
class MemoryDirectory:
    beat: EngineBeat | None = None
    organisation_rows: dict[int, Organisation] = field(default_factory=dict)
    user_rows: dict[int, User] = field(default_factory=dict)
    token_rows: dict[bytes, tuple[int, int | None]] = field(default_factory=dict)
    phone_rows: dict[int, tuple[int, Phone]] = field(default_factory=dict)
    customer_rows: dict[int, SipCustomer] = field(default_factory=dict)
    hotline_rows: dict[int, MemoryHotline] = field(default_factory=dict)
    pool: list[str] = field(default_factory=list)
    log_rows: dict[int, CallLog] = field(default_factory=dict)
    entry_rows: list[LogEntry] = field(default_factory=list)
    record_rows: list[TelephoneRecord] = field(default_factory=list)
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    # --- across organisations

    async def principal(self, digest: bytes) -> Principal | None:
        if digest not in self.token_rows:
            return None
        organisation_id, user_id = self.token_rows[digest]
        if organisation_id == SYSTEM:
            return Principal(SYSTEM, None, is_admin=False, country="", is_system=True)
        customer = self.customer_rows.get(organisation_id)
        country = customer.country if customer else self.organisation_rows[organisation_id].country
        return Principal(organisation_id, user_id, user_id is None or self.user_rows[user_id].is_admin, country,
                         countries=frozenset({self.organisation_rows[organisation_id].country}))

    async def organisations(self) -> Sequence[Organisation]:
        return list(self.organisation_rows.values())

    async def create_organisation(self, name: str, country: str = "DE", language: str = "de") -> Organisation:
        row = Organisation(next(self._ids), name, country, language)
        self.organisation_rows[row.organisation_id] = row
        return row

    async def organisation_of_user(self, user_id: int) -> int | None:
        user = self.user_rows.get(user_id)
        return None if user is None else user.organisation_id

    async def add_numbers(self, numbers: Sequence[str]) -> Sequence[str]:
        used = {row.stored.number for row in self.hotline_rows.values() if not row.deleted}
        new = [number for number in dict.fromkeys(numbers) if number not in self.pool and number not in used]
        self.pool += new
        return new

    async def engine_beat(self) -> EngineBeat | None:
        return self.beat

    # --- tokens

    async def issue_token(self, organisation_id: int, user_id: int | None) -> str:
        if user_id is not None and await self.user(organisation_id, user_id) is None:
            raise UnknownUsers([user_id])
        token = new_token("organisation" if user_id is None else "user")
        self.token_rows[digest(token)] = (organisation_id, user_id)
        return token

    async def revoke_tokens(self, organisation_id: int, user_id: int | None) -> int:
        revoked = [key for key, owner in self.token_rows.items() if owner == (organisation_id, user_id)]
        for key in revoked:
            del self.token_rows[key]
        return len(revoked)

    async def rotate_token(self, organisation_id: int, user_id: int | None) -> str:
        await self.revoke_tokens(organisation_id, user_id)
        return await self.issue_token(organisation_id, user_id)

    async def issue_system_token(self) -> str:
        token = new_token("system")
        self.token_rows[digest(token)] = (SYSTEM, None)
        return token

    async def revoke_system_tokens(self) -> int:
        return await self.revoke_tokens(SYSTEM, None)

    # --- users

    async def users(self, organisation_id: int) -> Sequence[User]:
        return [user for user in self.user_rows.values() if user.organisation_id == organisation_id]

    async def user(self, organisation_id: int, user_id: int) -> User | None:
        user = self.user_rows.get(user_id)
        return user if user and user.organisation_id == organisation_id else None

    async def create_user(self, organisation_id: int, name: str, *, is_admin: bool = False, allow_admins: bool = False,
                          language: str = "de", password_hash: str | None = None) -> User:
        if any(user.name == name for user in self.user_rows.values()):
            raise NameTaken(name)
        user = User(next(self._ids), organisation_id, name, is_admin, allow_admins, language)
        self.user_rows[user.user_id] = user
        return user

    async def set_allow_admins(self, organisation_id: int, user_id: int, allowed: bool) -> User | None:
        user = await self.user(organisation_id, user_id)
        if user is None:
            return None
        self.user_rows[user_id] = replace(user, allow_admins=allowed)
        return self.user_rows[user_id]

    # --- phones

    async def phones(self, organisation_id: int, user_id: int) -> Sequence[Phone]:
        ours = [phone for owner, phone in self.phone_rows.values()
                if owner == organisation_id and phone.user_id == user_id]
        return sorted(ours, key=lambda phone: (phone.position, phone.phone_id))

    async def phone(self, organisation_id: int, phone_id: int) -> Phone | None:
        owner, phone = self.phone_rows.get(phone_id, (None, None))
        return phone if owner == organisation_id else None

    async def create_phone(self, organisation_id: int, data: PhoneData, position: int | None = None) -> Phone:
        if position is None:
            last = max((it.position for it in await self.phones(organisation_id, data.user_id)), default=-1)
            position = min(last + 1, LAST_POSITION)
        return self._put_phone(organisation_id, next(self._ids), data, position)

    async def replace_phone(
        self, organisation_id: int, phone_id: int, data: PhoneData, position: int | None = None) -> Phone | None:
        phone = await self.phone(organisation_id, phone_id)
        if phone is None:
            return None
        return self._put_phone(organisation_id, phone_id, data, phone.position if position is None else position)

    async def delete_phone(self, organisation_id: int, phone_id: int) -> bool:
        if await self.phone(organisation_id, phone_id) is None:
            return False
        del self.phone_rows[phone_id]
        return True

    def _put_phone(self, organisation_id: int, phone_id: int, data: PhoneData, position: int) -> Phone:
        self._check_users(organisation_id, [data.user_id])
        phone = Phone(data.user_id, data.name, data.number, data.is_active, phone_id, position)
        self.phone_rows[phone_id] = (organisation_id, phone)
        return phone

    def _check_users(self, organisation_id: int, ids: Sequence[int]) -> None:
        ours = {user.user_id for user in self.user_rows.values() if user.organisation_id == organisation_id}
        missing = [user_id for user_id in ids if user_id not in ours]
        if missing:
            raise UnknownUsers(missing)

    # --- sip-customer

    async def sip_customer(self, organisation_id: int) -> SipCustomer | None:
        return self.customer_rows.get(organisation_id)

    async def save_sip_customer(self, organisation_id: int, customer: SipCustomer) -> None:
        self.customer_rows[organisation_id] = customer

    # --- hotlines

    async def hotlines(self, organisation_id: int, limit: int, offset: int) -> Page[StoredHotline]:
        ours = [row.stored for row in self.hotline_rows.values()
                if not row.deleted and row.stored.organisation_id == organisation_id]
        return Page(ours[offset:offset + limit], len(ours))

    async def hotline(self, organisation_id: int, hotline_id: int) -> StoredHotline | None:
        row = self.hotline_rows.get(hotline_id)
        return row.stored if row and not row.deleted and row.stored.organisation_id == organisation_id else None

    async def create_hotline(self, organisation_id: int, data: HotlineData) -> StoredHotline:
        if organisation_id not in self.customer_rows:
            raise NoSipCustomer("the organisation has no sip-customer")
        self._check_users(organisation_id, data.agents)
        if not self.pool:
            raise NoNumberLeft("no number left")
        stored = StoredHotline(next(self._ids), organisation_id, self.pool.pop(0), "created", data)
        self.hotline_rows[stored.hotline_id] = MemoryHotline(stored)
        return stored

    async def replace_hotline(self, organisation_id: int, hotline_id: int, data: HotlineData) -> StoredHotline | None:
        stored = await self.hotline(organisation_id, hotline_id)
        if stored is None:
            return None
        self._check_users(organisation_id, data.agents)
        row = self.hotline_rows[hotline_id]
        if _what_the_engine_needs(data) != _what_the_engine_needs(stored.data):
            row.revision += 1
            stored = replace(stored, status="starting" if data.is_active else "paused")
        row.stored = replace(stored, data=data)
        return row.stored

    async def delete_hotline(self, organisation_id: int, hotline_id: int) -> bool:
        stored = await self.hotline(organisation_id, hotline_id)
        if stored is None:
            return False
        self.hotline_rows[hotline_id].deleted = True
        self.pool.append(stored.number)
        return True

    # --- what happened

    async def call_logs(self, organisation_id: int, hotline_id: int, limit: int, offset: int) -> Page[CallLog] | None:
        if await self.hotline(organisation_id, hotline_id) is None:
            return None
        logs = [log for log in self.log_rows.values() if log.hotline_id == hotline_id]
        return _page(sorted(logs, key=lambda log: (log.start_time, log.log_id), reverse=True), limit, offset)

    async def call_log(
        self, organisation_id: int, hotline_id: int, log_id: int) -> tuple[CallLog, Sequence[LogEntry]] | None:
        log = self.log_rows.get(log_id)
        if log is None or log.hotline_id != hotline_id or await self.hotline(organisation_id, hotline_id) is None:
            return None
        entries = [entry for entry in self.entry_rows if entry.log_id == log_id]
        return log, sorted(entries, key=lambda entry: (entry.at, entry.entry_id))

    async def records(
        self, organisation_id: int, hotline_id: int, limit: int, offset: int) -> Page[TelephoneRecord] | None:
        if await self.hotline(organisation_id, hotline_id) is None:
            return None
        records = [record for record in self.record_rows if record.hotline_id == hotline_id]
        return _page(sorted(records, key=lambda it: (it.start_time, it.record_id), reverse=True), limit, offset)

    def add_log(self, hotline_id: int, start_time: datetime) -> CallLog:
        """What the engine's store does in Postgres: a call of this hotline began."""
        log = CallLog(next(self._ids), hotline_id, start_time)
        self.log_rows[log.log_id] = log
        return log


def _what_the_engine_needs(data: HotlineData) -> tuple[bool, str, str]:
    return data.is_active, data.tts_inbound, data.tts_outbound


def _page(items: Sequence[T], limit: int, offset: int) -> Page[T]:
    return Page(items[offset:offset + limit], len(items))
