"""Campaigns whose engine is killed at a chosen boundary, and what must never be so afterwards."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Any

from engine.switch.memory import Phone, PhoneCall
from engine.switch.memory_stage import NOON
from engine.vocabulary.program import CallingHours
from tests.crash.mortal_engine import Fate, MortalEngine
from tests.crash.stores import CampaignRows, Stores
from tests.crash.town import Town, TownClock

ENDS_S = 300.0
# how long there is no engine, and whether the switch died with it; 3 s: somebody answers meanwhile; 20 s: all is over
DEATHS = ((0.0, False), (3.0, False), (20.0, False), (3.0, True))
ANSWERS, BUSY, RINGS = Phone(answers_s=2), Phone(refuses=486), Phone()
REFUSES, UNKNOWN, NO_TRUNK = Phone(refuses=603), Phone(refuses=404), Phone(refuses=503)
SAYS = ("voicetts", {"text": "Guten Tag"})
DESK, DESK_ANSWERS = "49305551098", Phone(answers_s=1, hangs_up_s=6)
HANDS_OVER = ("ivr", {"ivr_scheme": {
    "0": {"type": "transfer", "data": {"to": f"+{DESK}"}, "links": {"error": "1"}},
    "1": {"type": "say", "data": {"text": "Leider nein"}}}})
OPENS = CallingHours(time(13, 0, 20), time(20), frozenset(range(1, 8)))     # in Berlin: 20 s after the start


@dataclass(frozen=True)
class Story:
    """`phones`: of each contact, by place. `refused`: places whose numbers are on a do-not-call list. `becomes`: what
    each may be in the end, first what he is when no engine dies. `halted`: from when to when the campaign is paused,
    in seconds."""

    name: str
    phones: tuple[Phone, ...]
    becomes: tuple[tuple[str, ...], ...]
    tries: int = 2
    program: tuple[str, Mapping[str, Any]] = SAYS
    refused: tuple[int, ...] = ()
    opens_s: float = 0.0
    channels: int | None = None
    lines: int = 500    # of the trunk; one of two is left to hotlines
    opt_out_key: str = ""
    halted: tuple[float, float] | None = None

    def __str__(self) -> str:
        return self.name.replace(" ", "-").replace(",", "")

    @property
    def hours(self) -> CallingHours | None:
        return OPENS if self.opens_s else None


# what is not known may be taken for lost: then it is tried again, and has failed when there is no other try
DONE, FAILED = ("completed", "failed"), ("failed",)
STORIES = (
    Story("two answer, one is busy, one rings", (ANSWERS, ANSWERS, BUSY, RINGS), (DONE, DONE, FAILED, FAILED)),
    Story("some are refused or not to be called", (ANSWERS, ANSWERS, REFUSES, UNKNOWN),
          (DONE, ("invalid",), FAILED, ("invalid", "failed")), refused=(1,)),
    Story("one try, one line at a time", (ANSWERS, BUSY, ANSWERS), (DONE, FAILED, DONE), tries=1, channels=1),
    Story("a window that opens later", (ANSWERS, BUSY), (DONE, FAILED), opens_s=20),
    Story("the trunk is down", (NO_TRUNK, ANSWERS), (FAILED, DONE), tries=3),
    Story("one opts out", (Phone(answers_s=1, enters=("9",)), ANSWERS), (DONE, DONE), opt_out_key="9"),
    Story("paused and resumed while some wait for a line", (Phone(answers_s=1), RINGS, ANSWERS), (DONE, FAILED, DONE),
          tries=1, lines=2, halted=(1.0, 8.0)),
    Story("a text twice", (ANSWERS, Phone(answers_s=1, hangs_up_s=1.5)), (DONE, DONE),
          program=("voicetts", {"text": "Guten Tag", "delay": 2})),
    Story("handed over to the same number", (ANSWERS, ANSWERS), (DONE, DONE), program=HANDS_OVER),
)


@dataclass
class Ended:
    """What is left when the story is over."""

    town: Town
    rows: CampaignRows
    fate: Fate
    halted: list[tuple[datetime, datetime]] = field(default_factory=list)


def number(place: int) -> str:
    return f"493055510{place:02}"


async def tell(
    story: Story, stores_of: Callable[[Town], Awaitable[Stores]], kill_at: int, dead_s: float, is_switch_dead: bool
) -> Ended:
    phones = {number(place): phone for place, phone in enumerate(story.phones)} | {DESK: DESK_ANSWERS}
    town = Town(phones=phones, lines=story.lines)
    stores, clock = await stores_of(town), TownClock(town)
    fate = Fate(kill_at)
    halts = list(story.halted or ())
    halted: list[datetime] = []
    async with asyncio.TaskGroup() as tasks:
        life = stores.engine(fate)
        running = tasks.create_task(life.live())
        await stores.start_campaign(story)
        await stores.has_begun(life)
        await until_claimed(life)
        began = now = clock.monotonic()
        dies_at = None
        while now - began < ENDS_S:
            await stores.turns(life)
            if halts and now - began >= halts[0]:
                await stores.set_campaign("paused" if len(halts) == 2 else "running")
                halts.pop(0)
                await stores.turns(life)
                halted.append(town.now())
            is_waiting = bool(town.living) or dies_at is not None or life.fate.is_dead or bool(halts)
            if not is_waiting and await stores.campaign_is_over():
                break
            if not town.living:
                await asyncio.sleep(0.001)  # only what an engine brings is still awaited
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
                await until_claimed(life)
            town.advance(max(0.05, town.next_s(0.5)))
            now = clock.monotonic()
        rows = await stores.campaign_rows()
        running.cancel()
    return Ended(town, rows, fate, [*zip(halted[::2], halted[1::2], strict=False)])


async def until_claimed(life: MortalEngine) -> None:
    """Time stands still until it was looked for who is due: an engine compares twice before."""
    for _ in range(2000):
        if life.campaigns.claims or life.fate.is_dead:
            return
        await asyncio.sleep(0.0005)
    raise AssertionError("nobody was looked for")


# --- what must not be so -----------------------------------------------------------------------------------------


def wrong(ended: Ended, story: Story) -> list[str]:
    return [*of_phones(ended, story), *of_rows(ended, story), *ended.rows.also]


def unlike(ended: Ended, story: Story) -> list[str]:
    """What nobody may become whose engine has not died."""
    became = [ended.rows.transmissions.get(number(place), ("",))[0] for place in range(len(story.phones))]
    return [f"{became}"] if became != [may_become[0] for may_become in story.becomes] else []


def of_phones(ended: Ended, story: Story) -> Iterator[str]:
    town = ended.town
    if town.living:
        yield f"legs left up: {town.living}"
    for leg, times in Counter(call.leg for call in town.calls).items():
        if times > 1:
            yield f"{leg} was dialled {times} times"
    for place in range(len(story.phones)):
        calls = sorted(calls_to(ended, place), key=lambda call: call.began_at)
        if len(calls) > story.tries:
            yield f"{place} was rung {len(calls)} times"
        if place in story.refused and calls:
            yield f"{place} was called and must not be"
        for earlier, later in pairwise(calls):
            if earlier.ended_at is None or later.began_at < earlier.ended_at:
                yield f"two live calls to {place}"
        for call in calls:
            if call.began_at < NOON + timedelta(seconds=story.opens_s):
                yield f"{place} was called before the window opened"
            if any(since < call.began_at < until for since, until in ended.halted):
                yield f"{place} was called while the campaign was paused"
        if any(call.has_heard("de/opted-out") for call in calls[:-1]):
            yield f"{place} was called again after he opted out"


def calls_to(ended: Ended, place: int) -> list[PhoneCall]:
    return [call for call in ended.town.calls if call.number == number(place)]


def of_rows(ended: Ended, story: Story) -> Iterator[str]:
    rows = ended.rows
    if rows.status != "completed":
        yield f"the campaign is {rows.status}"
    if rows.live:
        yield f"calls left: {rows.live}"
    for place, may_become in enumerate(story.becomes):
        found = rows.transmissions.get(number(place))
        if found is None or found[0] not in may_become:
            yield f"{place} became {found}"
            continue
        status, tries = found
        calls = calls_to(ended, place)
        if not len(calls) <= tries <= story.tries:
            yield f"{place} was rung {len(calls)} times, and {tries} tries are written"
        attempts = [one for one in rows.spools if one[0] == number(place) and one[2] != "withdrawn"]
        if len(attempts) != tries:
            yield f"{place} has {len(attempts)} attempts and {tries} tries"
        reached = [call for call in calls if call.has_heard("cache/00") or call.answered_at is not None]
        if status == "completed" and not reached:
            yield f"{place} is completed and was not reached"
    for who, status, disposition in rows.spools:
        if disposition is None or status not in ("completed", "failed", "invalid"):
            yield f"an attempt to {who} without an end: {status}"
    finals = Counter(f"transmission {status}" for status, _ in rows.transmissions.values())
    ends = Counter(disposition for _, _, disposition in rows.spools if disposition not in (None, "withdrawn"))
    if rows.figures != {**finals, **ends}:
        yield f"figures are {rows.figures}, and it was {dict(finals)} and {dict(ends)}"
    if ended.rows.ends and max(ended.rows.ends.values()) > 1:
        yield "a call was finished twice"
