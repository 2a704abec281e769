"""What a step of any flow gives back."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from engine.vocabulary.commands import Command

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Step(Generic[S]):
    """The next state (the very same object when nothing changed) and what follows from it."""

    state: S
    commands: tuple[Command, ...] = ()
