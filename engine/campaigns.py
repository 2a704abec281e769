"""Campaigns and single transmissions: who is due is claimed, prepared, and becomes a live call.

`engine/app.py` runs it; NOTIFY wakes it, and a wake at the next moment at which something is due. It never has more in
hand than MOST_IN_HAND: what a busy trunk cannot take now stays in the list, where windows and do-not-call lists are
looked at when its turn comes. Rows of an attempt are durable before its call begins (`CampaignStore.claim`), so that
whatever dies when, nobody is called once too often.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence

import structlog

from engine.call import Calls
from engine.campaign_ports import Attempt, CampaignStore
from engine.mailbox import BeginProgram, ForCall
from engine.policy.calling_hours import opens_at
from engine.ports import StoreFailed, Switch
from engine.preparing import CannotBePrepared, Preparing
from engine.vocabulary.events import Withdrawn

log = structlog.get_logger()

MOST_IN_HAND = 100      # claimed and not dialled yet: half a second of a fast trunk
LONGEST_PAUSE_S = 1.0
SHORTEST_PAUSE_S = 0.25  # between two claims: a dozen statements cost the same for one call as for thirty
PREPARED_WITHIN_S = 30.0    # who took longer is claimed again, and windows and lists are looked at again
FREE_EVERY_S = 5.0
AHEAD_EVERY_S = 2.0
AHEAD = 200             # contacts of each campaign whose speech is made ahead
AHEAD_AT_ONCE = 2


class Campaigns:
    """`may_begin`: connected to the switch, compared, and not about to stop."""

    def __init__(
        self, store: CampaignStore, calls: Calls, switch: Switch, preparing: Preparing, may_begin: Callable[[], bool],
    ) -> None:
        self._store = store
        self._calls = calls
        self._switch = switch
        self._preparing = preparing
        self._may_begin = may_begin
        self._woken = asyncio.Event()
        self._in_hand: dict[str, int | None] = {}   # claimed, and its call has not begun: of which campaign
        self._halted: Collection[int] = ()
        self._freed_s = 0.0
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        async with asyncio.TaskGroup() as self._tasks:
            self._tasks.create_task(self._listen())
            self._tasks.create_task(self._speak_ahead())
            while True:
                self._woken.clear()
                pause_s = await self._pass()
                try:
                    async with asyncio.timeout(min(max(pause_s, SHORTEST_PAUSE_S), LONGEST_PAUSE_S)):
                        await self._woken.wait()
                except TimeoutError:
                    pass

    async def _listen(self) -> None:
        async for _ in self._store.changes():
            self._woken.set()

    async def _pass(self) -> float:
        """Seconds until something may be due."""
        if not self._may_begin():
            return LONGEST_PAUSE_S
        try:
            await self._free_lost()
            await self._withdraw()
            return await self._claim()
        except StoreFailed as error:
            log.info("campaigns.later", error=str(error))
        except Exception:  # a defect in here is told, and harms no hotline
            log.exception("campaigns.pass_failed")
        return LONGEST_PAUSE_S

    async def _free_lost(self) -> None:
        if time.monotonic() - self._freed_s < FREE_EVERY_S:
            return
        freed = await self._store.free_lost(list(self._in_hand))
        self._freed_s = time.monotonic()
        if freed:
            log.info("campaigns.freed", attempts=freed)

    async def _withdraw(self) -> None:
        """Whoever is being prepared, or waits for a line, while his campaign was paused, stopped or deleted, is not
        dialled."""
        waiting = self._calls.waiting_for_a_line().values()
        campaigns = {one for one in (*self._in_hand.values(), *waiting) if one is not None}
        self._halted = await self._store.halted(campaigns) if campaigns else ()
        now = self._switch.now()
        self._calls.mailbox.post(*(
            ForCall(call_id, Withdrawn(now, "its campaign does not run"))
            for call_id, campaign in self._calls.waiting_for_a_line().items() if campaign in self._halted))

    async def _claim(self) -> float:
        room = MOST_IN_HAND - len(self._in_hand) - len(self._calls.waiting_for_a_line())
        if room <= 0:
            return SHORTEST_PAUSE_S
        claim = await self._store.claim(room, opens_at)
        for attempt in claim.attempts:
            self._in_hand[attempt.call_id] = attempt.campaign_id
            self._task(attempt)
        return LONGEST_PAUSE_S if claim.again_in_s is None else claim.again_in_s

    def _task(self, attempt: Attempt) -> None:
        assert self._tasks is not None  # noqa: S101
        self._tasks.create_task(self._begin(attempt))

    async def _begin(self, attempt: Attempt) -> None:
        claimed_s = time.monotonic()
        try:
            plan = await self._preparing.plan(attempt)
            if attempt.campaign_id in self._halted or time.monotonic() - claimed_s > PREPARED_WITHIN_S:
                return  # it is freed
            self._calls.mailbox.post(BeginProgram(attempt.call_id, plan, self._switch.now()))
            await self._calls.settled()
        except CannotBePrepared as error:
            log.warning("campaigns.unprepared", spool=attempt.spool_id, error=str(error))
            await self._give_up(attempt, str(error), error.is_final)
        except StoreFailed as error:
            log.info("campaigns.unprepared", spool=attempt.spool_id, error=str(error))  # it is freed, and claimed again
        except Exception:  # a defect met by one harms no other
            log.exception("campaigns.crashed", spool=attempt.spool_id)
            await self._give_up(attempt, "internal error", True)
        finally:
            self._in_hand.pop(attempt.call_id, None)

    async def _give_up(self, attempt: Attempt, why: str, is_final: bool) -> None:
        try:
            await self._store.give_up(attempt, why, is_final)
        except StoreFailed as error:
            log.info("campaigns.given_up_later", spool=attempt.spool_id, error=str(error))

    # --- speech ahead ------------------------------------------------------------------------------------------------

    async def _speak_ahead(self) -> None:
        """What the next ones in the lists will hear, while nobody else wants the voice."""
        while True:
            await asyncio.sleep(AHEAD_EVERY_S)
            if not self._may_begin():
                continue
            try:
                coming = await self._store.coming(AHEAD)
            except StoreFailed:
                continue
            await self._made_ahead(coming)

    async def _made_ahead(self, coming: Sequence[Attempt]) -> None:
        waiting = iter(coming)

        async def speak() -> None:
            for attempt in waiting:
                try:
                    await self._preparing.ahead(attempt)
                except Exception:  # a defect met by one harms no other
                    log.exception("campaigns.ahead_crashed", campaign=attempt.campaign_id)

        async with asyncio.TaskGroup() as group:
            for _ in range(AHEAD_AT_ONCE):
                group.create_task(speak())
