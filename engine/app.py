"""The engine process: puts the parts together. The only module that imports everything of the engine.

`ringward engine` calls `run`. Order at start: own the switch (or stand by until its owner is gone), load stored calls,
connect, reconcile. SIGTERM hands over: it ends at once and refuses nobody, a standby or the next engine adopts every
call, new callers among them. SIGINT is for a whole system that ends: no new calls, wait up to DRAIN_S for those that
live; a second signal ends at once. Calls survive in every case: the switch keeps them.
"""

import asyncio
import contextlib
import gc
import signal
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog

from engine.acknowledgements import Acknowledgements
from engine.call import RENEW_WITHIN_S, Calls
from engine.campaign_ports import CampaignStore
from engine.campaigns import Campaigns
from engine.dispatcher import Dispatcher
from engine.figures import PHASES, Figures
from engine.inbound import Inbound
from engine.kept_recordings import KeptRecordings
from engine.ledger import Ledger
from engine.loop_lag import watch
from engine.policy.throttle import Limit
from engine.ports import (
    AlarmStore,
    CallStore,
    Connected,
    Disconnected,
    FencedOut,
    HotlineStore,
    ProviderStore,
    Speech,
    StoreFailed,
    Switch,
    SwitchEvent,
)
from engine.preparing import Preparing
from engine.providers import Providers
from engine.provision import Provision
from engine.reconcile import Reconcile
from engine.rendering import Rendering
from engine.restraint import REMEMBERED, Restraint
from engine.schedules import Schedules
from engine.settings import Settings
from engine.speech.choose import voice_of
from engine.speech.service import SpeechService
from engine.store.alarms import PostgresAlarms
from engine.store.alarms import voice_of as prompts_of
from engine.store.calls import PLANNER, PostgresCalls
from engine.store.campaign_claims import PostgresCampaignClaims
from engine.store.hotlines import PostgresHotlines
from engine.store.memory_providers import MemoryProviders
from engine.store.pool import create_pool
from engine.store.providers import PostgresProviders
from engine.store.retention import Keep, Retention
from engine.store.schedules import PostgresSchedules
from engine.switch.asterisk.push import Push
from engine.switch.asterisk.switch import AsteriskSwitch
from engine.switch.memory import MemorySwitch
from engine.vocabulary.commands import SwitchCommand
from engine.vocabulary.events import CallArrived, FallbackStarted
from engine.vocabulary.values import RingwardError, Rules

log = structlog.get_logger()

STALE_AFTER_S = 10.0
DRAIN_S = 10.0
CLAIM_MARGIN_S = 0.5
NOTES_WITHIN_S = 1.0
PACED = timedelta(seconds=10)  # no pace of a trunk looks further back
TRUNKS_WITHIN_S = 0.5


def rules(settings: Settings) -> Rules:
    return Rules(
        ring_timeout_s=settings.ring_timeout_s, rounds=settings.rounds, round_min_s=settings.round_min_s,
        ask_tries=settings.ask_tries, claim_within_s=max(0.25, settings.claim_s - CLAIM_MARGIN_S),
    )


def restraint(settings: Settings) -> Restraint:
    storm = (Limit(settings.throttle_15min, 900), Limit(settings.throttle_hour, 3600))
    return Restraint(storm, Limit(settings.pin_tries_15min, 900))


