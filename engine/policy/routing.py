"""Which waiting caller gets which phone.

Called by `engine/call.py` after every batch. Invariants: a phone has at most one leg of ours, over all calls;
a hotline never has more outbound legs than `channelsOutbound`; the longest-waiting caller comes first.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.vocabulary.values import AgentPhone


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
    """A group of calls that together have at most `legs` outbound legs (a hotline's `channelsOutbound`)."""

    group: int
    legs: int


@dataclass(frozen=True, slots=True)
class Wants:
    """What a call would like to dial. `rank`: 0 hotline, 1 alarm, 2 campaign; the lower has right of way, and within one
    rank who waits since longer."""

    rank: int
    since: datetime
    numbers: tuple[Wanted, ...]
    limit: Limit | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A call that wants phones rung. `outbound_limit` is its hotline's `channelsOutbound`."""

    call_id: str
    hotline_id: int
    since: datetime
    wanted: tuple[AgentPhone, ...]
    outbound_limit: int


@dataclass(frozen=True, slots=True)
class Grant:
    call_id: str
    phone: AgentPhone


def grant_phones(
    waiting: Sequence[Waiting], in_use: Collection[str], outbound: Mapping[int, int], budget: int
) -> list[Grant]:
    """At most `budget` grants; `in_use` are numbers with a leg, `outbound` legs per hotline id."""
    taken = set(in_use)
    legs = dict(outbound)
    grants: list[Grant] = []
    for call in sorted(waiting, key=lambda call: call.since):
        for phone in call.wanted:
            if len(grants) >= budget:
                return grants
            used = legs.get(call.hotline_id, 0)
            if used >= call.outbound_limit:
                break
            if phone.number in taken:
                continue
            taken.add(phone.number)
            legs[call.hotline_id] = used + 1
            grants.append(Grant(call.call_id, phone))
    return grants
