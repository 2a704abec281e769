"""What a demonstration shows: the timeline while it happens, then log, records, figures and checks as tables."""

import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.demo.alarm import AlarmTold
from engine.demo.campaign import CampaignTold
from engine.demo.checks import Check, Checks
from engine.demo.conversation import Told
from engine.demo.crowd import DISPOSITIONS
from engine.softphone import Entry, Journal

_LOG = ("time", "type", "phone", "userID", "message")
_RECORD = ("direction", "from", "to", "startTime", "answerTime", "endTime", "duration", "status", "cause", "fallback")
_NOTE = ("time", "type", "recipient", "phone", "message")
_QUIET = ("ringing", "first rtp", "refused", "ack", "dtmf ended")  # the timeline says them in other words


@dataclass(frozen=True, slots=True)
class Story:
    """What came out of the three scenes."""

    call: Told = field(default_factory=Told)
    alarm: AlarmTold = field(default_factory=AlarmTold)
    campaign: CampaignTold = field(default_factory=CampaignTold)

    @property
    def checks(self) -> list[Check]:
        return [*self.call.checks, *self.alarm.checks, *self.campaign.checks]

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    @property
    def figures_ms(self) -> dict[str, float]:
        return {**self.call.figures_ms, **self.alarm.figures_ms, **self.campaign.figures_ms}


class Timeline:
    """Prints each entry of the journal as it is written, in milliseconds since the caller's INVITE, until `close`."""

    def __init__(self, console: Console, journal: Journal, names: dict[str, str]) -> None:
        self._console, self._names, self._journal = console, names, journal
        self._zero: float | None = None
        journal.listeners.append(self._entry)

    def close(self) -> None:
        self._journal.listeners.remove(self._entry)

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
    _rows(console, "Call log, as the API returns it", told.log.get("entries", []), _LOG)
    _columns(console, "Telephone records, as the API returns them", told.records, _RECORD)
    _show_judged(console, "This call's figures", told.figures_ms, told.checks)


def show_alarm(console: Console, told: AlarmTold) -> None:
    """Everything after the alarm; its table was shown while it filled."""
    _rows(console, "Timeline, as the API returns it", _named(told.alarm), _NOTE)
    _show_judged(console, "This alarm's figures", told.figures_ms, told.checks)


def show_campaign(console: Console, told: CampaignTold) -> None:
    """Everything after the campaign; its progress was shown while it was made."""
    title = f"Campaign {told.campaign_id}: how its calls ended, as the API counts and as the phones saw it"
    table = Table(title=title, title_justify="left", box=box.SIMPLE)
    table.add_column("disposition")
    for name in ("calls", "at the phones", "contacts’ last"):
        table.add_column(name, justify="right")
    counted = told.progress.get("dispositions", {})
    last = Counter(row["disposition"] for row in told.results)
    for how in dict.fromkeys((*DISPOSITIONS, *counted, *told.phones)):
        numbers = counted.get(how, 0), told.phones.get(how, 0), last[how]
        if any(numbers):
            table.add_row(how, *map(str, numbers))
    table.add_section()
    table.add_row("all", *(str(sum(of.values())) for of in (counted, told.phones, last)))
    console.print(table)
    _show_judged(console, "This campaign's figures", told.figures_ms, told.checks)


def _named(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    names = {person["id"]: person["name"] for person in alarm.get("recipients", [])}
    return [{**note, "time": note["at"], "recipient": names.get(note["recipientID"])}
            for note in alarm.get("timeline", [])]


def _show_judged(console: Console, title: str, figures_ms: dict[str, float], checks: Checks) -> None:
    figures = Table(title=title, title_justify="left", box=box.SIMPLE)
    figures.add_column("from … to")
    figures.add_column("ms", justify="right")
    for name, value in figures_ms.items():
        figures.add_row(name, f"{value:.0f}")
    console.print(figures)
    for check in checks:
        mark = Text("  ok    " if check.passed else "  FAILED", style="green" if check.passed else "bold red")
        console.print(mark.append(f"  {check.name}", style="default").append(
            f": {check.detail}" if check.detail else "", style="dim"))


def summary(story: Story, seconds: float, wav: str) -> str:
    checks = story.checks
    failed = [check.name for check in checks if not check.passed]
    verdict = f"demo failed: {', '.join(failed)}" if failed else "demo passed"
    heard = f"; what the caller heard: {wav}" if wav else ""
    return f"{verdict} ({len(checks) - len(failed)} of {len(checks)} checks, {seconds:.0f} s){heard}"


def as_json(story: Story, seconds: float, wav: str) -> dict[str, Any]:
    campaign = story.campaign
    return {
        "ok": story.passed, "seconds": round(seconds, 1), "wav": wav or None,
        "checks": [asdict(check) for check in story.checks],
        "figures_ms": {name: round(value, 1) for name, value in story.figures_ms.items()},
        "log": story.call.log, "records": story.call.records, "alarm": story.alarm.alarm,
        "campaign": {"progress": campaign.progress, "phones": campaign.phones, "results": campaign.results},
    }


def _rows(console: Console, title: str, items: list[dict[str, Any]], fields: tuple[str, ...]) -> None:
    """An item a row."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE)
    used = _used(items, fields)
    for name in used:
        table.add_column(name)
    for item in items:
        table.add_row(*(_plain(name, item.get(name)) for name in used))
    console.print(table if items else f"{title}: nothing")


def _columns(console: Console, title: str, items: list[dict[str, Any]], fields: tuple[str, ...]) -> None:
    """An item a column: for few items of many fields, on a terminal of 80 characters."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE, show_header=False)
    for name in _used(items, fields):
        table.add_row(name, *(_plain(name, item.get(name)) for item in items))
    console.print(table if items else f"{title}: nothing")


def _used(items: list[dict[str, Any]], fields: tuple[str, ...]) -> list[str]:
    return [name for name in fields if any(item.get(name) not in (None, "") for item in items)]


def _plain(name: str, value: Any) -> str:
    """A time without its date: it was today."""
    return "" if value is None else str(value).partition("T")[2] if name.lower().endswith("time") else str(value)


class Stopwatch:
    def __init__(self) -> None:
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started
