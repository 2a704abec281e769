"""How long a heartbeat has not changed, by the monotonic clock of who watches it: no wall clock says whether an engine
lives. One that is put forward makes every beat look old, one that is put back makes the last beat of an engine that
stopped look young for as long.

Used by engines that stand by (`calls.py`, its twin) and by the supervisor.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Pulse:
    """One watcher's. `beat`: whatever is another with every beat."""

    _beat: object = None
    _since_s: float = 0.0

    def silent_s(self, beat: object, now_s: float) -> float:
        """For how long it has been the same. 0 when it is seen for the first time."""
        if beat != self._beat:
            self._beat, self._since_s = beat, now_s
        return now_s - self._since_s

    def forget(self) -> None:
        """Nobody could look for a while: what was not seen was no silence."""
        self._beat = None
