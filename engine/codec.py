"""Stored JSON ↔ states and commands, by pydantic. Called by the loop alone.

A command is stored as `[class name, fields]`. A state is stored with its flow's name and version; a version that the
code no longer knows is refused here, in one place. What a flow keeps apart (`Flow.APART`) is stored as numbered parts:
part 0 holds the fields that are there once, each item of the tuple is a part of its own. Only parts that are new
objects since they were last saved are saved again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import TypeAdapter

from engine.flows.flow import changed
from engine.flows.registry import FLOWS, flow_of, state_type
from engine.vocabulary.commands import SwitchCommand
from engine.vocabulary.values import RingwardError

_COMMANDS: dict[str, TypeAdapter[Any]] = {kind.__name__: TypeAdapter(kind) for kind in get_args(SwitchCommand)}
_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


class UnknownState(RingwardError):
    """A stored call of a flow or version that this code cannot continue."""


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


@dataclass(frozen=True, slots=True)
class Parts:
    """The objects that are stored apart, to be compared later: those of part 0, and those of parts 1, 2 …"""

    once: tuple[Any, ...] = ()
    many: tuple[Any, ...] = ()


NO_PARTS = Parts()


def parts_of(state: Any) -> Parts:
    apart = flow_of(state).APART
    if apart is None:
        return NO_PARTS
    return Parts(tuple(getattr(state, name) for name in apart.once), getattr(state, apart.many))


def dump_head(state: Any) -> Any:
    apart = flow_of(state).APART
    away = None if apart is None else {*apart.once, apart.many}
    return _adapter(type(state)).dump_python(state, mode="json", exclude=away)


def dump_parts(state: Any, saved: Parts) -> dict[int, Any]:
    """The parts that changed since `saved`."""
    apart = flow_of(state).APART
    if apart is None:
        return {}
    now = parts_of(state)
    parts = {place + 1: _dump(now.many[place]) for place in changed(saved.many, now.many)}
    if [*changed(saved.once, now.once)]:
        parts[0] = {name: _dump(value) for name, value in zip(apart.once, now.once, strict=True)}
    return parts


def _dump(value: Any) -> Any:
    return _adapter(type(value)).dump_python(value, mode="json")


def load_state(flow: str, version: int, head: Any, parts: Mapping[int, Any] | None = None) -> Any:
    kind = state_type(flow, version)
    if kind is None:
        raise UnknownState(f"flow {flow} version {version}")
    return _adapter(kind).validate_python(_joined(kind, head, parts or {}), strict=False)


def _joined(kind: type[Any], head: Any, parts: Mapping[int, Any]) -> Any:
    apart = FLOWS[kind].APART
    if apart is None:
        return head
    if sorted(parts) != list(range(len(parts))):
        raise UnknownState(f"parts are missing: there are {len(parts)}")
    return {**head, **parts[0], apart.many: [parts[place] for place in range(1, len(parts))]}


def dump_commands(commands: Iterable[SwitchCommand]) -> list[Any]:
    return [
        [type(command).__name__, _COMMANDS[type(command).__name__].dump_python(command, mode="json")]
        for command in commands
    ]


def load_commands(stored: Iterable[Any]) -> list[SwitchCommand]:
    return [_COMMANDS[name].validate_python(fields) for name, fields in stored or ()]
