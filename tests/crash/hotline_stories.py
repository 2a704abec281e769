"""Hotline calls whose engine is killed at a chosen boundary, and what must never be so afterwards."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from engine.switch.memory import Phone
from engine.vocabulary.commands import Bridge, Dial
from engine.vocabulary.values import EntryType, Hotline
from tests.crash.mortal_engine import Fate
from tests.crash.stores import CallRows, Stores
from tests.crash.town import Town, TownClock
from tests.directories import World

TALK_S = 4.0
SETTLES_S = 2.5
ENDS_S = 120.0
# dead so short that nobody notices; longer than the claim (an accepting agent is joined by the dialplan); longer than
# the lease (the waiting caller is in the fallback)
DEAD_S = (0.0, 3.0, 13.0)


@dataclass(frozen=True)
class Script:
    """What the three agents do, in the order of the hotline's phones; and when the caller has enough."""

    name: str
    agents: tuple[Phone, Phone, Phone]
    caller_waits_s: float = 1000.0
    ends: str = "talk"  # talk, apology, or gone: what must become of the caller

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


SCRIPTS = (
    Script("one rejects, one accepts, one rings", (Phone(603), Phone(answers_s=2, keys="1"), Phone())),
    Script("two accept at once", (Phone(answers_s=2, keys="1"), Phone(answers_s=2, keys="1"), Phone(486))),
    Script("all decline", (Phone(603), Phone(answers_s=1, hangs_up_s=1), Phone(603)), ends="apology"),
    Script("the caller gives up", (Phone(), Phone(answers_s=1), Phone(486)), caller_waits_s=4, ends="gone"),
)


@dataclass
class Ended:
    """What is left when the story is over."""

    town: Town
    rows: CallRows
    caller: str
    fate: Fate
    left_ringing: set[str]  # other legs that an engine let live while the two talked, or after the caller had gone


async def hotline_of(directory: World) -> Hotline:
    """A hotline of three agents."""
    org = await directory.organisation()
    await org.hotline(agents=tuple(org.users))
    for place, user in enumerate(org.users):
        await org.phone(user, f"+49301000{place}")
    [hotline] = await directory.hotlines.all()
    return hotline


async def tell(
    script: Script, hotline: Hotline, stores_of: Callable[[Town], Awaitable[Stores]], kill_at: int, dead_s: float
) -> Ended:
    numbers = [phone.number for phone in hotline.phones]
    town = Town(phones=dict(zip(numbers, script.agents, strict=True)), hotlines={hotline.number: hotline})
    stores, clock = await stores_of(town), TownClock(town)
    fate = Fate(kill_at)
    async with asyncio.TaskGroup() as tasks:
        life = stores.engine(fate)
        running = tasks.create_task(life.live())
        await stores.has_begun(life)
        caller = town.arrive(hotline.number)
        began = now = clock.monotonic()
        talks_since = settling_since = dies_at = ticked = None
        left_ringing: set[str] = set()
        while now - began < ENDS_S:
            await stores.turns(life)
            if not town.living and dies_at is None and not life.fate.is_dead and await stores.is_empty():
                break
            if not town.living:
                await asyncio.sleep(0.001)  # only what reconciliation brings is still awaited
            if fate.is_dead and dies_at is None and life.fate is fate:
                town.lose_engine()
                await stores.died(life)
                dies_at = now
            if dies_at is not None and now - dies_at >= dead_s:
                dies_at = None
                life = stores.engine(Fate())
                running = tasks.create_task(life.live())
                await stores.has_begun(life)
            talks_since = (talks_since or now) if town.partner_of(caller) else None
            served = dies_at is None and (talks_since is not None or caller not in town.living)
            settling_since = (settling_since or now) if served else None
            if settling_since is not None and now - settling_since >= SETTLES_S:
                left_ringing |= {*town.living} - {caller, town.partner_of(caller)}
            if (talks_since and now - talks_since >= TALK_S) or now - began >= script.caller_waits_s:
                town.hang_up(caller)
            town.advance(max(0.05, town.next_s(0.5)))
            now = clock.monotonic()
            if ticked is None or now - ticked >= 1:
                ticked = now
                life.tick()
        for _ in range(8):
            await stores.turns(life)
        rows = await stores.call_rows(town)
        running.cancel()
    return Ended(town, rows, caller, fate, left_ringing)


def wrong(ended: Ended, script: Script, rung_without: dict[str, int]) -> list[str]:
    """Everything that must not be so."""
    return [*of_phones(ended, script, rung_without), *of_rows(ended), *ended.rows.also]


def of_phones(ended: Ended, script: Script, rung_without: dict[str, int]) -> Iterator[str]:
    town = ended.town
    talks = [pair for pair in town.joins if ended.caller in pair]
    match script.ends:
        case "talk" if len(talks) != 1 and not (not talks and town.apologised(ended.caller)):
            yield f"{len(talks)} agents talked, apology {town.apologised(ended.caller)}"
        case "apology" if talks or not town.apologised(ended.caller):
            yield "no apology"
    if town.living:
        yield f"legs left up: {town.living}"
    if ended.left_ringing:
        yield f"left ringing: {ended.left_ringing}"
    for number, times in town.rung().items():
        if times > rung_without.get(number, 0) + 1:
            yield f"{number} rung {times} times"
    winners = {order.peer for order in town.sent if isinstance(order, Bridge)}
    if len(winners) > 1:
        yield "two winners"


def of_rows(ended: Ended) -> Iterator[str]:
    rows = ended.rows
    if rows.live:
        yield f"calls left: {rows.live}"
    if set(rows.ends.values()) != {1} or len(rows.ends) != 1:
        yield f"finished {dict(rows.ends)}"
    records = Counter(rows.records)
    if set(records.values()) != {1} or ended.caller not in records:
        yield f"records {records}"
    dialled = {order.leg for order in ended.town.sent if isinstance(order, Dial)}
    if not dialled <= set(records):
        yield "a dialled leg without a record"
    once = {EntryType.CALLER_CONNECTED, EntryType.BRIDGED, EntryType.CALLER_HANGUP, EntryType.CALL_ENDED}
    for kind, times in Counter(rows.entries).items():
        if kind in once and times > 1:
            yield f"{kind.value} {times} times"
