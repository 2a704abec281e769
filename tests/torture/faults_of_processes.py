"""Engine, api, Asterisk and database as processes that are killed, stopped and started again."""

import asyncio
import os
import random
import signal
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from tests.torture.faults import Fault
from tests.torture.mortal_process import BOUNDARIES, MortalProcess
from tests.torture.world import World

ENGINE, API, SWITCH, DATABASE = (frozenset({part}) for part in ("engine", "api", "switch", "database"))
DIES_WITHIN_S = 12.0


@dataclass(frozen=True, slots=True)
class EngineKilled:
    """SIGKILL; it is started again when the fault is over, as a supervisor would."""

    name: str = "engine killed"
    harms: frozenset[str] = ENGINE
    lasts_s: tuple[float, float] = (0.0, 6.0)

    async def strike(self, world: World) -> None:
        world.town.engine.kill()

    async def heal(self, world: World) -> None:
        world.town.engine.start()


@dataclass(frozen=True, slots=True)
class EngineStopped:
    """SIGSTOP: worse than dead, since it wakes up in the middle of what it was doing."""

    name: str = "engine stopped"
    harms: frozenset[str] = ENGINE
    lasts_s: tuple[float, float] = (0.5, 9.0)

    async def strike(self, world: World) -> None:
        world.town.engine.stop()

    async def heal(self, world: World) -> None:
        world.town.engine.go_on()


@dataclass(frozen=True, slots=True)
class EngineReplaced:
    """A stopped engine is ended and another one takes over."""

    name: str = "engine stopped, then replaced"
    harms: frozenset[str] = ENGINE
    lasts_s: tuple[float, float] = (0.5, 6.0)

    async def strike(self, world: World) -> None:
        world.town.engine.stop()

    async def heal(self, world: World) -> None:
        world.town.engine.kill()
        world.town.engine.start()


@dataclass(slots=True)
class EngineDiesAtBoundary:
    """One life of the engine ends between a save and what follows from it, or, if it never gets there, soon. Needs a
    world with a `MortalProcess`."""

    rng: random.Random
    name: str = "engine died at a boundary"
    harms: frozenset[str] = ENGINE
    lasts_s: tuple[float, float] = (0.0, 2.0)

    async def strike(self, world: World) -> None:
        engine = world.town.engine
        assert isinstance(engine, MortalProcess)
        engine.kill()
        engine.fate, engine.nth = self.rng.choice(BOUNDARIES), self.rng.randint(1, 3)
        engine.start()
        if not await dies(engine):
            engine.kill()
        print(f"the engine was to die {engine.fate} ({engine.nth})")

    async def heal(self, world: World) -> None:
        engine = world.town.engine
        assert isinstance(engine, MortalProcess)
        engine.fate = ""
        engine.start()


async def dies(engine: MortalProcess) -> bool:
    """Before it has lived too long."""
    try:
        async with asyncio.timeout(DIES_WITHIN_S):
            while not engine.is_dead:  # noqa: ASYNC110 -- the end of a process tells this loop nothing
                await asyncio.sleep(0.02)
    except TimeoutError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class ApiKilled:
    name: str = "api killed"
    harms: frozenset[str] = API
    lasts_s: tuple[float, float] = (0.0, 3.0)

    async def strike(self, world: World) -> None:
        world.muster.api.kill()

    async def heal(self, world: World) -> None:
        world.muster.api.start()


@dataclass(frozen=True, slots=True)
class AsteriskKilled:
    name: str = "Asterisk killed"
    harms: frozenset[str] = SWITCH
    lasts_s: tuple[float, float] = (0.0, 2.0)

    async def strike(self, world: World) -> None:
        world.asterisk.kill()
        world.switch_is_gone()

    async def heal(self, world: World) -> None:
        await world.start_switch()


@dataclass(frozen=True, slots=True)
class AsteriskStopped:
    """SIGSTOP: its calls are there, and nothing is heard of them."""

    name: str = "Asterisk stopped"
    harms: frozenset[str] = SWITCH
    lasts_s: tuple[float, float] = (0.5, 8.0)

    async def strike(self, world: World) -> None:
        os.kill(world.asterisk.pid, signal.SIGSTOP)

    async def heal(self, world: World) -> None:
        os.kill(world.asterisk.pid, signal.SIGCONT)


@dataclass(frozen=True, slots=True)
class AsteriskRestarted:
    """An operator's restart: it says goodbye to every call, and is back at once."""

    name: str = "Asterisk restarted"
    harms: frozenset[str] = SWITCH
    lasts_s: tuple[float, float] = (0.0, 0.0)

    async def strike(self, world: World) -> None:
        await asyncio.to_thread(world.town.asterisk_cli, "core stop now")
        await asyncio.to_thread(world.asterisk.process.wait, 10)
        world.switch_is_gone()

    async def heal(self, world: World) -> None:
        await world.start_switch()


@dataclass(frozen=True, slots=True)
class BothKilled:
    """Engine and Asterisk in one moment, as when the machine loses power: Asterisk is back first."""

    name: str = "engine and Asterisk killed together"
    harms: frozenset[str] = ENGINE | SWITCH
    lasts_s: tuple[float, float] = (0.0, 2.0)

    async def strike(self, world: World) -> None:
        os.kill(world.town.engine.pid, signal.SIGKILL)
        world.asterisk.kill()
        world.town.engine.kill()
        world.switch_is_gone()

    async def heal(self, world: World) -> None:
        await world.start_switch()
        world.town.engine.start()


@dataclass(frozen=True, slots=True)
class DatabaseRestarted:
    """Immediate: as a crash."""

    name: str = "Postgres restarted at once"
    harms: frozenset[str] = DATABASE
    lasts_s: tuple[float, float] = (0.0, 3.0)

    async def strike(self, world: World) -> None:
        world.server.process.send_signal(signal.SIGQUIT)
        await asyncio.to_thread(world.server.process.wait, 10)

    async def heal(self, world: World) -> None:
        world.server.process = world.server.launch()
        await asyncio.to_thread(world.server.wait_ready)


@dataclass(frozen=True, slots=True)
class DatabaseStopped:
    """SIGSTOP of the server and all its connections."""

    name: str = "Postgres stopped"
    harms: frozenset[str] = DATABASE
    lasts_s: tuple[float, float] = (0.5, 9.0)

    async def strike(self, world: World) -> None:
        signal_family(world.server.pid, signal.SIGSTOP)

    async def heal(self, world: World) -> None:
        signal_family(world.server.pid, signal.SIGCONT)


def signal_family(pid: int, number: signal.Signals) -> None:
    """To a process and all below it."""
    for process in [*psutil.Process(pid).children(recursive=True), psutil.Process(pid)]:
        os.kill(process.pid, number)


IN_MIX: Sequence[Fault] = (
    EngineKilled(), EngineStopped(), EngineReplaced(), ApiKilled(), AsteriskKilled(), AsteriskStopped(),
    AsteriskRestarted(), BothKilled(), DatabaseRestarted(), DatabaseStopped(),
)
