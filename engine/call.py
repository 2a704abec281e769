"""The live calls: mailbox → step → save state and outbox → execute. The only such loop.

`engine/app.py` runs it; `inbound.py`, `reconcile.py`, timers and the switch post to its mailbox, nobody else touches a
call. One round takes everything that is in the mailbox, steps it in memory, gives free phones to waiting callers, saves
all of it in one transaction, and only then writes the commands to the switch. The next round begins after that, so the
outbox can be a column of the call's row.

Invariant: memory is never ahead of the disk for longer than one save. If a save fails, memory is dropped and loaded
again, the round's items go back to the front of the mailbox, and the switch's live channels are compared.
"""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from engine import codec
from engine.codec import UnknownState
from engine.figures import Figures
from engine.flows import hotline as flow
from engine.flows.hotline_state import State, Step, find, takes_inbound_channel
from engine.leases import Leases
from engine.ledger import Ledger
from engine.mailbox import Begin, ForCall, Item, Mailbox, Settled, Tick
from engine.ports import Batch, CallStore, SavedCall, StoreFailed, Switch, SwitchLost
from engine.vocabulary.commands import (
    Bridge,
    Command,
    Dial,
    Finish,
    HangUp,
    Hold,
    Play,
    Reject,
    RowCommand,
    SetTimer,
    SwitchCommand,
    WriteEntry,
    WriteRecord,
)
from engine.vocabulary.events import (
    CallArrived,
    Event,
    FallbackStarted,
    Joined,
    LegGranted,
    PhonesTaken,
    Reconciled,
    TimerFired,
)
from engine.vocabulary.values import EntryType, Hotline, RingwardError, Rules

log = structlog.get_logger()

# A lease is renewed only while the proof that the database answers is this young. It must stay below the time after
# which the dialplan joins an accepting agent by itself (claim_s): a renewal sent into a talk would cut the talk.
RENEW_WITHIN_S = 1.0


@dataclass(slots=True)
class LiveCall:
    """One call in memory."""

    call_id: str
    state: State
    started_at: datetime
    is_new: bool = True
    accepted_at: datetime | None = None
    has_dialled: bool = False


@dataclass(slots=True)
class Round:
    """What one round did: to be saved, then executed."""

    dirty: dict[str, LiveCall] = field(default_factory=dict)
    orders: dict[str, list[SwitchCommand]] = field(default_factory=dict)
    timers: list[tuple[str, SetTimer]] = field(default_factory=list)
    rows: list[tuple[str, RowCommand]] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    settled: list[asyncio.Event] = field(default_factory=list)
    has_tick: bool = False
    must_save: bool = False  # also when there is nothing to save: a save is refused when the switch is another's
    began_s: float = field(default_factory=time.monotonic)


