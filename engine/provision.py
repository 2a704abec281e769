"""Hotlines become ready: their speech is rendered, and the switch's own database learns what its fallback needs.
Speech that nobody needs any more goes, daily: what hotlines say is known here.

`engine/app.py` runs it. NOTIFY wakes it, a wake every few seconds makes sure, and a returning connection to the switch
calls `refresh`. Nothing here is on a call's path.
"""

import asyncio
import time
from collections.abc import Sequence

import structlog

from engine.ports import HotlineStore, Speech, SpeechFailed, StoreFailed, Switch, UnreadyHotline
from engine.vocabulary.values import Hotline, RingwardError

log = structlog.get_logger()

RETRY_S = 2.0
PRUNE_EVERY_S = 24 * 3600.0
AGAIN_AFTER_S = 30.0  # a text that could not be spoken: the voice's server was away, the disk was full


class Provision:
    def __init__(self, switch: Switch, hotlines: HotlineStore, speech: Speech) -> None:
        self._switch = switch
        self._hotlines = hotlines
        self._speech = speech
        self._stale = asyncio.Event()
        self._stale.set()
        self._again_at_s = 0.0
        self._prune_at_s = 0.0
        self._told: Sequence[Hotline] | None = None  # None: what the switch knows may be old

    def refresh(self) -> None:
        """What the switch knows may be old: tell it everything again."""
        self._told = None
        self._stale.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch())
            tasks.create_task(self._tell_switch())

    async def _watch(self) -> None:
        async for _ in self._hotlines.changes():
            self._stale.set()
            try:
                for hotline in [*await self._hotlines.unready(), *await self._failed()]:
                    await self._make_ready(hotline)
                    self._stale.set()
            except StoreFailed as error:
                log.warning("provision.store_failed", error=str(error))

    async def _failed(self) -> Sequence[UnreadyHotline]:
        """Now and then, while there is a voice, those that could not be spoken before."""
        now_s = time.monotonic()
        if not self._speech.ready or now_s < self._again_at_s:
            return ()
        self._again_at_s = now_s + AGAIN_AFTER_S
        return await self._hotlines.failed()

    async def _make_ready(self, hotline: UnreadyHotline) -> None:
        greeting = ask = error = None
        try:
            greeting = await self._spoken(hotline.tts_inbound, hotline.language)
            ask = await self._spoken(hotline.tts_outbound, hotline.language)
        except SpeechFailed as failure:
            error = str(failure)
            log.error("provision.speech_failed", hotline=hotline.hotline_id, error=error)
        await self._hotlines.mark_ready(hotline, greeting, ask, error)
        log.info("provision.ready", hotline=hotline.hotline_id, revision=hotline.revision)

    async def _spoken(self, text: str, language: str) -> str | None:
        """None for an empty text: the recorded default is played."""
        return await self._speech.render(text, language) if text.strip() else None

    async def _tell_switch(self) -> None:
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                hotlines = await self._hotlines.all()
                if hotlines != self._told:
                    self._told = hotlines
                    await self._switch.put_hotlines(hotlines)
                await self._prune(hotlines)
            except RingwardError as error:
                self._told = None
                log.info("provision.later", error=str(error))
                await asyncio.sleep(RETRY_S)
                self._stale.set()

    async def _prune(self, hotlines: Sequence[Hotline]) -> None:
        """A hotline's speech is played by its name, for years: it is in use though nobody asks for its text."""
        now_s = time.monotonic()
        if now_s >= self._prune_at_s:
            self._prune_at_s = now_s + PRUNE_EVERY_S
            await self._speech.prune({sound for hotline in hotlines for sound in (hotline.greeting, hotline.ask)})
