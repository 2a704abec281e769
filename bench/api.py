"""The api process against a bare aiohttp application that runs the same statements on the same Postgres.

GET: one hotline of the First Responder API, the read that its clients repeat most. POST: an alarm to one phone with an
Idempotency-Key of its own, answered when it is durable. No engine runs, so the alarms ring nobody: what is measured is
the way from a request to its commit and its answer. Both arms are single processes with ten database connections,
loaded over CONNECTIONS connections by the same client, which sends the next request when an answer is whole; before
the first pair their answers are compared member by member, and each arm runs once unmeasured.
"""

import asyncio
import json
import os
import signal
import socket
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import asyncpg

from api.app import POOL_SIZE
from bench.conditions import conditions
from bench.figures import percentile
from bench.http_load import Load, loaded, request
from bench.pairs import Goal, Result, in_pairs
from bench.results import Results
from engine.demo.system import started
from engine.runtime.child import command
from engine.runtime.ports import Address
from engine.settings import Settings
from engine.store.directory import PostgresDirectory
from engine.store.directory_port import HotlineData, SipCustomer
from engine.store.pool import create_pool

CONNECTIONS, SECONDS = 16, 5.0
ORGANISATIONS = 8       # POSTs of one organisation take turns by a lock: in either arm
CAPS = 1_000_000
HOTLINES = "/api/v1/first-responder/hotlines"
ALARMS, NUMBERS = "/ringward/v1/alarms", "/ringward/v1/numbers"
GOAL = 0.8
VARIED = {"id", "at", "createdAt"}


@dataclass(frozen=True, slots=True)
class Tenant:
    organisation_id: int
    token: str
    hotline_id: int


@dataclass(frozen=True, slots=True)
class Stage:
    """`bare` and `ours` are the URLs of the two arms."""

    home: Path
    database: "asyncpg.Connection[Any]"
    ours: str
    bare: str
    tenants: tuple[Tenant, ...]

    def get(self, number: int) -> bytes:
        mine = self.tenants[number % len(self.tenants)]
        return request("GET", f"{HOTLINES}/{mine.hotline_id}", {"API-TOKEN": mine.token})

    def post(self, number: int) -> bytes:
        mine = self.tenants[number % len(self.tenants)]
        body = {"organizationID": mine.organisation_id, "message": {"de": "Brand in der Hauptstraße 12."},
                "recipients": [{"phone": f"+4969900091{number:02}"}]}
        return request("POST", ALARMS, {"API-TOKEN": mine.token, "Idempotency-Key": str(uuid.uuid4())},
                       json.dumps(body).encode())

    async def read(self, url: str) -> Mapping[str, float]:
        return _figures(await loaded(url, self.get, CONNECTIONS, SECONDS))

    async def write(self, url: str) -> Mapping[str, float]:
        """Every 201 must be a row."""
        await self.database.execute("TRUNCATE alarms, idempotency_keys CASCADE")
        load = await loaded(url, self.post, CONNECTIONS, SECONDS, 201)
        stored = await self.database.fetchval("SELECT count(*) FROM alarms")
        if stored != load.answered:
            raise RuntimeError(f"{load.answered} alarms were answered 201 and {stored} are stored")
        return _figures(load)


def _figures(load: Load) -> Mapping[str, float]:
    return {"a second": load.a_second, "p50": 1000 * percentile(load.took_s, 0.5),
            "p99": 1000 * percentile(load.took_s, 0.99)}


async def run(results: Results) -> None:
    async with stage() as on:
        results.begin("api", await conditions(on.home, connections=CONNECTIONS, seconds=SECONDS, pool=POOL_SIZE))
        await same_answers(on)
        found = [*await compared(on, on.read, "GET hotline"), *await compared(on, on.write, "POST alarm")]
    results.add("api", found)


async def compared(on: Stage, loads: Callable[[str], Awaitable[Mapping[str, float]]], what: str) -> list[Result]:
    """Each arm warms up first: connections to Postgres and their plans are made, pages are in its cache."""
    baseline, ours = partial(loads, on.bare), partial(loads, on.ours)
    for arm in (baseline, ours):
        await arm()
    return await in_pairs(baseline, ours, goals(what))


