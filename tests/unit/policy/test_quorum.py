"""Have enough people acknowledged, and can enough still do so? As tables, and against the plain definition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.policy.quorum import Quorum, is_reachable, is_reached, missing

TALLIES = st.dictionaries(st.sampled_from(["", "driver", "medic"]), st.integers(0, 4))
QUORUMS = st.builds(
    lambda needed, roles: Quorum(needed, tuple(roles.items())), st.integers(1, 6),
    st.dictionaries(st.sampled_from(["driver", "medic"]), st.integers(1, 3)))


@pytest.mark.parametrize(("needed", "by_role", "acknowledged", "short"), [
    (1, {}, {}, 1),
    (1, {}, {"": 1}, 0),
    (2, {}, {"driver": 1}, 1),
    (2, {}, {"": 5}, 0),
    (2, {"driver": 1}, {"": 2}, 1),  # enough people, none of them a driver
    (2, {"driver": 1}, {"driver": 1}, 1),
    (2, {"driver": 1}, {"driver": 1, "": 1}, 0),
    (1, {"driver": 2}, {"driver": 1}, 1),  # a role may need more than all together
    (1, {"driver": 1, "medic": 1}, {}, 2),
    (4, {"driver": 1, "medic": 1}, {"driver": 3}, 1),
])
def test_how_many_are_missing(
    needed: int, by_role: dict[str, int], acknowledged: dict[str, int], short: int
) -> None:
    quorum = Quorum(needed, tuple(by_role.items()))
    assert missing(quorum, acknowledged) == short
    assert is_reached(quorum, acknowledged) is (short == 0)


@pytest.mark.parametrize(("needed", "by_role", "acknowledged", "still_open", "reachable"), [
    (2, {}, {"": 1}, {"": 1}, True),
    (2, {}, {"": 1}, {}, False),
    (2, {"driver": 1}, {"": 1}, {"": 9}, False),
    (2, {"driver": 1}, {"": 1}, {"driver": 1}, True),
])
def test_whether_it_can_still_be_reached(
    needed: int, by_role: dict[str, int], acknowledged: dict[str, int], still_open: dict[str, int], reachable: bool
) -> None:
    assert is_reachable(Quorum(needed, tuple(by_role.items())), acknowledged, still_open) is reachable


@given(QUORUMS, TALLIES)
def test_it_is_reached_when_there_are_enough_people_and_enough_of_each_role(
    quorum: Quorum, acknowledged: dict[str, int]
) -> None:
    enough = sum(acknowledged.values()) >= quorum.needed
    of_roles = all(acknowledged.get(role, 0) >= count for role, count in quorum.by_role)
    assert is_reached(quorum, acknowledged) is (enough and of_roles)


@given(QUORUMS, TALLIES, st.sampled_from(["", "driver", "medic"]))
def test_one_more_never_brings_it_further_away_and_never_nearer_by_more_than_one(
    quorum: Quorum, acknowledged: dict[str, int], role: str
) -> None:
    more = {**acknowledged, role: acknowledged.get(role, 0) + 1}
    assert 0 <= missing(quorum, acknowledged) - missing(quorum, more) <= 1
