"""What can go wrong, as things that strike a `World` and heal again.

A fault is any object of this shape; `mix.py` strikes those of `faults_of_*` one after the other, and each has its own
test beside. `harms` names the parts of the system that it takes away: what the invariants excuse depends on it alone
(only a harmed "switch" may end calls).
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

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


def is_fault(one: Any) -> bool:
    return all(hasattr(one, name) for name in ("name", "harms", "lasts_s", "strike", "heal"))
