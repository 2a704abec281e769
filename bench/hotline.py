"""`make bench-hotline`: how quickly a caller reaches the agents, and how soon after the 1 both hear each other.

Every call is a whole one (INVITE, greeting, three phones ring, one presses 1, audio both ways, hang-up) on a system
of its own with Postgres and Asterisk. Between the calls a bare AMI client does the same to the same Asterisk without
any engine: Originate until the phone's INVITE, Bridge until audio both ways. All times are taken at the phones, by one
monotonic clock; audio counts from the first 20 ms packet that holds the other's voice.
"""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import aiohttp
from rich.console import Console
from rich.progress import Progress

from bench.bare_ami import BareAmi
from bench.figures import percentile, print_machine, print_times
from engine.demo.company import Company, active, found
from engine.demo.conversation import CALLER, accept_to_audio_s
from engine.demo.system import System, started
from engine.runtime.ports import Address
from engine.settings import Settings
from engine.softphone import Behaviour, Carrier, NeverHappened
from engine.softphone.audio import chirp

CALLS, LANES = int(os.environ.get("BENCH_CALLS", "200")), 2
LIMIT_S = 600
REACH_P99_MS, AUDIO_P99_MS = 50, 150
VOICE_A, VOICE_B = chirp(1, 0.25), chirp(2, 0.25)
LISTEN_S = 0.45  # a whole turn of the voice and some more

console = Console()


@dataclass(slots=True)
class Figures:
    """Milliseconds, one of each a call."""

    reach: list[float] = field(default_factory=list)
    audio: list[float] = field(default_factory=list)
    bare_reach: list[float] = field(default_factory=list)
    bare_audio: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


async def hotline_call(carrier: Carrier, company: Company, figures: Figures) -> None:
    phones = [carrier.phones[agent.number] for agent in company.agents]
    earlier = [len(phone.calls) for phone in phones]
    call = await carrier.call(CALLER, company.number, audio=VOICE_A, loop_audio=True)
    try:
        rung = [await phone.rung(5, count + 1) for phone, count in zip(phones, earlier, strict=True)]
        agent = phones[0].call
        await agent.answered(5)
        await agent.heard(0.1, 5)
        agent.press("1")
        pressed = await carrier.journal.wait(
            lambda entry: entry.call == agent.id and entry.what == "dtmf ended", "the key", 2, who=agent.who)
        await agent.heard(agent.recording.sound_s + LISTEN_S, 5)
        await call.heard(call.recording.sound_s + LISTEN_S, 5)
        took = [accept_to_audio_s(call, VOICE_B, pressed.at), accept_to_audio_s(agent, VOICE_A, pressed.at)]
        if None in took:
            raise NeverHappened("no audio both ways")
        figures.reach.append(1000 * (min(entry.at for entry in rung) - call.invited_at))
        figures.audio.append(1000 * max(filter(None, took)))
    finally:
        call.hang_up()
    for phone, count in zip(phones, earlier, strict=True):
        await phone.ended(5, count + 1)


async def bare_call(carrier: Carrier, ami: BareAmi, numbers: tuple[str, str], figures: Figures) -> None:
    phones = [carrier.phones[number] for number in numbers]
    earlier = [len(phone.calls) for phone in phones]
    legs, asked = [], []
    for number in numbers:
        asked.append(time.monotonic())
        legs.append(await ami.hold(number, carrier.trunk))
    for phone, count, at in zip(phones, earlier, asked, strict=True):
        figures.bare_reach.append(1000 * ((await phone.rung(5, count + 1)).at - at))
        await phone.saw("first rtp", 5, count + 1)
    bridged = time.monotonic()
    await ami.action("Bridge", Channel1=legs[0], Channel2=legs[1], Tone="no")
    for phone in phones:
        await phone.heard(phone.call.recording.sound_s + LISTEN_S, 5)
    took = [accept_to_audio_s(phone.call, voice, bridged)
            for phone, voice in zip(phones, (VOICE_B, VOICE_A), strict=True)]
    figures.bare_audio.append(1000 * max(filter(None, took)))
    phones[0].hang_up()
    await phones[1].ended(5, earlier[1] + 1)


