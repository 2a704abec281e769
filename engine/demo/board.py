"""The live table of an alarm: filled by `/ringward/v1/events` alone, shown while it happens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Self

from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from engine.demo.api import Event

STATES = {"dialled": "ringing", "acknowledged": "acknowledged", "declined": "declined"}
COLOURS = {"ringing": "cyan", "acknowledged": "bold green", "declined": "yellow", "unreached": "dim"}
WORDS = {
    "dialled": "rings", "acknowledged": "pressed 1", "declined": "pressed 9", "mailbox": "a mailbox",
    "noKey": "no key", "noAnswer": "no answer", "roundStarted": "once more", "cancelled": "no longer needed",
}


@dataclass(slots=True)
class Row:
    name: str
    phone: str
    state: str = "pending"
    happened: list[str] = field(default_factory=list)
    at: str = ""


class Board:
    """`with Board(console) as board`; `begin` names the people, `tell` takes every event, `end` what is left to say."""

    def __init__(self, console: Console) -> None:
        self._rows: dict[int, Row] = {}
        self._title = "alarm"
        self._created: datetime | None = None
        self._live = Live(console=console, refresh_per_second=8, get_renderable=self.table)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def begin(self, alarm: Mapping[str, Any]) -> None:
        """As the POST answered it."""
        self._created = _time(alarm["createdAt"])
        self._title = f"alarm {alarm['id']}: {alarm['state']}"
        for recipient in alarm["recipients"]:
            self._rows[recipient["id"]] = Row(recipient["name"], ", ".join(recipient["phones"]))

    def tell(self, event: Event) -> None:
        about, _, what = event.type.partition(".")
        if about == "alarm" and "state" in event.data:
            told = event.data
            self._title = (f"alarm {told['alarmID']}: {told['state']}, "
                           f"{told['acknowledged']} of {told['needed']} have acknowledged")
        row = self._rows.get(event.data.get("recipientID") or 0)
        if about == "recipient" and row is not None:
            row.state = STATES.get(what, row.state)
            row.at = self._seconds(event.at)
            row.happened.append(WORDS.get(what, what))

    def end(self, alarm: Mapping[str, Any]) -> None:
        """Who was not reached is no event: nothing happened."""
        for recipient in alarm["recipients"]:
            self._rows[recipient["id"]].state = recipient["state"]

    def table(self) -> Table:
        table = Table(title=self._title, title_justify="left", box=box.SIMPLE)
        for name in ("recipient", "phone", "state", "what happened"):
            table.add_column(name)
        table.add_column("at s", justify="right")
        for row in self._rows.values():
            state = Text(row.state, style=COLOURS.get(row.state, ""))
            table.add_row(row.name, row.phone, state, ", ".join(row.happened), row.at)
        return table

    def _seconds(self, at: str) -> str:
        if self._created is None or not at:
            return ""
        return f"{(_time(at) - self._created).total_seconds():.1f}"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
