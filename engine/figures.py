"""The engine's figures (prometheus). The engine leaves their text with its heartbeat; the api serves it at /metrics.

Histograms in seconds. `setup`: caller's arrival → first order to dial written. `accept`: key pressed → both joined.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from engine.flows.hotline_state import State
from engine.vocabulary.commands import Dial, SwitchCommand
from engine.vocabulary.events import CallArrived, DigitsEntered, Event, FallbackStarted, Joined

FAST = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.3, 0.5, 1, 2, 5)


class MeasuredCall(Protocol):
    """What the figures keep on a live call (engine.call.LiveCall)."""

    state: State
    accepted_at: datetime | None
    has_dialled: bool


class Figures:
    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._live = Gauge("ringward_live_calls", "Calls alive", ["phase"], registry=registry)
        self._finished = Counter("ringward_calls", "Calls ended, by outcome", ["outcome"], registry=registry)
        self._setup = Histogram("ringward_setup_seconds", "Caller's arrival to first dial", buckets=FAST,
                                registry=registry)
        self._accept = Histogram("ringward_accept_seconds", "Key pressed to joined", buckets=FAST, registry=registry)
        self._save = Histogram("ringward_save_seconds", "One commit", buckets=FAST, registry=registry)
        self._ami_lag = Gauge("ringward_ami_lag_seconds", "Round trip of the last AMI ping", registry=registry)

    def stepped(self, call: MeasuredCall, event: Event | CallArrived | FallbackStarted) -> None:
        if isinstance(event, DigitsEntered) and event.digits and call.accepted_at is None:
            call.accepted_at = event.at
        if isinstance(event, Joined) and call.accepted_at is not None:
            self._accept.observe(max(0.0, (event.at - call.accepted_at).total_seconds()))

    def sent(self, call: MeasuredCall, orders: Sequence[SwitchCommand], now: datetime) -> None:
        if not call.has_dialled and any(isinstance(order, Dial) for order in orders):
            call.has_dialled = True
            self._setup.observe(max(0.0, (now - call.state.arrived_at).total_seconds()))

    def finished(self, outcome: str) -> None:
        self._finished.labels(outcome).inc()

    @contextmanager
    def saving(self) -> Iterator[None]:
        with self._save.time():
            yield

    def live(self, phases: dict[str, int], ami_lag_s: float) -> None:
        for phase in ("waiting", "talking", "apologising", "fallback", "closing"):
            self._live.labels(phase).set(phases.get(phase, 0))
        self._ami_lag.set(ami_lag_s)

    def text(self) -> str:
        return generate_latest(self._registry).decode()
