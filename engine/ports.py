"""What the engine needs from outside, as Protocols. Every adapter has a twin that passes the same contract tests.

Implemented by `engine/switch/*` (Switch), `engine/store/*` (the stores), `engine/speech/*` (Speech). What
campaigns need is in `campaign_ports.py`.
Units are in names; times are aware UTC datetimes; errors are `RingwardError`s.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from engine.vocabulary.commands import RowCommand, SwitchCommand
from engine.vocabulary.events import CallArrived, Event
from engine.vocabulary.values import AlarmPlan, Hotline, LiveLeg, Person, Provider, RingwardError


class SwitchLost(RingwardError):
    """The connection to the switch is down; nothing was or will be sent."""


class StoreFailed(RingwardError):
    """The database did not confirm. Whether it committed is unknown."""


class FencedOut(RingwardError):
    """Another engine has taken this switch over. This one must stop at once."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The link to the switch is up (again): `is_fresh` when the switch itself restarted, so no older channel lives."""

    is_fresh: bool


@dataclass(frozen=True, slots=True)
class Disconnected:
    reason: str


SwitchEvent = CallArrived | Event | Connected | Disconnected


@dataclass(frozen=True, slots=True)
class FallbackRow:
    """One step of a fallback call that the dialplan left in the switch's own database."""

    key: str
    leg: str
    at: datetime
    step: str  # start ring answered silent accepted leg apology ended
    number: str
    did: str
    caller: str
    channel_leg: str
    status: str
    cause: int


@dataclass(frozen=True, slots=True)
class AckNote:
    """The dialplan's own note that somebody acknowledged, or declined: a file named by the leg, written before that
    person hears that it is noted."""

    leg: str
    at: datetime
    is_declined: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a step of a program recorded: a finished file of the switch's. `name`: `<spool>-<step>`."""

    name: str
    spool_id: int
    application_id: int


class Switch(Protocol):
    """A softswitch: carries out commands, tells events."""

    async def run(self) -> None:
        """Keep the connection until cancelled: reconnect with back-off and jitter."""

    def events(self) -> AsyncIterator[SwitchEvent]:
        """What happened, in order. One consumer."""

    def now(self) -> datetime:
        """The time by the switch's clock."""

    @property
    def lag_s(self) -> float:
        """The round trip of the last question to the switch."""

    def send(self, commands: Sequence[SwitchCommand]) -> None:
        """Write the commands in order, in one socket write, without waiting. What fails comes back as an event.

        Raises SwitchLost when there is no connection.
        """

    def renew(self, legs: Sequence[str], lease_s: int) -> None:
        """Renew the lease of legs in hold or play, without waiting; not of those that the dialplan serves meanwhile."""

    async def live(self) -> Mapping[str, LiveLeg]:
        """Every channel now, by leg id."""

    async def put_hotlines(self, hotlines: Sequence[Hotline]) -> None:
        """Make the switch's own database say exactly this (see dialplans/asterisk): what the fallback rings."""

    async def put_trunks(self, providers: Sequence[Provider]) -> Collection[str]:
        """Have exactly these trunks beside those of the settings; what is as it should be is not touched. Returns the
        names of those by which can be dialled now. Raises SwitchLost. A dial by any other is a DialRefused."""

    async def fallback_rows(self) -> Sequence[FallbackRow]:
        """Steps of fallback calls not yet forgotten, oldest first."""

    async def forget(self, rows: Sequence[FallbackRow]) -> None:
        """Delete rows that were imported."""

    async def acknowledgements(self) -> Sequence[AckNote]:
        """Notes of the dialplan not yet forgotten, oldest first. Also readable while the switch is away."""

    async def forget_acknowledgements(self, notes: Sequence[AckNote]) -> None:
        """Delete notes that are durable in the database."""

    async def recorded(self) -> Sequence[Recorded]:
        """Recordings of programs' steps that are complete. Also readable while the switch is away."""

    async def recorded_audio(self, one: Recorded) -> bytes:
        """The WAV; b"" when there is none."""

    async def forget_recorded(self, one: Recorded) -> None:
        """Delete one that is durable in the database."""


@dataclass(frozen=True, slots=True)
class SavedCall:
    """A live call as it is stored. `state` and `outbox` are JSON values that `engine/codec.py` makes and reads."""

    call_id: str
    organisation_id: int
    hotline_id: int | None
    flow: str
    version: int
    phase: str
    state: Any
    started_at: datetime
    caller_leg: str
    outbox: Sequence[Any] = ()
    is_new: bool = False
    parts: Mapping[int, Any] = field(default_factory=dict)  # saving: those that changed; loaded: all of them


@dataclass(slots=True)
class Batch:
    """What one transaction saves: calls (last state wins), rows by call in order, and a heartbeat if it is due."""

    calls: dict[str, SavedCall] = field(default_factory=dict)
    rows: list[tuple[str, RowCommand]] = field(default_factory=list)
    heartbeat: Mapping[str, Any] | None = None
    metrics: str = ""


class CallStore(Protocol):
    """Live calls, their logs and records, and who owns the switch."""

    async def take_over(self, stale_after_s: float) -> bool:
        """Become the owner of the switch (rising fencing number) if nobody is, or the owner's process is dead,
        or this store has seen no new heartbeat for `stale_after_s`. False: somebody else lives; ask again."""

    async def save(self, batch: Batch) -> None:
        """One transaction: durable when it returns. Raises FencedOut, StoreFailed."""

    async def load_calls(self) -> Sequence[SavedCall]:
        """Every stored live call of this switch, oldest first."""

    async def call_of_leg(self, caller_leg: str) -> str | None:
        """The id of the newest call, live or ended, that this inbound leg made."""

    async def close(self) -> None: ...


