"""What programs' steps recorded, brought in: a file of the switch's becomes a recording, and a result of its spool.

`engine/app.py` runs it. A file is deleted only after it is durable in the database; whoever died in between, it is
found again, and kept once.
"""

import asyncio
import io
import wave

import structlog

from engine.campaign_ports import CampaignStore
from engine.ports import Recorded, StoreFailed, Switch

log = structlog.get_logger()

EVERY_S = 1.0
LATER_S = 5.0


class KeptRecordings:
    def __init__(self, switch: Switch, store: CampaignStore) -> None:
        self._switch = switch
        self._store = store

    async def run(self) -> None:
        while True:
            try:
                await self.bring_in()
                await asyncio.sleep(EVERY_S)
            except StoreFailed as error:
                log.info("recordings.later", error=str(error))
                await asyncio.sleep(LATER_S)

    async def bring_in(self) -> None:
        """Every one that is complete now. Raises StoreFailed."""
        for one in await self._switch.recorded():
            try:
                await self._bring_in(one)
            except OSError as error:    # of one file: the others are brought in all the same
                log.error("recordings.unreadable", name=one.name, error=error.strerror)

    async def _bring_in(self, one: Recorded) -> None:
        wav = await self._switch.recorded_audio(one)
        if wav and (duration_ms := await asyncio.to_thread(_duration_ms, one, wav)):
            await self._store.keep_recording(one, wav, duration_ms)
        await self._switch.forget_recorded(one)


def _duration_ms(one: Recorded, wav: bytes) -> int:
    """0 for what holds no sound."""
    try:
        with wave.open(io.BytesIO(wav)) as file:
            frame = file.getnchannels() * file.getsampwidth()    # what is there, whatever its head promises
            frames = len(file.readframes(file.getnframes())) // frame
            return int(1000 * frames / file.getframerate())
    except (wave.Error, EOFError) as error:
        log.warning("recordings.unreadable", name=one.name, error=str(error))
        return 0
