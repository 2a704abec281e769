"""Alarms whose engine is killed at a chosen boundary, and what must never be so afterwards."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from engine.ports import QueuedAlarm
from engine.switch.memory import Phone, PhoneCall
from engine.switch.memory_stage import NOON
from engine.vocabulary.values import AlarmPlan, AlarmState, Disposition, Person, RecipientState, Wave
from tests.crash.mortal_engine import Fate, MortalEngine
from tests.crash.stores import AlarmRows, Stores
from tests.crash.town import Town, TownClock

CALL = "00000000-0000-4000-8000-000000000001"
SETTLES_S = 3.0
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

    def __str__(self) -> str:
        return self.name.replace(" ", "-").replace(",", "")


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
    rows: AlarmRows
    fate: Fate
    left_ringing: set[str]  # legs that rang on though the alarm was decided and an engine lived
    notes_left: int


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


async def tell(
    story: Story, stores_of: Callable[[Town], Awaitable[Stores]], kill_at: int, dead_s: float, is_switch_dead: bool
) -> Ended:
    town = Town(phones={
        number(place, one): phone for place, phones in enumerate(story.phones) for one, phone in enumerate(phones)})
    stores, clock = await stores_of(town), TownClock(town)
    fate = Fate(kill_at)
    orders = list(story.orders)
    async with asyncio.TaskGroup() as tasks:
        life = stores.engine(fate)
        running = tasks.create_task(life.live())
        await stores.post(alarm_of(story))
        await stores.has_begun(life)
        await until_taken(stores, life)
        began = now = clock.monotonic()
        dies_at = settling_since = None
        left_ringing: set[str] = set()
        while now - began < ENDS_S:
            await stores.turns(life)
            is_waiting = bool(town.living) or dies_at is not None or life.fate.is_dead or bool(town._notes)
            if not is_waiting and await stores.is_over():
                break
            if not town.living:
                await asyncio.sleep(0.001)  # only what reconciliation brings is still awaited
            if fate.is_dead and dies_at is None and life.fate is fate:
                town.lose_engine()
                if is_switch_dead:
                    town.restart()
                    town.lose_engine()
                await stores.died(life)
                dies_at = now
            if dies_at is not None and now - dies_at >= dead_s:
                dies_at = None
                life = stores.engine(Fate())
                running = tasks.create_task(life.live())
                await stores.has_begun(life)
            is_decided = dies_at is None and await stores.state() not in (AlarmState.QUEUED, AlarmState.RINGING)
            settling_since = (settling_since or now) if is_decided else None
            if settling_since is not None and now - settling_since >= SETTLES_S:
                left_ringing |= {leg.leg for leg in town._legs.values() if not leg.is_up}
            if orders and now - began >= orders[0][0]:
                _, kind, who = orders.pop(0)
                await stores.order(kind, who, life)
            town.advance(max(0.05, town.next_s(0.5)))
            now = clock.monotonic()
        for _ in range(4):
            await stores.turns(life)
        rows = await stores.alarm_rows(town)
        running.cancel()
    return Ended(town, rows, fate, left_ringing, len(town._notes))


async def until_taken(stores: Stores, life: MortalEngine) -> None:
    """Time stands still until the first alarm is taken: an engine compares twice before."""
    for _ in range(200):
        if life.engine.calls.lives(CALL) or life.fate.is_dead or await stores.is_over():
            return
        await asyncio.sleep(0.0005)


# --- what must not be so -----------------------------------------------------------------------------------------


def wrong(ended: Ended, story: Story, rung_without: Counter[str]) -> list[str]:
    return [
        *of_people(ended, story), *of_phones(ended, rung_without), *of_rows(ended, story), *ended.rows.also]


def of_people(ended: Ended, story: Story) -> Iterator[str]:
    for place, phones in enumerate(story.phones):
        calls = sorted(calls_of(ended, place, len(phones)), key=lambda call: call.began_at)
        for earlier, later in pairwise(calls):
            if earlier.ended_at is None or later.began_at < earlier.ended_at:
                yield f"two live calls to person {place}"
            if earlier.has_heard("alarm-confirmed"):
                yield f"person {place} was called again after the thank-you"
        became = ended.rows.people[place]
        if became is not (story.becomes[place] or became) or became in (RecipientState.PENDING, RecipientState.RINGING):
            yield f"person {place} became {became}"
        if any(call.has_heard("alarm-confirmed") for call in calls) and became is not ACKNOWLEDGED:
            yield f"person {place} heard the thank-you and became {became}"


def calls_of(ended: Ended, place: int, phones: int) -> list[PhoneCall]:
    numbers = {number(place, one) for one in range(phones)}
    return [call for call in ended.town.calls if call.number in numbers]


def rung(town: Town) -> Counter[str]:
    return Counter(call.number for call in town.calls)


def of_phones(ended: Ended, rung_without: Counter[str]) -> Iterator[str]:
    if ended.town.living:
        yield f"legs left up: {ended.town.living}"
    if ended.left_ringing:
        yield f"left ringing: {ended.left_ringing}"
    if ended.notes_left:
        yield "notes left"
    for phone, times in rung(ended.town).items():
        if times > rung_without[phone] + 1:
            yield f"{phone} rung {times} times"


def of_rows(ended: Ended, story: Story) -> Iterator[str]:
    rows = ended.rows
    if rows.live:
        yield f"calls left: {rows.live}"
    if rows.ends != 1:
        yield f"finished {rows.ends} times"
    if rows.state is not story.ends:
        yield f"the alarm became {rows.state}"
    if list(rows.became) != [story.ends]:
        yield f"decided {rows.became}"
    if rows.orders:
        yield "orders left"
    for leg, attempt in rows.attempts.items():
        if attempt.disposition is None or attempt.ended_at is None:
            yield f"an attempt without an end: {leg}"
    for call in ended.town.calls:
        attempt = rows.attempts.get(call.leg)
        if attempt is None or attempt.number != call.number:
            yield f"a call without its attempt: {call.leg} to {call.number}"
        elif call.has_heard("alarm-confirmed") and attempt.disposition is not Disposition.ACKNOWLEDGED:
            yield f"a call that heard the thank-you is {attempt.disposition}"
