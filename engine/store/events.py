"""What happened in an organisation, as `/events` reads it; written by triggers (migration 0007). SQL: `sql/events.sql`.

A cursor names an event and everything before it. Read on after it, nothing is passed over and nothing comes twice.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.store.statements import Statements

CHANNEL = "ringward_event"
_CURSOR = re.compile(r"([0-9]{1,20})-([0-9]{1,19})", re.ASCII)


@dataclass(frozen=True, slots=True)
class EventCursor:
    """The transaction and the row. Written `<transaction>-<row>`."""

    xact: int
    row_id: int

    def __str__(self) -> str:
        return f"{self.xact}-{self.row_id}"

    @classmethod
    def parse(cls, text: str) -> "EventCursor":
        """Raises ValueError."""
        found = _CURSOR.fullmatch(text)
        if found is None or not (int(found[1]) < 2**64 and int(found[2]) < 2**63):
            raise ValueError("not an id of an event")
        return cls(int(found[1]), int(found[2]))


@dataclass(frozen=True, slots=True)
class StoredEvent:
    cursor: EventCursor
    at: datetime
    type: str
    data: Any


class PostgresEvents(Statements):
    NAME = "events"

    async def now(self) -> EventCursor:
        """After this comes what happens from now on."""
        row = await self._row("position")
        assert row is not None      # noqa: S101 - no FROM
        return EventCursor(int(row["xact"]), row["id"])

    async def after(self, organisation_id: int, cursor: EventCursor, limit: int) -> Sequence[StoredEvent]:
        rows = await self._rows("after", organisation_id, str(cursor.xact), cursor.row_id, limit)
        return [StoredEvent(EventCursor(int(row["xact"]), row["id"]), row["at"], row["type"], json.loads(row["data"]))
                for row in rows]
