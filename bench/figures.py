"""What the benches print: percentiles of milliseconds, and on what machine they were measured."""

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from rich.console import Console
from rich.table import Table

SHARES = (0.5, 0.9, 0.99)


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def print_times(console: Console, rows: Mapping[str, Sequence[float]]) -> None:
    """A row each: how many, and their percentiles in milliseconds."""
    table = Table(title="milliseconds", title_justify="left")
    for column in ("", "n", "p50", "p90", "p99", "max"):
        table.add_column(column, justify="left" if not column else "right")
    for name, values in rows.items():
        shown = [f"{percentile(values, share):.1f}" for share in SHARES] if values else ["-"] * len(SHARES)
        table.add_row(name, str(len(values)), *shown, f"{max(values):.1f}" if values else "-")
    console.print(table)


def print_machine(console: Console, asterisk: str) -> None:
    console.print(f"machine: {os.cpu_count()} CPUs, {platform.machine()}, {platform.platform()}, "
                  f"load average {os.getloadavg()[0]:.1f}")
    console.print(f"Asterisk {asterisk}, Python {platform.python_version()}, asyncpg {version('asyncpg')}, "
                  f"panoramisk {version('panoramisk')}")
