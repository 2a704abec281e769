"""A whole system that may be broken: Postgres, Asterisk, engine and api of its own, the AMI through a proxy of ours,
phones with audio; people to call and to be called; and the list of what was done to it.

The fixture `open_world` (conftest.py) opens one. Who lives in it is told apart by number, so that every phone's journal
says by itself what it is about: agents from 1 on, alarmed people from `ALARMED` on, each for one alarm, contacts of
campaigns from `CONTACTS` on.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import asyncpg

from engine.runtime.asterisk import Asterisk, launch_asterisk
from engine.runtime.postgres import Postgres
from engine.softphone import Behaviour, Phone, PlacedCall
from engine.softphone.audio import chirp
from engine.store.directory_port import PhoneData
from tests.acceptance.alarm_town import Muster
from tests.acceptance.campaign_town import Fair
from tests.acceptance.town import Town, agent_number
from tests.contract.ami_proxy import AmiProxy
from tests.torture.faults import Fault, Harm
from tests.torture.report import Tally

ALARMED, CONTACTS = 100, 600
CALLER, AGENT = chirp(1, 1.0), chirp(2, 1.0)  # what they say, again and again
BACK_WITHIN_S = 30.0    # for waits on a busy machine; what the issue promises is measured and asserted apart
NOT_NOW = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, aiohttp.ClientError)


@dataclass
class World:
    fair: Fair
    server: Postgres
    proxy: AmiProxy
    tally: Tally
    rng: random.Random
    harms: list[Harm] = field(default_factory=list)
    users: dict[int, int] = field(default_factory=dict)     # of alarmed people
    _callers: int = 0

    @property
    def muster(self) -> Muster:
        return self.fair.muster

    @property
    def town(self) -> Town:
        town: Town = self.fair.town
        return town

    @property
    def asterisk(self) -> Asterisk:
        return self.town.asterisk

    # --- who lives here ------------------------------------------------------------------------------------------

    async def hotline(self, agents: int) -> None:
        """Agents who take every call: the first ones a little faster than the others."""
        await self.town.hotline(agents=agents)
        for n in range(1, agents + 1):
            self.town.phone(n, Behaviour(
                answer_after_s=0.15 + 0.1 * n, press="1", press_after_hearing_s=0.2, audio=AGENT, loop_audio=True))

    async def alarmed(self, people: int) -> list[int]:
        """People with a phone each, for alarms to come; they hear and press 1."""
        await self.fair.opens(0)
        numbers = [ALARMED + n for n in range(people)]
        for n in numbers:
            if agent_number(n) not in self.town.carrier.phones:
                await self._person(n)
        return numbers

    async def _person(self, n: int) -> None:
        user = await self.town.directory.create_user(self.town.organisation_id, f"person{n}")
        self.users[n] = user.user_id
        data = PhoneData(user.user_id, "mobile", f"+{agent_number(n)}", True)
        await self.town.directory.create_phone(self.town.organisation_id, data)
        self.phone(n).behaviour = Behaviour(answer_after_s=0.2, press="1", press_after_hearing_s=0.4)

    def phone(self, n: int) -> Phone:
        number = agent_number(n)
        return self.town.carrier.phones.get(number) or self.town.carrier.phone(number)

    async def call(self) -> PlacedCall:
        """A caller with a number of his own rings the hotline."""
        self._callers += 1
        return await self.town.calls(caller=f"491701{self._callers:06d}", audio=CALLER, loop_audio=True)

    # --- what is done to it --------------------------------------------------------------------------------------

    async def suffers(self, fault: Fault, for_s: float = 0.0) -> Harm:
        """Strike, leave it, heal. What that did to calls is judged by `invariants.py`."""
        harm = Harm(fault.name, fault.harms, time.monotonic())
        self.harms.append(harm)
        self.tally.faults += 1
        await fault.strike(self)
        await asyncio.sleep(for_s)
        await fault.heal(self)
        harm.healed_at = time.monotonic()
        return harm

    @asynccontextmanager
    async def under(self, fault: Fault) -> AsyncIterator[Harm]:
        """The same around a block: healed when it is left."""
        harm = Harm(fault.name, fault.harms, time.monotonic())
        self.harms.append(harm)
        self.tally.faults += 1
        await fault.strike(self)
        try:
            yield harm
        finally:
            await fault.heal(self)
            harm.healed_at = time.monotonic()

    def harmed(self, part: str, since: float, until: float, after_s: float = 0.0) -> bool:
        return any(harm.touches(part, since, until, after_s) for harm in self.harms)

    def switch_is_gone(self) -> None:
        """Asterisk is dead: no phone hears of its calls any more, and their people put down the receiver."""
        carrier = self.town.carrier
        for placed in carrier.placed:
            if placed.ended_at is None:
                placed.hang_up() if placed.answered_at is None else placed.forget()
        for phone in carrier.phones.values():
            for taken in phone.calls:
                if taken.ended_at is None:
                    taken.forget()

    async def start_switch(self) -> None:
        """Without keeping the phones of this process waiting. What the dead one had sent last they have read by now."""
        await asyncio.sleep(0.2)
        self.switch_is_gone()
        self.asterisk.process = launch_asterisk(self.asterisk.home, self.asterisk.argv)
        await asyncio.to_thread(self.asterisk.wait_ready)

    # --- whether it is whole -------------------------------------------------------------------------------------

    async def is_whole(self) -> bool:
        """Engine and api answer for themselves, by the database, and know of each other and the switch."""
        query = ("SELECT pid = $1 AND (state->>'reconciled')::boolean AND beat_at > clock_timestamp() - interval '2 s' "
                 "FROM engines")
        with contextlib.suppress(*NOT_NOW):
            async with asyncio.timeout(2):
                return bool(await self.town.database.fetchval(query, self.town.engine.pid)
                            and await self.muster.is_served())
        return False

    async def recovers(self, harm: Harm, timeout_s: float = BACK_WITHIN_S) -> float:
        """Wait until it is whole again; seconds since the fault was over."""
        await self.town.until(self.is_whole, f"the system is whole after {harm.name}", timeout_s)
        seconds = time.monotonic() - harm.healed_at
        self.tally.recovered(seconds)
        return seconds

    async def fetch(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        """Once the database is back."""
        async with asyncio.timeout(BACK_WITHIN_S):
            while True:
                try:
                    async with asyncio.timeout(5):
                        return list(await self.town.database.fetch(query, *arguments))
                except NOT_NOW:
                    await asyncio.sleep(0.2)
