"""What every flow is to the loop (`engine/call.py`): one module with these names. `registry.py` knows them all.

A state is one frozen object. What of it is stored apart (`APART`) is compared by identity: a step leaves every part
that it does not change the very same object, so that an alarm of 1,000 people saves one of them, not all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import compress
from operator import is_not
from typing import Any, Generic, Protocol, TypeVar

from engine.policy.routing import Wants
from engine.vocabulary.commands import Command, RowCommand, SetTimer
from engine.vocabulary.events import Event

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Step(Generic[S]):
    """The next state (the very same object when nothing changed) and what follows from it."""

    state: S
    commands: tuple[Command, ...] = ()


@dataclass(frozen=True, slots=True)
class Leg:
    """A leg that a call has on the switch, or is about to have. `number`: the phone that it keeps busy for everybody
    else, '' for a leg that reached us. `trunk` '' is the main one."""

    leg: str
    number: str = ""
    trunk: str = ""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a call is, as its row says. `caller_leg`: the inbound leg that began it, if one did."""

    organisation_id: int
    hotline_id: int | None = None
    caller_leg: str = ""


@dataclass(frozen=True, slots=True)
class Apart:
    """Fields of a state that are stored as parts: those of `once` together as part 0, the items of the tuple `many` as
    parts 1, 2 …"""

    once: tuple[str, ...]
    many: str


class Flow(Protocol):
    """A flow's module. How a call begins (`start`) is the flow's own.

    A `start` never finishes at once: a save of unknown fate could not tell a call that began and ended from one that
    never began. Legs that the flow has after it ended them stay its legs until the switch says that they are gone.
    """

    NAME: str
    VERSION: int
    CAN_WAIT: bool  # rows that a step writes may be saved a moment later than it, with those of others

    @property
    def APART(self) -> Apart | None: ...

    def step(self, state: Any, event: Event) -> Step[Any]: ...

    def phase(self, state: Any) -> str: ...

    def owner(self, state: Any) -> Owner: ...

    def legs(self, piece: Any) -> Sequence[Leg]:
        """Live legs of one piece: of an item of `APART.many`, or of the whole state when nothing is stored apart."""

    def wants(self, state: Any) -> Wants | None:
        """What it would like to dial now. Granted one by one: `LegGranted` where a phone is given, else `DialGranted`.
        A grant that it no longer wants changes nothing."""

    def wants_to_ring(self, state: Any, leg: str, at: datetime) -> bool:
        """This leg was ordered, nothing of it was heard until `at`, and nobody cancelled it: a lost order may be sent
        again."""

    def has_somebody(self, state: Any) -> bool:
        """Somebody waits, listens or talks: an engine that ends gives them a moment."""

    def leased(self, state: Any) -> Sequence[str]:
        """Legs that wait under a lease."""

    def timers(self, state: Any, at: datetime) -> Sequence[SetTimer]:
        """What was set and died with the engine. Those that `Reconciled` brings again are not in here."""

    def failed(self, state: Any, at: datetime) -> Sequence[RowCommand]:
        """A defect ended this call: what is written about it."""


def pieces(flow: Flow, state: Any) -> tuple[Any, ...]:
    """What a step changes singly, and what legs are asked of."""
    return (state,) if flow.APART is None else getattr(state, flow.APART.many)


def changed(before: Sequence[Any], after: Sequence[Any]) -> Iterator[int]:
    """Places at which there is another object than before. Of 1,000 in some microseconds: it is asked at every step."""
    yield from compress(range(len(after)), map(is_not, before, after))
    yield from range(len(before), len(after))
