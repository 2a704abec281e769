"""All faults at once: what the random mix takes from the machine, and the faults that come with it.

Some need something of their own, which is put under the world before anybody lives in it: small disks that may be
filled, a wall clock that may be changed, receivers that may turn hostile, an engine that may die at a boundary.
`Grounds.open` takes what the machine permits; for the rest `refused` says why, and `test_random_mix.py` reports it as
not run: the mix goes on without it.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from engine.runtime.postgres import Postgres
from tests.torture.fake_clock import FakeClock
from tests.torture.faults import Fault, of_all_kinds
from tests.torture.faults_of_disks import (
    DATA,
    WAL,
    DatabaseDiskFull,
    DiskFull,
    WalDiskFull,
    on_small_disk,
    recordings_on,
    sounds_on,
)
from tests.torture.faults_of_processes import EngineDiesAtBoundary
from tests.torture.faults_of_receivers import LOOPBACK, Receivers
from tests.torture.faults_of_services import HOUR_S, ClockJumped
from tests.torture.mortal_process import MortalProcess
from tests.torture.plugin import NotPermitted
from tests.torture.small_disk import SmallDisk
from tests.torture.world import World

DISKS_MB = {"data": 400, "WAL": 400, "sounds": 64, "recordings": 64}
# of the world: a voice that may be killed, webhooks to loopback
SETTINGS = {"voice": "pico", "webhook_allow": LOOPBACK, "engine": MortalProcess}


@dataclass(slots=True)
class Grounds:
    """`refused`: by fault, in the machine's own words."""

    disks: dict[str, SmallDisk] = field(default_factory=dict)
    clock: FakeClock | None = None
    refused: dict[str, str] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator["Grounds"]:
        grounds = cls()
        with ExitStack() as stack:
            for name, megabytes in DISKS_MB.items():
                with grounds._permitted(f"disk full of {name}"):
                    grounds.disks[name] = SmallDisk.open(megabytes)
                    stack.callback(grounds.disks[name].close)
            with grounds._permitted("wall clock jumped"):
                grounds.clock = FakeClock.make(folder)
            yield grounds

    @contextmanager
    def _permitted(self, fault: str) -> Iterator[None]:
        try:
            yield
        except NotPermitted as error:
            self.refused[fault] = str(error)

    def under_database(self, server: Postgres) -> None:
        """Of which nobody knows yet."""
        server.stop()
        for name, parts in (("data", DATA), ("WAL", WAL)):
            if name in self.disks:
                on_small_disk(server, parts, self.disks[name])
        server.restart()

    def world_on(self, open_world: Callable) -> Callable:
        """The same fixture, for worlds that stand on these grounds."""
        async def make(**settings: object) -> World:
            world: World = await open_world(**{**SETTINGS, **settings})
            world.town.engine.stop()    # nobody renders meanwhile
            if "sounds" in self.disks:
                sounds_on(world, self.disks["sounds"])
            if "recordings" in self.disks:
                recordings_on(world, self.disks["recordings"])
            world.town.engine.go_on()
            if self.clock:      # what the database puts off while it is an hour ahead waits for that hour: not here
                await self.clock.rules(world, database=False)
            return world
        return make

    def faults(self, receivers: Receivers, rng: random.Random) -> Sequence[Fault]:
        """Of all kinds that are permitted here, in one order always."""
        made: list[Fault] = [*of_all_kinds(), EngineDiesAtBoundary(rng), *receivers.faults()]
        kinds = {"data": DatabaseDiskFull, "WAL": WalDiskFull, "sounds": DiskFull, "recordings": DiskFull}
        made += [kinds[name](disk, name=f"disk full of {name}") for name, disk in self.disks.items()]
        if self.clock:
            made += [ClockJumped(self.clock, by_s, name=f"wall clock jumped by {by_s:+d} s")
                     for by_s in (HOUR_S, -HOUR_S)]
        return made
