"""What stands around the engine: its voice, its successor, its clock.

`SpeechKilled` strikes where a world speaks (`voice="pico"`); `ClockJumped` where its processes run under a `FakeClock`
(`fake_clock.py`).
"""

import asyncio
import contextlib
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from engine.runtime.child import exited
from tests.acceptance.town import EngineProcess
from tests.torture.fake_clock import FakeClock
from tests.torture.faults import Fault
from tests.torture.world import World

WITHIN_S = 30.0             # to begin, to end: on a busy machine
STANDS_BY = "engine.standing_by"
HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class SpeechKilled:
    """The process that speaks, again and again as long as it lasts."""

    name: str = "speech worker killed"
    harms: frozenset[str] = frozenset({"speech"})
    lasts_s: tuple[float, float] = (0.0, 3.0)

    async def strike(self, world: World) -> None:
        kill_speech(world.town.engine.pid)

    async def heal(self, world: World) -> None:
        kill_speech(world.town.engine.pid)


def kill_speech(engine: int) -> int:
    """How many were killed."""
    killed = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(engine).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                if any(part.endswith("speech/worker.py") for part in child.cmdline()):
                    child.kill()
                    killed += 1
    return killed


@dataclass(slots=True)
class EngineRolled:
    """A rolling restart: the successor stands by, the engine is told to end, and ends when its callers are served."""

    name: str = "engine rolled"
    harms: frozenset[str] = frozenset({"engine"})
    lasts_s: tuple[float, float] = (0.0, 1.0)
    _former: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    async def strike(self, world: World) -> None:
        engine = world.town.engine
        self._former, stood_by = engine.process, self._times(engine)
        engine.start()

        async def stands_by() -> bool:
            return self._times(engine) > stood_by
        await world.town.until(stands_by, "the successor stands by", WITHIN_S)
        assert self._former is not None
        self._former.send_signal(signal.SIGTERM)

    async def heal(self, world: World) -> None:
        assert self._former is not None
        async with asyncio.timeout(WITHIN_S):
            status = await exited(self._former)
        assert status == 0, f"the former engine ended with {status}"

    def _times(self, engine: EngineProcess) -> int:
        return Path(engine.log_path).read_text().count(STANDS_BY)


@dataclass(frozen=True, slots=True)
class ClockJumped:
    """The wall clock is wrong by so much, and then it is right again: two jumps. Monotonic clocks go on."""

    clock: FakeClock
    by_s: int = HOUR_S
    name: str = "wall clock jumped"
    harms: frozenset[str] = frozenset({"clock"})
    lasts_s: tuple[float, float] = (2.0, 12.0)

    async def strike(self, world: World) -> None:
        self.clock.is_off_by(self.by_s)

    async def heal(self, world: World) -> None:
        self.clock.is_off_by(0)


IN_MIX: Sequence[Fault] = (SpeechKilled(), EngineRolled())
