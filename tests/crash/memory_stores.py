"""`Stores` in memory, of one story."""

from collections import Counter
from typing import Any

from engine.ports import HotlineStore, QueuedAlarm
from engine.store.memory_alarms import AlarmBook, MemoryAlarms
from engine.store.memory_calls import MemoryCalls, Shelf
from engine.store.memory_campaign_book import Campaign, CampaignBook, Contact
from engine.store.memory_campaigns import MemoryCampaigns
from engine.vocabulary.commands import Finish, WriteAlarm, WriteEntry, WriteRecord
from engine.vocabulary.program import RetryRules
from engine.vocabulary.values import AlarmState
from tests.crash.campaign_stories import number
from tests.crash.mortal_engine import Fate, MortalEngine
from tests.crash.stores import AlarmRows, Attempt, CallRows, CampaignRows, turns
from tests.crash.town import Town, TownClock

WAKES_S = 0.001


class MemoryStores:
    def __init__(self, town: Town, hotlines: HotlineStore) -> None:
        self._town = town
        self._hotlines = hotlines
        self._shelf = Shelf(TownClock(town))
        self._book = AlarmBook(self._shelf)
        self._campaigns = CampaignBook(self._shelf)

    def engine(self, fate: Fate) -> MortalEngine:
        alarms = MemoryAlarms(self._book, WAKES_S)
        campaigns = MemoryCampaigns(self._campaigns, wake_s=WAKES_S)
        return MortalEngine(self._town, MemoryCalls(self._shelf), self._hotlines, alarms, campaigns, fate)

    async def has_begun(self, life: MortalEngine) -> None:
        await turns()

    async def turns(self, life: MortalEngine) -> None:
        await turns()

    async def died(self, life: MortalEngine) -> None:
        self._shelf.owner_is_dead = True

    async def is_empty(self) -> bool:
        return not self._shelf.calls

    async def call_rows(self, town: Town) -> CallRows:
        rows = [row for _, row in self._shelf.rows]
        return CallRows(
            Counter(call_id for call_id, row in self._shelf.rows if isinstance(row, Finish)),
            [row.leg for row in rows if isinstance(row, WriteRecord)],
            [row.type for row in rows if isinstance(row, WriteEntry)],
            [call.phase for call in self._shelf.calls.values()])

    # --- the alarm ---------------------------------------------------------------------------------------------------

    async def post(self, alarm: QueuedAlarm) -> None:
        self._book.post(alarm)

    async def order(self, kind: str, place: int | None, life: MortalEngine) -> None:
        self._book.order(self._call_id, kind, place)

    async def state(self) -> AlarmState:
        return self._book.state(self._call_id)

    async def is_over(self) -> bool:
        return self._book.is_over(self._call_id) and not self._book.orders

    async def alarm_rows(self, town: Town) -> AlarmRows:
        book, call_id = self._book, self._call_id
        said = [row.state for _, row in book.said(WriteAlarm)]
        persons = book.alarms[call_id].persons
        return AlarmRows(
            book.state(call_id), [state for state in said if state is not AlarmState.RINGING],
            len([*book.said(Finish)]), [book.recipient(call_id, one.recipient_id) for one in persons],
            {leg: Attempt(row.number, row.disposition, row.ended_at)
             for leg, (_, row) in book.attempts(call_id).items()},
            len(book.orders), [call.phase for call in self._shelf.calls.values()])

    @property
    def _call_id(self) -> str:
        [call_id] = self._book.alarms
        return call_id

    # --- the campaign ------------------------------------------------------------------------------------------------

    async def start_campaign(self, story: Any) -> None:
        program_type, program = story.program
        contacts = [Contact(place + 1, f"+{number(place)}") for place in range(len(story.phones))]
        self._campaigns.start(Campaign(
            1, contacts, program_type, program, try_allowed=story.tries, channels=story.channels, hours=story.hours,
            retry=RetryRules(3, 3, 3), opt_out_key=story.opt_out_key,
            refused={f"+{number(place)}" for place in story.refused}))

    async def set_campaign(self, status: str) -> None:
        self._campaigns.campaigns[1].status = status
        self._campaigns.changed.set()

    async def campaign_is_over(self) -> bool:
        return self._campaigns.campaigns[1].status == "completed" and not self._shelf.calls

    async def campaign_rows(self) -> CampaignRows:
        book = self._campaigns
        book.catch_up()
        return CampaignRows(
            book.campaigns[1].status,
            {(one.contact.number or "+")[1:]: (one.status.value, one.try_done) for one in book.transmissions.values()},
            [((one.transmission.contact.number or "+")[1:], one.status.value, one.disposition and one.disposition.value)
             for one in book.spools.values()],
            {figure: count for (_, figure), count in book.figures.items()},
            [call.phase for call in self._shelf.calls.values()],
            Counter(call_id for call_id, row in self._shelf.rows if isinstance(row, Finish)))
