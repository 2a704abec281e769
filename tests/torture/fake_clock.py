"""A wall clock that can be put forward and back for some processes, while their monotonic clocks go on: libfaketime.

The library is Debian's, of this machine's own release: it is loaded into programs of the machine. `FakeClock.of(world)`
starts engine, api and database of a world again under it; the switch keeps the machine's clock, since a call's limits
in Asterisk go by the wall clock, and an Asterisk fault may end its calls.
"""

import platform
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from engine.runtime.debian_package import cache_folder, sid, unpacked
from engine.runtime.folders import RuntimeFailed
from engine.runtime.postgres import can_reach
from tests.torture.plugin import NotPermitted
from tests.torture.world import World

SHOWS_TIME = "import time; print(int(time.time()))"


@dataclass(frozen=True, slots=True)
class FakeClock:
    """`setting`: the file that says by how much it is wrong."""

    setting: Path
    variables: dict[str, str]

    @classmethod
    def make(cls, folder: Path) -> "FakeClock":
        """Raises NotPermitted where the library cannot be had or loaded. The library is copied into the folder: who can
        reach that one has all that it takes."""
        setting, library = folder / "clock", folder / "faketime.so"
        shutil.copyfile(_library(), library)
        library.chmod(0o755)
        variables = {
            "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(setting), "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1",
        }
        clock = cls(setting, variables)
        clock.is_off_by(-86400)
        shown = [subprocess.run([sys.executable, "-I", "-c", SHOWS_TIME], env=env, capture_output=True, text=True,
                                check=False).stdout for env in ({}, variables)]
        if not all(shown) or abs(int(shown[0]) - int(shown[1]) - 86400) > 60:
            raise NotPermitted(f"libfaketime does not change what Python sees: {shown}")
        clock.is_off_by(0)
        return clock

    def is_off_by(self, seconds: int) -> None:
        fresh = self.setting.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}")
        fresh.chmod(0o644)
        fresh.rename(self.setting)

    async def rules(self, world: World, database: bool = True) -> None:
        """Engine, api and (if its user can reach the clock) database are started again, and go by it from now on."""
        world.server.process.send_signal(signal.SIGQUIT)
        world.server.process.wait(10)
        if database and can_reach(self.setting.parent, world.server.user):
            world.server.argv = ["/usr/bin/env", *(f"{name}={value}" for name, value in self.variables.items()),
                                 *world.server.argv]
        world.server.process = world.server.launch()
        for process in (world.town.engine, world.muster.api):
            process.kill()
            process.environment = {**process.environment, **self.variables}
            process.start()
        await world.town.until(world.is_whole, "the world is whole under another clock", 40)


def _library() -> Path:
    try:
        codename = platform.freedesktop_os_release().get("VERSION_CODENAME", "sid")
        source = sid().replace(" sid main", f" {codename} main")
        root = unpacked(f"clock-{codename}", ["libfaketime"], cache_folder(), print, source)
    except (OSError, RuntimeFailed) as error:
        raise NotPermitted(f"no libfaketime: {error}") from error
    found = sorted(root.glob("usr/lib/*/faketime/libfaketimeMT.so.1"))
    if not found:
        raise NotPermitted("no libfaketimeMT in Debian's package")
    return found[0]
