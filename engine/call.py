"""The live calls: mailbox → step → save state and outbox → execute. The only such loop.

`engine/app.py` runs it; `inbound.py`, `dispatcher.py`, `reconcile.py`, timers, speech and the switch post to its
mailbox, nobody else touches a call. One round takes everything that is in the mailbox, steps it in memory, gives
numbers to the calls that want some, saves all of it in one transaction, and only then executes (`executing.py`). The
next round begins after that, so the outbox can be a column of the call's row. A round that nobody waits for takes what
else comes within LINGER_S: a campaign's calls are saved together, not one by one.

Invariant: memory is never ahead of the disk for longer than one save, and LINGER_S. If a save fails, memory is dropped
and loaded again, the round's items go back to the front of the mailbox, and the switch's live channels are compared.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog

from engine import codec
from engine.beginning import never_began, started
from engine.codec import UnknownState
from engine.executing import Executing
from engine.figures import Figures
from engine.flows import hotline, program
from engine.flows.flow import Step
from engine.flows.hotline_state import takes_inbound_channel
from engine.flows.registry import flow_of
from engine.leases import Leases
from engine.ledger import Ledger
from engine.mailbox import Begin, BeginAlarm, BeginProgram, ForCall, Item, Mailbox, Settled, Tick
from engine.policy.routing import Grant
from engine.ports import CallStore, StoreFailed, Switch
from engine.restraint import Restraint
from engine.round import LiveCall, Round
from engine.vocabulary.commands import (
    DialAlarm,
    Finish,
    SwitchCommand,
    WriteAttempt,
    WritePinFailure,
)
from engine.vocabulary.events import (
    CallArrived,
    DialDelayed,
    DialGranted,
    Event,
    Joined,
    LegGranted,
    PhonesTaken,
    Reconciled,
)
from engine.vocabulary.values import Hotline, Rules

log = structlog.get_logger()

# A lease is renewed only while the proof that the database answers is this young. It must stay below the time after
# which the dialplan joins an accepting agent by itself (claim_s): a renewal sent into a talk would cut the talk.
RENEW_WITHIN_S = 1.0
LINGER_S = 0.04  # a round in which nothing is urgent is saved so much later


class Calls:
    """Every live call of one switch."""

    def __init__(
        self, switch: Switch, store: CallStore, rules: Rules, figures: Figures, ledger: Ledger, restraint: Restraint, *,
        lease_s: int,
    ) -> None:
        self._switch = switch
        self._store = store
        self._rules = rules
        self._figures = figures
        self._ledger = ledger
        self._restraint = restraint
        self.leases = Leases(lease_s)
        self.mailbox = Mailbox()
        self.executing = Executing(switch, self.mailbox, figures)
        self._calls: dict[str, LiveCall] = {}
        self._look: asyncio.Handle | None = None
        self._look_at_s = 0.0
        self._is_open = False
        self._has_timers = True
        self.on_reload: Callable[[], None] = lambda: None  # memory was dropped: somebody must compare
        self.status: dict[str, Any] = {}

    # --- what others may ask -------------------------------------------------------------------------------------

    async def settled(self, as_owner: bool = False) -> None:
        """Wait until everything posted so far is durable. `as_owner`: and the store has said that the switch is still
        ours, which an engine that was stopped for a while cannot know otherwise."""
        done = asyncio.Event()
        self.mailbox.post(Settled(done, as_owner))
        await done.wait()

    def open(self, is_open: bool) -> None:
        """Alarms are dialled only while we know what lives on the switch and who acknowledged without us."""
        self._is_open = is_open
        self.mailbox.wake()

    def set_timers(self) -> None:
        """Those of calls that were loaded; once who acknowledged meanwhile is known, who may have done so in time."""
        if self._has_timers:
            return
        self._has_timers = True
        now = self._switch.now()
        for call in self._calls.values():
            for timer in call.flow.timers(call.state, now):
                self.executing.set_timer(call.call_id, timer)

    def call_of(self, leg: str) -> str | None:
        return self._ledger.call_of(leg)

    def knows(self, leg: str) -> bool:
        return self.call_of(leg) is not None

    def lives(self, call_id: str) -> bool:
        return call_id in self._calls

    def wants_to_ring(self, leg: str, at: datetime) -> bool:
        """Dialled as far as its call knows, and not cancelled since."""
        call = self._calls.get(self._ledger.call_of(leg) or "")
        return call is not None and call.flow.wants_to_ring(call.state, leg, at)

    def takes(self, trunk: str, rank: int) -> bool:
        """May a leg be dialled there now that was granted before?"""
        return self._ledger.takes(trunk, rank, time.monotonic())

    def pin_tries(self, number: str) -> int:
        return self._restraint.pin_tries(number)

    def ids(self) -> list[str]:
        return list(self._calls)

    def has_somebody(self) -> bool:
        """Somebody waits, listens or talks."""
        return any(call.flow.has_somebody(call.state) for call in self._calls.values())

    def phases(self, flow: str = hotline.NAME) -> list[str]:
        return [call.phase for call in self._calls.values() if call.flow.NAME == flow]

    def waiting_for_a_line(self) -> Mapping[str, int | None]:
        """Calls of programs that are not dialled yet, and the campaigns they are of."""
        return {
            call_id: call.state.plan.campaign_id for call_id, call in self._calls.items()
            if call.flow.NAME == program.NAME and call.phase == "waiting"
        }

    def legs(self) -> set[str]:
        return self._ledger.legs()

    # --- the loop ------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled, or FencedOut."""
        while True:
            items, done = await self._round()
            try:
                await self._save(done)
            except StoreFailed as error:
                log.warning("calls.save_failed", error=str(error), items=len(items))
                await self._begin_again(items, done)
                continue
            self._execute(done)

    async def _round(self) -> tuple[Sequence[Item], Round]:
        """All that has come, stepped, and what comes until it is to be saved."""
        items = await self.mailbox.take_all()
        work = Round()
        self._step_all(items, work)
        if work.can_wait:
            until = work.began_s + LINGER_S
            timer = asyncio.get_running_loop().call_later(LINGER_S, self.mailbox.wake)
            while work.can_wait and time.monotonic() < until:
                more = await self.mailbox.take_all()
                items += more
                self._step_all(more, work)
            timer.cancel()
        return items, work

    def _step_all(self, items: Sequence[Item], work: Round) -> None:
        for item in items:
            match item:
                case Tick():
                    work.has_tick = True
                case Settled(done, as_owner):
                    work.settled.append(done)
                    work.must_save = work.must_save or as_owner
                case Begin() | BeginAlarm() | BeginProgram():
                    self._begin(item, work)
                case ForCall(call_id, event):
                    self._step(call_id, event, work)
                case _:
                    self._step(self._call_meant(item), item, work)
        self._give_numbers(work)

    def _call_meant(self, event: Event) -> str | None:
        call_id = self._ledger.call_of(getattr(event, "leg", ""))
        if call_id is None and isinstance(event, Joined):
            call_id = self._ledger.call_of(event.peer)
        return call_id

    def _begin(self, item: Begin | BeginAlarm | BeginProgram, work: Round) -> None:
        call_id = self._begun(item)
        if call_id is not None:  # posted again, or the dialplan was faster than us
            if isinstance(item, Begin) and not isinstance(item.event, CallArrived):
                self._step(call_id, item.event, work)
            return
        call_id = str(uuid.uuid4()) if isinstance(item, Begin) else item.call_id
        with structlog.contextvars.bound_contextvars(call_id=call_id):
            try:
                step = started(item, self._rules, self._callers_of)
            except Exception:
                log.exception("call.start_failed", item=type(item).__name__)
                work.rows += [(call_id, row) for row in never_began(item)]
                return
            at = item.event.at if isinstance(item, Begin) else item.began_at
            call = self._calls[call_id] = LiveCall(call_id, flow_of(step.state), step.state, at)
            self.leases.begin(call_id, time.monotonic())
            self._apply(call, step, item.event if isinstance(item, Begin) else item, work)

    def _begun(self, item: Begin | BeginAlarm | BeginProgram) -> str | None:
        if isinstance(item, Begin):
            return self._ledger.call_of(item.event.leg)
        return item.call_id if item.call_id in self._calls else None

    def _callers_of(self, made: Hotline) -> int:
        states = (call.state for call in self._calls.values() if call.flow.NAME == hotline.NAME)
        return sum(
            1 for state in states if state.hotline.hotline_id == made.hotline_id and takes_inbound_channel(state))

    def _step(self, call_id: str | None, event: Event, work: Round) -> None:
        call = self._calls.get(call_id or "")
        if call is None or call.call_id in work.failed:
            return
        with structlog.contextvars.bound_contextvars(call_id=call.call_id):
            try:
                step = call.flow.step(call.state, event)
            except Exception:  # its row stays for the operator; a caller's lease is renewed by nobody any more
                log.exception("call.failed", on=type(event).__name__)
                work.fail(call, call.flow.failed(call.state, event.at))
                return
            if isinstance(event, Reconciled):
                self.leases.compared(call.call_id)
            if step.state is not call.state or step.commands:
                self._apply(call, step, event, work)

    def _apply(self, call: LiveCall, step: Step[Any], event: object, work: Round) -> None:
        before, call.state = call.phase, step.state
        self._ledger.note(call.call_id, call.flow, call.state)
        work.take(call, step.commands)
        self._figures.stepped(call, event)
        log.info(
            "call.step", flow=call.flow.NAME, phase=before, on=type(event).__name__, next=call.phase,
            leg=getattr(event, "leg", None),
        )

    # --- who may ring --------------------------------------------------------------------------------------------

    def _give_numbers(self, work: Round) -> None:
        if not self._ledger.is_wanted:
            return
        now = self._switch.now()
        found = self._ledger.grant(now, time.monotonic(), only_hotlines=not self._is_open)
        for grant in found.grants:
            self._step(grant.call_id, self._granted(grant, now), work)
        for delay in found.delays:
            self._step(delay.call_id, DialDelayed(now, delay.number, delay.until), work)
        for call_id in found.blocked:
            self._step(call_id, PhonesTaken(now), work)
        if found.again_in_s is not None:
            self._look_again(found.again_in_s)

    def _granted(self, grant: Grant, now: datetime) -> LegGranted | DialGranted:
        wanted, leg = grant.wanted, str(uuid.uuid4())
        if wanted.phone is not None:
            return LegGranted(now, leg, wanted.phone, grant.trunk, grant.others)
        tries = self._restraint.pin_tries(wanted.number)
        return DialGranted(now, leg, wanted.number, grant.trunk, tries, grant.others)

    def _look_again(self, after_s: float) -> None:
        """One wake at a time, the soonest: every round of a busy engine asks for one."""
        loop = asyncio.get_running_loop()
        when = loop.time() + after_s
        if self._look is not None:
            if self._look_at_s <= when:
                return
            self._look.cancel()
        self._look, self._look_at_s = loop.call_at(when, self._look_now), when  # uvloop's handle does not know when

    def _look_now(self) -> None:
        self._look = None
        self.mailbox.wake()

    # --- durable, then executed ----------------------------------------------------------------------------------

    async def _save(self, work: Round) -> None:
        batch = work.batch()
        if work.has_tick:
            batch.heartbeat = {**self.status, "live_calls": len(self._calls)}
            batch.metrics = self._figures.text()
        if batch.calls or batch.rows or work.has_tick or work.must_save:
            with self._figures.saving():
                await self._store.save(batch)
        self._remember(work, work.dirty)
        for call_id, row in work.rows:
            self._figures.saved(row)
            if isinstance(row, Finish):
                self._forget(call_id, row.outcome)
        for call_id in work.failed:
            self._forget(call_id, "failed")
        work.is_durable()

    def _remember(self, work: Round, saved: Collection[str]) -> None:
        """What limits that hold across calls go by."""
        for call_id in saved:
            for order in work.orders.get(call_id, ()):
                if isinstance(order, DialAlarm):
                    self._restraint.dialled(order.number)
        for call_id, row in work.rows:
            if call_id not in saved:
                continue
            if isinstance(row, WritePinFailure):
                self._restraint.pin_failed(row.number)
            elif isinstance(row, WriteAttempt) and row.never_rang:
                self._restraint.never_rang(row.number)

    def _forget(self, call_id: str, outcome: str) -> None:
        call = self._calls.pop(call_id, None)
        if call is not None:
            self._ledger.drop(call_id)
            self.leases.forget(call_id)
            self._figures.finished(call.flow.NAME, outcome)

    def _execute(self, work: Round) -> None:
        is_sent = self.executing.carry_out(work)
        self._ledger.carried_out(time.monotonic())
        age_s = time.monotonic() - work.began_s
        if is_sent and work.has_tick and age_s < min(RENEW_WITHIN_S, self._rules.claim_within_s):
            self.executing.renew(self.leases.take_due(self._calls.values(), time.monotonic()), self.leases.lease_s)

    # --- beginning again -----------------------------------------------------------------------------------------

    async def load(self) -> Mapping[str, Sequence[SwitchCommand]]:
        """Take the stored calls into memory; returns the outbox of each. Raises StoreFailed."""
        stored = await self._store.load_calls()
        self._is_open = self._has_timers = False
        self._calls.clear()
        self._ledger.clear()
        self.leases.forget_all()
        outboxes: dict[str, Sequence[SwitchCommand]] = {}
        for saved in stored:
            try:
                state = codec.load_state(saved.flow, saved.version, saved.state, saved.parts)
                outboxes[saved.call_id] = codec.load_commands(saved.outbox)
            except (ValueError, KeyError, UnknownState) as error:
                log.error("call.unreadable", call_id=saved.call_id, error=str(error))
                continue
            call = LiveCall(
                saved.call_id, flow_of(state), state, saved.started_at, is_new=False, saved=codec.parts_of(state),
                has_dialled=True,
            )
            self._calls[call.call_id] = call
            self._ledger.note(call.call_id, call.flow, call.state)
        return outboxes

    async def _begin_again(self, items: Sequence[Item], done: Round) -> None:
        pause_s = 0.1
        while True:
            try:
                outboxes = await self.load()
                items = [item for item in items if not await self._has_ended(item)]
                break
            except StoreFailed:
                await asyncio.sleep(pause_s)
                pause_s = min(1.0, pause_s * 2)
        self.executing.send_committed(done, outboxes)
        self._remember(done, [call_id for call_id, call in done.dirty.items() if self._is_saved(call)])
        self.mailbox.put_back(items)
        self.on_reload()

    def _is_saved(self, call: LiveCall) -> bool:
        stored = self._calls.get(call.call_id)
        return stored is not None and stored.state == call.state

    async def _has_ended(self, item: Item) -> bool:
        """A call that began and ended in the round whose save failed, and that save did commit. An alarm never does."""
        if not isinstance(item, Begin) or self.knows(item.event.leg):
            return False
        return await self._store.call_of_leg(item.event.leg) is not None
