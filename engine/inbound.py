"""A channel arrived: number → hotline → new call; or, an organisation's own number, → the alarm that rang the caller,
else the program that takes its calls.

`engine/app.py` hands every CallArrived, and every FallbackStarted of a leg that no call knows, to here. The look-up is
one statement, and one more for numbers that are no hotline's. What else happens to the leg meanwhile waits here and
follows in order. If the database does not answer, nobody claims the caller, and the dialplan serves him.
"""

import asyncio
from datetime import datetime, timedelta

import structlog

from engine.call import Calls
from engine.campaign_ports import Attempt, CampaignStore
from engine.mailbox import Begin, BeginProgram, ForCall, Item
from engine.ports import AlarmStore, HotlineStore, StoreFailed, Switch, SwitchLost
from engine.preparing import CannotBePrepared, Preparing
from engine.vocabulary.commands import Play, Reject, SwitchCommand
from engine.vocabulary.events import CallArrived, CalledBack, Event, FallbackStarted
from engine.vocabulary.values import Cause, Rules

log = structlog.get_logger()


class Inbound:
    def __init__(
        self, switch: Switch, hotlines: HotlineStore, alarms: AlarmStore, campaigns: CampaignStore,
        preparing: Preparing, calls: Calls, rules: Rules, tasks: asyncio.TaskGroup,
    ) -> None:
        self._switch = switch
        self._alarms = alarms
        self._campaigns = campaigns
        self._preparing = preparing
        self._hotlines = hotlines
        self._calls = calls
        self._rules = rules
        self._tasks = tasks
        self._waiting: dict[str, list[Event]] = {}
        self.is_draining = False

    def arrived(self, event: CallArrived | FallbackStarted) -> None:
        if event.leg in self._waiting:
            return
        if isinstance(event, CallArrived):
            if self.is_draining:
                self._reject(event, Cause.CONGESTION)
                return
            if self._age_s(event) > self._rules.claim_within_s:  # the dialplan has it, or will have it
                return
        self._waiting[event.leg] = []
        self._tasks.create_task(self._look_up(event))

    def holds(self, event: Event) -> bool:
        """True when the event is about a leg whose hotline is being looked up: it follows in order."""
        waiting = self._waiting.get(getattr(event, "leg", ""))
        if waiting is None:
            return False
        waiting.append(event)
        return True

    async def _look_up(self, event: CallArrived | FallbackStarted) -> None:
        try:
            async with asyncio.timeout(self._rules.claim_within_s):
                item = await self._item(event)
        except (StoreFailed, TimeoutError) as error:
            log.warning("inbound.look_up_failed", error=str(error))
            del self._waiting[event.leg]
            return  # the dialplan serves the caller, and its rows tell us
        except Exception:  # a defect met by one caller harms no other
            log.exception("inbound.look_up_crashed")
            del self._waiting[event.leg]
            return
        if item is not None:
            self._calls.mailbox.post(item)
        self._calls.mailbox.post(*self._waiting.pop(event.leg))

    async def _item(self, event: CallArrived | FallbackStarted) -> Item | None:
        """What the live calls are to be told. None: the caller was answered here."""
        hotline = await self._hotlines.by_number(event.did)
        if hotline is not None:
            return Begin(event, hotline)
        if not isinstance(event, CallArrived):
            return None
        found = await self._alarms.call_back(event.did, event.caller)
        if found is None:
            self._reject(event, Cause.UNALLOCATED)
        elif found.call_id is not None and self._calls.lives(found.call_id):
            tries = self._calls.pin_tries(event.caller)
            return ForCall(found.call_id, CalledBack(event.at, event.leg, event.channel, event.caller, tries))
        elif (attempt := await self._campaigns.inbound(event.did, event.caller)) is not None:
            return await self._of_program(attempt, event)
        else:
            self._send(Play(event.leg, f"{found.voice}/alarm-none", then="bye", not_after=self._in_time(event)))
        return None

    async def _of_program(self, attempt: Attempt, event: CallArrived) -> Item | None:
        try:
            plan = await self._preparing.plan(attempt)
        except CannotBePrepared as error:
            log.warning("inbound.unprepared", spool=attempt.spool_id, error=str(error))
            await self._campaigns.give_up(attempt, str(error), is_final=True)
            self._reject(event, Cause.CONGESTION)
            return None
        return BeginProgram(attempt.call_id, plan, event.at, event, self._in_time(event))

    def _reject(self, event: CallArrived, cause: Cause) -> None:
        self._send(Reject(event.leg, cause, self._in_time(event)))

    def _send(self, order: SwitchCommand) -> None:
        try:
            self._switch.send([order])
        except SwitchLost:
            log.info("inbound.switch_lost")

    def _in_time(self, event: CallArrived) -> datetime:
        return event.at + timedelta(seconds=self._rules.claim_within_s)

    def _age_s(self, event: CallArrived) -> float:
        return (self._switch.now() - event.at).total_seconds()
