"""Clocks that tests move."""

from datetime import UTC, datetime, timedelta

from engine.switch.memory import MemorySwitch


class SwitchClock:
    """ports.Clock that goes with the switch. Its wall clock may be wrong."""

    def __init__(self, switch: MemorySwitch) -> None:
        self._switch = switch
        self._off = timedelta(0)

    def jumps(self, by_s: float) -> None:
        self._off += timedelta(seconds=by_s)

    def now(self) -> datetime:
        return self._switch.now() + self._off

    def monotonic(self) -> float:
        return (self._switch.now() - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds()