class HotlineStore(Protocol):
    """Hotlines as the engine needs them."""

    async def by_number(self, number: str) -> Hotline | None:
        """The hotline with this number (E.164 digits), with the active phones of its agents; one statement."""

    async def all(self) -> Sequence[Hotline]: ...

    async def unready(self) -> Sequence["UnreadyHotline"]:
        """Hotlines whose speech or status is behind their revision; marks `created` ones `starting`."""

    async def failed(self) -> Sequence["UnreadyHotline"]:
        """Hotlines whose speech failed: their text may be spoken another time."""

    async def mark_ready(
        self, hotline: "UnreadyHotline", greeting: str | None, ask: str | None, error: str | None,
    ) -> None:
        """Store the sounds of exactly this revision; a newer revision stays unready."""

    def changes(self) -> AsyncIterator[int]:
        """Ids of changed hotlines (0: any), by NOTIFY; a wake with 0 at least every 5 s, so that nothing is missed."""


@dataclass(frozen=True, slots=True)
class UnreadyHotline:
    hotline_id: int
    revision: int
    language: str
    is_active: bool
    tts_inbound: str
    tts_outbound: str


@dataclass(frozen=True, slots=True)
class AlarmOrder:
    """What people ordered about an alarm. `kind`: cancel, acknowledge. `at` by the database's clock."""

    order_id: int
    call_id: str
    kind: str
    recipient_id: int | None
    by: str


@dataclass(frozen=True, slots=True)
class QueuedAlarm:
    """An alarm to be begun: the id its live call must have, what was frozen when it was posted, and what people have
    ordered about it since, so that one that was called off rings nobody. `age_s`: since it was posted, by the clock of
    the store, of which `plan.created_at` is."""

    call_id: str
    plan: AlarmPlan
    persons: tuple[Person, ...]
    orders: tuple[AlarmOrder, ...] = ()
    age_s: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class CallBack:
    """A caller of an organisation's own number. `call_id`: the newest open alarm that wants this caller's phone, None
    when there is none; `voice` is the language in which that is said."""

    organisation_id: int
    voice: str
    call_id: str | None


@dataclass(frozen=True, slots=True)
class Restraints:
    """What limits that hold across restarts remember: how many seconds ago numbers were dialled for alarms, and pins
    were wrong, oldest first. By a clock that nobody puts forward or back."""

    dials: Sequence[tuple[str, float]]
    pin_failures: Sequence[tuple[str, float]]


class AlarmStore(Protocol):
    """Alarms as the engine needs them; numbers are digits. Raises StoreFailed."""

    async def claim(self, limit: int) -> Sequence[QueuedAlarm]:
        """Queued alarms that are now ours to begin, oldest first: no other engine gets them while we own our switch.
        An alarm that an engine claimed which is gone is claimed again."""

    async def orders(self) -> Sequence[AlarmOrder]:
        """Not yet forgotten orders about alarms whose live call is on our switch, or that are over, oldest first."""

    async def forget_orders(self, order_ids: Sequence[int]) -> None: ...

    async def call_of_attempt(self, leg: str) -> str | None:
        """The id of the live call of the alarm that dialled this leg; None when that alarm is over or unknown."""

    async def acknowledge_late(self, note: AckNote) -> None:
        """The alarm of this leg is over: its recipient has acknowledged all the same. Unknown legs are ignored."""

    async def call_back(self, did: str, caller: str) -> CallBack | None:
        """None: `did` is no organisation's own number. One statement."""

    async def restraints(self, within: timedelta) -> Restraints: ...

    async def recording(self, organisation_id: int, recording_id: int) -> bytes | None:
        """The uploaded WAV."""

    def changes(self) -> AsyncIterator[None]:
        """A wake by NOTIFY ringward_alarm, and at least every second, so that nothing is missed."""


class ProviderStore(Protocol):
    """Providers as the engine needs them, of every organisation."""

    async def active(self) -> Sequence[Provider]:
        """Those that are active and carry voice by SIP, in the order of their ids. Raises StoreFailed."""

    def changes(self) -> AsyncIterator[None]:
        """A wake by NOTIFY ringward_provider, and at least every 5 s, so that nothing is missed."""


class Speech(Protocol):
    """Text to a sound file, rendered once per (voice, version, text)."""

    @property
    def ready(self) -> bool: ...

    async def run(self) -> None:
        """Keep the voice alive until cancelled."""

    async def render(self, text: str, language: str, *, urgency: int = 0) -> str:
        """The sound name (`cache/<hash>`) of a text; renders it first if it is new. Raises SpeechFailed.

        `urgency`: 0 what many people wait for, 1 one person's own, 2 ahead of time; the lower comes first.
        """

    async def convert(self, wav: bytes) -> str:
        """The sound name of a recording: its files are made if they are not there. Raises SpeechFailed."""

    async def prune(self, in_use: Collection[str]) -> None:
        """Remove made sounds that nobody asked for in a long time, but not those in use."""

    def path(self, sound: str) -> Path: ...


class SpeechFailed(RingwardError):
    """The voice could not speak this text."""


class Clock(Protocol):
    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...
