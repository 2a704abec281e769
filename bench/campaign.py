"""`make bench-campaign`: what a call of a campaign costs, with a thousand and with very many contacts in its list, how
evenly it dials, and what it delays a hotline.

Everything goes through the APIs of a system of its own with Postgres and Asterisk: contacts come as CSV, phones refuse
at once (486) or answer, hear the message and hang up. Times are taken at the phones, by one monotonic clock. The short
list is the baseline for the long one, the hotline alone that for the hotline beside a campaign, in the same run.
"""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from rich.console import Console

from bench.alarm import busiest_second
from bench.bare_ami import BareAmi
from bench.figures import print_machine, print_times
from bench.processes import cpu_s
from engine.demo.company import Company, active, found, own_number
from engine.demo.conversation import CALLER
from engine.demo.system import System, started
from engine.runtime.ports import Address
from engine.settings import Settings
from engine.softphone import Behaviour, Carrier

CONTACTS = int(os.environ.get("BENCH_CONTACTS", "1000000"))
CALLS = int(os.environ.get("BENCH_CALLS", "1000"))  # of each list; numbers that Germany keeps for films
CPS = 50
HOTLINE_CALLS = 40
LIMIT_S = 900
ROWS_A_SECOND = 20_000
FRANKFURT = "496990009"
PASSWORD = "correct horse battery"  # noqa: S105
REFUSES = Behaviour.rejects(486, after_s=0)
LISTENS = Behaviour.answers(0.02)

console = Console()


@dataclass(frozen=True, slots=True)
class Run:
    """A campaign to CALLS phones. `engine_ms`, `api_ms`: CPU a call."""

    contacts: int
    start_ms: float
    calls_a_second: float
    busiest: int
    engine_ms: float
    memory_mb: float


@dataclass(slots=True)
class Figures:
    import_rows_s: float = 0.0
    runs: dict[str, Run] = field(default_factory=dict)
    reach_alone: list[float] = field(default_factory=list)
    reach_beside: list[float] = field(default_factory=list)


class Ictcore:
    """The ICTCore API of one organisation."""

    def __init__(self, session: aiohttp.ClientSession, system: System, name: str) -> None:
        self._session, self._url = session, f"{system.api}/ictcore"
        self._headers = {"Accept": "application/json", "Authorization": aiohttp.encode_basic_auth(name, PASSWORD)}

    async def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        headers = {**self._headers, **options.pop("headers", {})}
        async with self._session.request(method, self._url + path, json=body, headers=headers, **options) as answer:
            text = await answer.text()
            assert answer.status == 200, (path, answer.status, text)
            return await answer.json() if text else None


def rows(count: int) -> Iterator[bytes]:
    """The first CALLS have the phones' numbers, nobody calls the others."""
    for start in range(0, count, 5000):
        yield "".join(
            f"+{FRANKFURT}{n:03},Anna {n},Muster\n" if n < CALLS else f"+49151{20_000_000 + n},Bernd {n},Muster\n"
            for n in range(start, min(start + 5000, count))).encode()


async def _body(count: int) -> Any:
    for block in rows(count):
        yield block


@dataclass(slots=True)
class Stage:
    carrier: Carrier
    system: System
    company: Company
    api: Ictcore
    program: int

    @property
    def engine(self) -> int:
        return int((self.system.home / "run" / "engine.pid").read_text())

    async def group(self, contacts: int) -> tuple[int, float]:
        """Its id, and rows a second of the import."""
        made = (await self.api("POST", "/groups", {"name": f"{contacts}"}))["group_id"]
        at = time.monotonic()
        await self.api("POST", f"/groups/{made}/csv", data=_body(contacts), headers={"Content-Type": "text/csv"})
        return made, contacts / (time.monotonic() - at)

    async def campaign(self, group: int) -> int:
        made: int = (await self.api("POST", "/campaigns", {
            "program_id": self.program, "group_id": group, "cpm": 60 * CPS, "try_allowed": 1}))["campaign_id"]
        await self.company.v1.put(f"/campaigns/{made}", {"cpm": 60 * CPS, "callsPerSecond": CPS})
        return made

    async def stop(self, campaign: int) -> None:
        await self.company.v1.post(f"/campaigns/{campaign}/stop")


def memory_mb(pid: int) -> float:
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def measured(on: Stage, group: int, contacts: int, behaviour: Behaviour) -> Run:
    phones = list(on.carrier.phones.values())
    rung_before = {}
    for phone in phones:
        if phone.number.startswith(FRANKFURT):
            phone.behaviour = behaviour
            rung_before[phone.number] = len(phone.calls)
    campaign = await on.campaign(group)
    engine_s, at = cpu_s(on.engine), time.monotonic()
    await on.api("PUT", f"/campaigns/{campaign}/start")
    started_ms = 1000 * (time.monotonic() - at)
    callees = [phone for phone in phones if phone.number in rung_before]
    rung = sorted([(await phone.rung(120, rung_before[phone.number] + 1)).at for phone in callees])
    took_s = cpu_s(on.engine) - engine_s
    await on.stop(campaign)
    await asyncio.sleep(2.5)
    return Run(contacts, started_ms, (len(rung) - 1) / (rung[-1] - rung[0]), busiest_second(rung),
               1000 * took_s / len(rung), memory_mb(on.engine))


