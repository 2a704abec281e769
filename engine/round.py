"""One round of the loop: calls it changed, and what follows, sorted by who carries it out. Used by `call.py`."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine import codec
from engine.flows.flow import Flow
from engine.ports import Batch, SavedCall
from engine.vocabulary.commands import (
    Command,
    Finish,
    Render,
    RowCommand,
    SetTimer,
    SwitchCommand,
    WriteAlarm,
    WriteAttempt,
    WriteEntry,
    WriteNote,
    WriteOptOut,
    WritePinFailure,
    WriteRecipient,
    WriteRecord,
    WriteResult,
    WriteSpool,
    WriteTransmission,
)


@dataclass(slots=True)
class LiveCall:
    """One call in memory. `saved`: its parts as the database has them."""

    call_id: str
    flow: Flow
    state: Any
    began_at: datetime
    is_new: bool = True
    saved: codec.Parts = codec.NO_PARTS
    accepted_at: datetime | None = None
    has_dialled: bool = False

    @property
    def phase(self) -> str:
        return self.flow.phase(self.state)


@dataclass(slots=True)
class Round:
    """What one round did: to be saved, then executed."""

    dirty: dict[str, LiveCall] = field(default_factory=dict)
    orders: dict[str, list[SwitchCommand]] = field(default_factory=dict)
    timers: list[tuple[str, SetTimer]] = field(default_factory=list)
    renders: list[tuple[str, Render]] = field(default_factory=list)
    rows: list[tuple[str, RowCommand]] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    settled: list[asyncio.Event] = field(default_factory=list)
    has_tick: bool = False
    must_save: bool = False  # also when there is nothing to save: a save is refused when the switch is another's
    is_urgent: bool = False  # somebody waits for what one of these calls writes
    began_s: float = field(default_factory=time.monotonic)

    @property
    def can_wait(self) -> bool:
        """It has changed rows alone, of calls whose rows nobody waits for."""
        return bool(self.dirty) and not (
            self.is_urgent or self.orders or self.timers or self.renders or self.failed or self.settled
            or self.has_tick or self.must_save)

    def take(self, call: LiveCall, commands: Iterable[Command]) -> None:
        """The call changed, and these are to be carried out for it."""
        self.dirty[call.call_id] = call
        self.is_urgent = self.is_urgent or call.is_new or not call.flow.CAN_WAIT
        for command in commands:
            match command:
                case SetTimer():
                    self.timers.append((call.call_id, command))
                case Render():
                    self.renders.append((call.call_id, command))
                case WriteEntry() | WriteRecord() | Finish() | WriteAlarm() | WriteRecipient() | WriteAttempt() | \
                        WriteNote() | WritePinFailure() | WriteSpool() | WriteTransmission() | WriteResult() | \
                        WriteOptOut():
                    self.rows.append((call.call_id, command))
                case _:
                    self.orders.setdefault(call.call_id, []).append(command)

    def fail(self, call: LiveCall, rows: Iterable[RowCommand]) -> None:
        """A defect ended this call: nothing more is ordered for it."""
        self.rows += [(call.call_id, row) for row in rows]
        self.dirty[call.call_id] = call
        self.failed.add(call.call_id)
        self.orders.pop(call.call_id, None)

    def batch(self) -> Batch:
        over = {call_id for call_id, row in self.rows if isinstance(row, Finish)}
        return Batch({
            call_id: self._saved(call, call_id in over and not call.is_new) for call_id, call in self.dirty.items()
        }, self.rows)

    def _saved(self, call: LiveCall, is_gone: bool) -> SavedCall:
        """`is_gone`: with this save its row is, and nobody reads its state."""
        owner = call.flow.owner(call.state)
        return SavedCall(
            call_id=call.call_id, organisation_id=owner.organisation_id, hotline_id=owner.hotline_id,
            flow=call.flow.NAME, version=call.flow.VERSION,
            phase="failed" if call.call_id in self.failed else call.phase,
            state={} if is_gone else codec.dump_head(call.state),
            outbox=codec.dump_commands(self.orders.get(call.call_id, ())), started_at=call.began_at,
            caller_leg=owner.caller_leg, is_new=call.is_new,
            parts={} if is_gone else codec.dump_parts(call.state, call.saved),
        )

    def is_durable(self) -> None:
        """It was saved: what waits for that goes on."""
        for call in self.dirty.values():
            call.is_new = False
            call.saved = codec.parts_of(call.state)
        for done in self.settled:
            done.set()
