"""Stored JSON ↔ states and commands, by pydantic. Called by `engine/call.py` alone.

A command is stored as `[class name, fields]`. A state is stored with its flow's name and version; a version that the
code no longer knows is refused here, in one place.
"""

from collections.abc import Iterable
from typing import Any

from pydantic import TypeAdapter

from engine.flows import hotline
from engine.flows.hotline_state import State
from engine.vocabulary.commands import Bridge, Dial, HangUp, Hold, Play, Reject, SwitchCommand
from engine.vocabulary.values import RingwardError

_STATE: TypeAdapter[State] = TypeAdapter(State)
_COMMANDS: dict[str, TypeAdapter[Any]] = {
    kind.__name__: TypeAdapter(kind) for kind in (Play, Hold, Dial, Bridge, HangUp, Reject)
}


class UnknownState(RingwardError):
    """A stored call of a flow or version that this code cannot continue."""


def dump_state(state: State) -> Any:
    return _STATE.dump_python(state, mode="json")


def load_state(flow: str, version: int, stored: Any) -> State:
    if (flow, version) != (hotline.NAME, hotline.VERSION):
        raise UnknownState(f"flow {flow} version {version}")
    return _STATE.validate_python(stored, strict=False)


def dump_commands(commands: Iterable[SwitchCommand]) -> list[Any]:
    return [
        [type(command).__name__, _COMMANDS[type(command).__name__].dump_python(command, mode="json")]
        for command in commands
    ]


def load_commands(stored: Iterable[Any]) -> list[SwitchCommand]:
    return [_COMMANDS[name].validate_python(fields) for name, fields in stored or ()]
