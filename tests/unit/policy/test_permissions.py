"""Which permission grants which: the hierarchy as a table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.policy.permissions import covers, grants

NAMES = st.lists(st.sampled_from(["user", "usr", "password", "read", "admin", "contact"]), min_size=1, max_size=3).map(
    "_".join)


@pytest.mark.parametrize("held, wanted, granted", [
    ("contact", "contact", True), ("contact", "contact_create", True), ("contact", "contact_list", True),
    ("contact", "contact_read", True), ("contact", "contact_update", True), ("contact", "contact_delete", True),
    ("campaign", "campaign_start", True), ("transmission", "transmission_send", True), ("user", "user_password", True),
    ("contact_read", "contact_read", True), ("contact_read", "contact", False), ("contact_read", "contact_list", False),
    ("contact", "group_read", False), ("cont", "contact_read", False), ("contact_", "contact_read", False),
    ("user", "usr_read", False), ("", "contact", False), ("contact", "contacts_read", False),
    # seeing everybody's is never in a shorter name
    ("contact", "contact_admin", False), ("contact_admin", "contact_admin", True),
    ("contact_admin", "contact_read", False), ("contact_admin", "contact", False),
])
def test_grants(held: str, wanted: str, granted: bool) -> None:
    assert grants({held}, wanted) is granted


def test_nothing_grants_nothing() -> None:
    assert not grants((), "contact_read")


@pytest.mark.parametrize("held, others, covered", [
    (["user", "role"], ["user_read", "role"], True), (["user"], ["user", "user_admin"], False),
    (["user_read"], ["user"], False), ([], [], True), (["contact"], [], True), ([], ["contact"], False),
])
def test_covers(held: list[str], others: list[str], covered: bool) -> None:
    assert covers(held, others) is covered


@given(st.sets(NAMES), st.sets(NAMES), NAMES)
def test_more_permissions_never_grant_less(held: set[str], more: set[str], wanted: str) -> None:
    assert not grants(held, wanted) or grants(held | more, wanted)
    assert covers(held | more, held)


@given(st.sets(NAMES), st.sets(NAMES), NAMES)
def test_who_covers_somebody_may_all_that_he_may(held: set[str], others: set[str], wanted: str) -> None:
    if covers(held, others) and grants(others, wanted):
        assert grants(held, wanted)
