"""Disks that are full: of the database's data or its WAL, of rendered speech, of what callers record.

Each needs a file system that may be filled (`small_disk.py`), and is put on it before it strikes: `on_small_disk` for
a stopped database, `sounds_on` and `recordings_on` for a running world.
"""

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from engine.ports import StoreFailed
from engine.runtime.postgres import Postgres
from engine.store.pool import connect
from tests.torture.faults import Fault
from tests.torture.small_disk import SmallDisk
from tests.torture.world import World

DATA = ("base", "pg_xact", "pg_multixact", "pg_subtrans")
WAL = ("pg_wal",)
SEGMENTS = 12       # of WAL, more than are kept ready


@dataclass(frozen=True, slots=True)
class DiskFull:
    """Of something that only writes fail for."""

    disk: SmallDisk
    name: str = "disk full"
    harms: frozenset[str] = frozenset({"disk"})
    lasts_s: tuple[float, float] = (1.0, 8.0)

    async def strike(self, world: World) -> None:
        await asyncio.to_thread(self.disk.fill)

    async def heal(self, world: World) -> None:
        self.disk.free()


@dataclass(frozen=True, slots=True)
class DatabaseDiskFull(DiskFull):
    """A server that runs out of WAL ends itself; it is started again when there is room, as a supervisor would."""

    name: str = "disk full of data"
    harms: frozenset[str] = frozenset({"disk", "database"})

    async def heal(self, world: World) -> None:
        self.disk.free()
        await asyncio.sleep(0.5)    # a server that is about to end has the time to
        if world.server.process.poll() is not None:
            world.server.process = world.server.launch()
        await asyncio.to_thread(world.server.wait_ready)


@dataclass(frozen=True, slots=True)
class WalDiskFull(DatabaseDiskFull):
    name: str = "disk full of WAL"

    async def strike(self, world: World) -> None:
        await asyncio.to_thread(self.disk.fill)
        with contextlib.suppress(StoreFailed, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
            connection = await connect(world.server.url)
            for _ in range(SEGMENTS):       # what is prepared on the disk is used up
                await connection.execute("SELECT pg_current_xact_id()")
                await connection.execute("SELECT pg_switch_wal()")


# each needs its disk: `mix.py`
IN_MIX: Sequence[Fault] = ()


def on_small_disk(server: Postgres, parts: Sequence[str], disk: SmallDisk) -> None:
    """Of a server that is stopped."""
    for name in parts:
        _move(server.data / name, disk.folder / name)


def sounds_on(world: World, disk: SmallDisk) -> None:
    """What the engine renders from now on, and what it has rendered."""
    _move(world.asterisk.sounds / "cache", disk.folder / "cache")


def recordings_on(world: World, disk: SmallDisk) -> None:
    """What callers say; nobody records just now."""
    _move(world.asterisk.settings.recordings, disk.folder / "recordings")


def _move(place: Path, to: Path) -> None:
    """With owner and rights; a link stays in its place."""
    subprocess.run(["cp", "-a", place, to], check=True)
    shutil.rmtree(place)
    place.symlink_to(to)
