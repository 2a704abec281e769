"""What the sweeps ask of the stores they run on: in memory (`memory_stores.py`) and Postgres (`postgres_stores.py`).

A story is told to one `Stores`; what is left of it in rows comes back as `CallRows` or `AlarmRows`, the same from both.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from engine.ports import QueuedAlarm
from engine.vocabulary.values import AlarmState, Disposition, EntryType, RecipientState
from tests.crash.mortal_engine import Fate, MortalEngine
from tests.crash.town import Town


@dataclass
class CallRows:
    """Of hotline calls. `ends`: how often each call was finished. `also`: what this store alone can see to be wrong."""

    ends: Mapping[str, int]
    records: Sequence[str]  # legs
    entries: Sequence[EntryType]
    live: Sequence[str]  # phases of calls that are left
    also: Sequence[str] = ()


@dataclass
class Attempt:
    number: str
    disposition: Disposition | None
    ended_at: datetime | None


@dataclass
class AlarmRows:
    """Of one alarm. `became`: its final states; `people`: by place."""

    state: AlarmState
    became: Sequence[AlarmState]
    ends: int
    people: Sequence[RecipientState]
    attempts: Mapping[str, Attempt]
    orders: int
    live: Sequence[str]
    also: Sequence[str] = field(default_factory=list)


@dataclass
class CampaignRows:
    """Of one campaign. `transmissions`: status and tries by number; `spools`: number, status, disposition."""

    status: str
    transmissions: Mapping[str, tuple[str, int]]
    spools: Sequence[tuple[str, str, str | None]]
    figures: Mapping[str, int]
    live: Sequence[str]
    ends: Mapping[str, int] = field(default_factory=dict)
    also: Sequence[str] = ()


class Stores(Protocol):
    """The rows of one story, from its beginning on."""

    def engine(self, fate: Fate) -> MortalEngine: ...

    async def has_begun(self, life: MortalEngine) -> None:
        """The engine's task was started: time stands still until it is ready for calls, as far as that matters."""

    async def turns(self, life: MortalEngine) -> None:
        """Let everything run that can, before time goes on."""

    async def died(self, life: MortalEngine) -> None:
        """The engine is dead: whoever comes next learns of that at once."""

    async def is_empty(self) -> bool:
        """No live call is left."""

    async def call_rows(self, town: Town) -> CallRows: ...

    async def post(self, alarm: QueuedAlarm) -> None: ...

    async def order(self, kind: str, place: int | None, life: MortalEngine) -> None:
        """An engine that lives takes it up before time goes on."""

    async def state(self) -> AlarmState: ...

    async def is_over(self) -> bool:
        """The alarm's live call has ended, and no order about it is left."""

    async def alarm_rows(self, town: Town) -> AlarmRows: ...

    async def start_campaign(self, story: Any) -> None: ...

    async def set_campaign(self, status: str) -> None:
        """As an API pauses it, or lets it go on."""

    async def campaign_is_over(self) -> bool:
        """It is completed, and no live call is left."""

    async def campaign_rows(self) -> CampaignRows: ...


async def turns(count: int = 14) -> None:
    for _ in range(count):
        await asyncio.sleep(0)
