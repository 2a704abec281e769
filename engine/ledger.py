"""Who uses which leg and phone, who still wants one: derived from the calls' states after every step, stored nowhere.

Used by `engine/call.py` alone. The decision itself is `policy/routing.py`; the trunk's budget is `policy/capacity.py`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from engine.flows.hotline_state import State, demand, legs_in_use
from engine.policy.capacity import Bucket
from engine.policy.routing import Grant, Waiting, grant_phones

SOONEST_S = 0.02


@dataclass(frozen=True, slots=True)
class Granted:
    """`again_in_s`: the trunk's budget, not the phones, stopped us; None: what is still wanted is in use elsewhere."""

    grants: Sequence[Grant]
    again_in_s: float | None


@dataclass(frozen=True, slots=True)
class _Noted:
    hotline_id: int
    legs: tuple[str, ...]
    numbers: tuple[str, ...]


class Ledger:
    def __init__(self, trunk_cps: float, trunk_channels: int, now_s: float) -> None:
        self._channels = trunk_channels
        self._bucket = Bucket.full(trunk_cps, now_s)
        self._noted: dict[str, _Noted] = {}
        self._by_leg: dict[str, str] = {}
        self._by_number: dict[str, str] = {}
        self._outbound: Counter[int] = Counter()
        self._wanting: dict[str, Waiting] = {}

    def note(self, call_id: str, state: State) -> None:
        """The call's state is this now."""
        self.drop(call_id)
        hotline, numbers = state.hotline, legs_in_use(state)
        noted = _Noted(hotline.hotline_id, (state.leg, *numbers.values()), tuple(numbers))
        self._noted[call_id] = noted
        self._by_leg.update(dict.fromkeys(noted.legs, call_id))
        self._by_number.update(dict.fromkeys(noted.numbers, call_id))
        self._outbound[noted.hotline_id] += len(numbers)
        if wanted := demand(state):
            self._wanting[call_id] = Waiting(
                call_id, hotline.hotline_id, state.arrived_at, wanted, hotline.channels_outbound
            )

    def drop(self, call_id: str) -> None:
        noted = self._noted.pop(call_id, None)
        if noted is None:
            return
        for leg in noted.legs:
            self._by_leg.pop(leg, None)
        for number in noted.numbers:
            if self._by_number.get(number) == call_id:
                del self._by_number[number]
        self._outbound[noted.hotline_id] -= len(noted.numbers)
        self._wanting.pop(call_id, None)

    def clear(self) -> None:
        for index in (self._noted, self._by_leg, self._by_number, self._outbound, self._wanting):
            index.clear()

    def call_of(self, leg: str) -> str | None:
        return self._by_leg.get(leg)

    def legs(self) -> set[str]:
        return set(self._by_leg)

    @property
    def is_wanted(self) -> bool:
        return bool(self._wanting)

    def wanting(self) -> list[str]:
        return list(self._wanting)

    def grant(self, now_s: float) -> Granted:
        """Free phones for the calls that want some, within what the trunk allows; `now_s` is monotonic."""
        self._bucket = self._bucket.refilled(now_s)
        budget = max(0, min(self._bucket.whole, self._channels - len(self._by_leg)))
        grants = grant_phones(list(self._wanting.values()), self._by_number, self._outbound, budget)
        self._bucket = self._bucket.take(len(grants))
        is_short = len(grants) >= budget
        return Granted(grants, max(SOONEST_S, self._bucket.next_in_s) if is_short else None)
