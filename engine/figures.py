"""The engine's figures (prometheus). The engine leaves their text with its heartbeat; the api serves it at /metrics.

Histograms in seconds. `setup`: caller's arrival → first order to dial written. `accept`: key pressed → both joined.
`alarm_setup`: alarm posted → first order to dial written.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from engine.vocabulary.commands import Dial, DialAlarm, DialProgram, RowCommand, SwitchCommand, WriteAttempt
from engine.vocabulary.events import DigitsEntered, Joined

LAG = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2)
FAST = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.3, 0.5, 1, 2, 5)
PHASES = {
    "hotline": ("waiting", "talking", "apologising", "fallback", "closing"),
    "alarm": ("rendering", "ringing", "closing"),
    "program": ("waiting", "dialling", "running", "transferring", "talking", "closing"),
}


class MeasuredCall(Protocol):
    """What the figures keep on a live call (engine.round.LiveCall)."""

    began_at: datetime
    accepted_at: datetime | None
    has_dialled: bool


class Figures:
    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._live = {
            "hotline": Gauge("ringward_live_calls", "Calls alive", ["phase"], registry=registry),
            "alarm": Gauge("ringward_live_alarms", "Alarms alive", ["phase"], registry=registry),
            "program": Gauge("ringward_live_programs", "Programs' calls alive", ["phase"], registry=registry),
        }
        self._finished = {
            "hotline": Counter("ringward_calls", "Calls ended, by outcome", ["outcome"], registry=registry),
            "alarm": Counter("ringward_alarms", "Alarms ended, by outcome", ["outcome"], registry=registry),
            "program": Counter("ringward_programs", "Programs' calls ended, by outcome", ["outcome"],
                               registry=registry),
        }
        self._attempts = Counter("ringward_alarm_attempts", "Attempts to reach somebody, by disposition",
                                 ["disposition"], registry=registry)
        self._setup = {
            Dial: Histogram("ringward_setup_seconds", "Caller's arrival to first dial", buckets=FAST,
                            registry=registry),
            DialAlarm: Histogram("ringward_alarm_setup_seconds", "Alarm posted to first dial", buckets=FAST,
                                 registry=registry),
            DialProgram: Histogram("ringward_program_setup_seconds", "Claimed to dialled", buckets=FAST,
                                   registry=registry),
        }
        self._accept = Histogram("ringward_accept_seconds", "Key pressed to joined", buckets=FAST, registry=registry)
        self._save = Histogram("ringward_save_seconds", "One commit", buckets=FAST, registry=registry)
        self._loop_lag = Histogram("ringward_loop_lag_seconds", "A timer of the event loop, how late it came",
                                   buckets=LAG, registry=registry)
        self._ami_lag = Gauge("ringward_ami_lag_seconds", "Round trip of the last AMI ping", registry=registry)
        self._legs = Gauge("ringward_trunk_legs", "Legs by trunk", ["trunk"], registry=registry)

    def stepped(self, call: MeasuredCall, event: object) -> None:
        if isinstance(event, DigitsEntered) and event.digits and call.accepted_at is None:
            call.accepted_at = event.at
        if isinstance(event, Joined) and call.accepted_at is not None:
            self._accept.observe(max(0.0, (event.at - call.accepted_at).total_seconds()))

    def sent(self, call: MeasuredCall, orders: Sequence[SwitchCommand], now: datetime) -> None:
        if call.has_dialled:
            return
        dial = next((order for order in orders if isinstance(order, Dial | DialAlarm | DialProgram)), None)
        if dial is not None:
            call.has_dialled = True
            self._setup[type(dial)].observe(max(0.0, (now - call.began_at).total_seconds()))

    def saved(self, row: RowCommand) -> None:
        if isinstance(row, WriteAttempt) and row.disposition is not None:
            self._attempts.labels(row.disposition.value).inc()

    def finished(self, flow: str, outcome: str) -> None:
        self._finished[flow].labels(outcome).inc()

    @contextmanager
    def saving(self) -> Iterator[None]:
        with self._save.time():
            yield

    def live(self, flow: str, phases: Mapping[str, int]) -> None:
        for phase in PHASES[flow]:
            self._live[flow].labels(phase).set(phases.get(phase, 0))

    def lines(self, legs: Mapping[str, int], ami_lag_s: float) -> None:
        """`legs` by trunk."""
        for trunk, used in legs.items():
            self._legs.labels(trunk).set(used)
        self._ami_lag.set(ami_lag_s)

    def loop_late(self, seconds: float) -> None:
        self._loop_lag.observe(seconds)

    def text(self) -> str:
        return generate_latest(self._registry).decode()