class Calls:
    """Every live call of one switch."""

    def __init__(
        self, switch: Switch, store: CallStore, rules: Rules, figures: Figures, *, lease_s: int, trunk_cps: float,
        trunk_channels: int,
    ) -> None:
        self._switch = switch
        self._store = store
        self._rules = rules
        self._figures = figures
        self.leases = Leases(lease_s)
        self._ledger = Ledger(trunk_cps, trunk_channels, time.monotonic())
        self.mailbox = Mailbox()
        self._calls: dict[str, LiveCall] = {}
        self._wake_at_s = 0.0
        self._unsent: dict[str, list[SwitchCommand]] = {}
        self.on_reload: Callable[[], None] = lambda: None  # memory was dropped: somebody must compare
        self.status: dict[str, Any] = {}

    # --- what others may ask -------------------------------------------------------------------------------------

    async def settled(self, as_owner: bool = False) -> None:
        """Wait until everything posted so far is durable. `as_owner`: and the store has said that the switch is still
        ours, which an engine that was stopped for a while cannot know otherwise."""
        done = asyncio.Event()
        self.mailbox.post(Settled(done, as_owner))
        await done.wait()

    def knows(self, leg: str) -> bool:
        return self._ledger.call_of(leg) is not None

    def wants_to_ring(self, leg: str) -> bool:
        """Dialled as far as its call knows, and not cancelled since."""
        call = self._calls.get(self._ledger.call_of(leg) or "")
        dialled = find(call.state, leg) if call else None
        return dialled is not None and dialled.stage == "dialled" and not dialled.cancelled

    def ids(self) -> list[str]:
        return list(self._calls)

    def phases(self) -> list[str]:
        return [call.state.phase for call in self._calls.values()]

    def legs(self) -> set[str]:
        return self._ledger.legs()

    def take_unsent(self) -> Mapping[str, Sequence[SwitchCommand]]:
        """Orders that were committed while the switch was away: who compares decides what of them is still right."""
        unsent, self._unsent = self._unsent, {}
        return unsent

    # --- the loop ------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled, or FencedOut."""
        while True:
            items = await self.mailbox.take_all()
            done = self._step_all(items)
            try:
                await self._save(done)
            except StoreFailed as error:
                log.warning("calls.save_failed", error=str(error), items=len(items))
                await self._begin_again(items, done)
                continue
            self._execute(done)

    def _step_all(self, items: Sequence[Item]) -> Round:
        work = Round()
        for item in items:
            match item:
                case Tick():
                    work.has_tick = True
                case Settled(done, as_owner):
                    work.settled.append(done)
                    work.must_save = work.must_save or as_owner
                case Begin(event, hotline):
                    self._begin(event, hotline, work)
                case ForCall(call_id, event):
                    self._step(call_id, event, work)
                case _:
                    self._step(self._call_of(item), item, work)
        self._give_phones(work)
        return work

    def _call_of(self, event: Event) -> str | None:
        call_id = self._ledger.call_of(getattr(event, "leg", ""))
        if call_id is None and isinstance(event, Joined):
            call_id = self._ledger.call_of(event.peer)
        return call_id

    def _begin(self, event: CallArrived | FallbackStarted, hotline: Hotline, work: Round) -> None:
        if (known := self._ledger.call_of(event.leg)) is not None:  # posted again, or the dialplan was faster than us
            if isinstance(event, FallbackStarted):
                self._step(known, event, work)
            return
        call_id = str(uuid.uuid4())
        with structlog.contextvars.bound_contextvars(call_id=call_id):
            try:
                if isinstance(event, CallArrived):
                    step = flow.start(event, hotline, self._rules, self._callers_of(hotline.hotline_id))
                else:
                    step = flow.start_in_fallback(event, hotline, self._rules)
            except Exception:
                log.exception("call.start_failed", hotline=hotline.hotline_id)
                return  # nobody claims the caller: the dialplan serves him
            call = self._calls[call_id] = LiveCall(call_id, step.state, event.at)
            self.leases.begin(call_id, time.monotonic())
            self._apply(call, step, event, work)

    def _callers_of(self, hotline_id: int) -> int:
        return sum(
            1 for call in self._calls.values()
            if call.state.hotline.hotline_id == hotline_id and takes_inbound_channel(call.state)
        )

    def _step(self, call_id: str | None, event: Event, work: Round) -> None:
        call = self._calls.get(call_id or "")
        if call is None or call.call_id in work.failed:
            return
        with structlog.contextvars.bound_contextvars(call_id=call.call_id):
            try:
                step = flow.step(call.state, event)
            except Exception:
                self._fail(call, event, work)
                return
            if isinstance(event, Reconciled):
                self.leases.compared(call.call_id)
            if step.state is not call.state or step.commands:
                self._apply(call, step, event, work)

    def _apply(self, call: LiveCall, step: Step, event: Event | CallArrived, work: Round) -> None:
        before = call.state.phase
        call.state = step.state
        self._ledger.note(call.call_id, call.state)
        work.dirty[call.call_id] = call
        self._sort_commands(call, step.commands, work)
        self._figures.stepped(call, event)
        log.info(
            "call.step", flow=flow.NAME, phase=before, on=type(event).__name__, next=call.state.phase,
            leg=getattr(event, "leg", None),
        )

    def _sort_commands(self, call: LiveCall, commands: Iterable[Command], work: Round) -> None:
        for command in commands:
            match command:
                case Play() | Hold() | Dial() | Bridge() | HangUp() | Reject():
                    work.orders.setdefault(call.call_id, []).append(command)
                case SetTimer():
                    work.timers.append((call.call_id, command))
                case WriteEntry() | WriteRecord() | Finish():
                    work.rows.append((call.call_id, command))

    def _fail(self, call: LiveCall, event: Event, work: Round) -> None:
        """A defect in a flow ends this call alone. Its row stays for the operator, and since nobody renews the lease
        any more, the dialplan takes care of a waiting caller."""
        log.exception("call.failed", on=type(event).__name__)
        ended = WriteEntry(event.at, EntryType.CALL_ENDED, message="internal error")
        work.rows.append((call.call_id, ended))
        work.dirty[call.call_id] = call
        work.failed.add(call.call_id)
        work.orders.pop(call.call_id, None)

    # --- who may ring --------------------------------------------------------------------------------------------

    def _give_phones(self, work: Round) -> None:
        if not self._ledger.is_wanted:
            return
        now = self._switch.now()
        found = self._ledger.grant(time.monotonic())
        for grant in found.grants:
            self._step(grant.call_id, LegGranted(now, str(uuid.uuid4()), grant.phone), work)
        if found.again_in_s is not None:
            self._look_again(found.again_in_s)
            return
        for call_id in self._ledger.wanting():
            self._step(call_id, PhonesTaken(now), work)

    def _look_again(self, after_s: float) -> None:
        """One wake at a time: every round of a busy engine asks for one."""
        loop = asyncio.get_running_loop()
        if self._wake_at_s <= loop.time():
            self._wake_at_s = loop.time() + after_s
            loop.call_at(self._wake_at_s, self.mailbox.wake)

    # --- durable, then executed ----------------------------------------------------------------------------------

    async def _save(self, work: Round) -> None:
        batch = Batch(rows=work.rows)
        for call_id, call in work.dirty.items():
            batch.calls[call_id] = self._saved(call, work)
        if work.has_tick:
            batch.heartbeat = {**self.status, "live_calls": len(self._calls)}
            batch.metrics = self._figures.text()
        if batch.calls or batch.rows or work.has_tick or work.must_save:
            with self._figures.saving():
                await self._store.save(batch)
        for call in work.dirty.values():
            call.is_new = False
        for call_id, row in work.rows:
            if isinstance(row, Finish):
                self._forget(call_id, row.outcome)
        for call_id in work.failed:
            self._forget(call_id, "failed")
        for done in work.settled:
            done.set()

    def _saved(self, call: LiveCall, work: Round) -> SavedCall:
        state = call.state
        return SavedCall(
            call_id=call.call_id, organisation_id=state.hotline.organisation_id,
            hotline_id=state.hotline.hotline_id, flow=flow.NAME, version=flow.VERSION,
            phase="failed" if call.call_id in work.failed else state.phase, state=codec.dump_state(state),
            outbox=codec.dump_commands(work.orders.get(call.call_id, ())), started_at=call.started_at,
            caller_leg=state.leg, is_new=call.is_new,
        )

    def _forget(self, call_id: str, outcome: str) -> None:
        call = self._calls.pop(call_id, None)
        if call is not None:
            self._ledger.drop(call_id)
            self.leases.forget(call_id)
            self._figures.finished(outcome)

    def _execute(self, work: Round) -> None:
        loop = asyncio.get_running_loop()
        for call_id, timer in work.timers:
            loop.call_later(timer.after_s, self._fire, call_id, timer.name)
        unsent = dict(work.orders)
        try:
            for call_id, orders in work.orders.items():
                self._send(call_id, orders)
                del unsent[call_id]
                self._figures.sent(work.dirty[call_id], orders, self._switch.now())
            if work.has_tick and time.monotonic() - work.began_s < min(RENEW_WITHIN_S, self._rules.claim_within_s):
                self._renew_leases()
        except SwitchLost:
            log.info("calls.switch_lost", orders=len(unsent))
            for call_id, orders in unsent.items():
                self._unsent.setdefault(call_id, []).extend(orders)

    def _send(self, call_id: str, orders: Sequence[SwitchCommand]) -> None:
        """A call whose orders cannot be encoded harms nobody else."""
        try:
            self._switch.send(orders)
        except SwitchLost:
            raise
        except RingwardError:
            log.exception("call.orders_refused", call_id=call_id)

    def _fire(self, call_id: str, name: str) -> None:
        self.mailbox.post(ForCall(call_id, TimerFired(self._switch.now(), name)))

    def _renew_leases(self) -> None:
        states = ((call_id, call.state) for call_id, call in self._calls.items())
        if due := self.leases.take_due(states, time.monotonic()):
            self._switch.renew(due, self.leases.lease_s)

    # --- beginning again -----------------------------------------------------------------------------------------

    async def load(self) -> Mapping[str, Sequence[SwitchCommand]]:
        """Take the stored calls into memory; returns the outbox of each. Raises StoreFailed."""
        stored = await self._store.load_calls()
        self._calls.clear()
        self._ledger.clear()
        self.leases.forget_all()
        outboxes: dict[str, Sequence[SwitchCommand]] = {}
        for saved in stored:
            try:
                state = codec.load_state(saved.flow, saved.version, saved.state)
                outboxes[saved.call_id] = codec.load_commands(saved.outbox)
            except (ValueError, KeyError, UnknownState) as error:
                log.error("call.unreadable", call_id=saved.call_id, error=str(error))
                continue
            call = LiveCall(saved.call_id, state, saved.started_at, is_new=False, has_dialled=True)
            self._calls[call.call_id] = call
            self._ledger.note(call.call_id, call.state)
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
        self._send_committed(done, outboxes)
        self.mailbox.put_back(items)
        self.on_reload()

    async def _has_ended(self, item: Item) -> bool:
        """A call that began and ended in the round whose save failed, and that save did commit."""
        if not isinstance(item, Begin) or self.knows(item.event.leg):
            return False
        return await self._store.call_of_leg(item.event.leg) is not None

    def _send_committed(self, done: Round, outboxes: Mapping[str, Sequence[SwitchCommand]]) -> None:
        """The save that failed may have committed: then its orders stand in the outbox, word for word, and stepping the
        same items again brings none of them."""
        try:
            for call_id, orders in done.orders.items():
                if outboxes.get(call_id) == orders:
                    self._send(call_id, orders)
        except SwitchLost:
            log.info("calls.switch_lost", orders=len(done.orders))
