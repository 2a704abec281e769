"""Organisations' providers become trunks of the capacity budget, and cease to be, while the engine runs.

`engine/app.py` runs it. NOTIFY wakes it, a wake every few seconds makes sure, and a returning connection to the switch
calls `refresh`. Invariant: the ledger knows only providers that the switch has taken; of one that is removed it grants
no leg any more before the switch is told.
"""

import asyncio
import time
from collections.abc import Collection, Sequence

import structlog

from engine.ledger import Ledger
from engine.policy.trunks import Trunk
from engine.ports import ProviderStore, Switch
from engine.vocabulary.values import Provider, RingwardError

log = structlog.get_logger()

RETRY_S = 2.0
AGAIN_AFTER_S = 30.0  # what the switch did not take: its host's name was not known, perhaps


class Providers:
    """`usual`: the settings' trunk, whose budget those have that name none."""

    def __init__(self, switch: Switch, store: ProviderStore, ledger: Ledger, usual: Trunk) -> None:
        self._switch = switch
        self._store = store
        self._ledger = ledger
        self._usual = usual
        self._stale = asyncio.Event()
        self._done = asyncio.Event()
        self._told: Sequence[Provider] | None = None  # None: what the switch has may be old
        self._taken: Collection[str] = ()
        self._again_at_s = 0.0

    def refresh(self) -> None:
        """What the switch has may be old: compare again."""
        self._told = None
        self._done.clear()
        self._stale.set()

    async def done(self) -> None:
        """Wait until what `refresh` asked for was done, or failed."""
        await self._done.wait()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch())
            tasks.create_task(self._tell_switch())

    async def _watch(self) -> None:
        async for _ in self._store.changes():
            self._stale.set()

    async def _tell_switch(self) -> None:
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                await self._bring()
                self._done.set()
            except RingwardError as error:
                self._told = None
                self._done.set()
                log.info("providers.later", error=str(error))
                await asyncio.sleep(RETRY_S)
                self._stale.set()

    async def _bring(self) -> None:
        wanted = await self._store.active()
        if wanted == self._told and (len(self._taken) == len(wanted) or time.monotonic() < self._again_at_s):
            return
        self._hand_over(wanted)
        self._taken = await self._switch.put_trunks(wanted)
        self._hand_over(wanted)
        self._told = wanted
        self._again_at_s = time.monotonic() + AGAIN_AFTER_S
        log.info("providers.told", providers=len(wanted), taken=len(self._taken))

    def _hand_over(self, wanted: Sequence[Provider]) -> None:
        trunks = [self._trunk(one) for one in wanted if one.trunk in self._taken]
        self._ledger.put_providers(trunks, time.monotonic())

    def _trunk(self, one: Provider) -> Trunk:
        return Trunk(
            one.trunk, one.cps or self._usual.cps, one.channels or self._usual.channels,
            organisation_id=one.organisation_id, weight=one.weight)
