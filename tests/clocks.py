"""Clocks that tests move."""

from datetime import UTC, datetime

from engine.switch.memory import MemorySwitch


class SwitchClock:
    """ports.Clock that goes with the switch."""

    def __init__(self, switch: MemorySwitch) -> None:
        self._switch = switch

    def now(self) -> datetime:
        return self._switch.now()

    def monotonic(self) -> float:
        return (self._switch.now() - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds()
