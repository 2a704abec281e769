"""What the torture suite claims at its end: a line a scenario, their sum, and the mutants that were killed."""

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

COUNTS = ("faults", "calls", "dropped", "lost", "doubled")
SLOWEST = ("longest_silence_s", "slowest_recovery_s")


@dataclass(slots=True)
class Tally:
    """What one scenario did and saw. `dropped`: talks cut by a fault that may cut none; `lost`: callers, alarms or
    acknowledgements that came to nothing without a record; `doubled`: people called again after hearing thank you, or
    twice at once. The times are the largest seen."""

    scenario: str
    seed: int
    faults: int = 0
    calls: int = 0
    dropped: int = 0
    lost: int = 0
    doubled: int = 0
    longest_silence_s: float = 0.0
    slowest_recovery_s: float = 0.0

    def silent(self, seconds: float) -> None:
        self.longest_silence_s = max(self.longest_silence_s, seconds)

    def recovered(self, seconds: float) -> None:
        self.slowest_recovery_s = max(self.slowest_recovery_s, seconds)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One guard taken out of the product on purpose, and whether a test turned red."""

    name: str
    killed: bool
    by: str = ""


@dataclass(slots=True)
class Report:
    seed: int
    tallies: list[Tally] = field(default_factory=list)
    mutants: list[Mutant] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    not_run: dict[str, str] = field(default_factory=dict)

    def total(self) -> Tally:
        total = Tally("total", self.seed)
        for one in self.tallies:
            for name in COUNTS:
                setattr(total, name, getattr(total, name) + getattr(one, name))
            total.silent(one.longest_silence_s)
            total.recovered(one.slowest_recovery_s)
        return total

    def as_json(self) -> dict[str, Any]:
        return {"scenarios": len(self.tallies), "total": dataclasses.asdict(self.total()),
                **dataclasses.asdict(self), "mutants_killed": sum(one.killed for one in self.mutants)}

    def show(self, console: Console) -> None:
        table = Table(title=f"torture, seed {self.seed}", title_justify="left")
        table.add_column("scenario")
        for name in ("faults", "calls placed", "dropped", "lost", "doubled", "longest silence", "slowest recovery"):
            table.add_column(name, justify="right")
        for one in [*self.tallies, self.total()]:
            if one.scenario == "total":
                table.add_section()
            name = f"{len(self.tallies)} scenarios" if one.scenario == "total" else one.scenario
            table.add_row(name, *(str(getattr(one, count)) for count in COUNTS),
                          *(f"{getattr(one, times):.1f} s" for times in SLOWEST))
        for one in self.mutants:
            console.print(f"mutant {'killed' if one.killed else 'ALIVE'}: {one.name} {one.by}")
        for name, reason in self.not_run.items():
            console.print(f"not run: {name}: {reason}")
        for name in self.failed:
            console.print(f"FAILED: {name}")
        console.print(table)
