"""What can go wrong, as things that strike a `World` and heal again.

A fault is any object of this shape, each with its own test; those that a module `faults_of_*.py` lists as `IN_MIX`
take part in the random mix as well, as do those that need something of their own (`mix.py`). `harms` names the parts
of the system that it takes away: what the invariants excuse depends on it alone (only a harmed "switch" may end calls).
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tests.torture.world import World

PARTS = frozenset({"engine", "api", "switch", "link", "database", "speech", "disk", "webhooks", "clock"})


class Fault(Protocol):
    """`lasts_s`: between how many seconds at least and at most the random mix leaves it."""

    @property
    def name(self) -> str: ...

    @property
    def harms(self) -> frozenset[str]: ...

    @property
    def lasts_s(self) -> tuple[float, float]: ...

    async def strike(self, world: "World") -> None: ...

    async def heal(self, world: "World") -> None:
        """Everything runs again as before, or will by itself."""


@dataclass(slots=True)
class Harm:
    """One fault as it happened, monotonic seconds."""

    name: str
    parts: frozenset[str]
    struck_at: float
    healed_at: float = field(default=float("inf"))

    def touches(self, part: str, since: float, until: float, after_s: float = 0.0) -> bool:
        """Was this part away at some time between these, or not longer than `after_s` before?"""
        return part in self.parts and self.struck_at <= until and since <= self.healed_at + after_s


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault `after_s` seconds, left for `for_s`."""

    fault: Fault
    after_s: float
    for_s: float


def strike(fault: Fault, rng: random.Random, longest_s: float = 9.0) -> Strike:
    least_s, most_s = (min(seconds, longest_s) for seconds in fault.lasts_s)
    return Strike(fault, rng.uniform(0.3, 2.0), rng.uniform(least_s, most_s))


def of_all_kinds() -> Sequence[Fault]:
    """In one order always: a seed picks from it."""
    modules = sorted(path.stem for path in Path(__file__).parent.glob("faults_of_*.py"))
    return [fault for name in modules for fault in getattr(import_module(f"tests.torture.{name}"), "IN_MIX", ())]