class Engine:
    """One engine on one switch. Its parts are arguments, so that tests put in twins. `beside`: what else runs as long
    as the engine owns its switch."""

    def __init__(
        self, settings: Settings, switch: Switch, store: CallStore, hotlines: HotlineStore, alarms: AlarmStore,
        campaigns: CampaignStore, speech: Speech, beside: Sequence[Callable[[], Coroutine[Any, Any, None]]] = (),
        providers: ProviderStore | None = None,
    ) -> None:
        self._switch = switch
        self._store = store
        self._speech = speech
        self._beside = beside
        self._figures = Figures()
        self._hotlines = hotlines
        self._alarms = alarms
        self._rules = rules(settings)
        self._restraint = restraint(settings)
        self._ledger = Ledger(settings.trunk_list(), self._restraint, settings.headroom)
        self.calls = Calls(
            switch, store, self._rules, self._figures, self._ledger, self._restraint, lease_s=settings.lease_s)
        self._acknowledgements = Acknowledgements(switch, alarms, self.calls)
        self._reconcile = Reconcile(switch, store, hotlines, self.calls, self._acknowledgements)
        self._dispatcher = Dispatcher(alarms, self.calls, switch, lambda: self._is_taking)
        self._preparing = Preparing(campaigns, speech, settings.ring_timeout_s, prompts_of)
        self._claims = campaigns
        self._campaigns = Campaigns(campaigns, self.calls, switch, self._preparing, lambda: self._is_taking)
        self._recordings = KeptRecordings(switch, campaigns)
        self._provision = Provision(switch, hotlines, speech)
        self._providers = Providers(switch, providers or MemoryProviders(), self._ledger, settings.trunk_list()[0])
        self._inbound: Inbound | None = None
        self._is_connected = False
        self._stop = asyncio.Event()
        self._is_handing_over = False

    @property
    def is_stopping(self) -> bool:
        return self._stop.is_set()

    @property
    def _is_taking(self) -> bool:
        return self._is_connected and self._reconcile.is_settled and not self._stop.is_set()

    def stop(self) -> None:
        """No new calls; `run` returns when the hotlines' calls are over or DRAIN_S have passed. Alarms wait for the
        next engine."""
        self._stop.set()

    def hand_over(self) -> None:
        """`run` returns at once. Whoever waits hears music until the next engine adopts him; whoever calls meanwhile is
        left to it, or to the dialplan."""
        self._is_handing_over = True
        self._stop.set()

    async def run(self) -> None:
        await self._own_switch()
        outboxes = await self._load()
        if self._stop.is_set():  # a standby, or an engine that never had a database
            await self._store.close()
            return
        async with asyncio.TaskGroup() as tasks:
            self._inbound = Inbound(
                self._switch, self._hotlines, self._alarms, self._claims, self._preparing, self.calls, self._rules,
                tasks)
            self.calls.executing.on_render = Rendering(
                self._speech, self._alarms, self._switch, self.calls.mailbox, tasks).order
            self._reconcile.soon(outboxes)
            running = [
                tasks.create_task(work) for work in (
                    self.calls.run(), self._switch.run(), self._listen(), self._reconcile.run(),
                    self._dispatcher.run(), self._campaigns.run(), self._recordings.run(), self._provision.run(),
                    self._providers.run(), self._tick(), self._speech.run(),
                    watch(self._figures.loop_late),
                    *(work() for work in self._beside),
                )
            ]
            gc.freeze()  # what is there now stays: the collector does not look through it in the middle of a call
            await self._stop.wait()
            if not self._is_handing_over:
                await self._drain()
            for task in running:
                task.cancel()
        await self._store.close()

    async def _own_switch(self) -> None:
        has_waited = False
        while not self._stop.is_set():
            try:
                if await self._store.take_over(STALE_AFTER_S):
                    return
                if not has_waited:
                    log.info("engine.standing_by")
                    has_waited = True
            except StoreFailed as error:
                log.warning("engine.database_unreachable", error=str(error))
            await asyncio.sleep(0.5)

    async def _load(self) -> Mapping[str, Sequence[SwitchCommand]]:
        while not self._stop.is_set():
            try:
                past = await self._alarms.restraints(REMEMBERED)
                self._restraint.load(past.dials, past.pin_failures)
                ages_s = [age_s for _, age_s in past.dials] + [*await self._claims.dialled_within(PACED)]
                self._ledger.begin_after(ages_s, time.monotonic())
                return await self.calls.load()
            except StoreFailed:
                await asyncio.sleep(0.5)
        return {}

    async def _listen(self) -> None:
        early: list[SwitchEvent] = []  # told between the log-in and `Connected`
        async for event in self._switch.events():
            match event:
                case Connected(is_fresh):
                    log.info("switch.connected", fresh=is_fresh)
                    self._is_connected = True
                    await self._put_trunks()
                    self._reconcile.soon()
                    await self._hear_what_happened()
                    self._provision.refresh()
                case Disconnected(reason):
                    log.warning("switch.disconnected", reason=reason)
                    self._is_connected = False
                    self._reconcile.lost()
                    self.calls.leases.forget_all()  # callers may be elsewhere by now
                case _ if not self._is_connected:
                    early.append(event)
                    continue
                case _:
                    self._take(event)
            for one in early:
                self._take(one)
            early.clear()

    def _take(self, event: SwitchEvent) -> None:
        assert self._inbound is not None  # noqa: S101
        match event:
            case Connected() | Disconnected():
                return
            case CallArrived():
                self._inbound.arrived(event)
            case FallbackStarted() if not self.calls.knows(event.leg):
                self._inbound.arrived(event)
            case _:
                if not self._inbound.holds(event):
                    self.calls.mailbox.post(event)

    async def _hear_what_happened(self) -> None:
        """Who acknowledged while nobody listened, and whom the dialplan served, is known before an event says that his
        leg has ended."""
        try:
            async with asyncio.timeout(NOTES_WITHIN_S):
                await self._acknowledgements.bring_in()
                await self._reconcile.hear_rows()
        except (TimeoutError, RingwardError) as error:
            log.info("engine.notes_later", error=str(error))

    async def _put_trunks(self) -> None:
        """Orders that are sent again find the trunks by which they go."""
        self._providers.refresh()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TRUNKS_WITHIN_S):
                await self._providers.done()

    async def _tick(self) -> None:
        while True:
            for flow in PHASES:
                self._figures.live(flow, Counter(self.calls.phases(flow)))
            self._figures.lines(self._ledger.used(), self._switch.lag_s)
            self.calls.status = {
                "switch": self._is_connected, "speech": self._speech.ready,
                "taking_calls": self._is_connected and not self._stop.is_set(),
                "reconciled": self._is_connected and self._reconcile.is_settled,
            }
            self.calls.mailbox.tick()
            await asyncio.sleep(1.0)

    async def _drain(self) -> None:
        assert self._inbound is not None  # noqa: S101
        self._inbound.is_draining = True
        log.info("engine.draining", live=len(self.calls.ids()))
        until = time.monotonic() + DRAIN_S
        while self.calls.has_somebody() and time.monotonic() < until:  # noqa: ASYNC110 -- the end of a call tells nobody
            await asyncio.sleep(0.1)


