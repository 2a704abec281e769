"""The directory behind every API: organisations, users, tokens, phones, hotlines, and what happened in their calls.

Values, errors and the Protocol; `directory.py` is Postgres, `memory_directory.py` its twin, and both pass
`tests/contract/test_directory.py`. Every method takes the organisation it acts for and sees nothing of another one;
only what the command line and the token check need looks across. Numbers are E.164 with a plus.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from engine.ports import StoreFailed as StoreFailed  # what every method may raise
from engine.vocabulary.values import RingwardError

T = TypeVar("T")


class NoNumberLeft(RingwardError):
    """The pool of numbers is empty."""


class NoSipCustomer(RingwardError):
    """The organisation has no validated address yet."""


class UnknownUsers(RingwardError):
    """These ids are no users of the organisation."""

    def __init__(self, ids: Sequence[int]) -> None:
        super().__init__(", ".join(map(str, ids)))
        self.ids = tuple(ids)


class NameTaken(RingwardError):
    """A user's name is unique in the system."""


@dataclass(frozen=True, slots=True)
class Organisation:
    organisation_id: int
    name: str
    country: str
    language: str


@dataclass(frozen=True, slots=True)
class User:
    user_id: int
    organisation_id: int
    name: str
    is_admin: bool
    allow_admins: bool
    language: str


@dataclass(frozen=True, slots=True)
class Principal:
    """Whom a token acts for. `user_id` is None for an organisation's API token, which acts as an admin.

    `country` is where national forms of numbers are read: the validated address's, else the organisation's. A system
    token (`is_system`) acts for organisation 0, which is none, and is no admin: it finds nothing of anybody's.
    """

    organisation_id: int
    user_id: int | None
    is_admin: bool
    country: str
    is_system: bool = False
    countries: frozenset[str] = frozenset()     # that it may dial; not by the address, which it may write itself


@dataclass(frozen=True, slots=True)
class PhoneData:
    user_id: int
    name: str
    number: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class Phone(PhoneData):
    """`position`: its place among its user's phones, which are rung from the lowest on; equal ones by their ids."""

    phone_id: int
    position: int = 0


@dataclass(frozen=True, slots=True)
class SipCustomer:
    name: str
    street: str
    street_housenumber: int
    city: str
    city_code: str
    country: str


@dataclass(frozen=True, slots=True)
class HotlineData:
    """What a client decides of a hotline. `agents` are user ids in order, each once."""

    name: str
    is_active: bool
    channels_inbound: int
    channels_outbound: int
    tts_inbound: str
    tts_outbound: str
    agents: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StoredHotline:
    hotline_id: int
    organisation_id: int
    number: str
    status: str
    data: HotlineData


@dataclass(frozen=True, slots=True)
class CallLog:
    log_id: int
    hotline_id: int
    start_time: datetime


@dataclass(frozen=True, slots=True)
class LogEntry:
    entry_id: int
    log_id: int
    at: datetime
    type: str
    user_id: int | None
    phone_id: int | None
    phone: str | None
    message: str


@dataclass(frozen=True, slots=True)
class TelephoneRecord:
    record_id: int
    hotline_id: int
    log_id: int
    direction: str
    from_number: str
    to_number: str
    start_time: datetime
    answer_time: datetime | None
    end_time: datetime
    status: str
    cause: int
    fallback: bool


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items, and how many there are in all, whatever limit and offset said."""

    items: Sequence[T]
    total: int


@dataclass(frozen=True, slots=True)
class EngineBeat:
    """What the engine left for the api: `age_s` since its heartbeat (until it, if the clock was put back), its own
    view, its figures (prometheus text)."""

    age_s: float
    state: Mapping[str, Any]
    metrics: str


class Directory(Protocol):
    # across organisations: the token check, the command line, the probes
    async def principal(self, digest: bytes) -> Principal | None:
        """Whom the unrevoked token with this SHA-256 digest acts for."""

    async def organisations(self) -> Sequence[Organisation]: ...
    async def create_organisation(self, name: str, country: str = "DE", language: str = "de") -> Organisation: ...
    async def organisation_of_user(self, user_id: int) -> int | None: ...
    async def add_numbers(self, numbers: Sequence[str]) -> Sequence[str]:
        """Put numbers at the end of the pool, in order; those that are new."""

    async def engine_beat(self) -> EngineBeat | None: ...

    # tokens: `user_id` None is the organisation's API token. The text is returned once and never stored.
    async def issue_token(self, organisation_id: int, user_id: int | None) -> str: ...
    async def revoke_tokens(self, organisation_id: int, user_id: int | None) -> int: ...
    async def rotate_token(self, organisation_id: int, user_id: int | None) -> str:
        """Revoke what there was and issue a new one, in one transaction."""

    async def issue_system_token(self) -> str:
        """For organisations and numbers, and nothing else."""

    async def revoke_system_tokens(self) -> int: ...

    async def users(self, organisation_id: int) -> Sequence[User]: ...
    async def user(self, organisation_id: int, user_id: int) -> User | None: ...
    async def create_user(self, organisation_id: int, name: str, *, is_admin: bool = False, allow_admins: bool = False,
                          language: str = "de", password_hash: str | None = None) -> User:
        """Raises NameTaken."""

    async def set_allow_admins(self, organisation_id: int, user_id: int, allowed: bool) -> User | None: ...

    async def phones(self, organisation_id: int, user_id: int) -> Sequence[Phone]:
        """In the order in which they are rung."""

    async def phone(self, organisation_id: int, phone_id: int) -> Phone | None: ...
    async def create_phone(self, organisation_id: int, data: PhoneData, position: int | None = None) -> Phone:
        """The last of its user's without a position. Raises UnknownUsers."""

    async def replace_phone(
        self, organisation_id: int, phone_id: int, data: PhoneData, position: int | None = None) -> Phone | None:
        """Its position stays without one. Raises UnknownUsers."""

    async def delete_phone(self, organisation_id: int, phone_id: int) -> bool: ...

    async def sip_customer(self, organisation_id: int) -> SipCustomer | None: ...
    async def save_sip_customer(self, organisation_id: int, customer: SipCustomer) -> None: ...

    async def hotlines(self, organisation_id: int, limit: int, offset: int) -> Page[StoredHotline]: ...
    async def hotline(self, organisation_id: int, hotline_id: int) -> StoredHotline | None: ...
    async def create_hotline(self, organisation_id: int, data: HotlineData) -> StoredHotline:
        """With the first number of the pool. Raises NoSipCustomer, UnknownUsers, NoNumberLeft; then nothing changed."""

    async def replace_hotline(self, organisation_id: int, hotline_id: int, data: HotlineData) -> StoredHotline | None:
        """A changed text or `is_active` raises the revision and moves the status. Raises UnknownUsers."""

    async def delete_hotline(self, organisation_id: int, hotline_id: int) -> bool:
        """Its number goes to the end of the pool; its logs stay, invisible."""

    # of a hotline that is there; None when it is not
    async def call_logs(self, organisation_id: int, hotline_id: int, limit: int, offset: int) -> Page[CallLog] | None:
        """Newest first."""

    async def call_log(
        self, organisation_id: int, hotline_id: int, log_id: int) -> tuple[CallLog, Sequence[LogEntry]] | None:
        """One log with its entries as they happened."""

    async def records(
        self, organisation_id: int, hotline_id: int, limit: int, offset: int) -> Page[TelephoneRecord] | None:
        """Newest first."""
