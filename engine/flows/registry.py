"""Every flow, by the type of its state. Used by the loop and its codec."""

from typing import Any

from engine.flows import alarm, hotline, program
from engine.flows.alarm_state import State as AlarmState
from engine.flows.flow import Flow
from engine.flows.hotline_state import State as HotlineState
from engine.flows.program_state import State as ProgramState

HOTLINE: Flow = hotline
ALARM: Flow = alarm
PROGRAM: Flow = program
FLOWS: dict[type[Any], Flow] = {HotlineState: HOTLINE, AlarmState: ALARM, ProgramState: PROGRAM}


def flow_of(state: Any) -> Flow:
    return FLOWS[type(state)]


def state_type(name: str, version: int) -> type[Any] | None:
    """The states that are stored under this name and version; None: this code cannot continue them."""
    return next((kind for kind, flow in FLOWS.items() if (flow.NAME, flow.VERSION) == (name, version)), None)
