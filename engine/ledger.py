"""Who uses which leg and phone, who still wants one: derived from the calls' states after every step, stored nowhere.

Used by `engine/call.py` alone. The decision itself is `policy/routing.py`. Invariant: it knows exactly the legs of the
states that it was told last. Of a call of many pieces only those are looked at that are new objects.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from engine.flows.flow import Flow, Leg, changed, pieces
from engine.policy.capacity import GROUP_S, Pace
from engine.policy.routing import CAMPAIGN, HOTLINE, Allocation, Delay, Lines, Waiting, Wants, allocate
from engine.policy.trunks import Trunk, own_trunks
from engine.restraint import Restraint
from engine.vocabulary.values import is_provider

SOONEST_S = 0.01    # what a fast trunk may dial in this time is granted, saved and sent together
AS_GOOD_AS_OVER = timedelta(seconds=1)


@dataclass(slots=True)
class _Noted:
    flow: Flow
    state: Any
    group: int | None
    pieces: tuple[Any, ...] = ()
    legs: dict[int, Sequence[Leg]] = field(default_factory=dict)  # by the piece's place; only where there are some


class Ledger:
    def __init__(self, trunks: Sequence[Trunk], restraint: Restraint, headroom: float = 0.0) -> None:
        self._trunks = tuple(trunks)
        self._names = frozenset(trunk.name for trunk in trunks)
        self._own: Mapping[int, Sequence[Trunk]] = {}
        self._main = self._trunks[0].name
        self._restraint = restraint
        self._headroom = headroom
        self._paces = {trunk.name: Pace(trunk.cps, headroom) for trunk in self._trunks}
        self._former_s: Sequence[float] = ()  # when an engine before us dialled, by our clock
        self._granted: Counter[str] = Counter()  # by whose pace it was, since the last round was carried out
        self._noted: dict[str, _Noted] = {}
        self._by_leg: dict[str, str] = {}
        self._by_number: dict[str, str] = {}
        self._used: Counter[str] = Counter()
        self._outbound: Counter[int] = Counter()
        self._changed: dict[str, None] = {}  # what these calls want is to be asked
        self._wants: dict[str, Wants] = {}
        self._nothing_until_s = 0.0  # until then nobody gets what he wants, unless somebody wants something else
        self._was_only_hotlines = False
        self._turn = 0
        self._turns: dict[str, int] = {}
        self._told: dict[str, dict[str, datetime]] = {}  # delays, by call and number
        # calls that can get nothing until a leg of these numbers or groups ends: a round need not ask a crowd in vain
        self._stuck: dict[str, Wants] = {}
        self._stuck_by: defaultdict[str | int, set[str]] = defaultdict(set)
        self._freed: set[str | int] = set()

    # --- what calls use --------------------------------------------------------------------------------------------

    def note(self, call_id: str, flow: Flow, state: Any) -> None:
        """The call's state is this now."""
        noted = self._noted.get(call_id)
        if noted is None:
            noted = self._noted[call_id] = _Noted(flow, state, flow.owner(state).hotline_id)
        before, noted.pieces, noted.state = noted.pieces, pieces(flow, state), state
        for place in changed(before, noted.pieces):
            self._exchange(call_id, noted, place, flow.legs(noted.pieces[place]))
        self._changed[call_id] = None

    def _exchange(self, call_id: str, noted: _Noted, place: int, legs: Sequence[Leg]) -> None:
        before = noted.legs.get(place, ())
        if before == legs:
            return
        for leg in before:
            self._remove(leg, noted.group)
        for leg in legs:
            self._add(call_id, leg, noted.group)
        if legs:
            noted.legs[place] = legs
        else:
            del noted.legs[place]

    def _add(self, call_id: str, leg: Leg, group: int | None) -> None:
        self._by_leg[leg.leg] = call_id
        self._used[self._trunk(leg)] += 1
        if leg.number:
            self._by_number[leg.number] = leg.leg
            if group is not None:
                self._outbound[group] += 1

    def _remove(self, leg: Leg, group: int | None) -> None:
        self._by_leg.pop(leg.leg, None)
        self._used[self._trunk(leg)] -= 1
        if leg.number:
            self._freed.add(leg.number)
            if self._by_number.get(leg.number) == leg.leg:
                del self._by_number[leg.number]
            if group is not None:
                self._freed.add(group)
                self._outbound[group] -= 1

    def _trunk(self, leg: Leg) -> str:
        """A trunk that is no more in the settings, or not known, counts as the main one. A provider's legs are always
        its own, also when it was removed: that they end takes from where that they began has added."""
        return leg.trunk if leg.trunk in self._names or is_provider(leg.trunk) else self._main

    def drop(self, call_id: str) -> None:
        noted = self._noted.pop(call_id, None)
        if noted is None:
            return
        for legs in noted.legs.values():
            for leg in legs:
                self._remove(leg, noted.group)
        self._let_go(call_id)
        for index in (self._changed, self._wants, self._turns, self._told):
            index.pop(call_id, None)

    def clear(self) -> None:
        for call_id in list(self._noted):
            self.drop(call_id)

    def call_of(self, leg: str) -> str | None:
        return self._by_leg.get(leg)

    def legs(self) -> set[str]:
        return set(self._by_leg)

    # --- who may dial ----------------------------------------------------------------------------------------------

    def put_providers(self, providers: Sequence[Trunk], now_s: float) -> None:
        """Organisations have these trunks of their own from now on. The pace of one that is gone is kept: it may come
        back within the same second."""
        for trunk in providers:
            pace = self._paces.get(trunk.name)
            self._paces[trunk.name] = replace(pace, cps=trunk.cps) if pace else Pace(trunk.cps, self._headroom).after(
                (now_s - at_s for at_s in self._former_s), now_s)
        self._own = own_trunks(providers)
        self._nothing_until_s = 0.0

    @property
    def is_wanted(self) -> bool:
        self._ask()
        return bool(self._wants)

    def _ask(self) -> None:
        for call_id in self._changed:
            noted = self._noted[call_id]
            self._let_go(call_id)
            if (wants := noted.flow.wants(noted.state)) is not None:
                if self._wants.get(call_id) != wants:
                    self._nothing_until_s = 0.0
                self._wants[call_id] = wants
            else:
                self._wants.pop(call_id, None)
        self._changed.clear()

    def grant(self, now: datetime, now_s: float, only_hotlines: bool = False) -> Allocation:
        """Numbers for the calls that want some, within what limits and trunks allow; `now_s` is monotonic."""
        self._ask()
        if self._release():
            self._nothing_until_s = 0.0
        if now_s < self._nothing_until_s and only_hotlines == self._was_only_hotlines:
            return Allocation(dict(self._paces), again_in_s=self._nothing_until_s - now_s)
        waiting = [
            Waiting(call_id, wants, self._turns.get(call_id, 0)) for call_id, wants in self._wants.items()
            if call_id not in self._stuck and (wants.rank == HOTLINE or not only_hotlines)
        ]
        lines = Lines(self._trunks, self._paces, self._used, self._headroom, self._own)
        found = allocate(
            waiting, lines, self._by_number, self._outbound,
            lambda number: self._rests_until(number, now), now_s,
        )
        self._paces = found.paces
        for grant in found.grants:
            self._turn += 1
            self._turns[grant.call_id] = self._turn
            self._granted.update(grant.paced)
        served = {one.call_id for one in found.grants} | {one.call_id for one in found.delays}
        for call_id in found.blocked:
            if call_id not in served:
                self._hold(call_id, self._wants[call_id])
        are_campaigns = all(one.wants.rank == CAMPAIGN for one in waiting)
        found.again_in_s = _soonest(found, now, GROUP_S if are_campaigns else SOONEST_S)
        self._was_only_hotlines = only_hotlines
        # a leg that ends meanwhile is of no use to who waits for a pace: not each end of a call looks at all who wait
        is_paced = found.is_only_pace and found.again_in_s is not None
        self._nothing_until_s = now_s + (found.again_in_s or 0.0) if is_paced else 0.0
        found.delays = self._untold(found.delays, now)
        return found

    def _rests_until(self, number: str, now: datetime) -> datetime | None:
        rests_s = self._restraint.rests_s(number)
        return None if rests_s is None else now + timedelta(seconds=rests_s)

    def _hold(self, call_id: str, wants: Wants) -> None:
        self._stuck[call_id] = wants
        for key in _waits_for(wants):
            self._stuck_by[key].add(call_id)

    def _let_go(self, call_id: str) -> None:
        if (wants := self._stuck.pop(call_id, None)) is None:
            return
        for key in _waits_for(wants):
            self._stuck_by[key].discard(call_id)
            if not self._stuck_by[key]:
                del self._stuck_by[key]

    def _release(self) -> bool:
        """Legs have ended: who waited for their numbers, or for their hotline to have less, is asked again. Is there
        somebody?"""
        released = {call_id for key in self._freed for call_id in self._stuck_by.get(key, ())}
        for call_id in released:
            self._let_go(call_id)
        self._freed.clear()
        return bool(released)

    def _untold(self, delays: Sequence[Delay], now: datetime) -> list[Delay]:
        """Not what is as good as over: a timer that fired a moment early is no new delay; nor is one that ends when the
        last one did."""
        long = [one for one in delays if one.until > now + AS_GOOD_AS_OVER]
        new = [one for one in long if not self._is_told(one)]
        for one in new:
            self._told.setdefault(one.call_id, {})[one.number] = one.until
        return new

    def _is_told(self, one: Delay) -> bool:
        known = self._told.get(one.call_id, {}).get(one.number)
        return known is not None and abs(one.until - known) <= AS_GOOD_AS_OVER

    def takes(self, trunk: str, rank: int, now_s: float) -> bool:
        """A dial that is sent once more: does the trunk's pace allow it now?"""
        trunk = trunk if trunk in self._paces else self._main
        if self._paces[trunk].wait_s(rank, now_s) > 0:
            return False
        self._paces[trunk] = self._paces[trunk].take(rank, now_s)
        return True

    def begin_after(self, ages_s: Sequence[float], now_s: float) -> None:
        """What an engine before us dialled so many seconds ago, by whichever trunk, counts for every trunk's pace."""
        self._nothing_until_s = 0.0
        self._paces = {name: pace.after(ages_s, now_s) for name, pace in self._paces.items()}
        self._former_s = [now_s - age_s for age_s in ages_s]

    def carried_out(self, now_s: float) -> None:
        """What was granted has only now been sent."""
        for name, legs in self._granted.items():
            self._paces[name] = self._paces[name].left(legs, now_s)
        self._granted.clear()

    def used(self) -> Mapping[str, int]:
        """Legs by trunk."""
        return self._used


def _waits_for(wants: Wants) -> set[str | int]:
    """Numbers, and the hotline whose legs are limited."""
    numbers: set[str | int] = {wanted.number for wanted in wants.numbers}
    return numbers if wants.limit is None else numbers | {wants.limit.group}


def _soonest(found: Allocation, now: datetime, at_least_s: float) -> float | None:
    """When to look again: a pace allows more, or a number has rested."""
    rested = [(one.until - now).total_seconds() for one in found.delays]
    waits = [*rested, *(() if found.again_in_s is None else (found.again_in_s,))]
    return max(at_least_s, min(waits)) if waits else None
