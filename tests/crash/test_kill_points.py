"""An engine is killed at every boundary of a call, a new one takes over: nobody is lost, nothing happens twice."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import structlog

import engine.reconcile
from engine.store.memory_alarms import AlarmBook, MemoryAlarms
from engine.store.memory_calls import MemoryCalls, Shelf
from engine.switch.memory import Phone
from engine.vocabulary.commands import Bridge, Finish, WriteEntry, WriteRecord
from engine.vocabulary.values import EntryType
from tests.crash.mortal_engine import Fate, MortalEngine, Town, TownClock
from tests.directories import World, world

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
    shelf: Shelf
    caller: str
    fate: Fate
    left_ringing: set[str]  # other legs that an engine let live while the two talked, or after the caller had gone


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The story's seconds pass in milliseconds: rows are looked for as often; no log lines."""
    monkeypatch.setattr(engine.reconcile, "ROWS_EVERY_S", 0.001)
    monkeypatch.setattr(engine.reconcile, "SETTLED_S", 0.001)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


async def tell(script: Script, directory: World, did: str, kill_at: int, dead_s: float) -> Ended:
    numbers = [phone.number for phone in (await directory.hotlines.all())[0].phones]
    town = Town(phones=dict(zip(numbers, script.agents, strict=True)))
    shelf = Shelf(TownClock(town))
    book = AlarmBook(shelf)
    fate = Fate(kill_at)
    async with asyncio.TaskGroup() as tasks:
        life = MortalEngine(town, MemoryCalls(shelf), directory.hotlines, MemoryAlarms(book), fate)
        running = tasks.create_task(life.live())
        await _turns()
        caller = town.arrive(did)
        began = now = shelf.clock.monotonic()
        talks_since = settling_since = dies_at = ticked = None
        left_ringing: set[str] = set()
        while now - began < ENDS_S and (town.living or shelf.calls or (fate.is_dead and dies_at is not None)):
            await _turns()
            if not town.living:
                await asyncio.sleep(0.001)  # only what reconciliation brings is still awaited
            if fate.is_dead and dies_at is None and life.fate is fate:
                town.lose_engine()
                shelf.owner_is_dead = True
                dies_at = now
            if dies_at is not None and now - dies_at >= dead_s:
                dies_at = None
                life = MortalEngine(town, MemoryCalls(shelf), directory.hotlines, MemoryAlarms(book), Fate())
                running = tasks.create_task(life.live())
                await _turns()
            talks_since = (talks_since or now) if town.partner_of(caller) else None
            served = dies_at is None and (talks_since is not None or caller not in town.living)
            settling_since = (settling_since or now) if served else None
            if settling_since is not None and now - settling_since >= SETTLES_S:
                left_ringing |= {*town.living} - {caller, town.partner_of(caller)}
            if (talks_since and now - talks_since >= TALK_S) or now - began >= script.caller_waits_s:
                town.hang_up(caller)
            town.advance(max(0.05, town.next_s(0.5)))
            now = shelf.clock.monotonic()
            if ticked is None or now - ticked >= 1:
                ticked = now
                life.tick()
        await _turns(100)
        running.cancel()
    return Ended(town, shelf, caller, fate, left_ringing)


async def _turns(turns: int = 12) -> None:
    """Let everything run that can: nothing in this world waits for more than the loop, but reconciliation, for 1 ms."""
    for _ in range(turns):
        await asyncio.sleep(0)


def wrong(ended: Ended, script: Script, rung_without: dict[str, int]) -> list[str]:
    """Everything that must not be so."""
    town, rows = ended.town, [row for _, row in ended.shelf.rows]
    found: list[str] = []
    talks = [pair for pair in town.joins if ended.caller in pair]
    match script.ends:
        case "talk" if len(talks) != 1 and not (not talks and town.apologised(ended.caller)):
            found.append(f"{len(talks)} agents talked, apology {town.apologised(ended.caller)}")
        case "apology" if talks or not town.apologised(ended.caller):
            found.append("no apology")
    if town.living:
        found.append(f"legs left up: {town.living}")
    if ended.left_ringing:
        found.append(f"left ringing: {ended.left_ringing}")
    if ended.shelf.calls:
        found.append(f"calls left: {[call.phase for call in ended.shelf.calls.values()]}")
    for number, times in town.rung().items():
        if times > rung_without.get(number, 0) + 1:
            found.append(f"{number} rung {times} times")
    finishes = Counter(call_id for call_id, row in ended.shelf.rows if isinstance(row, Finish))
    if set(finishes.values()) != {1} or len(finishes) != 1:
        found.append(f"finished {dict(finishes)}")
    records = Counter(row.leg for row in rows if isinstance(row, WriteRecord))
    if set(records.values()) != {1} or ended.caller not in records:
        found.append(f"records {records}")
    dialled = {row.leg for row in town.sent if type(row).__name__ == "Dial"}
    if not dialled <= set(records):
        found.append("a dialled leg without a record")
    once = {EntryType.CALLER_CONNECTED, EntryType.BRIDGED, EntryType.CALLER_HANGUP, EntryType.CALL_ENDED}
    entries = Counter(row.type for row in rows if isinstance(row, WriteEntry))
    found += [f"{kind.value} {times} times" for kind, times in entries.items() if kind in once and times > 1]
    winners = {order.peer for order in town.sent if isinstance(order, Bridge)}
    if len(winners) > 1:
        found.append("two winners")
    return found


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name.replace(" ", "-"))
async def test_killed_at_every_boundary_nobody_is_lost_and_nothing_happens_twice(
    script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    async with world(None) as directory:
        org = await directory.organisation()
        hotline = await org.hotline(agents=tuple(org.users))
        for place, user in enumerate(org.users):
            await org.phone(user, f"+49301000{place}")
        did = hotline.number[1:]
        whole = await tell(script, directory, did, kill_at=1 << 30, dead_s=0)
        assert wrong(whole, script, whole.town.rung()) == []
        points = len(whole.fate.passed)
        failures: list[str] = []
        for dead_s in DEAD_S:
            for kill_at in range(1, points + 1):
                ended = await tell(script, directory, did, kill_at, dead_s)
                where = f"killed {ended.fate.passed[-1]} (point {kill_at}), dead for {dead_s:.0f} s: "
                failures += [where + what for what in wrong(ended, script, whole.town.rung())]
    with capsys.disabled():
        print(f"\n{script.name}: {points} boundaries, {points * len(DEAD_S)} kills")
    assert not failures, "\n".join(failures)
    assert points > 20
