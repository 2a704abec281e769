"""Have enough people acknowledged, and can enough still do so?

Called by `flows/alarm*.py`. A tally says how many people of each role there are; people without a role are of role ''.
Everybody counts towards `needed`; a role's own minimum comes on top of that.
"""

from collections.abc import Mapping
from dataclasses import dataclass

Tally = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Quorum:
    needed: int
    by_role: tuple[tuple[str, int], ...] = ()


def missing(quorum: Quorum, acknowledged: Tally) -> int:
    """How many more people must acknowledge, at the least."""
    of_roles = sum(missing_by_role(quorum, acknowledged).values())
    return max(quorum.needed - sum(acknowledged.values()), of_roles)


def is_reached(quorum: Quorum, acknowledged: Tally) -> bool:
    return missing(quorum, acknowledged) == 0


def is_reachable(quorum: Quorum, acknowledged: Tally, open_: Tally) -> bool:
    """Would it be reached if all of `open_`, who may still acknowledge, did?"""
    return is_reached(quorum, together(acknowledged, open_))


def together(one: Tally, other: Tally) -> Tally:
    return {role: one.get(role, 0) + other.get(role, 0) for role in {*one, *other}}


def missing_by_role(quorum: Quorum, acknowledged: Tally) -> dict[str, int]:
    """Of each role that is short of people: how many more."""
    short = ((role, needed - acknowledged.get(role, 0)) for role, needed in quorum.by_role)
    return {role: count for role, count in short if count > 0}
