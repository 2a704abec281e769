"""An engine is killed at every boundary of an alarm, a new one takes over: everybody is reached as was ordered or is
written down as not reached, and nobody is called again who heard the thank-you. Told by the phones, and by the rows."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
import structlog

import engine.reconcile
from engine.ports import QueuedAlarm
from engine.store.memory_alarms import AlarmBook, MemoryAlarms
from engine.store.memory_calls import MemoryCalls, Shelf
from engine.store.memory_hotlines import MemoryHotlines
from engine.switch.memory import Phone, PhoneCall
from engine.switch.memory_stage import NOON
from engine.vocabulary.commands import Finish, WriteAlarm
from engine.vocabulary.values import AlarmPlan, AlarmState, Person, RecipientState, Wave
from tests.crash.mortal_engine import Fate, MortalEngine, Town, TownClock
from tests.directories import world

CALL = "00000000-0000-4000-8000-000000000001"
SETTLES_S = 3.0
WAKES_S = 0.001
ENDS_S = 200.0
ACKNOWLEDGED, DECLINED, UNREACHED = RecipientState.ACKNOWLEDGED, RecipientState.DECLINED, RecipientState.UNREACHED
# how long there is no engine, and whether the switch died with it; 3 s: a key is pressed meanwhile; 13 s: phones have
# stopped ringing, talks are over
DEATHS = ((0.0, False), (3.0, False), (13.0, False), (3.0, True))
RINGS, BUSY, MAILBOX = Phone(), Phone(486), Phone(answers_s=1, is_machine=True)


def presses(keys: str, answers_s: float = 2) -> Phone:
    return Phone(answers_s=answers_s, keys=keys)


@dataclass(frozen=True)
class Story:
    """`phones`: of each person, in order. `becomes`: what each person must be in the end; None: that, or unreached.
    `orders`: (second, kind, recipient)."""

    name: str
    phones: tuple[tuple[Phone, ...], ...]
    ends: AlarmState
    becomes: tuple[RecipientState | None, ...]
    needed: int = 1
    plan: dict[str, object] = field(default_factory=dict)
    orders: tuple[tuple[float, str, int | None], ...] = ()


STORIES = (
    Story("two acknowledge at once, one listens, one rings",
          ((presses("1"),), (presses("1"),), (presses(""),), (RINGS,)), AlarmState.ACKNOWLEDGED,
          (ACKNOWLEDGED, ACKNOWLEDGED, None, None), needed=2),
    Story("a mailbox, then the second phone", ((MAILBOX, presses("*1")),), AlarmState.ACKNOWLEDGED, (ACKNOWLEDGED,),
          plan={"amd": True}),
    Story("one declines, one is busy twice", ((presses("9"),), (BUSY,)), AlarmState.FAILED, (DECLINED, UNREACHED),
          needed=2, plan={"rounds": 2}),
    Story("cancelled while one rings and one listens", ((RINGS,), (presses("", 1),)), AlarmState.CANCELLED,
          (None, None), orders=((3, "cancel", None),)),
    Story("the second wave", ((BUSY,), (presses("1"),)), AlarmState.ACKNOWLEDGED, (UNREACHED, ACKNOWLEDGED),
          plan={"strategy": "waves", "rounds": 1, "waves": (Wave(0, (1,)), Wave(60))}),
    Story("one after the other, and an operator for the last", ((BUSY,), (RINGS,)), AlarmState.ACKNOWLEDGED,
          (UNREACHED, ACKNOWLEDGED), plan={"strategy": "sequential", "rounds": 1}, orders=((4, "acknowledge", 1),)),
)


@dataclass
class Ended:
    """What is left when the story is over."""

    town: Town
    book: AlarmBook
    fate: Fate
    left_ringing: set[str]  # legs that rang on though the alarm was decided and an engine lived


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The story's seconds pass in milliseconds; no log lines."""
    monkeypatch.setattr(engine.reconcile, "ROWS_EVERY_S", 0.001)
    monkeypatch.setattr(engine.reconcile, "SETTLED_S", 0.001)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


def number(person: int, phone: int) -> str:
    return f"4930{person}00{phone}"


def alarm_of(story: Story) -> QueuedAlarm:
    plan = AlarmPlan(
        alarm_id=1, organisation_id=1, caller_id="4930555", created_at=NOON, message=(("de", "Brand"),),
        recording_id=None, closing=(("de", "{acknowledged} von {needed}"),), needed=story.needed, by_role=(), key="1",
        decline_key="9", pin="", strategy="parallel", waves=(), rounds=3, pause_s=2,
        retry_on=("busy", "noAnswer", "mailbox", "failed"), ring_timeout_s=8, expires_s=1800, amd=False,
    )
    persons = tuple(person(place, len(phones)) for place, phones in enumerate(story.phones))
    return QueuedAlarm(CALL, replace(plan, **story.plan), persons)


def person(place: int, phones: int) -> Person:
    return Person(place, f"P{place}", "", "de", "de", tuple(number(place, one) for one in range(phones)), (1 + place,))


