"""Which waiting caller gets which phone."""

from collections import Counter
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.policy.routing import Grant, Waiting, grant_phones
from tests.playbook import T0, phone


def caller(number: int, *phones: int, hotline: int = 7, limit: int = 10) -> Waiting:
    return Waiting(f"call-{number}", hotline, T0 + timedelta(seconds=number), tuple(map(phone, phones)), limit)


def granted(*waiting: Waiting, in_use: tuple[str, ...] = (), outbound: dict[int, int] | None = None,
            budget: int = 100) -> list[tuple[str, int]]:
    return [
        (grant.call_id, grant.phone.user_id) for grant in grant_phones(waiting, in_use, outbound or {}, budget)]


def test_a_caller_gets_every_phone_at_once_in_the_agents_order() -> None:
    assert granted(caller(1, 3, 1, 2)) == [("call-1", 3), ("call-1", 1), ("call-1", 2)]


def test_the_longest_waiting_caller_comes_first_wherever_he_stands_in_the_list() -> None:
    assert granted(caller(2, 1), caller(1, 1)) == [("call-1", 1)]


def test_what_the_first_does_not_want_the_second_gets() -> None:
    assert granted(caller(1, 1), caller(2, 1, 2)) == [("call-1", 1), ("call-2", 2)]


def test_a_phone_in_use_is_not_granted_and_the_next_is() -> None:
    assert granted(caller(1, 1, 2), in_use=(phone(1).number,)) == [("call-1", 2)]


def test_a_hotline_keeps_to_its_outbound_channels_over_all_its_callers() -> None:
    assert granted(caller(1, 1, 2, limit=3), caller(2, 3, 4, limit=3), outbound={7: 1}) == [
        ("call-1", 1), ("call-1", 2)]


def test_a_hotline_at_its_limit_takes_nothing_from_another() -> None:
    assert granted(caller(1, 1, limit=1), caller(2, 2, hotline=8), outbound={7: 1}) == [("call-2", 2)]


def test_the_trunks_budget_goes_to_those_who_wait_longest() -> None:
    assert granted(caller(2, 3, 4), caller(1, 1, 2), budget=3) == [("call-1", 1), ("call-1", 2), ("call-2", 3)]
    assert granted(caller(1, 1), budget=0) == []


calls = st.lists(
    st.tuples(st.integers(0, 9), st.lists(st.integers(1, 9), unique=True), st.sampled_from([7, 8]), st.integers(1, 4)),
    max_size=6)


@given(calls, st.sets(st.integers(1, 9)), st.integers(0, 20))
def test_no_phone_twice_no_limit_passed_nothing_unwanted(
    made: list[tuple[int, list[int], int, int]], busy: set[int], budget: int
) -> None:
    waiting = [
        Waiting(str(place), hotline, T0 + timedelta(seconds=since), tuple(map(phone, phones)), limit)
        for place, (since, phones, hotline, limit) in enumerate(made)]
    in_use = {phone(number).number for number in busy}
    grants: list[Grant] = grant_phones(waiting, in_use, {}, budget)
    numbers = [grant.phone.number for grant in grants]
    assert len(numbers) == len(set(numbers)) <= budget
    assert not set(numbers) & in_use
    by_id = {one.call_id: one for one in waiting}
    assert all(grant.phone in by_id[grant.call_id].wanted for grant in grants)
    for hotline, used in Counter(by_id[grant.call_id].hotline_id for grant in grants).items():
        assert used <= max(one.outbound_limit for one in waiting if one.hotline_id == hotline)
