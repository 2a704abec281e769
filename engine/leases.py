"""When the lease of each caller last began, and whose is due. `engine/call.py` keeps it.

A verb that lets a caller wait brings a lease of its own. A caller of whom we do not know where he is (after a restart
or a lost connection, until channels were compared) is not in here: a lease would end a fallback, or cut a talk that
the dialplan made.
"""

from collections.abc import Iterable

from engine.round import LiveCall


class Leases:
    """By call id; times are monotonic seconds."""

    def __init__(self, lease_s: int) -> None:
        self.lease_s = lease_s
        self._began: dict[str, float] = {}

    def begin(self, call_id: str, now_s: float) -> None:
        self._began[call_id] = now_s

    def compared(self, call_id: str) -> None:
        """Where the caller is is known again; how old his lease is is not."""
        self._began.setdefault(call_id, 0.0)

    def forget(self, call_id: str) -> None:
        self._began.pop(call_id, None)

    def forget_all(self) -> None:
        self._began.clear()

    def take_due(self, calls: Iterable[LiveCall], now_s: float) -> list[str]:
        """Legs to renew now: three times in a lease's life."""
        due: list[str] = []
        for call in calls:
            began_s, legs = self._began.get(call.call_id), call.flow.leased(call.state)
            if began_s is not None and (not legs or now_s - began_s >= self.lease_s / 3):
                due += legs
                self._began[call.call_id] = now_s
        return due