async def lane(
    carrier: Carrier, company: Company, ami: BareAmi, bare: tuple[str, str], calls: int, figures: Figures,
    advance: Callable[[], None],
) -> None:
    for place, agent in enumerate(company.agents):
        answers = Behaviour(answer_after_s=0.02, audio=VOICE_B, loop_audio=True)
        carrier.phone(agent.number, Behaviour() if place else answers)
    for number, voice in zip(bare, (VOICE_A, VOICE_B), strict=True):
        carrier.phone(number, Behaviour(answer_after_s=0.02, audio=voice, loop_audio=True))
    for _ in range(calls):
        try:
            await hotline_call(carrier, company, figures)
            await bare_call(carrier, ami, bare, figures)
        except (NeverHappened, RuntimeError, TimeoutError) as problem:
            figures.failed.append((str(problem) or repr(problem)).splitlines()[0])
        advance()


async def measure(stack: AsyncExitStack, figures: Figures, progress: Progress) -> tuple[System, str]:
    carrier = await stack.enter_async_context(Carrier())
    starting = progress.add_task("starting the system", total=None)
    system = await stack.enter_async_context(started(Address(*carrier.address)))
    carrier.switch = system.sip.host, system.sip.port
    session = await stack.enter_async_context(aiohttp.ClientSession())
    companies = [await found(session, system, lane=number) for number in range(LANES)]
    for company in companies:
        if (status := await active(company)) != "active":
            raise SystemExit(f"the hotline is {status}")
    settings = Settings(home=system.home)
    clients = [await BareAmi.connect(settings) for _ in companies]
    asterisk = (await clients[0].action("CoreSettings")).get("AsteriskVersion", "?")
    progress.remove_task(starting)
    task = progress.add_task("calls", total=CALLS)
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as tasks:
        for number, (company, ami) in enumerate(zip(companies, clients, strict=True)):
            tasks.create_task(lane(
                carrier, company, ami, (f"4917139200{number}8", f"4917139200{number}9"), CALLS // LANES, figures,
                lambda: progress.advance(task)))
    for ami in clients:
        await ami.close()
    return system, asterisk


def report(figures: Figures, asterisk: str) -> bool:
    print_times(console, {
        "caller's INVITE → first agent's INVITE": figures.reach,
        "  bare AMI: Originate → the phone's INVITE": figures.bare_reach,
        "end of the key 1 → audio both ways": figures.audio,
        "  bare AMI: Bridge → audio both ways": figures.bare_audio,
    })
    if figures.reach and figures.bare_reach and figures.bare_audio:
        console.print(f"ratio of the medians to the bare AMI's: reach "
                      f"{statistics.median(figures.reach) / statistics.median(figures.bare_reach):.2f}, audio "
                      f"{statistics.median(figures.audio) / statistics.median(figures.bare_audio):.2f}")
    for problem in figures.failed[:5]:
        console.print(f"failed: {problem}", markup=False)
    print_machine(console, asterisk)
    console.print(f"settings: {CALLS} calls in {LANES} lanes, 3 phones a hotline, PCMA, packets of 20 ms")
    reach, audio = percentile(figures.reach or [1e9], 0.99), percentile(figures.audio or [1e9], 0.99)
    good = reach <= REACH_P99_MS and audio <= AUDIO_P99_MS and len(figures.reach) == CALLS // LANES * LANES
    console.print(f"{'within' if good else 'NOT within'} the targets: reach p99 ≤ {REACH_P99_MS} ms, audio p99 ≤ "
                  f"{AUDIO_P99_MS} ms, no call lost ({len(figures.failed)} failed)")
    return good


async def run() -> bool:
    figures = Figures()
    async with AsyncExitStack() as stack:
        with Progress(console=console, transient=True) as progress:
            _, asterisk = await measure(stack, figures, progress)
    return report(figures, asterisk)


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(run()) else 1)
