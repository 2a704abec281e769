"""Keeps the parts of a system running: starts them again when they end, ends an engine that stopped beating.

Used by `up`. One task watches each part, one the heartbeat. The first SIGINT or SIGTERM asks the engine to take no
new calls and gives talks `GRACE_S` to end; the second ends everything at once. Parts end in the opposite order of
their start. If this process is killed the kernel ends them (child.py).
"""

import asyncio
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from engine.runtime.child import exited
from engine.runtime.folders import Home
from engine.runtime.heartbeat import Heartbeat
from engine.runtime.run_files import forget_pid, write_pid
from engine.store.pulse import Pulse
from engine.vocabulary.values import RingwardError

GRACE_S = 11.0              # the engine gives talks 10 s after the first Ctrl-C
STOP_S = 5.0                # for a part that was asked to end
STALE_S = 10.0              # of an engine's heartbeat
FIRST_BEAT_S = 30.0         # for an engine that starts
POLL_S = 0.5
HEALTHY_S = 10.0            # a part that lived this long starts again without delay
MAX_DELAY_S = 5.0

Say = Callable[[str], None]
Launch = Callable[[], "subprocess.Popen[bytes]"]


class _StopAsked(Exception):
    """Leaves the task group when the first Ctrl-C comes."""


@dataclass(slots=True)
class Part:
    """One child. `launch` starts it and does not wait until it is ready."""

    name: str
    launch: Launch
    process: "subprocess.Popen[bytes]"
    stop_signal: signal.Signals = signal.SIGTERM
    started_at: float = 0.0
    delay_s: float = 0.0


class Supervisor:
    """Owns the parts from `add` to the end of `run`."""

    def __init__(
        self, home: Home, heartbeat: Heartbeat, say: Say, *, restarts: bool = True, stale_s: float = STALE_S,
    ) -> None:
        self._home = home
        self._heartbeat = heartbeat
        self._say = say
        self._restarts = restarts
        self._stale_s = stale_s
        self._parts: list[Part] = []
        self._signals: asyncio.Queue[signal.Signals] = asyncio.Queue()

    def add(
        self, name: str, launch: Launch, stop_signal: signal.Signals = signal.SIGTERM,
        process: "subprocess.Popen[bytes] | None" = None,
    ) -> Part:
        """Start a part, or take over one that was started already."""
        part = Part(name, launch, process or launch(), stop_signal, time.monotonic())
        write_pid(self._home, name, part.process.pid)
        self._parts.append(part)
        return part

    def pid(self, name: str) -> int:
        """The process id that this part has now."""
        return self._part(name).process.pid

    def _part(self, name: str) -> Part:
        return next(part for part in self._parts if part.name == name)

    async def run(self, announce: Callable[[], Awaitable[None]]) -> None:
        """Until a signal or an error. `announce` runs beside: it waits until calls can be taken and says so.

        A RingwardError of a task comes out as itself, not in a group: people read it.
        """
        try:
            await self._run(announce)
        except ExceptionGroup as group:
            ours, _ = group.split(RingwardError)
            raise ours.exceptions[0] if ours else group from None

    async def _run(self, announce: Callable[[], Awaitable[None]]) -> None:
        async with self._caught_signals():
            try:
                async with asyncio.TaskGroup() as group:
                    for part in self._parts:
                        group.create_task(self._keep(part))
                    group.create_task(self._watch_engine())
                    group.create_task(self._stop_asked())
                    group.create_task(_await(announce))
            except* _StopAsked:
                self._say("ending: no new calls, waiting up to 10 s for talks; Ctrl-C again ends at once")
            finally:
                await self._end()

    async def _stop_asked(self) -> None:
        await self._signals.get()
        raise _StopAsked

    async def _keep(self, part: Part) -> None:
        while True:
            status = await exited(part.process)
            forget_pid(self._home, part.name)
            if not self._restarts:
                self._say(f"{part.name} ended (status {status})")
                return
            lived_s = time.monotonic() - part.started_at
            part.delay_s = 0.0 if lived_s >= HEALTHY_S else min(MAX_DELAY_S, part.delay_s * 2 or 0.1)
            self._say(f"{part.name} ended (status {status}) and is started again; see {self._home.log}/{part.name}.log")
            await asyncio.sleep(part.delay_s)
            part.process, part.started_at = part.launch(), time.monotonic()
            write_pid(self._home, part.name, part.process.pid)

    async def _watch_engine(self) -> None:
        """A database that cannot be asked, or could not a moment ago, says nothing about the engine; no clock does."""
        engine, pulse = self._part("engine"), Pulse()
        reachable_since: float | None = None
        while self._restarts:
            await asyncio.sleep(POLL_S)
            pid = engine.process.pid
            beat = await self._heartbeat.read(pid)
            now = time.monotonic()
            reachable_since = (reachable_since or now) if beat.is_known else None
            if reachable_since is None or engine.process.poll() is not None:
                pulse.forget()
                continue
            silent_s = now - engine.started_at if beat.at is None else pulse.silent_s((pid, beat.at), now)
            limit_s = FIRST_BEAT_S if beat.at is None else self._stale_s
            if silent_s >= limit_s and now - reachable_since >= self._stale_s:
                self._say(f"the engine's heartbeat is {silent_s:.0f} s old: it is ended")
                engine.process.kill()
                reachable_since = None

    async def _end(self) -> None:
        """Ask the engine, then the others from the last to the first; a second signal cuts every wait short."""
        parts = sorted(reversed(self._parts), key=lambda part: part.name != "engine")
        async with asyncio.TaskGroup() as group:
            impatience = group.create_task(self._end_at_once(parts))
            for part in parts:
                await _stop(part, GRACE_S if part.name == "engine" else STOP_S)
                forget_pid(self._home, part.name)
            impatience.cancel()
        await self._heartbeat.close()

    async def _end_at_once(self, parts: Sequence[Part]) -> None:
        await self._signals.get()
        for part in parts:
            _kill(part)

    @asynccontextmanager
    async def _caught_signals(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._signals.put_nowait, number)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.remove_signal_handler(number)


async def _stop(part: Part, patience_s: float) -> None:
    if part.process.poll() is None:
        part.process.send_signal(part.stop_signal)
    try:
        async with asyncio.timeout(patience_s):
            await exited(part.process)
    except TimeoutError:
        _kill(part)
        await exited(part.process)


def _kill(part: Part) -> None:
    """Postgres must take its own children along: SIGQUIT makes it, at once."""
    if part.process.poll() is None:
        part.process.send_signal(signal.SIGQUIT if part.name == "postgres" else signal.SIGKILL)


async def _await(what: Callable[[], Awaitable[None]]) -> None:
    await what()
