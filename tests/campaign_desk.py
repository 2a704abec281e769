"""The live calls on twins, with all that a campaign needs beside them.

    async with campaign_desk(phones={"493055510": Phone(answers_s=1)}) as at:
        at.starts("493055510")
        await at.passes(5)
"""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from engine.campaigns import Campaigns
from engine.kept_recordings import KeptRecordings
from engine.preparing import Preparing
from engine.store.memory_campaign_book import Campaign, CampaignBook, Contact
from engine.store.memory_campaigns import MemoryCampaigns
from engine.switch.memory import MemorySwitch
from engine.vocabulary.commands import DialProgram
from tests.alarm_desk import AlarmDesk, Parrot, alarm_desk
from tests.desk import turns, until

TEXT = {"text": "Guten Tag {first_name}"}


@dataclass
class CampaignDesk:
    """`at`: the desk of alarms, which has everything that both need. `may_begin` as `Campaigns` is told."""

    at: AlarmDesk
    book: CampaignBook
    store: MemoryCampaigns
    recordings: KeptRecordings
    may_begin: bool = True
    looks: int = 0      # how often the campaigns asked whether they may begin: at every pass
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def switch(self) -> MemorySwitch:
        return self.at.desk.switch

    @property
    def speech(self) -> Parrot:
        return self.at.speech

    def starts(self, *numbers: str, **facts: Any) -> Campaign:
        """A campaign to these numbers (digits); each has a name of its own."""
        members = [self.contact(number) for number in numbers]
        made = Campaign(len(self.book.campaigns) + 1, members, **{"program": TEXT, **facts})
        self.book.start(made)
        return made

    def contact(self, number: str) -> Contact:
        place = next(self._numbers)
        return Contact(place, f"+{number}", fields={"first_name": f"P{place}"})

    async def passes(self, seconds: float) -> None:
        for _ in range(int(seconds * 4)):
            self.switch.advance(0.25)
            await self.settles()

    async def settles(self) -> None:
        """With what wakes by itself a moment later: who is due was looked for."""
        looks = self.looks + 4
        await until(lambda: self.looks >= looks)
        await turns(20)
        await self.at.desk.settles()

    def rung(self) -> list[str]:
        return [order.number for order in self.at.desk.sent(DialProgram)]

    def became(self, campaign: Campaign) -> dict[str, tuple[str, int]]:
        """By number: the transmission's status, and how often it was tried."""
        self.book.catch_up()
        return {(one.contact.number or "+")[1:]: (one.status.value, one.try_done) for one in self.book.of(campaign)}


@asynccontextmanager
async def campaign_desk(**changes: Any) -> AsyncIterator[CampaignDesk]:
    """`changes` as of `desk`. The campaigns' pauses are those of the test (`quick`)."""
    async with alarm_desk(**changes) as at:
        book = CampaignBook(at.desk.shelf)
        store = MemoryCampaigns(book, wake_s=0.001)
        preparing = Preparing(store, at.speech, 25, lambda language: language)
        recordings = KeptRecordings(at.desk.switch, store)

        def may_begin() -> bool:
            made.looks += 1
            return made.may_begin

        campaigns = Campaigns(store, at.desk.calls, at.desk.switch, preparing, may_begin)
        made = CampaignDesk(at, book, store, recordings)
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(campaigns.run()), tasks.create_task(recordings.run())]
            try:
                yield made
            finally:
                for task in running:
                    task.cancel()