async def tell(story: Story, hotlines: MemoryHotlines, kill_at: int, dead_s: float, is_switch_dead: bool) -> Ended:
    town = Town(phones={
        number(place, one): phone for place, phones in enumerate(story.phones) for one, phone in enumerate(phones)})
    shelf = Shelf(TownClock(town))
    book = AlarmBook(shelf)
    fate = Fate(kill_at)
    orders = list(story.orders)
    async with asyncio.TaskGroup() as tasks:
        life = MortalEngine(town, MemoryCalls(shelf), hotlines, MemoryAlarms(book, WAKES_S), fate)
        running = tasks.create_task(life.live())
        book.post(alarm_of(story))
        await until_begun(book, fate)
        began = now = shelf.clock.monotonic()
        dies_at = settling_since = None
        left_ringing: set[str] = set()
        while now - began < ENDS_S and (town.living or not book.is_over(CALL) or dies_at is not None or town._notes):
            await turns()
            if not town.living:
                await asyncio.sleep(0.001)  # only what reconciliation brings is still awaited
            if fate.is_dead and dies_at is None and life.fate is fate:
                town.lose_engine()
                if is_switch_dead:
                    town.restart()
                    town.lose_engine()
                shelf.owner_is_dead = True
                dies_at = now
            if dies_at is not None and now - dies_at >= dead_s:
                dies_at = None
                life = MortalEngine(town, MemoryCalls(shelf), hotlines, MemoryAlarms(book, WAKES_S), Fate())
                running = tasks.create_task(life.live())
                await turns()
            is_decided = dies_at is None and book.state(CALL) not in (AlarmState.QUEUED, AlarmState.RINGING)
            settling_since = (settling_since or now) if is_decided else None
            if settling_since is not None and now - settling_since >= SETTLES_S:
                left_ringing |= {leg.leg for leg in town._legs.values() if not leg.is_up}
            if orders and now - began >= orders[0][0]:
                _, kind, who = orders.pop(0)
                book.order(CALL, kind, who)
            town.advance(max(0.05, town.next_s(0.5)))
            now = shelf.clock.monotonic()
        await turns(50)
        running.cancel()
    return Ended(town, book, fate, left_ringing)


async def until_begun(book: AlarmBook, fate: Fate) -> None:
    """Time stands still until the first alarm is taken: an engine compares twice before."""
    for _ in range(200):
        if book.lives(CALL) or book.is_over(CALL) or fate.is_dead:
            return
        await asyncio.sleep(0.0005)


async def turns(count: int = 14) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


# --- what must not be so -----------------------------------------------------------------------------------------


def wrong(ended: Ended, story: Story, rung_without: Counter[str]) -> list[str]:
    return [*of_people(ended, story), *of_phones(ended, story, rung_without), *of_rows(ended, story)]


def of_people(ended: Ended, story: Story) -> Iterator[str]:
    for place, phones in enumerate(story.phones):
        calls = sorted(calls_of(ended, place, len(phones)), key=lambda call: call.began_at)
        for earlier, later in pairwise(calls):
            if earlier.ended_at is None or later.began_at < earlier.ended_at:
                yield f"two live calls to person {place}"
            if earlier.has_heard("alarm-confirmed"):
                yield f"person {place} was called again after the thank-you"
        became = ended.book.recipient(CALL, place)
        if became is not (story.becomes[place] or became) or became in (RecipientState.PENDING, RecipientState.RINGING):
            yield f"person {place} became {became}"
        if any(call.has_heard("alarm-confirmed") for call in calls) and became is not ACKNOWLEDGED:
            yield f"person {place} heard the thank-you and became {became}"


def calls_of(ended: Ended, place: int, phones: int) -> list[PhoneCall]:
    numbers = {number(place, one) for one in range(phones)}
    return [call for call in ended.town.calls if call.number in numbers]


def rung(town: Town) -> Counter[str]:
    return Counter(call.number for call in town.calls)


def of_phones(ended: Ended, story: Story, rung_without: Counter[str]) -> Iterator[str]:
    if ended.town.living:
        yield f"legs left up: {ended.town.living}"
    if ended.left_ringing:
        yield f"left ringing: {ended.left_ringing}"
    if ended.town._notes:
        yield "notes left"
    for phone, times in rung(ended.town).items():
        if times > rung_without[phone] + 1:
            yield f"{phone} rung {times} times"


def of_rows(ended: Ended, story: Story) -> Iterator[str]:
    book = ended.book
    if book.shelf.calls:
        yield f"calls left: {[call.phase for call in book.shelf.calls.values()]}"
    if (finishes := [*book.said(Finish)]) and len(finishes) != 1:
        yield f"finished {len(finishes)} times"
    if book.state(CALL) is not story.ends:
        yield f"the alarm became {book.state(CALL)}"
    decided = [row.state for _, row in book.said(WriteAlarm) if row.state is not AlarmState.RINGING]
    if len(decided) != 1:
        yield f"decided {decided}"
    if book.orders:
        yield "orders left"
    attempts = book.attempts(CALL)
    if missing := {call.leg for call in ended.town.calls} - set(attempts):
        yield f"legs without an attempt: {missing}"
    if unended := [leg for leg, (_, row) in attempts.items() if row.disposition is None or row.ended_at is None]:
        yield f"attempts without an end: {unended}"


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name.replace(" ", "-").replace(",", ""))
async def test_killed_at_every_boundary_an_alarm_keeps_its_promises(
    story: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    async with world(None) as directory:
        hotlines = MemoryHotlines(directory.directory)  # type: ignore[arg-type]
        whole = await tell(story, hotlines, kill_at=1 << 30, dead_s=0, is_switch_dead=False)
        assert wrong(whole, story, rung(whole.town)) == []
        points = len(whole.fate.passed)
        failures: list[str] = []
        for dead_s, is_switch_dead in DEATHS:
            for kill_at in range(1, points + 1):
                ended = await tell(story, hotlines, kill_at, dead_s, is_switch_dead)
                died = "with the switch " if is_switch_dead else ""
                where = f"killed {died}{ended.fate.passed[-1]} (point {kill_at}), dead for {dead_s:.0f} s: "
                failures += [where + what for what in wrong(ended, story, rung(whole.town))]
    with capsys.disabled():
        print(f"\n{story.name}: {points} boundaries, {points * len(DEATHS)} kills")
    assert not failures, "\n".join(failures)
    assert points > 20
