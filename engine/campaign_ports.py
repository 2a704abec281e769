"""What the engine needs from outside for campaigns and single transmissions: part of `ports.py`, by the same rules.

Implemented by `engine/store/campaign_claims.py` and its twin `memory_campaigns.py`.
"""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Protocol

from engine.ports import Recorded
from engine.vocabulary.program import CallingHours, RetryRules


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to run a program with somebody that is now ours to make. Numbers are digits.

    `program`: type and fields, as an API took them. `hotlines`: which numbers that it transfers to are hotlines.
    `extension`: the phone behind the program's `extension_id`, '' without one. `fields`: placeholders and what they
    stand for. `tries_left`: attempts that may follow this one. `countries`: which the organisation may dial.
    """

    call_id: str
    spool_id: int
    transmission_id: int
    campaign_id: int | None
    organisation_id: int
    program_type: str
    program: Mapping[str, Any]
    number: str
    caller_id: str
    language: str
    fields: Mapping[str, str]
    tries_left: int
    retry: RetryRules
    opt_out_key: str = ""
    extension: str = ""
    hotlines: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    calls_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """`again_in_s`: when more may be due; None: nobody knows of anything."""

    attempts: Sequence[Attempt]
    again_in_s: float | None = None


# (hours, zones of the number, is that day a holiday there, now) → when he may be called: policy/calling_hours.py
OpensAt = Callable[[CallingHours | None, Sequence[tzinfo], Callable[[date], bool], datetime], datetime | None]


class CampaignStore(Protocol):
    """Campaigns and single transmissions as the engine needs them. Raises StoreFailed."""

    async def claim(self, limit: int, opens_at: OpensAt) -> Claim:
        """Attempts that are due by every limit of their campaigns, at most so many: rows of them are durable, and no
        other engine gets them while we own our switch."""

    async def inbound(self, did: str, caller: str) -> Attempt | None:
        """A program of this number (digits) takes the call; rows of it are durable. None: there is no such program."""

    async def free_lost(self, in_hand: Collection[str]) -> int:
        """Attempts that were claimed by our switch, or by an engine that is gone, and never began, are as if they never
        had been; how many. Not those of `in_hand` (call ids), which are about to begin."""

    def refused(self, number: str, countries: frozenset[str]) -> str:
        """Why nobody dials this number (digits), also to hand a call over; '' when it may be dialled."""

    async def give_up(self, attempt: Attempt, why: str, is_final: bool = False) -> None:
        """It cannot begin: it has failed, and is tried again later if it may be."""

    async def halted(self, campaign_ids: Collection[int]) -> Collection[int]:
        """Which of these nobody is to be dialled for now: paused, stopped, deleted."""

    async def coming(self, limit: int) -> Sequence[Attempt]:
        """Whom running campaigns will call next, so that their speech can be made ahead. Only whose programs speak."""

    async def recording(self, organisation_id: int, recording_id: int) -> bytes | None:
        """The uploaded WAV."""

    async def keep_recording(self, recorded: Recorded, wav: bytes, duration_ms: int) -> None:
        """It becomes a recording of the organisation, and a result of its spool; told twice it is kept once."""

    async def dialled_within(self, within: timedelta) -> Sequence[float]:
        """How many seconds ago our switch dialled for campaigns."""

    def changes(self) -> AsyncIterator[None]:
        """A wake by NOTIFY ringward_campaign, and at least every second, so that nothing is missed."""