async def reach_ms(on: Stage) -> float:
    """A caller's INVITE to the first agent's INVITE."""
    phones = [on.carrier.phones[agent.number] for agent in on.company.agents]
    counts = [len(phone.calls) for phone in phones]
    call = await on.carrier.call(CALLER, on.company.number)
    at = next(entry.at for entry in reversed(on.carrier.journal.of(who=CALLER, what="invite sent")))
    rung = [(await phone.rung(10, count + 1)).at for phone, count in zip(phones, counts, strict=True)]
    call.hang_up()
    for phone, count in zip(phones, counts, strict=True):
        await phone.ended(10, count + 1)
    return 1000 * (min(rung) - at)


async def beside(on: Stage, group: int, figures: Figures) -> None:
    """The hotline alone, and while a campaign dials as fast as it may."""
    for _ in range(HOTLINE_CALLS):
        figures.reach_alone.append(await reach_ms(on))
    campaign = await on.campaign(group)
    await on.api("PUT", f"/campaigns/{campaign}/start")
    for _ in range(HOTLINE_CALLS):
        figures.reach_beside.append(await reach_ms(on))
    await on.stop(campaign)


async def run() -> bool:
    figures = Figures()
    async with asyncio.timeout(LIMIT_S), AsyncExitStack() as stack:
        carrier = await stack.enter_async_context(Carrier())
        os.environ["RINGWARD_TRUNK_CPS"] = str(2 * CPS)
        system = await stack.enter_async_context(started(Address(*carrier.address)))
        carrier.switch = system.sip.host, system.sip.port
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=300)))
        company = await found(session, system)
        for agent in company.agents:
            carrier.phone(agent.number)
        await own_number(system, company)
        await active(company)
        await company.v1.post("/users", {"name": "bench", "password": PASSWORD, "isAdmin": True})
        api = Ictcore(session, system, "bench")
        program = (await api("POST", "/programs/voicetts", {"name": "bench", "text": "Guten Tag."}))["program_id"]
        on = Stage(carrier, system, company, api, program)
        for n in range(CALLS):
            carrier.phone(f"{FRANKFURT}{n:03}", REFUSES)
        ami = await BareAmi.connect(Settings(home=system.home))
        asterisk = (await ami.action("CoreSettings")).get("AsteriskVersion", "?")
        short, _ = await on.group(CALLS)
        long, figures.import_rows_s = await on.group(CONTACTS)
        figures.runs["warm-up"] = await measured(on, short, CALLS, REFUSES)
        figures.runs["short list, 486"] = await measured(on, short, CALLS, REFUSES)
        figures.runs["long list, 486"] = await measured(on, long, CONTACTS, REFUSES)
        figures.runs["short list, answered"] = await measured(on, short, CALLS, LISTENS)
        await beside(on, long, figures)
        await ami.close()
    return report(figures, asterisk)


def report(figures: Figures, asterisk: str) -> bool:
    console.print(f"import of {CONTACTS:,} contacts as CSV: {figures.import_rows_s:,.0f} rows a second")
    for name, it in figures.runs.items():
        console.print(
            f"{name}: {it.contacts:,} contacts, started in {it.start_ms:.0f} ms; {it.calls_a_second:.1f} calls a "
            f"second (at most {it.busiest} in any), engine {it.engine_ms:.2f} ms CPU a call, {it.memory_mb:.0f} MB")
    short, long = figures.runs["short list, 486"], figures.runs["long list, 486"]
    ratio = long.engine_ms / short.engine_ms
    console.print(f"ratio of the long list's cost a call to the short one's: {ratio:.2f}; memory "
                  f"{long.memory_mb - short.memory_mb:+.0f} MB")
    print_times(console, {
        "caller's INVITE → first agent's, no campaign": figures.reach_alone,
        f"  beside a campaign of {CPS} calls a second": figures.reach_beside,
    })
    console.print(f"ratio of the medians: "
                  f"{statistics.median(figures.reach_beside) / statistics.median(figures.reach_alone):.2f}")
    print_machine(console, asterisk)
    missed = _missed(figures, ratio, [short, long])
    console.print(f"NOT within the targets: {'; '.join(missed)}" if missed else "within all targets")
    return not missed


def _missed(figures: Figures, ratio: float, runs: Sequence[Run]) -> list[str]:
    return [name for name, good in (
        (f"import ≥ {ROWS_A_SECOND:,} rows a second", figures.import_rows_s >= ROWS_A_SECOND),
        ("a call costs the same whatever the list (≤ 1.2)", ratio <= 1.2),
        (f"never more than {CPS} a second", all(one.busiest <= CPS for one in runs)),
        (f"≥ 90 % of {CPS} a second", all(one.calls_a_second >= 0.9 * CPS for one in runs)),
    ) if not good]


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(run()) else 1)
