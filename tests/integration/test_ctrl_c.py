"""Ctrl-C while people talk: the first takes no new calls and lets the talk end, the second ends everything at once."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from engine.demo.company import active, found
from engine.demo.system import System
from engine.runtime.child import exited
from engine.runtime.ports import Address
from engine.softphone import Behaviour, Carrier, PlacedCall
from engine.softphone.audio import chirp
from tests.running_system import RunningSystem, running_system

CALLER, ANOTHER = "4917604069042", "4917604069043"


@asynccontextmanager
async def talk(home: Path) -> AsyncIterator[tuple[RunningSystem, Carrier, PlacedCall, str]]:
    """A system on which a caller and an agent talk, and the hotline's number."""
    async with Carrier() as carrier, aiohttp.ClientSession() as session:
        with running_system(home, "--trunk", carrier.trunk) as system:
            sip = Address.parse(system.sip)
            carrier.switch = sip.host, sip.port
            company = await found(session, System(home, system.api, sip, Address.parse(carrier.trunk)))
            assert await active(company) == "active"
            phones = [carrier.phone(agent.number) for agent in company.agents]
            phones[0].behaviour = Behaviour.answers(press="1", press_after_s=0.5)
            call = await carrier.call(CALLER, company.number, audio=chirp(1, 1.0), loop_audio=True)
            async with asyncio.timeout(20):
                while "bridged" not in str(await company.log()):  # noqa: ASYNC110 -- the API is asked
                    await asyncio.sleep(0.05)
            yield system, carrier, call, company.number


async def test_the_first_lets_the_talk_end_and_takes_no_new_call(tmp_path: Path) -> None:
    async with talk(tmp_path / "home") as (system, carrier, call, number):
        system.process.send_signal(signal.SIGINT)
        engine_log = system.home / "log" / "engine.log"
        async with asyncio.timeout(5):
            while "engine.draining" not in engine_log.read_text():  # noqa: ASYNC110 -- a file tells nobody
                await asyncio.sleep(0.05)
        other = await carrier.call(ANOTHER, number)
        await other.ended()
        assert other.answered_at is None
        assert call.talking
        assert system.process.poll() is None
        call.hang_up()
        async with asyncio.timeout(6):
            assert await exited(system.process) == 0  # type: ignore[arg-type]


async def test_the_second_ends_everything_at_once(tmp_path: Path) -> None:
    async with talk(tmp_path / "home") as (system, _, call, _):
        system.process.send_signal(signal.SIGINT)
        await asyncio.sleep(0.5)  # a person presses twice; until then nothing may end
        assert call.talking
        assert system.process.poll() is None
        system.process.send_signal(signal.SIGINT)
        async with asyncio.timeout(4):
            assert await exited(system.process) == 0  # type: ignore[arg-type]
