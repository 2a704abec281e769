"""The memory twin of `calls.py`: the same promises without a database, for unit tests of the engine.

Several twins may share one `Shelf`, as several engines share one Postgres.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from engine.ports import Batch, Clock, FencedOut, SavedCall, StoreFailed
from engine.store.pulse import Pulse
from engine.vocabulary.commands import Finish, RowCommand


@dataclass(slots=True)
class Shelf:
    """What outlives an engine. `is_down` makes every use fail, as a stopped server does."""

    clock: Clock
    owner: str = ""
    owner_is_dead: bool = False
    fencing: int = 0
    beats: int = 0
    heartbeat: dict[str, Any] = field(default_factory=dict)
    calls: dict[str, SavedCall] = field(default_factory=dict)
    rows: list[tuple[str, RowCommand]] = field(default_factory=list)
    saved_at: list[datetime] = field(default_factory=list)      # when each of these was, by the store's clock
    saved_s: list[float] = field(default_factory=list)          # and by one that nobody puts forward or back
    legs: dict[str, str] = field(default_factory=dict)
    is_down: bool = False
    saves: int = 0

    def reach(self) -> "Shelf":
        if self.is_down:
            raise StoreFailed("the shelf is down")
        return self

    def write(self, call_id: str, row: RowCommand) -> None:
        self.rows.append((call_id, row))
        self.saved_at.append(self.clock.now())
        self.saved_s.append(self.clock.monotonic())


class MemoryCalls:
    """ports.CallStore on a Shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._id = str(uuid.uuid4())
        self._fencing = 0
        self._pulse = Pulse()

    async def take_over(self, stale_after_s: float) -> bool:
        shelf = self._shelf.reach()
        lives = shelf.owner not in ("", self._id) and not shelf.owner_is_dead
        if lives and self._pulse.silent_s(shelf.beats, shelf.clock.monotonic()) < stale_after_s:
            return False
        shelf.owner, shelf.owner_is_dead = self._id, False
        shelf.fencing += 1
        shelf.beats += 1
        self._fencing = shelf.fencing
        return True

    async def save(self, batch: Batch) -> None:
        shelf = self._shelf.reach()
        if self._fencing != shelf.fencing:
            raise FencedOut("another engine owns the switch now")
        if batch.heartbeat is not None:
            shelf.beats += 1
            shelf.heartbeat = dict(batch.heartbeat)
        for call_id, call in batch.calls.items():
            known = shelf.calls.get(call_id)
            shelf.calls[call_id] = replace(call, parts={**(known.parts if known else {}), **call.parts})
            if call.caller_leg:
                shelf.legs[call.caller_leg] = call_id
        for call_id, row in batch.rows:
            shelf.write(call_id, row)
            if isinstance(row, Finish):
                shelf.calls.pop(call_id, None)
        shelf.saves += 1

    async def load_calls(self) -> Sequence[SavedCall]:
        calls = [call for call in self._shelf.reach().calls.values() if call.phase != "failed"]
        return sorted(calls, key=lambda call: call.started_at)

    async def call_of_leg(self, caller_leg: str) -> str | None:
        return self._shelf.reach().legs.get(caller_leg)

    async def close(self) -> None:
        """Nothing to close."""
