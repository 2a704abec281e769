"""What contract tests share: of a store the twin in memory and the one in Postgres; for facts about Asterisk one with
the dialplan of facts.conf, a bare AMI session to it and a bare SIP peer.
"""

import asyncio
import contextlib
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.runtime.asterisk_package import AsteriskProgram
from tests.contract.private_asterisk import Ami, PrivateAsterisk
from tests.contract.sip_peer import Behaviour, Dialog, SipPeer

DIALPLAN = Path(__file__).with_name("facts.conf")


@pytest.fixture(params=["memory", "postgres"])
def url(request: pytest.FixtureRequest) -> str | None:
    """Of the database that a store is tested on; None: its twin in memory."""
    return str(request.getfixturevalue("database_url")) if request.param == "postgres" else None


@contextlib.contextmanager
def private_asterisk(program: AsteriskProgram) -> Iterator[PrivateAsterisk]:
    home = Path(tempfile.mkdtemp(prefix="rw-fact-"))
    server = PrivateAsterisk(program.program.argv, program.data, program.modules, home, DIALPLAN.read_text())
    try:
        yield server
    finally:
        server.kill()
        shutil.rmtree(home)


@pytest.fixture(scope="session")
def facts_asterisk(asterisk_program: AsteriskProgram) -> Iterator[PrivateAsterisk]:
    with private_asterisk(asterisk_program) as server:
        asyncio.run(server.start())
        yield server


@pytest.fixture
def mortal_asterisk(asterisk_program: AsteriskProgram) -> Iterator[PrivateAsterisk]:
    """One that the test may kill. Not started yet."""
    with private_asterisk(asterisk_program) as server:
        yield server


@dataclass(slots=True)
class Bench:
    """What a fact is shown with."""

    asterisk: PrivateAsterisk
    ami: Ami
    peer: SipPeer

    async def caller(self, verb: str = "", number: str = "4930", **leg: Any) -> tuple[str, str, Dialog]:
        """(uniqueid, channel name, SIP dialog) of somebody who called in and was sent to a context."""
        start = len(self.ami.seen)
        dialog = await self.peer.call(number, self.asterisk.sip, **leg)
        arrived = await self.ami.until(lambda m: m.get("V") == "in", after=start)
        if verb:
            await self.ami.ask(Action="Redirect", Channel=arrived["Uniqueid"], Context=verb, Exten="s", Priority="1")
            await self.ami.said(verb, Uniqueid=arrived["Uniqueid"])
        return arrived["Uniqueid"], arrived["Channel"], dialog

    async def dial(self, number: str, verb: str = "idle", leg: str = "", exten: str = "s", **variables: str) -> str:
        leg = leg or str(uuid.uuid4())
        await self.ami.ask(
            *(("Variable", f"{name}={value}") for name, value in variables.items()), Action="Originate", ActionID=leg,
            Channel=f"PJSIP/trunk/sip:{number}@{self.peer.address}", ChannelId=leg, Context=verb, Exten=exten,
            Priority="1", Timeout="10000", Async="true")
        return leg

    async def agent(self, verb: str = "idle", leg: str = "", exten: str = "s", **variables: str) -> str:
        """The leg of a phone that has answered."""
        self.peer.behaviour["99"] = Behaviour(answer_s=0.0)
        leg = await self.dial("99", verb, leg, exten, **variables)
        await self.ami.until(lambda m: m.get("Event") == "OriginateResponse" and m.get("ActionID") == leg)
        return leg

    async def run(self, context: str, exten: str = "s", **variables: str) -> None:
        """Run a context on a Local channel."""
        await self.ami.ask(
            *(("Variable", f"{name}={value}") for name, value in variables.items()), Action="Originate",
            Channel="Local/s@idle/n", Context=context, Exten=exten, Priority="1", Async="true")

    async def gone(self, leg: str, timeout_s: float = 5) -> dict[str, str]:
        return await self.ami.hung_up(leg, timeout_s)


@contextlib.asynccontextmanager
async def a_bench(asterisk: PrivateAsterisk) -> AsyncIterator[Bench]:
    async with SipPeer.open() as peer, asterisk.ami() as ami:
        yield Bench(asterisk, ami, peer)
        with contextlib.suppress(ConnectionError):      # the test may have killed it
            for leg in await ami.channels():
                await ami.ask(Action="Hangup", Channel=leg)


@pytest.fixture
async def bench(facts_asterisk: PrivateAsterisk) -> AsyncIterator[Bench]:
    async with a_bench(facts_asterisk) as one:
        yield one
