"""The live progress bar of a campaign: filled by `/progress` alone, shown while it happens."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn


class Meter:
    """`with Meter(console, …) as meter`; `tell` takes every progress. A pipe gets the last line alone."""

    def __init__(self, console: Console, campaign_id: int, contacts: int) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(bar_width=20), MofNCompleteColumn(),
            TextColumn("{task.fields[told]}"), console=console)
        self._task = self._bar.add_task(f"campaign {campaign_id}", total=contacts, told="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def tell(self, progress: Mapping[str, Any]) -> None:
        self._bar.update(self._task, completed=finished(progress), told=words(progress))


def finished(progress: Mapping[str, Any]) -> int:
    """Contacts that are not called any more."""
    made = progress["transmissions"]
    return int(made["completed"] + made["failed"] + made["invalid"])


def words(progress: Mapping[str, Any]) -> str:
    rate = progress["answerRate"]
    answered = "" if rate is None else f", {rate:.0%} answered"
    return f"{progress['live']} live, {progress['callsPerSecond']:.1f} calls/s{answered}"
