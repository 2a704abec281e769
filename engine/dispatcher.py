"""Work that is due: queued alarms become live calls, people's orders about alarms become events of those.

`engine/app.py` runs it; NOTIFY wakes it, and a wake every second makes sure. An alarm begins only while its first legs
could be dialled. An order is forgotten only after it is durable in its alarm; one about an alarm that has not begun yet
comes when it has.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from engine.call import Calls
from engine.mailbox import BeginAlarm, ForCall
from engine.ports import AlarmOrder, AlarmStore, QueuedAlarm, StoreFailed, Switch
from engine.vocabulary.events import AcknowledgeOrdered, CancelOrdered

log = structlog.get_logger()

CLAIMED_AT_ONCE = 20
PEOPLE_AT_ONCE = 1000  # begin in one save: hotlines wait for it


class Dispatcher:
    """`may_begin`: connected to the switch, compared, and not about to stop."""

    def __init__(self, alarms: AlarmStore, calls: Calls, switch: Switch, may_begin: Callable[[], bool]) -> None:
        self._alarms = alarms
        self._calls = calls
        self._switch = switch
        self._may_begin = may_begin

    async def run(self) -> None:
        async for _ in self._alarms.changes():
            try:
                await self._begin_queued()
                await self._take_orders()
            except StoreFailed as error:
                log.info("dispatcher.later", error=str(error))

    async def _begin_queued(self) -> None:
        while self._may_begin():
            queued = await self._alarms.claim(CLAIMED_AT_ONCE)
            for some in _portions(queued):
                await self._begin(some)
            if len(queued) < CLAIMED_AT_ONCE:
                return

    async def _begin(self, queued: Sequence[QueuedAlarm]) -> None:
        at = self._switch.now()
        self._calls.mailbox.post(*(BeginAlarm(_by_the_switch(one, at), at) for one in queued))
        await self._calls.settled()  # an alarm never begins and ends in one save, see _has_ended in call.py
        if orders := [order for one in queued for order in one.orders]:
            with suppress(StoreFailed):  # told, not forgotten: they are told again. The rest of the claim must begin
                await self._obey(orders)  # before its speech is there: what was called off rings nobody

    async def _take_orders(self) -> None:
        if orders := await self._alarms.orders():
            await self._obey(orders)

    async def _obey(self, orders: Sequence[AlarmOrder]) -> None:
        self._calls.mailbox.post(*(self._event(order) for order in orders))
        await self._calls.settled(as_owner=True)
        await self._alarms.forget_orders([order.order_id for order in orders])

    def _event(self, order: AlarmOrder) -> ForCall:
        now = self._switch.now()
        if order.kind == "acknowledge" and order.recipient_id is not None:
            return ForCall(order.call_id, AcknowledgeOrdered(now, order.recipient_id, order.by))
        return ForCall(order.call_id, CancelOrdered(now, order.by))


def _by_the_switch(queued: QueuedAlarm, at: datetime) -> QueuedAlarm:
    """An alarm expires by the clock of the switch, which may differ from the one by which it was posted: what has
    passed since counts, or an alarm of a host that is late would be over before anybody is rung."""
    return replace(queued, plan=replace(queued.plan, created_at=at - timedelta(seconds=queued.age_s)))


def _portions(queued: Sequence[QueuedAlarm]) -> Iterator[Sequence[QueuedAlarm]]:
    """In their order; of one alarm at least."""
    some: list[QueuedAlarm] = []
    people = 0
    for one in queued:
        people += len(one.persons)
        if some and people > PEOPLE_AT_ONCE:
            yield some
            some, people = [], len(one.persons)
        some.append(one)
    if some:
        yield some
