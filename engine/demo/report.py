"""What a demonstration shows: the timeline while it happens, then log, records, figures and checks as tables."""

import time
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.demo.conversation import Told
from engine.softphone import Entry, Journal

_QUIET = ("ringing", "first rtp", "refused", "ack", "dtmf ended")  # the timeline says them in other words


class Timeline:
    """Prints each entry of the journal as it is written, in milliseconds since the caller's INVITE."""

    def __init__(self, console: Console, journal: Journal, names: dict[str, str]) -> None:
        self._console, self._names = console, names
        self._zero: float | None = None
        journal.listeners.append(self._entry)

    def _entry(self, entry: Entry) -> None:
        if self._zero is None and entry.what == "invite sent":
            self._zero = entry.at
        if self._zero is None or entry.what in _QUIET or entry.what.startswith("heard "):
            return
        cause = f"  (cause {entry.cause})" if entry.cause is not None else ""
        detail = "" if entry.what in ("bye", "cancel") else f" {entry.detail}"
        line = Text(f"{1000 * (entry.at - self._zero):8.0f} ms  ")
        line.append(f"{self._names.get(entry.who, entry.who):<8}", style="bold")
        line.append(f"{entry.what}{detail}{cause}".rstrip())
        self._console.print(line)


def show(console: Console, told: Told) -> None:
    """Everything after the call."""
    _table(console, "Call log, as the API returns it", told.log.get("entries", []),
           ("time", "type", "phone", "userID", "message"))
    _table(console, "Telephone records, as the API returns them", told.records,
           ("direction", "from", "to", "startTime", "answerTime", "endTime", "duration", "status", "cause"))
    figures = Table(title="This call's figures", title_justify="left")
    figures.add_column("from … to")
    figures.add_column("ms", justify="right")
    for name, value in told.figures_ms.items():
        figures.add_row(name, f"{value:.0f}")
    console.print(figures)
    for check in told.checks:
        mark = Text("  ok    " if check.passed else "  FAILED", style="green" if check.passed else "bold red")
        console.print(mark.append(f"  {check.name}", style="default").append(
            f": {check.detail}" if check.detail else "", style="dim"))


def summary(told: Told, seconds: float, wav: str) -> str:
    checks = list(told.checks)
    failed = told.checks.failed
    verdict = f"demo failed: {', '.join(check.name for check in failed)}" if failed else "demo passed"
    heard = f"; what the caller heard: {wav}" if wav else ""
    return f"{verdict} ({len(checks) - len(failed)} of {len(checks)} checks, {seconds:.0f} s){heard}"


def as_json(told: Told, seconds: float, wav: str) -> dict[str, Any]:
    return {
        "ok": not told.checks.failed, "seconds": round(seconds, 1), "wav": wav or None,
        "checks": [asdict(check) for check in told.checks],
        "figures_ms": {name: round(value, 1) for name, value in told.figures_ms.items()},
        "log": told.log, "records": told.records,
    }


def _table(console: Console, title: str, rows: list[dict[str, Any]], wanted: tuple[str, ...]) -> None:
    table = Table(title=title, title_justify="left")
    columns = [name for name in wanted if any(row.get(name) not in (None, "") for row in rows)]
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(_plain(row.get(name)) for name in columns))
    console.print(table if rows else f"{title}: nothing")


def _plain(value: Any) -> str:
    return "" if value is None else str(value)


class Stopwatch:
    def __init__(self) -> None:
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started
