"""How quickly a hotline's caller reaches the agents, and how soon after the 1 both hear each other, against a static
`Dial()` of the same Asterisk to the same three phones.

Reach: the caller's INVITE until the first agent's, with 1, 50 and 200 other callers who wait on the switch, in both
arms. Audio: the end of the key 1 until the first 20 ms packet of the other's voice, on the later of the two sides. All
times are taken at the phones, by one monotonic clock.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from bench import static_dial
from bench.figures import percentile
from bench.load_callers import LoadCallers
from bench.pairs import Goal, Result, in_pairs
from bench.processes import cpu_s
from bench.results import Results
from bench.stage import LONG_WAITS, STATIC, Stage, stage
from engine.demo.conversation import CALLER, accept_to_audio_s
from engine.softphone import Behaviour, NeverHappened
from engine.softphone.audio import chirp
from engine.softphone.phone import Phone

CALLS_UP = 1, 50, 200
REACHES = 100               # calls of a run
LANES, TALKS = 4, 25        # talks at once, and of each lane in a run
WAITING = 2                 # hotlines with people who wait: each takes a hundred
VOICE_A, VOICE_B = chirp(1, 0.25), chirp(2, 0.25)
LISTEN_S = 0.3              # a whole turn of the voice and some more
ANSWERS = Behaviour(answer_after_s=0.02, audio=VOICE_B, loop_audio=True)


@dataclass(frozen=True, slots=True)
class Line:
    """A number to call, and the phones that it rings."""

    number: str
    phones: Sequence[Phone]


class Failed(Exception):
    """Too many calls of a run came to nothing: there is no figure."""


async def run(results: Results) -> None:
    async with stage(WAITING + LANES, {"channelsInbound": 100}, **LONG_WAITS) as on, AsyncExitStack() as stack:
        waiting, lanes = on.companies[:WAITING], on.companies[WAITING:]
        callers = await stack.enter_async_context(
            LoadCallers.started(on.system.sip, [company.number for company in waiting]))
        hotlines = [Line(company.number, [on.carrier.phones[agent.number] for agent in company.agents])
                    for company in lanes]
        made: list[Result] = []
        for calls in CALLS_UP:
            made += await _reach(on, callers, calls, hotlines[0])
        await callers.up(0)
        made += await _audio(on, hotlines)
    results.add("hotline", made)


# --- the caller's INVITE → an agent's INVITE -------------------------------------------------------------------------


async def _reach(on: Stage, callers: LoadCallers, calls: int, hotline: Line) -> list[Result]:
    static = Line(f"{STATIC}000", hotline.phones)
    await static_dial.rings(on, static.number, [phone.number for phone in hotline.phones])
    await callers.up(calls)
    name = f"INVITE → agent's INVITE, {calls} calls up"
    goals = [Goal(f"{name}, p50", "p50", "difference", "ms", at_most=5),
             Goal(f"{name}, p99", "p99", "difference", "ms", at_most=30),
             Goal(f"{name}, p50 alone", "p50", "ours", "ms"),
             Goal(f"{name}, p99 alone", "p99", "ours", "ms"),
             Goal(f"{name}, least share of their audio that came", "audio", "ours", ""),
             Goal(f"{name}, CPU of the calls' phones", "phones", "ours", "cores")]

    async def baseline() -> Mapping[str, float]:
        return await _reaches(on, callers, calls, static)

    async def ours() -> Mapping[str, float]:
        return await _reaches(on, callers, calls, hotline)

    return await in_pairs(baseline, ours, goals)


async def _reaches(on: Stage, callers: LoadCallers, calls: int, line: Line) -> Mapping[str, float]:
    on.forget()
    await callers.heard()
    cpu, began = cpu_s(callers.pid), time.monotonic()
    took = [await reach_ms(on, line) for _ in range(REACHES)]
    heard = await callers.heard()
    if heard.calls < calls:
        raise Failed(f"of {calls} calls that were to be up, {heard.ended} have ended")
    return {"p50": percentile(took, 0.5), "p99": percentile(took, 0.99), "audio": heard.least,
            "phones": (cpu_s(callers.pid) - cpu) / (time.monotonic() - began)}


async def reach_ms(on: Stage, line: Line) -> float:
    """One call, until all phones have rung; nobody answers."""
    counts = [len(phone.calls) for phone in line.phones]
    call = await on.carrier.call(CALLER, line.number)
    rung = [(await phone.rung(5, count + 1)).at for phone, count in zip(line.phones, counts, strict=True)]
    call.hang_up()
    for phone, count in zip(line.phones, counts, strict=True):
        await phone.ended(5, count + 1)
    await call.ended(5)
    return first_ms(call.invited_at, rung)


def first_ms(invited_at: float, rung_at: Sequence[float]) -> float:
    """From the caller's INVITE to the first agent's."""
    return 1000 * (min(rung_at) - invited_at)


# --- the key 1 → audio both ways -------------------------------------------------------------------------------------


async def _audio(on: Stage, hotlines: Sequence[Line]) -> list[Result]:
    static = [Line(f"{STATIC}1{lane:02}", line.phones) for lane, line in enumerate(hotlines)]
    for line in static:
        await static_dial.asks(on, line.number, [phone.number for phone in line.phones])
    for line in hotlines:
        line.phones[0].behaviour = ANSWERS
    name = "accept → audio both ways"
    goals = [Goal(f"{name}, p50", "p50", "ours", "ms", at_most=60),
             Goal(f"{name}, p99", "p99", "ours", "ms", at_most=150),
             Goal(f"{name}, p50 less the static one's", "p50", "difference", "ms"),
             Goal(f"{name}, p99 less the static one's", "p99", "difference", "ms")]

    async def baseline() -> Mapping[str, float]:
        return await _talks(on, static)

    async def ours() -> Mapping[str, float]:
        return await _talks(on, hotlines)

    return await in_pairs(baseline, ours, goals)


async def _talks(on: Stage, lines: Sequence[Line]) -> Mapping[str, float]:
    on.forget()
    took: list[float] = []
    async with asyncio.TaskGroup() as tasks:
        for line in lines:
            tasks.create_task(_lane(on, line, took))
    return {"p50": percentile(took, 0.5), "p99": percentile(took, 0.99)}


async def _lane(on: Stage, line: Line, took: list[float]) -> None:
    for _ in range(TALKS):
        took.append(await audio_ms(on, line))


async def audio_ms(on: Stage, line: Line) -> float:
    """A whole call: the first phone answers, hears the question, presses 1; both hear each other."""
    counts = [len(phone.calls) for phone in line.phones]
    call = await on.carrier.call(CALLER, line.number, audio=VOICE_A, loop_audio=True)
    await line.phones[0].rung(5, counts[0] + 1)
    agent = line.phones[0].call
    await agent.answered(5)
    await agent.heard(0.1, 5)
    agent.press("1")
    pressed = await on.carrier.journal.wait(
        lambda entry: entry.call == agent.id and entry.what == "dtmf ended", "the key", 2, who=agent.who)
    await agent.heard(agent.recording.sound_s + LISTEN_S, 5)
    await call.heard(call.recording.sound_s + LISTEN_S, 5)
    call.hang_up()
    for phone, count in zip(line.phones, counts, strict=True):
        await phone.ended(5, count + 1)
    return later_ms(accept_to_audio_s(call, VOICE_B, pressed.at), accept_to_audio_s(agent, VOICE_A, pressed.at))


def later_ms(*both_s: float | None) -> float:
    """Until the later of the two sides heard the other. Raises NeverHappened if one never did."""
    heard = [seconds for seconds in both_s if seconds is not None]
    if len(heard) < len(both_s):
        raise NeverHappened("no audio both ways")
    return 1000 * max(heard)
