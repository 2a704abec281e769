"""Which call dials which number next, and by which trunk: hotlines before alarms before campaigns.

Called by `engine/ledger.py` after every batch. Invariants: a number has at most one leg of ours, over all calls; a
hotline never has more outbound legs than `channelsOutbound`; a trunk never has more legs than it has room for, nor new
ones faster than its pace, nor has a campaign than its own. Of the callers of hotlines the one who waits longest comes
first and gets all he wants; alarms, and campaigns, take turns, so that one of 1,000 people does not keep a small one
waiting.
"""

import heapq
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from engine.policy.capacity import Pace
from engine.policy.trunks import Trunk, failover_order
from engine.vocabulary.values import AgentPhone

HOTLINE, ALARM, CAMPAIGN = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Wanted:
    """A number to ring now. `phone`: the agent's, for a hotline. `is_repeat`: the storm throttle applies.

    `skip`: so many trunks have failed for it already, in their order of fail-over.
    """

    number: str
    is_repeat: bool = False
    skip: int = 0
    phone: AgentPhone | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """The calls of one hotline (`group` is its id) together have at most `legs` outbound legs."""

    group: int
    legs: int


@dataclass(frozen=True, slots=True)
class Speed:
    """The calls of one campaign (`name` tells it) are dialled no faster than this, whatever the trunks take."""

    name: str
    cps: float


@dataclass(frozen=True, slots=True)
class Wants:
    """What a call would like to dial, in its order. Of the ranks 0 hotline, 1 alarm, 2 campaign the lower has right of
    way. `organisation_id`: whose providers it may dial by, beside the trunks that are everybody's."""

    rank: int
    since: datetime
    numbers: tuple[Wanted, ...]
    limit: Limit | None = None
    organisation_id: int = 0
    speed: Speed | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A call that wants something. `turn`: when it was served last, among those that take turns."""

    call_id: str
    wants: Wants
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Grant:
    """`others`: trunks after this one in the number's order of fail-over. `paced`: whose pace it counts for."""

    call_id: str
    wanted: Wanted
    trunk: str
    others: int = 0
    paced: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delay:
    """The storm throttle lets this number rest."""

    call_id: str
    number: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Lines:
    """The trunks, how fast each (and each `Speed`) was dialled lately, how many legs it has, and the share kept free
    for hotlines. `own`: what organisations have beside the trunks of the settings."""

    trunks: Sequence[Trunk]
    paces: Mapping[str, Pace]
    used: Mapping[str, int]
    headroom: float = 0.0
    own: Mapping[int, Sequence[Trunk]] = field(default_factory=dict)


@dataclass(slots=True)
class Allocation:
    """`blocked`: calls for which a number that they want is in use, or whose hotline is at its limit. `again_in_s`:
    when a trunk's pace allows more to somebody who had to wait for it; None: nobody had to. `is_only_pace`: who got
    nothing lacks nothing else."""

    paces: dict[str, Pace]
    grants: list[Grant] = field(default_factory=list)
    delays: list[Delay] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    again_in_s: float | None = None
    is_only_pace: bool = False


def allocate(
    waiting: Sequence[Waiting], lines: Lines, in_use: Collection[str], outbound: Mapping[int, int],
    rests_until: Callable[[str], datetime | None], now_s: float,
) -> Allocation:
    """`in_use` are numbers with a leg, `outbound` legs per hotline; `now_s` is monotonic."""
    desk = _Desk(lines, set(in_use), dict(outbound), rests_until, now_s)
    last = max((one.turn for one in waiting), default=0)
    numbers = [iter(one.wants.numbers) for one in waiting]
    queue = [
        (one.wants.rank, one.turn if one.wants.rank > HOTLINE else 0, one.wants.since, place)
        for place, one in enumerate(waiting)
    ]
    heapq.heapify(queue)
    while queue:
        rank, turn, since, place = queue[0]
        if not desk.serve(waiting[place], numbers[place]):
            heapq.heappop(queue)
            continue
        last += 1
        heapq.heapreplace(queue, (rank, turn if rank == HOTLINE else last, since, place))
    return desk.made()


