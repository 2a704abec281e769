"""Stored calls against live channels: at start, at every reconnect, after memory was dropped, and every 30 s.

It also brings in what the dialplan did while no engine was there: rows of fallback calls become events, and are
deleted from the switch only after those events are durable; who acknowledged is known (`acknowledgements.py`) before
legs are missed. A leg that belongs to no call is hung up, unless it is in a talk: a talk is never ended by us.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from engine.acknowledgements import Acknowledgements
from engine.call import Calls
from engine.mailbox import Begin, ForCall
from engine.policy.routing import ALARM, HOTLINE
from engine.ports import CallStore, FallbackRow, HotlineStore, Switch
from engine.vocabulary.commands import Dial, DialAlarm, HangUp, SwitchCommand
from engine.vocabulary.events import FallbackStarted, FallbackStepped, Reconciled
from engine.vocabulary.values import Cause, LiveLeg, RingwardError

log = structlog.get_logger()

ROWS_EVERY_S = 4.0
CHANNELS_EVERY_S = 30.0
SETTLED_S = 1.5  # more than hotline_reconcile.SETTLED
CHANNEL_COMES_WITHIN = timedelta(seconds=1)  # after its order: until then a leg may be missing in a snapshot
VERBS = ("rw-ask", "rw-alarm", "rw-step")  # of legs that we dialled


class Reconcile:
    def __init__(
        self, switch: Switch, store: CallStore, hotlines: HotlineStore, calls: Calls, acknowledgements: Acknowledgements
    ) -> None:
        self._switch = switch
        self._store = store
        self._hotlines = hotlines
        self._calls = calls
        self._acknowledgements = acknowledgements
        calls.on_reload = self.soon
        self._wanted = asyncio.Event()
        self._outboxes: dict[str, Sequence[SwitchCommand]] = {}
        self._asked_s = 0.0
        self._losses = 0
        self.is_settled = False  # everything was compared since the last time that was needed

    def soon(self, outboxes: Mapping[str, Sequence[SwitchCommand]] | None = None) -> None:
        """The connection returned, or (`outboxes`) an engine began: compare everything now."""
        self._outboxes.update(outboxes or {})
        self.lost()
        self._asked_s = time.monotonic()
        self._wanted.set()

    def lost(self) -> None:
        """Nobody knows any more what lives on the switch; also not who compares it at this moment."""
        self.is_settled = False
        self._losses += 1
        self._calls.open(False)

    async def run(self) -> None:
        compared_s = 0.0
        while True:
            if time.monotonic() - compared_s > (CHANNELS_EVERY_S if self.is_settled else SETTLED_S):
                self._wanted.set()
            is_full = self._wanted.is_set()
            self._wanted.clear()
            try:
                await self._acknowledgements.bring_in()
                self._calls.set_timers()
                await self._import_rows()
                if is_full:
                    await self._compare()
                    # what was younger than the snapshot is judged by a second one
                    self.is_settled = time.monotonic() - self._asked_s > SETTLED_S
                    compared_s = time.monotonic()
            except RingwardError as error:
                log.info("reconcile.later", error=str(error))
                if is_full:
                    self._wanted.set()
                await asyncio.sleep(0.5)
                continue
            await self._pause()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(ROWS_EVERY_S if self.is_settled else SETTLED_S):
                await self._wanted.wait()
        except TimeoutError:
            return

    async def _compare(self) -> None:
        losses = self._losses
        await self._calls.settled()  # every leg that was granted before `at` has been dialled
        at = self._switch.now()  # before the snapshot: what happens later is told by events
        live = dict(await self._switch.live())
        # after the snapshot: who is not in it has left his note by now, and the last row of his fallback
        await self._acknowledgements.bring_in()
        await self.hear_rows()
        self._outboxes.update(self._calls.executing.take_unsent())
        for call_id, commands in self._outboxes.items():
            self._resend(commands, live, at)
            log.info("reconcile.outbox", call_id=call_id, commands=len(commands))
        self._outboxes.clear()
        live = {leg: _dialling(leg) for leg in self._calls.executing.dialled_since(at - CHANNEL_COMES_WITHIN)} | live
        for call_id in self._calls.ids():
            self._calls.mailbox.post(ForCall(call_id, Reconciled(at, live)))
        await self._calls.settled(as_owner=True)  # what we do not know may belong to an engine that replaced us
        self._hang_up_strays(live)
        self._calls.mailbox.tick()  # leases whose age nobody knew are renewed now, not when the next second has passed
        self._calls.open(losses == self._losses)

    def _resend(self, commands: Sequence[SwitchCommand], live: Mapping[str, LiveLeg], at: datetime) -> None:
        """Dials that were committed and perhaps not sent. The leg's id makes a second one harmless while it lives;
        the other commands follow from comparing the state with the channels. A caller who talks, or whom the dialplan
        serves, needs no phone rung; nor is one that its call let go meanwhile. What the trunk's pace does not allow
        now has never been dialled: its call hears that it is not there."""
        waiting = {leg.channel for leg in live.values() if leg.place != "rw-fall" and not leg.bridge}
        dials = [order for order in commands if self._is_missing(order, live, waiting, at)]
        self._calls.executing.send(dials)

    def _is_missing(
        self, order: SwitchCommand, live: Mapping[str, LiveLeg], waiting: set[str], at: datetime,
    ) -> bool:
        match order:
            case Dial() if order.peer in waiting:
                rank = HOTLINE
            case DialAlarm():
                rank = ALARM
            case _:
                return False
        is_due = order.leg not in live and self._calls.wants_to_ring(order.leg, at)
        return is_due and self._calls.takes(order.trunk, rank)

    def _hang_up_strays(self, live: Mapping[str, LiveLeg]) -> None:
        known = self._calls.legs()
        strays = [
            leg for leg in live.values()
            if leg.leg not in known and leg.place in VERBS and not leg.bridge and leg.age_s > ROWS_EVERY_S
        ]
        if strays:
            log.warning("reconcile.strays", legs=len(strays))
            self._switch.send([HangUp(leg.leg, Cause.NORMAL) for leg in strays])

    # --- what the dialplan did ---------------------------------------------------------------------------------------

    async def _import_rows(self) -> None:
        rows = await self._switch.fallback_rows()
        if not rows:
            return
        for row in rows:
            if row.step == "start" and not self._calls.knows(row.leg):
                await self._adopt(row)
        for row in rows:
            self._calls.mailbox.post(_stepped(row))
        await self._calls.settled(as_owner=True)
        await self._switch.forget(rows)

    async def hear_rows(self) -> None:
        """Of callers whom we know, before an event says that they hung up: it would end their calls as if they had
        never been in the fallback. The rows stay for `run`; each counts once."""
        for row in await self._switch.fallback_rows():
            if self._calls.knows(row.leg):
                self._calls.mailbox.post(_stepped(row))

    async def _adopt(self, row: FallbackRow) -> None:
        if await self._store.call_of_leg(row.leg) is not None:
            return  # its call has ended; what is left of its rows is only to be deleted
        hotline = await self._hotlines.by_number(row.did)
        if hotline is None:
            log.warning("reconcile.fallback_of_unknown_number")
            return
        live = await self._switch.live()
        channel = live[row.leg].channel if row.leg in live else ""
        started = FallbackStarted(row.at, row.leg, channel, row.did, row.caller)
        self._calls.mailbox.post(Begin(started, hotline))


def _stepped(row: FallbackRow) -> FallbackStepped:
    return FallbackStepped(row.at, row.leg, row.step, row.number, row.channel_leg, row.status, row.cause, row.key)


def _dialling(leg: str) -> LiveLeg:
    """Its order is on its way, or its channel."""
    return LiveLeg(leg, "", "", False, "", "", 0.0)
