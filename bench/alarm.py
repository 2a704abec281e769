"""How soon after its POST an alarm rings the first phone, and how soon a hundred people, at 20 calls a second.

Every alarm is a whole one, posted to the API of a system of its own with Postgres and Asterisk. Phones refuse (486) or
ring; all times are taken at the phones, by one monotonic clock. The baseline of the first INVITE is a bare AMI
`Originate` to such a phone; that of the hundred is the cap, by which the last INVITE cannot leave before 4.95 s.
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from bench.bare_ami import BareAmi
from bench.figures import percentile
from bench.pairs import Goal, Result, alone, in_pairs
from bench.results import Results
from bench.stage import Stage, stage
from engine.demo.company import Company
from engine.softphone import Behaviour, Phone

ALARMS, NEW = 50, 20        # of a run
HUNDRED, CPS = 100, 20
NAMES, BESIDE = 300, 20     # people with a name each, and alarms beside them
# numbers that Germany keeps for films: Frankfurt and Hamburg, a thousand each
FRANKFURT, HAMBURG = "496990009", "494066969"
REFUSES = Behaviour.rejects(486, after_s=0)
_PLACES = itertools.count()
TEXT = "Brand in der Hauptstraße 12. Alle Kräfte bitte sofort zum Gerätehaus."


async def run(results: Results) -> None:
    made = await _first_rings()
    async with stage(1, RINGWARD_TRUNK_CPS=str(CPS)) as on:
        await one_alarm(on, on.companies[0], TEXT)  # speaks it
        made += await alone(lambda: _hundred(on), [
            Goal(f"POST → the last of {HUNDRED} INVITEs, at {CPS} calls/s", "last", "ours", "s", at_most=5.5),
            Goal(f"POST → the first of {HUNDRED} INVITEs", "first", "ours", "ms", at_most=100),
            Goal(f"most of {HUNDRED} INVITEs in any second", "busiest", "ours", "", at_most=CPS)])
    results.add("alarm", made)


async def _first_rings() -> list[Result]:
    async with stage(2) as on, AsyncExitStack() as stack:
        ami = await BareAmi.connect(on.settings)
        stack.push_async_callback(ami.close)
        company, texts = on.companies[0], iter(range(1_000_000))
        await one_alarm(on, company, TEXT)

        async def bare() -> Mapping[str, float]:
            return await _times(on, lambda: bare_dial(on, ami))

        async def cached() -> Mapping[str, float]:
            return await _times(on, lambda: one_alarm(on, company, TEXT))

        async def new() -> Mapping[str, float]:
            return await _times(on, lambda: one_alarm(on, company, f"Einsatz {next(texts)}. {TEXT}"), NEW)

        async def beside() -> Mapping[str, float]:
            return await _beside_names(on, next(texts))

        made = await in_pairs(bare, cached, [
            Goal("POST → first INVITE, p99", "p99", "ours", "ms", at_most=100),
            Goal("POST → first INVITE, p50", "p50", "ours", "ms"),
            Goal("POST → first INVITE, p50 less a bare Originate's", "p50", "difference", "ms")])
        made += await alone(new, [
            Goal("POST → first INVITE of a new text, p99", "p99", "ours", "ms", at_most=1000)], runs=3)
        made += await alone(beside, [
            Goal(f"POST → first INVITE while {NAMES} names are spoken, p99", "p99", "ours", "ms", at_most=100)], runs=3)
        return made


async def _times(on: Stage, one: Callable[[], Awaitable[float]], count: int = ALARMS) -> Mapping[str, float]:
    on.forget()
    took = [await one() for _ in range(count)]
    return {"p50": percentile(took, 0.5), "p99": percentile(took, 0.99)}


async def one_alarm(on: Stage, company: Company, text: str) -> float:
    """Milliseconds from the POST to the INVITE at its one phone, which refuses."""
    [phone] = _phones(on, FRANKFURT, 1, REFUSES)
    at = time.monotonic()
    alarm_id = await raise_alarm(company, [phone], text)
    rung = await phone.rung(20)
    await over(company, alarm_id)
    return 1000 * (rung.at - at)


async def bare_dial(on: Stage, ami: BareAmi) -> float:
    [phone] = _phones(on, FRANKFURT, 1, REFUSES)
    at = time.monotonic()
    await ami.hold(phone.number, on.carrier.trunk)
    return 1000 * ((await phone.rung(5)).at - at)


async def _beside_names(on: Stage, mark: int) -> Mapping[str, float]:
    """Alarms of one organisation while another's names so many people that its voice is busy all the time."""
    phones = _phones(on, HAMBURG, NAMES, REFUSES)
    many = on.companies[1]
    alarm_id = await raise_alarm(many, phones, f"{{name}}! {TEXT}", lambda place: f"Person {mark} Nummer {place}")
    made = await _times(on, lambda: one_alarm(on, on.companies[0], TEXT), BESIDE)
    await over(many, alarm_id, 60)
    return made


async def _hundred(on: Stage) -> Mapping[str, float]:
    """They ring until the alarm is cancelled. The trunk's last second of the run before is over."""
    on.forget()
    company, phones = on.companies[0], _phones(on, FRANKFURT, HUNDRED, Behaviour())
    at = time.monotonic()
    alarm_id = await raise_alarm(company, phones, TEXT)
    rung = sorted([(await phone.rung(20)).at - at for phone in phones])
    await company.v1.post(f"/alarms/{alarm_id}/cancel")
    await over(company, alarm_id)
    return {"first": 1000 * rung[0], "last": rung[-1], "busiest": busiest_second(rung)}


def _phones(on: Stage, numbers: str, count: int, behaviour: Behaviour) -> list[Phone]:
    """The next so many of these thousand numbers, each with a new phone: what its former one did is over."""
    on.forget()
    made = []
    for _ in range(count):
        number = f"{numbers}{next(_PLACES) % 1000:03}"
        on.carrier.phones.pop(number, None)
        made.append(on.carrier.phone(number, behaviour))
    return made


async def raise_alarm(
    company: Company, phones: Sequence[Phone], text: str, names: Callable[[int], str] | None = None,
) -> int:
    recipients: list[dict[str, Any]] = [
        {"phone": f"+{phone.number}", "language": "de"} | ({"name": names(place)} if names else {})
        for place, phone in enumerate(phones)]
    made = await company.v1.post("/alarms", {
        "organizationID": company.organisation_id, "message": {"de": text}, "recipients": recipients,
        "acknowledge": {"needed": "all"}, "retry": {"rounds": 1}})
    return int(made["id"])


async def over(company: Company, alarm_id: int, timeout_s: float = 20) -> None:
    async with asyncio.timeout(timeout_s):
        while not (await company.v1.get(f"/alarms/{alarm_id}"))["finishedAt"]:  # noqa: ASYNC110 -- by HTTP alone
            await asyncio.sleep(0.05)


def busiest_second(times: Sequence[float]) -> int:
    """The most in any second, wherever it begins."""
    return max(sum(1 for other in times if one <= other < one + 1) for one in times)
