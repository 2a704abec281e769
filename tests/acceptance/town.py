"""What the acceptance stories play in: a real Asterisk, a real Postgres, a real engine process, phones with audio.

A story reads: `await town.hotline(agents=3)`, `caller = await town.calls()`, `await town.phone(1).rung()` …
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from engine.runtime.asterisk import Asterisk
from engine.runtime.child import launch
from engine.softphone import Behaviour, Carrier, Phone, PlacedCall
from engine.store.directory import PostgresDirectory
from engine.store.directory_port import HotlineData, PhoneData, SipCustomer, StoredHotline

CALLER = "4917012345"
POOL = [f"+49305550{n:02d}" for n in range(20)]


def agent_number(n: int) -> str:
    return f"49301110{n:02d}"


@dataclass
class EngineProcess:
    """`ringward engine` (or `api`) as a child. Killed, stopped and continued by its process id alone."""

    environment: dict[str, str]
    log_path: Any
    command: str = "engine"
    process: subprocess.Popen[bytes] | None = None
    behind: Sequence[str] = ()      # a command that becomes it, somewhere else

    def start(self) -> None:
        argv = [*self.behind, sys.executable, "-m", "engine.cli.main", self.command, "--home",
                self.environment["RINGWARD_HOME"]]
        self.process = launch(argv, log=self.log_path, env=self.environment)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def kill(self) -> None:
        self._signal(signal.SIGKILL)
        assert self.process is not None
        self.process.wait(5)

    def stop(self) -> None:
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(5)

    def _signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)


@dataclass
class Town:
    asterisk: Asterisk
    carrier: Carrier
    database: "asyncpg.Pool[Any]"
    engine: EngineProcess
    directory: PostgresDirectory = field(init=False)
    organisation_id: int = 0
    hotlines: list[StoredHotline] = field(default_factory=list)
    users: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.directory = PostgresDirectory(self.database)

    # --- the directory -------------------------------------------------------------------------------------------

    async def people(self, agents: int) -> None:
        """An organisation with agents 1, 2, 3 …, a phone each."""
        if not self.organisation_id:
            self.organisation_id = (await self.directory.create_organisation("Feuerwehr")).organisation_id
            address = SipCustomer("Feuerwehr", "Hauptstr.", 1, "Berlin", "10115", "DE")
            await self.directory.save_sip_customer(self.organisation_id, address)
            await self.directory.add_numbers(POOL)
        for n in range(len(self.users) + 1, agents + 1):
            user = await self.directory.create_user(self.organisation_id, f"agent{n}")
            self.users.append(user.user_id)
            phone = PhoneData(user.user_id, "mobile", f"+{agent_number(n)}", True)
            await self.directory.create_phone(self.organisation_id, phone)
            self.carrier.phone(agent_number(n))

    async def another_phone(self, n: int, agent: int, is_active: bool = True) -> Phone:
        """Phone `n`, of an agent who has one already."""
        data = PhoneData(self.users[agent - 1], "second", f"+{agent_number(n)}", is_active)
        await self.directory.create_phone(self.organisation_id, data)
        return self.carrier.phone(agent_number(n))

    async def hotline(
        self, agents: int | Sequence[int] = 3, channels_inbound: int = 10, channels_outbound: int = 10,
        is_active: bool = True, ready: bool = True, greeting: str = "Willkommen.",
    ) -> StoredHotline:
        """Agents 1 to `agents`, or just these; with an empty `greeting` the recorded default is played."""
        chosen = range(1, agents + 1) if isinstance(agents, int) else agents
        await self.people(max(chosen, default=0))
        data = HotlineData(
            "Notruf", is_active, channels_inbound, channels_outbound, greeting, "Bitte die 1.",
            tuple(self.users[n - 1] for n in chosen),
        )
        made = await self.directory.create_hotline(self.organisation_id, data)
        self.hotlines.append(made)
        if ready:
            await self.until(lambda: self._is_ready(made), "the hotline is ready")
        return made

    async def _is_ready(self, made: StoredHotline) -> bool:
        """The engine has rendered its speech, and the switch knows what its fallback must ring."""
        found = await self.directory.hotline(self.organisation_id, made.hotline_id)
        wanted = "active" if made.data.is_active else "paused"
        return found is not None and found.status == wanted and await self.switch_knows(made.number[1:])

    async def switch_knows(self, number: str) -> bool:
        shown = await asyncio.to_thread(self.asterisk_cli, "database show rw")
        return number in shown

    def asterisk_cli(self, command: str) -> str:
        """What Asterisk's own console answers."""
        argv = ["-rx" if part == "-f" else part for part in self.asterisk.argv]
        at = argv.index("-rx") + 1
        argv.insert(at, command)
        return subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False).stdout

    # --- calls ---------------------------------------------------------------------------------------------------

    def phone(self, n: int, behaviour: Behaviour | None = None) -> Phone:
        phone = self.carrier.phones[agent_number(n)]
        if behaviour is not None:
            phone.behaviour = behaviour
        return phone

    async def calls(self, caller: str = CALLER, hotline: int = 0, **options: Any) -> PlacedCall:
        to = self.hotlines[hotline].number[1:]
        return await self.carrier.call(caller, to, **options)

    async def accepts(self, n: int, times: int = 1) -> None:
        """Agent n takes the `times`-th call of that phone: answers, hears the question, presses 1."""
        phone = self.phone(n)
        await phone.rung(times=times)
        phone.answer()
        await phone.heard(0.2)
        phone.press("1")

    async def first_ended(self, *numbers: int, timeout_s: float) -> int:
        """Which of these agents' calls ends first."""
        async def ended() -> bool:
            return any(self.phone(n).happened("ended") for n in numbers)
        await self.until(ended, f"one of {numbers} ends", timeout_s)
        return next(n for n in numbers if self.phone(n).happened("ended"))

    async def engine_is_back(self) -> None:
        """The engine that was started last owns the switch, is connected to it, and has compared what lives."""
        async def back() -> bool:
            return bool(await self.database.fetchval(
                "SELECT pid = $1 AND (state->>'reconciled')::boolean FROM engines", self.engine.pid))
        await self.until(back, "the engine is back")

    async def has_entry(self, kind: str, nth: int = -1) -> None:
        async def there() -> bool:
            return kind in await self.entries(nth)
        await self.until(there, f"the log has {kind}")

    # --- what is written down ------------------------------------------------------------------------------------

    async def entries(self, nth: int = -1) -> list[str]:
        """Types of the entries of the nth call log."""
        rows = await self.database.fetch(
            "SELECT e.type FROM call_log_entries e WHERE e.call_log_id = $1 ORDER BY e.id", await self.log_id(nth))
        return [row["type"] for row in rows]

    async def records(self, nth: int = -1) -> dict[str, str]:
        """Status by number rung (the caller's number for the inbound leg), of the nth call log."""
        rows = await self.database.fetch(
            "SELECT * FROM telephone_records WHERE call_log_id = $1 ORDER BY id", await self.log_id(nth))
        side = {"inbound": "from_number", "outbound": "to_number"}
        return {row[side[row["direction"]]]: row["status"] for row in rows}

    async def is_fallback(self, nth: int = -1) -> bool:
        return bool(await self.database.fetchval(
            "SELECT bool_or(fallback) FROM telephone_records WHERE call_log_id = $1", await self.log_id(nth)))

    async def outcome(self, nth: int = -1, timeout_s: float = 12) -> str:
        """How the nth call ended; waits for its end."""
        async def ended() -> bool:
            log = await self.log_id(nth)
            query = "SELECT end_time IS NOT NULL FROM call_logs WHERE id = $1"
            return log is not None and bool(await self.database.fetchval(query, log))
        await self.until(ended, "the call log has an end", timeout_s)
        return str(await self.database.fetchval("SELECT outcome FROM call_logs WHERE id = $1", await self.log_id(nth)))

    async def log_id(self, nth: int) -> int | None:
        rows = await self.database.fetch("SELECT id FROM call_logs ORDER BY id")
        try:
            return int(rows[nth]["id"])
        except IndexError:
            return None

    def channels(self) -> int:
        """How many channels live on the switch."""
        last = self.asterisk_cli("core show channels count").split()
        return int(last[0])

    async def no_channels(self, timeout_s: float = 5) -> None:
        async def none() -> bool:
            return await asyncio.to_thread(self.channels) == 0
        await self.until(none, "no channel is left on the switch", timeout_s)

    async def until(
        self, condition: Callable[[], Awaitable[bool]], what: str, timeout_s: float = 12
    ) -> None:
        deadline = time.monotonic() + timeout_s
        while not await condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {timeout_s:g} s: {what}")
            await asyncio.sleep(0.05)
