"""Who calls and is called while things break: callers of the hotline, a client that posts alarms, a campaign.

Each keeps what it did, so that `invariants.py` can compare: a `Visit` is one call of a caller, an `Order` one alarm
that the api was asked for (again and again under one key, as a client should, until it said 2xx), a `Drive` one
campaign.
"""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.softphone import Behaviour, PlacedCall
from engine.softphone.listening import correlation
from tests.acceptance.campaign_town import Campaign
from tests.acceptance.town import agent_number
from tests.torture.world import AGENT, CALLER, CONTACTS, NOT_NOW, World

PATIENCE_S = 45.0    # of a caller: longer than any fallback takes
LISTENS_S = 1.4      # of what he hears, to know whether an agent speaks
POSTS_AGAIN_S = 0.3
ROUNDS = 3
RING_S, AROUND_S = 5, 0.06      # of alarms; as near to the end of it phones are answered "in the last moment"

ACCEPTS = Behaviour(answer_after_s=0.2, press="1", press_after_hearing_s=0.4)
ALARMED_HABITS: Mapping[str, Behaviour] = {
    "acknowledges": ACCEPTS,
    "is slow": ACCEPTS.with_(answer_after_s=1.5, press_after_hearing_s=1.0),
    "busy, then acknowledges": Behaviour.rejects(486, 0.1).with_(next_time=ACCEPTS),
    "declines": ACCEPTS.with_(press="9"),
    "never answers": Behaviour(),
}
IN_THE_LAST_MOMENT = "answers as the ringing ends"      # or just after
ALARMED_SHARES, BRIEF_SHARES = (6, 2, 2, 1, 1), (6, 0, 2, 1, 0)
CONTACT_HABITS = (
    Behaviour.answers(0.2), Behaviour.answers(0.5), Behaviour.rejects(486, 0.1),
    Behaviour.rejects(486, 0.1).with_(next_time=Behaviour.answers(0.1)), Behaviour(),
)
RECORDS = {"0": {"type": "record", "data": {"name": "wish", "seconds": 2}}}
NEVER = {"from": "09:00", "to": "09:01", "country": "DE", "holidays": False}
QUICKLY_AGAIN = {"busyS": 1, "noAnswerS": 1, "failedS": 1}


@dataclass(slots=True)
class Visit:
    """`hung_up_at`: by himself. `talk_from`: when he was first found to hear an agent."""

    call: PlacedCall
    talk_from: float | None = None
    hung_up_at: float | None = None

    @property
    def until(self) -> float:
        return min(at for at in (self.hung_up_at, self.call.ended_at, time.monotonic()) if at is not None)


@dataclass(slots=True)
class Order:
    key: str
    people: Sequence[int]
    needed: int | str
    posted_at: float
    alarm_id: int | None = None
    accepted_at: float | None = None
    tries: int = 0


@dataclass(slots=True)
class Drive:
    """`forbidden`: contacts that must never be called (on a do-not-call list, or out of their window)."""

    campaign: Campaign
    contacts: Sequence[int]
    tries: int
    channels: int
    forbidden: Sequence[int] = ()