async def run(settings: Settings) -> int:
    """Exit status: 0 after a stop, 3 when another engine took the switch over. Raises RingwardError without a
    database's address."""
    if not settings.database_url:
        raise RingwardError("no database: start it by `ringward up`, or set DATABASE_URL")
    pool = await create_pool(settings.database_url)
    hotlines = PostgresHotlines(settings.database_url, pool)
    voice = voice_of(settings.voice, settings.home / "run" / "voice")
    speech = SpeechService(voice, settings.sounds_dir or settings.home / "sounds", settings.speech_cache_days)
    store = PostgresCalls(settings.database_url, settings.switch_id)
    alarms = PostgresAlarms(settings.database_url, pool, settings.switch_id)
    keep = Keep(settings.retention_logs_days, settings.retention_records_days, settings.retention_recordings_days)
    retention = Retention(pool, keep)
    schedules = Schedules(PostgresSchedules(pool))
    providers = PostgresProviders(settings.database_url, pool)
    claims_pool = await create_pool(settings.database_url, max_size=3, settings=PLANNER)
    campaigns = PostgresCampaignClaims(settings.database_url, claims_pool, settings.switch_id)
    beside = [retention.run, schedules.run]
    engine = Engine(
        settings, switch_of(settings), store, hotlines, alarms, campaigns, speech, beside, providers)
    _stop_on_signals(engine)
    gc.set_threshold(10_000, 20, 20)
    gc.freeze()     # modules and their tables live as long as the process: nobody looks through them again and again
    try:
        await engine.run()
    except* FencedOut as errors:
        log.error("engine.fenced_out", error=str(errors.exceptions[0]))
        status = 3
    except* asyncio.CancelledError:
        status = 0
    else:
        status = 0
    pool.terminate()
    claims_pool.terminate()
    return status


def switch_of(settings: Settings) -> Switch:
    """`memory` has no telephones: for whoever writes a client of the API."""
    if settings.switch == "memory":
        return MemorySwitch()
    return AsteriskSwitch(
        settings.ami_host, settings.ami_port, settings.ami_user, settings.ami_secret, settings.trunk_addresses(),
        settings.acks, settings.recordings, push_of(settings), min(RENEW_WITHIN_S, rules(settings).claim_within_s),
    )


def push_of(settings: Settings) -> Push:
    """The way to set providers."""
    return Push(settings.ari_port, settings.ari_user, settings.ari_secret, settings.rtp_timeout_s)


def _stop_on_signals(engine: Engine) -> None:
    """A second signal ends at once."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101

    def on(then: Callable[[], None]) -> None:
        if engine.is_stopping:
            task.cancel()
        then()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, on, engine.stop)
    loop.add_signal_handler(signal.SIGTERM, on, engine.hand_over)