def goals(what: str) -> list[Goal]:
    return [Goal(f"{what}, requests a second against bare aiohttp", "a second", "ratio", "x", at_least=GOAL),
            Goal(f"{what}, requests a second", "a second", "ours", "1/s"),
            Goal(f"{what}, p50", "p50", "ours", "ms"), Goal(f"{what}, p99", "p99", "ours", "ms")]


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    """A system whose engine was ended, with organisations that have a hotline and a number of their own."""
    async with AsyncExitStack() as stack:
        system = await stack.enter_async_context(started(Address("127.0.0.1", 9), "--no-restart"))
        os.kill(int((system.home / "run" / "engine.pid").read_text()), signal.SIGKILL)
        url = Settings(home=system.home).database_url
        database = await asyncpg.connect(url)
        stack.push_async_callback(database.close)
        tenants = await _tenants(url, system.api, database)
        yield Stage(system.home, database, system.api, await stack.enter_async_context(_bare(url)), tenants)


async def _tenants(url: str, api: str, database: "asyncpg.Connection[Any]") -> tuple[Tenant, ...]:
    made = []
    async with await create_pool(url) as pool, aiohttp.ClientSession() as session:
        directory = PostgresDirectory(pool)
        await directory.add_numbers([f"+493023125{n:03}" for n in range(2 * ORGANISATIONS)])
        for number in range(ORGANISATIONS):
            it = (await directory.create_organisation(f"Bench {number}")).organisation_id
            token = await directory.issue_token(it, None)
            users = [(await directory.create_user(it, f"agent {number}-{place}")).user_id for place in range(3)]
            await directory.save_sip_customer(it, SipCustomer("Bench", "Hauptstraße", 1, "Berlin", "10827", "DE"))
            data = HotlineData("Bench", True, 5, 5, "", "", tuple(users))
            hotline = (await directory.create_hotline(it, data)).hotline_id
            async with session.post(f"{api}{NUMBERS}", json={"organizationID": it},
                                    headers={"API-TOKEN": token}) as answer:
                assert answer.status == 201, await answer.text()
            made.append(Tenant(it, token, hotline))
    await database.execute("UPDATE organisations SET calls_per_minute = $1, calls_per_hour = $1, calls_per_day = $1",
                           CAPS)
    return tuple(made)


@asynccontextmanager
async def _bare(url: str) -> AsyncIterator[str]:
    port = Address("127.0.0.1", 0).chosen(socket.SOCK_STREAM).port
    process = await asyncio.create_subprocess_exec(
        *command([sys.executable, "-m", "bench.bare_api", str(port)]), env={**os.environ, "DATABASE_URL": url})
    try:
        await reachable("127.0.0.1", port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()


async def reachable(host: str, port: int, timeout_s: float = 30) -> None:
    async with asyncio.timeout(timeout_s):
        while True:
            try:
                _, writer = await asyncio.open_connection(host, port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            await writer.wait_closed()
            return


async def same_answers(on: Stage) -> None:
    """Raises RuntimeError if the two arms do not answer the same."""
    for make, status in ((on.get, 200), (on.post, 201)):
        ours, bare = [await _one(url, make(0), status) for url in (on.ours, on.bare)]
        if _constant(ours) != _constant(bare):
            raise RuntimeError(f"the arms answer differently: {ours} and {bare}")


async def _one(url: str, sent: bytes, status: int) -> Any:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(sent.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    if not head.startswith(f"HTTP/1.1 {status} ".encode()):
        raise RuntimeError(f"not a {status}: {head.decode()} {body.decode()}")
    return json.loads(body)


def _constant(answer: Any) -> Any:
    if isinstance(answer, dict):
        return {name: _constant(it) for name, it in answer.items() if name not in VARIED}
    return [_constant(it) for it in answer] if isinstance(answer, list) else answer
