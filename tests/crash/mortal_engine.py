"""An engine that dies at a chosen boundary, and the world that goes on without it.

A boundary is a moment between two effects: before and after each commit, before and after each order written to the
switch, before and after each event taken from it. `Fate` counts them; at the chosen one the engine is gone as after
SIGKILL: nothing of it has an effect any more, what it had in memory is lost, what the switch tells meanwhile is told to
nobody. A new engine then takes over the same store and the same switch.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache

from engine.app import Engine
from engine.campaign_ports import Attempt, CampaignStore, Claim, OpensAt
from engine.ports import (
    AckNote,
    AlarmOrder,
    AlarmStore,
    Batch,
    CallBack,
    CallStore,
    FallbackRow,
    HotlineStore,
    QueuedAlarm,
    Recorded,
    Restraints,
    SavedCall,
    StoreFailed,
    SwitchEvent,
    UnreadyHotline,
)
from engine.settings import Settings
from engine.vocabulary.commands import SwitchCommand
from engine.vocabulary.values import Hotline, LiveLeg, Provider
from tests.crash.town import Silence, Town

NEVER = 1 << 30


class Killed(BaseException):
    """Nothing of the engine catches this."""


class Fate:
    """Passes boundaries until the chosen one. It also knows whether the engine waits for its database (`is_idle`)."""

    def __init__(self, at: int = NEVER) -> None:
        self.at = at
        self.passed: list[str] = []
        self.is_dead = False
        self.is_idle = asyncio.Event()
        self.is_idle.set()
        self.on_death: Callable[[], None] = lambda: None
        self.asked = 0  # how often the engine has asked a store
        self._asking = 0

    def boundary(self, name: str) -> None:
        if not self.is_dead:
            self.passed.append(name)
            if len(self.passed) == self.at:
                self.is_dead = True
                self.on_death()
        self.check(name)

    def check(self, name: str = "") -> None:
        if self.is_dead:
            raise Killed(name)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """The engine asks a store. A dead one does not, and hears no answer."""
        self.check()
        self.asked += 1
        self._asking += 1
        self.is_idle.clear()
        try:
            yield
        except StoreFailed:
            self.check()
            raise
        finally:
            self._asking -= 1
            if not self._asking:
                self.is_idle.set()
        self.check()


class MortalStore:
    """A CallStore in the hands of an engine that may die."""

    def __init__(self, store: CallStore, fate: Fate) -> None:
        self._store = store
        self._fate = fate

    async def take_over(self, stale_after_s: float) -> bool:
        with self._fate.asking():
            return await self._store.take_over(stale_after_s)

    async def save(self, batch: Batch) -> None:
        if batch.calls:
            self._fate.boundary("before save")
        with self._fate.asking():
            await self._store.save(batch)
        if batch.calls:
            self._fate.boundary("after save")

    async def load_calls(self) -> Sequence[SavedCall]:
        with self._fate.asking():
            return await self._store.load_calls()

    async def call_of_leg(self, caller_leg: str) -> str | None:
        with self._fate.asking():
            return await self._store.call_of_leg(caller_leg)

    async def close(self) -> None:
        await self._store.close()


class MortalHotlines:
    """A HotlineStore in the hands of an engine that may die."""

    def __init__(self, hotlines: HotlineStore, fate: Fate) -> None:
        self._hotlines = hotlines
        self._fate = fate

    async def by_number(self, number: str) -> Hotline | None:
        with self._fate.asking():
            return await self._hotlines.by_number(number)

    async def all(self) -> Sequence[Hotline]:
        with self._fate.asking():
            return await self._hotlines.all()

    async def unready(self) -> Sequence[UnreadyHotline]:
        with self._fate.asking():
            return await self._hotlines.unready()

    async def failed(self) -> Sequence[UnreadyHotline]:
        with self._fate.asking():
            return await self._hotlines.failed()

    async def mark_ready(
        self, hotline: UnreadyHotline, greeting: str | None, ask: str | None, error: str | None
    ) -> None:
        with self._fate.asking():
            await self._hotlines.mark_ready(hotline, greeting, ask, error)

    async def changes(self) -> AsyncIterator[int]:
        async for hotline_id in self._hotlines.changes():
            yield hotline_id


class MortalAlarms:
    """An AlarmStore in the hands of an engine that may die."""

    def __init__(self, alarms: AlarmStore, fate: Fate) -> None:
        self._alarms = alarms
        self._fate = fate
        self.looks = 0  # after how many wakes everything that is due has been looked for

    async def claim(self, limit: int) -> Sequence[QueuedAlarm]:
        with self._fate.asking():
            queued = await self._alarms.claim(limit)
        if queued:
            self._fate.boundary("after claim")
        return queued

    async def orders(self) -> Sequence[AlarmOrder]:
        with self._fate.asking():
            return await self._alarms.orders()

    async def forget_orders(self, order_ids: Sequence[int]) -> None:
        self._fate.boundary("before orders are forgotten")
        with self._fate.asking():
            await self._alarms.forget_orders(order_ids)

    async def call_of_attempt(self, leg: str) -> str | None:
        with self._fate.asking():
            return await self._alarms.call_of_attempt(leg)

    async def acknowledge_late(self, note: AckNote) -> None:
        self._fate.boundary("before a late acknowledgement")
        with self._fate.asking():
            await self._alarms.acknowledge_late(note)

    async def call_back(self, did: str, caller: str) -> CallBack | None:
        with self._fate.asking():
            return await self._alarms.call_back(did, caller)

    async def restraints(self, within: timedelta) -> Restraints:
        with self._fate.asking():
            return await self._alarms.restraints(within)

    async def recording(self, organisation_id: int, recording_id: int) -> bytes | None:
        with self._fate.asking():
            return await self._alarms.recording(organisation_id, recording_id)

    async def changes(self) -> AsyncIterator[None]:
        async for _ in self._alarms.changes():
            yield None
            self.looks += 1


class MortalCampaigns:
    """A CampaignStore in the hands of an engine that may die."""

    def __init__(self, campaigns: CampaignStore, fate: Fate) -> None:
        self._campaigns = campaigns
        self._fate = fate
        self.claims = 0     # after how many it is known that nobody is due

    async def claim(self, limit: int, opens_at: OpensAt) -> Claim:
        with self._fate.asking():
            claim = await self._campaigns.claim(limit, opens_at)
        if claim.attempts:
            self._fate.boundary("after claim")
        self.claims += 1
        return claim

    async def inbound(self, did: str, caller: str) -> Attempt | None:
        with self._fate.asking():
            return await self._campaigns.inbound(did, caller)

    async def free_lost(self, in_hand: Collection[str]) -> int:
        with self._fate.asking():
            freed = await self._campaigns.free_lost(in_hand)
        if freed:
            self._fate.boundary("after lost ones are freed")
        return freed

    async def give_up(self, attempt: Attempt, why: str, is_final: bool = False) -> None:
        self._fate.boundary("before one is given up")
        with self._fate.asking():
            await self._campaigns.give_up(attempt, why, is_final)

    def refused(self, number: str, countries: frozenset[str]) -> str:
        return self._campaigns.refused(number, countries)

    async def halted(self, campaign_ids: Collection[int]) -> Collection[int]:
        with self._fate.asking():
            return await self._campaigns.halted(campaign_ids)

    async def coming(self, limit: int) -> Sequence[Attempt]:
        with self._fate.asking():
            return await self._campaigns.coming(limit)

    async def recording(self, organisation_id: int, recording_id: int) -> bytes | None:
        with self._fate.asking():
            return await self._campaigns.recording(organisation_id, recording_id)

    async def keep_recording(self, recorded: Recorded, wav: bytes, duration_ms: int) -> None:
        self._fate.boundary("before a recording is kept")
        with self._fate.asking():
            await self._campaigns.keep_recording(recorded, wav, duration_ms)
        self._fate.boundary("after a recording is kept")

    async def dialled_within(self, within: timedelta) -> Sequence[float]:
        with self._fate.asking():
            return await self._campaigns.dialled_within(within)

    async def changes(self) -> AsyncIterator[None]:
        async for _ in self._campaigns.changes():
            yield None


class MortalLink:
    """A Switch in the hands of an engine that may die. Orders go out one by one, with a boundary before each."""

    def __init__(self, switch: Town, fate: Fate) -> None:
        self._switch = switch
        self._fate = fate

    @property
    def lag_s(self) -> float:
        return 0.0

    async def run(self) -> None:
        await self._switch.run()

    async def events(self) -> AsyncIterator[SwitchEvent]:
        async for event in self._switch.events():
            self._fate.boundary(f"before {type(event).__name__}")
            yield event
            self._fate.boundary(f"after {type(event).__name__}")

    def now(self) -> datetime:
        return self._switch.now()

    def send(self, commands: Sequence[SwitchCommand]) -> None:
        for command in commands:
            self._fate.boundary(f"before {type(command).__name__}")
            before = len(self._switch.sent)
            self._switch.send([command])
            if len(self._switch.sent) == before:  # it came too late: the rest of the step is dropped as well
                return
        if commands:
            self._fate.boundary("after all orders")

    def renew(self, legs: Sequence[str], lease_s: int) -> None:
        if not self._fate.is_dead:
            self._switch.renew(legs, int(self._switch.lease_s))

    async def live(self) -> Mapping[str, LiveLeg]:
        return await self._switch.live()

    async def put_hotlines(self, hotlines: Sequence[Hotline]) -> None:
        self._fate.check()
        await self._switch.put_hotlines(hotlines)

    async def put_trunks(self, providers: Sequence[Provider]) -> Collection[str]:
        self._fate.check()
        return await self._switch.put_trunks(providers)

    async def fallback_rows(self) -> Sequence[FallbackRow]:
        return await self._switch.fallback_rows()

    async def forget(self, rows: Sequence[FallbackRow]) -> None:
        self._fate.check()
        await self._switch.forget(rows)

    async def acknowledgements(self) -> Sequence[AckNote]:
        return await self._switch.acknowledgements()

    async def forget_acknowledgements(self, notes: Sequence[AckNote]) -> None:
        self._fate.boundary("before the notes are forgotten")
        await self._switch.forget_acknowledgements(notes)

    async def recorded(self) -> Sequence[Recorded]:
        return await self._switch.recorded()

    async def recorded_audio(self, one: Recorded) -> bytes:
        return await self._switch.recorded_audio(one)

    async def forget_recorded(self, one: Recorded) -> None:
        self._fate.check()
        await self._switch.forget_recorded(one)


@cache
def settings(lines: int) -> Settings:
    """Rounds follow at once, a trunk takes every call. `lease_s` 0: leases are renewed at every tick (by the switch's
    own time)."""
    made = Settings(
        round_min_s=0, ring_timeout_s=8, rounds=3, claim_s=2, trunk_cps=100_000, trunk_channels=lines,
        throttle_15min=100, throttle_hour=100)
    return made.model_copy(update={"lease_s": 0})


class MortalEngine:
    """One life of an engine."""

    def __init__(
        self, town: Town, calls: CallStore, hotlines: HotlineStore, alarms: AlarmStore, campaigns: CampaignStore,
        fate: Fate,
    ) -> None:
        self.fate = fate
        self.alarms = MortalAlarms(alarms, fate)
        self.campaigns = MortalCampaigns(campaigns, fate)
        self.engine = Engine(
            settings(town.lines), MortalLink(town, fate), MortalStore(calls, fate), MortalHotlines(hotlines, fate),
            self.alarms, self.campaigns, Silence())
        self.engine.calls.executing.call_later = town.call_later

    async def live(self) -> None:
        try:
            await self.engine.run()
        except* Killed:
            pass

    def tick(self) -> None:
        self.engine.calls.mailbox.tick()

    @property
    def has_compared(self) -> bool:
        return self.engine._reconcile.is_settled
