"""Where results go: bench/results.json, the table of docs/benchmarks.md, and the screen.

A bench that is run alone replaces its own lines and leaves the others, with the commit and the machine each was
measured on."""

import datetime
import json
import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.pairs import Result

HERE = Path(__file__).parent
JSON = HERE / "results.json"
PAGE = HERE.parent / "docs" / "benchmarks.md"
PICTURES = PAGE.parent / "pictures"
MEASURED = ("engine", "api", "dialplans", "config", "bench/*.py")
TABLE_FROM, TABLE_TO = "<!-- results: written by `make bench` -->", "<!-- end of results -->"


@dataclass(slots=True)
class Results:
    """`lines`: the results of every bench, each with the bench's name, its commit and its time. `conditions`: of each
    bench under which it measured."""

    console: Console
    lines: list[dict[str, Any]] = field(default_factory=list)
    conditions: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def load(cls, console: Console) -> "Results":
        stored = json.loads(JSON.read_text()) if JSON.exists() else {}
        return cls(console, stored.get("results", []), stored.get("conditions", {}))

    def begin(self, bench: str, conditions: Mapping[str, str]) -> None:
        """Once its system is up: the load average is the one before the first run."""
        self.conditions[bench] = {**machine(), **conditions}
        said = ", ".join(f"{name} {value}" for name, value in self.conditions[bench].items())
        self.console.print(f"{bench}: {said}", markup=False, highlight=False)

    def add(self, bench: str, results: Iterable[Result]) -> None:
        about = {"bench": bench, "commit": commit(),
                 "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")}
        self.lines = [line for line in self.lines if line["bench"] != bench]
        self.lines += [{**asdict(one), **about} for one in results]
        JSON.write_text(json.dumps(self.as_json(), indent=1, ensure_ascii=False) + "\n")
        self.show(bench)

    def as_json(self) -> dict[str, Any]:
        return {"commit": commit(), "machine": machine(), "conditions": self.conditions, "results": self.lines}

    def show(self, bench: str) -> None:
        table = Table(title=bench, title_justify="left")
        for column in ("", "figure", "unit", "min", "max", "goal", "held", ""):
            table.add_column(column)
        for line in self.lines:
            if line["bench"] == bench:
                table.add_row(*_cells(line))
        self.console.print(table)

    def write_page(self) -> None:
        """Puts the table, and the plots that there are, into docs/benchmarks.md, between its two marks."""
        rows = ["| bench | figure | unit | min | max | goal | held | |", "|---|---|---|---|---|---|---|---|"]
        for line in self.lines:
            name, *rest = _cells(line)
            rows.append("| " + " | ".join([f"{line['bench']}: {name}", *rest]) + " |")
        plots = [f"![{path.stem}](pictures/{path.name})" for path in sorted(PICTURES.glob("bench-*.svg"))]
        before, after = PAGE.read_text().split(TABLE_FROM, 1)
        after = after.split(TABLE_TO, 1)[1]
        PAGE.write_text("\n".join([before + TABLE_FROM, "", *rows, "", *plots, "", TABLE_TO + after]))


def machine() -> dict[str, Any]:
    return {"cpus": os.cpu_count(), "model": cpu_model(), "platform": platform.platform(),
            "python": platform.python_version(), "load": round(os.getloadavg()[0], 1)}


def cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def commit() -> str:
    """Of the checkout; with `+` when what is measured holds changes that are in no commit."""
    changed = _git("status", "--porcelain", "-uno", "--", *MEASURED)
    return _git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=HERE.parent, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _cells(line: dict[str, Any]) -> list[str]:
    held = "" if not line["goal"] else "yes" if line["held"] else "no"
    return [line["name"], _short(line["figure"]), line["unit"], _short(line["minimum"]), _short(line["maximum"]),
            line["goal"], held, line["why"]]


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"
