"""What flows want spoken: `Render` orders → speech → `Rendered`, posted to the call. Its tasks are the engine's.

Called by `executing.py` after the commit. Every order is answered, with '' when the text cannot be spoken: a voice that
fails or hangs delays a call by PATIENCE_S and no more, and after it hung once by IMPATIENCE_S, until it speaks again.
What many people wait for has slots of its own, so that 1,000 names do not stand in its way.
"""

import asyncio

import structlog

from engine.mailbox import ForCall, Mailbox
from engine.ports import AlarmStore, Speech, SpeechFailed, StoreFailed, Switch
from engine.vocabulary.commands import Render
from engine.vocabulary.events import Rendered

log = structlog.get_logger()

PATIENCE_S = 15.0
IMPATIENCE_S = 1.0
AGAIN_S = 0.5  # a recording is asked for again while the database is away
SHARED_SLOTS = 16
PERSONAL_SLOTS = 8


class Rendering:
    def __init__(
        self, speech: Speech, alarms: AlarmStore, switch: Switch, mailbox: Mailbox, tasks: asyncio.TaskGroup
    ) -> None:
        self._speech = speech
        self._alarms = alarms
        self._switch = switch
        self._mailbox = mailbox
        self._tasks = tasks
        self._slots = {False: asyncio.Semaphore(SHARED_SLOTS), True: asyncio.Semaphore(PERSONAL_SLOTS)}
        self._under_way: set[tuple[str, str]] = set()
        self._patience_s = PATIENCE_S

    def order(self, call_id: str, organisation_id: int, render: Render) -> None:
        """At once back. An order that is under way is not begun again: flows repeat them when they are compared."""
        if (call_id, render.key) not in self._under_way:
            self._under_way.add((call_id, render.key))
            self._tasks.create_task(self._answer(call_id, organisation_id, render))

    async def _answer(self, call_id: str, organisation_id: int, render: Render) -> None:
        async with self._slots[render.is_personal]:
            sound = await self._sound(organisation_id, render)
        self._under_way.discard((call_id, render.key))
        self._mailbox.post(ForCall(call_id, Rendered(self._switch.now(), render.key, sound)))

    async def _sound(self, organisation_id: int, render: Render) -> str:
        """'' when there is none."""
        try:
            async with asyncio.timeout(self._patience_s):
                sound = await self._spoken(organisation_id, render)
        except TimeoutError:
            log.warning("rendering.hangs", language=render.language)
            self._patience_s = IMPATIENCE_S
            return ""
        except SpeechFailed as error:
            log.warning("rendering.failed", error=str(error))
            return ""
        except Exception:  # a defect met by one text harms no other
            log.exception("rendering.crashed")
            return ""
        self._patience_s = PATIENCE_S
        return sound

    async def _spoken(self, organisation_id: int, render: Render) -> str:
        if render.recording_id is None:
            return await self._speech.render(render.text, render.language, urgency=1 if render.is_personal else 0)
        wav = await self._recording(organisation_id, render.recording_id)
        if wav is None:
            raise SpeechFailed(f"there is no recording {render.recording_id}")
        return await self._speech.convert(wav)

    async def _recording(self, organisation_id: int, recording_id: int) -> bytes | None:
        while True:
            try:
                return await self._alarms.recording(organisation_id, recording_id)
            except StoreFailed:
                await asyncio.sleep(AGAIN_S)