@dataclass
class Crowd:
    """`is_brief`: nobody in it lets his phone ring to the end, so that it is over soon. `last_moments`: some who are
    alarmed answer as their phones stop ringing. `posts_at_once`: clients that post each alarm, under one key."""

    world: World
    rng: random.Random
    is_brief: bool = False
    last_moments: bool = False
    posts_at_once: int = 1
    visits: list[Visit] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    drives: list[Drive] = field(default_factory=list)
    ends: asyncio.Event = field(default_factory=asyncio.Event)
    silences: dict[str, float] = field(default_factory=dict)    # by call, of those that are over: what was judged
    thanked: dict[str, bool] = field(default_factory=dict)
    _spare: list[int] = field(default_factory=list)     # people who were in no alarm yet
    _contacts: int = 0

    # --- callers -------------------------------------------------------------------------------------------------

    async def visits_again_and_again(self) -> None:
        while not self.ends.is_set():
            await self.visit()
            await self._pause(0.2, 1.2)

    async def visit(self, talks_s: float | None = None) -> Visit:
        """One call to the hotline: wait for an agent, talk, hang up."""
        visit = Visit(await self.world.call())
        self.visits.append(visit)
        self.world.tally.calls += 1
        until = visit.call.invited_at + PATIENCE_S
        talks_s = self.rng.uniform(1.0, 7.0) if talks_s is None else talks_s
        while visit.call.ended_at is None and time.monotonic() < until:
            if visit.talk_from is None and hears_agent(visit.call):
                visit.talk_from = time.monotonic()
                until = visit.talk_from + talks_s
            await asyncio.sleep(0.2)
        if visit.call.ended_at is None:
            visit.hung_up_at = time.monotonic()
            visit.call.hang_up()
        return visit

    # --- alarms --------------------------------------------------------------------------------------------------

    async def people(self, count: int) -> None:
        self._spare += await self.world.alarmed(count)

    async def alarms_again_and_again(self, every_s: tuple[float, float] = (1.0, 4.0)) -> None:
        while not self.ends.is_set() and len(self._spare) >= 3:
            await self.alarm()
            await self._pause(*every_s)

    async def alarm(self, needed: int | str | None = None, habits: Sequence[str] = ()) -> Order:
        """Post until the api has taken it. Its people are in no other alarm."""
        chosen = [self._spare.pop(0) for _ in range(len(habits) or self.rng.choice((2, 3)))]
        for place, n in enumerate(chosen):
            self.world.phone(n).behaviour = self._habit(habits[place] if habits else self._any_habit())
        wanted = needed or self.rng.choice(("all", "all", 1))
        order = Order(f"torture-{len(self.orders)}", chosen, wanted, time.monotonic())
        self.orders.append(order)
        body = {
            "organizationID": self.world.town.organisation_id, "message": {"de": f"Brand in Halle {len(self.orders)}."},
            "recipients": [{"userID": self.world.users[n]} for n in chosen], "ringTimeoutS": RING_S,
            "acknowledge": {"needed": wanted, "declineKey": "9"}, "retry": {"rounds": ROUNDS, "pauseS": 1},
        }
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self.posts_at_once):
                tasks.create_task(self._post_until_taken(order, body))
        return order

    def _any_habit(self) -> str:
        shares = BRIEF_SHARES if self.is_brief else ALARMED_SHARES
        if self.last_moments:
            return self.rng.choices([*ALARMED_HABITS, IN_THE_LAST_MOMENT], [*shares, 2])[0]
        return self.rng.choices(list(ALARMED_HABITS), shares)[0]

    def _habit(self, name: str) -> Behaviour:
        if name == IN_THE_LAST_MOMENT:
            return ACCEPTS.with_(answer_after_s=around(self.rng, RING_S))
        return ALARMED_HABITS[name]

    async def _post_until_taken(self, order: Order, body: Mapping[str, object]) -> None:
        while not await self._post(order, body):
            pass

    async def _post(self, order: Order, body: Mapping[str, object]) -> bool:
        """Was it taken? Whoever posts it is told of the same alarm."""
        order.tries += 1
        try:
            async with asyncio.timeout(4):
                status, answer = await self.world.muster.ask("POST", "/alarms", body, Idempotency_Key=order.key)
        except NOT_NOW:
            status, answer = 0, None
        if status not in (200, 201, 202):
            assert status in (0, 409, 429, 500, 502, 503, 504), (status, answer)
            await asyncio.sleep(POSTS_AGAIN_S)
            return False
        if order.alarm_id is None:
            order.alarm_id, order.accepted_at = int(answer["id"]), time.monotonic()
        assert order.alarm_id == int(answer["id"]), f"one key, two alarms: {order.alarm_id} and {answer['id']}"
        return True

    # --- campaigns -----------------------------------------------------------------------------------------------

    async def drive(
        self, contacts: int, cpm: int = 90, tries: int = 2, channels: int = 3, do_not_call: int = 0,
        window: object = None, records: bool = False,
    ) -> Drive:
        """A campaign to new contacts, started; the last `do_not_call` of them are on a list. `records`: they are asked
        to speak, and do."""
        fair, muster = self.world.fair, self.world.muster
        await fair.opens(0)
        numbers = [CONTACTS + self._contacts + n for n in range(contacts)]
        self._contacts += contacts
        group = (await fair.post("/groups", {"name": f"group {numbers[0]}"}))["group_id"]
        for n in numbers:
            habit = self.rng.choice(CONTACT_HABITS[:-1] if self.is_brief else CONTACT_HABITS)
            self.world.phone(n).behaviour = habit.with_(audio=CALLER, loop_audio=True) if records else habit
            made = await fair.post("/contacts", {"first_name": f"Person {n}", "phone": f"+{agent_number(n)}"})
            fair.contacts[n] = made["contact_id"]
            await fair.post(f"/contacts/{made['contact_id']}/link/{group}", method="PUT")
        program = await (fair.program("ivr", ivr_scheme=RECORDS) if records else fair.program())
        made = await fair.post("/campaigns", {
            "program_id": program, "group_id": group, "cpm": cpm, "try_allowed": tries})
        campaign = Campaign(fair, made["campaign_id"], group)
        refused = numbers[contacts - do_not_call:] if do_not_call else []
        settings = {"channels": channels, "retry": QUICKLY_AGAIN, **({"window": window} if window else {})}
        if refused:
            robinson = await muster.post("/dnc-lists", {"name": f"of {numbers[0]}"})
            numbered = {"numbers": [f"+{agent_number(n)}" for n in refused]}
            await muster.post(f"/dnc-lists/{robinson['id']}/numbers", numbered)
            settings["dncListIDs"] = [robinson["id"]]
        await campaign.set(**settings)
        await campaign.start()
        made_drive = Drive(campaign, numbers, tries, channels, numbers if window else refused)
        self.drives.append(made_drive)
        return made_drive

    async def _pause(self, least_s: float, most_s: float) -> None:
        """Or until the end."""
        try:
            async with asyncio.timeout(self.rng.uniform(least_s, most_s)):
                await self.ends.wait()
        except TimeoutError:
            pass


def never_open() -> dict[str, object]:
    """A window that is closed now and for days."""
    return {**NEVER, "weekdays": [1 + (time.gmtime().tm_wday + 3) % 7]}


def around(rng: random.Random, seconds: float) -> float:
    return seconds + rng.uniform(-AROUND_S, AROUND_S)


def hears_agent(call: PlacedCall) -> bool:
    if call.answered_at is None:
        return False
    heard = call.recording.pcm(from_at=time.monotonic() - LISTENS_S)
    return heard.size > 0 and correlation(AGENT, heard) >= 0.6
