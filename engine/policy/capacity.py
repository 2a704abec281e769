"""The trunk's budget: so many new legs a second, so many legs at once.

A token bucket as a value: `now_s` is monotonic seconds and an argument. It holds one second's worth of legs, so
that a hotline's agents are rung at once.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Bucket:
    per_second: float
    tokens: float
    at_s: float

    @staticmethod
    def full(per_second: float, now_s: float) -> "Bucket":
        return Bucket(per_second, max(1.0, per_second), now_s)

    def refilled(self, now_s: float) -> "Bucket":
        tokens = self.tokens + max(0.0, now_s - self.at_s) * self.per_second
        return replace(self, tokens=min(max(1.0, self.per_second), tokens), at_s=now_s)

    def take(self, legs: int) -> "Bucket":
        return replace(self, tokens=self.tokens - legs)

    @property
    def whole(self) -> int:
        return int(self.tokens)

    @property
    def next_in_s(self) -> float:
        """Seconds until one more leg may be dialled."""
        return max(0.0, (1.0 - self.tokens) / self.per_second)