class _Desk:
    """One allocation in the making. Whom a trunk has no room for now, it has none for later in the same one."""

    def __init__(
        self, lines: Lines, taken: set[str], outbound: dict[int, int],
        rests_until: Callable[[str], datetime | None], now_s: float,
    ) -> None:
        self._lines = lines
        self._used = dict(lines.used)
        self._taken = taken
        self._outbound = outbound
        self._rests_until = rests_until
        self._now_s = now_s
        self._closed: dict[bool, set[str]] = {False: set(), True: set()}  # trunks, by: is the rank spaced
        self._slow: set[str] = set()    # names of speeds that allow no more
        self._blocked: dict[str, None] = {}
        self._short: set[str] = set()
        self._is_full_somewhere = False
        self._made = Allocation(dict(lines.paces))

    def made(self) -> Allocation:
        self._made.blocked = [call_id for call_id in self._blocked if call_id not in self._short]
        self._made.is_only_pace = not (self._blocked or self._made.delays or self._is_full_somewhere)
        return self._made

    def serve(self, call: Waiting, numbers: Iterator[Wanted]) -> bool:
        """Grant this call one number more. False: there is nothing more for it."""
        limit, closed = call.wants.limit, self._closed[call.wants.rank > HOTLINE]
        for wanted in numbers:
            if self._is_closed(call, closed):
                self._short.add(call.call_id)
                return False
            if limit is not None and self._outbound.get(limit.group, 0) >= limit.legs:
                self._blocked[call.call_id] = None
                return False
            if wanted.number in self._taken:
                self._blocked[call.call_id] = None
            elif wanted.is_repeat and (until := self._rests_until(wanted.number)) is not None:
                self._made.delays.append(Delay(call.call_id, wanted.number, until))
            elif self._grant(call, wanted):
                return True
            else:
                self._short.add(call.call_id)
        return False

    def _is_closed(self, call: Waiting, closed: set[str]) -> bool:
        """By its own speed, or every trunk that it may go by: another organisation's may still be open."""
        if call.wants.speed is not None and call.wants.speed.name in self._slow:
            return True
        own = self._own(call)
        return all(one.name in closed for one in self._lines.trunks) and all(one.name in closed for one in own)

    def _own(self, call: Waiting) -> Sequence[Trunk]:
        return self._lines.own.get(call.wants.organisation_id, ())

    def _grant(self, call: Waiting, wanted: Wanted) -> bool:
        speed = call.wants.speed
        if speed is not None and self._is_too_fast(speed, call.wants.rank):
            return False
        order = failover_order(self._lines.trunks, wanted.number, self._own(call))
        for place in range(min(wanted.skip, len(order) - 1), len(order)):
            trunk = order[place]
            if self._is_full(trunk, call.wants.rank):
                continue  # the next one has room, perhaps
            if self._must_wait(trunk, call.wants.rank):
                return False
            self._take(call, wanted, trunk)
            paced = (trunk.name,) if speed is None else (trunk.name, speed.name)
            self._made.grants.append(Grant(call.call_id, wanted, trunk.name, len(order) - place - 1, paced))
            return True
        return False

    def _is_too_fast(self, speed: Speed, rank: int) -> bool:
        pace = self._made.paces.get(speed.name) or Pace(speed.cps)
        pace = self._made.paces[speed.name] = pace if pace.cps == speed.cps else replace(pace, cps=speed.cps)
        is_too_fast = self._waits(pace.wait_s(rank, self._now_s))
        if is_too_fast:
            self._slow.add(speed.name)
        return is_too_fast

    def _is_full(self, trunk: Trunk, rank: int) -> bool:
        is_full = self._used.get(trunk.name, 0) >= trunk.room(rank, self._lines.headroom)
        if is_full:
            self._is_full_somewhere = True
            self._closed[rank > HOTLINE].add(trunk.name)
        return is_full

    def _must_wait(self, trunk: Trunk, rank: int) -> bool:
        must_wait = self._waits(self._made.paces[trunk.name].wait_s(rank, self._now_s))
        if must_wait:
            self._closed[rank > HOTLINE].add(trunk.name)
        return must_wait

    def _waits(self, wait_s: float) -> bool:
        if wait_s > 0:
            self._made.again_in_s = min(wait_s, self._made.again_in_s or wait_s)
        return wait_s > 0

    def _take(self, call: Waiting, wanted: Wanted, trunk: Trunk) -> None:
        self._taken.add(wanted.number)
        self._used[trunk.name] = self._used.get(trunk.name, 0) + 1
        for name in (trunk.name, *([call.wants.speed.name] if call.wants.speed else [])):
            self._made.paces[name] = self._made.paces[name].take(call.wants.rank, self._now_s)
        if call.wants.limit is not None:
            group = call.wants.limit.group
            self._outbound[group] = self._outbound.get(group, 0) + 1
