"""Which call dials which number next."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.policy.capacity import Pace
from engine.policy.routing import (
    ALARM,
    CAMPAIGN,
    HOTLINE,
    Allocation,
    Limit,
    Lines,
    Speed,
    Waiting,
    Wanted,
    Wants,
    allocate,
)
from engine.policy.trunks import MAIN, Trunk, own_trunks
from tests.playbook import T0, phone


def caller(number: int, *phones: int, hotline: int = 7, limit: int = 10) -> Waiting:
    wanted = tuple(Wanted(phone(one).number, phone=phone(one)) for one in phones)
    wants = Wants(HOTLINE, T0 + timedelta(seconds=number), wanted, Limit(hotline, limit))
    return Waiting(f"call-{number}", wants, turn=100 - number)


def alarm(name: str, *numbers: str, rank: int = ALARM, turn: int = 0, **wanted: object) -> Waiting:
    return Waiting(name, Wants(rank, T0, tuple(Wanted(one, **wanted) for one in numbers)), turn)  # type: ignore[arg-type]


def lines(*trunks: Trunk, used: Mapping[str, int] | None = None, headroom: float = 0) -> Lines:
    trunks = trunks or (Trunk(MAIN, 100, 100),)
    return Lines(trunks, {one.name: Pace(one.cps) for one in trunks}, used or {}, headroom)


def allocated(*waiting: Waiting, by: Lines | None = None, in_use: tuple[str, ...] = (),
              outbound: dict[int, int] | None = None, rests: dict[str, datetime] | None = None) -> Allocation:
    return allocate(waiting, by or lines(), in_use, outbound or {}, (rests or {}).get, 0)


def granted(*waiting: Waiting, **changes: object) -> list[tuple[str, int]]:
    found = allocated(*waiting, **changes)  # type: ignore[arg-type]
    return [(one.call_id, one.wanted.phone.user_id) for one in found.grants if one.wanted.phone]


def told(found: Allocation) -> list[tuple[str, str]]:
    return [(one.wanted.number, one.trunk) for one in found.grants]


# --- hotlines


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
    by = lines(Trunk(MAIN, 3, 100))
    assert granted(caller(2, 3, 4), caller(1, 1, 2), by=by) == [("call-1", 1), ("call-1", 2), ("call-2", 3)]


def test_who_waits_for_a_phone_is_told_and_who_waits_for_the_trunk_is_not() -> None:
    assert allocated(caller(1, 1), in_use=(phone(1).number,)).blocked == ["call-1"]
    assert allocated(caller(1, 1, limit=1), outbound={7: 1}).blocked == ["call-1"]
    full = lines(Trunk(MAIN, 1, 100))
    assert allocated(caller(1, 1), caller(2, 2), caller(3, 1), by=full).blocked == []
    assert allocated(caller(1, 1), by=lines(Trunk(MAIN, 9, 2), used={MAIN: 2})).blocked == []


# --- ranks, turns, trunks


def test_hotlines_come_before_alarms_and_alarms_before_campaigns() -> None:
    by = lines(Trunk(MAIN, 2, 100))
    found = allocated(alarm("c", "493", rank=CAMPAIGN), alarm("a", "492"), caller(1, 1, 2), by=by)
    assert {one.call_id for one in found.grants} == {"call-1"} and found.again_in_s is not None
    found = allocated(alarm("c", "493", rank=CAMPAIGN), alarm("a", "492"), by=by)
    assert [one.call_id for one in found.grants] == ["a"], "the campaign's comes a spacing later"


def test_alarms_take_turns_beginning_with_the_one_served_longest_ago() -> None:
    by = lines(Trunk(MAIN, 1000, 100))
    found = allocated(alarm("large", "491", "492", "493", turn=5), alarm("small", "494", "495"), by=by)
    assert [one.call_id for one in found.grants] == ["small", "large", "small", "large", "large"]


def test_head_room_is_left_to_hotlines() -> None:
    by = lines(Trunk(MAIN, 1000, 10), used={MAIN: 6}, headroom=0.2)
    found = allocated(alarm("a", "491", "492", "493"), by=by)
    assert len(found.grants) == 2 and found.again_in_s is None
    assert len(granted(caller(1, 1, 2, 3, 4, 5), by=by)) == 4


def test_a_trunk_without_a_channel_is_passed_over_and_one_whose_pace_says_no_is_waited_for() -> None:
    main, alpine = Trunk(MAIN, 10, 10), Trunk("alpine", 10, 10, ("43",))
    assert told(allocated(alarm("a", "4355"), by=lines(main, alpine, used={"alpine": 10}))) == [("4355", MAIN)]
    slow = lines(main, Trunk("alpine", 1, 10, ("43",)))
    found = allocated(alarm("a", "4355", "4366", "4977"), by=slow)
    assert told(found) == [("4355", "alpine"), ("4977", MAIN)] and found.again_in_s is not None


def test_after_a_trunk_failed_the_next_one_is_taken_and_after_the_last_the_last() -> None:
    by = lines(Trunk(MAIN, 10, 10), Trunk("alpine", 10, 10, ("43",)))
    first = allocated(alarm("a", "4355"), by=by).grants[0]
    assert (first.trunk, first.others) == ("alpine", 1)
    second = allocated(alarm("a", "4355", skip=1), by=by).grants[0]
    assert (second.trunk, second.others) == (MAIN, 0)
    assert allocated(alarm("a", "4355", skip=2), by=by).grants[0].trunk == MAIN


# --- the storm throttle


def test_a_repeat_to_a_number_that_rests_is_delayed_and_a_first_dial_is_not() -> None:
    rests = {"491": T0 + timedelta(minutes=5)}
    found = allocated(alarm("a", "491", "492", is_repeat=True), rests=rests)
    assert [(one.number, one.until) for one in found.delays] == [("491", rests["491"])]
    assert told(found) == [("492", MAIN)] and found.blocked == []
    assert told(allocated(alarm("a", "491"), rests=rests)) == [("491", MAIN)]


calls = st.lists(
    st.tuples(st.integers(0, 9), st.lists(st.integers(1, 9), unique=True), st.sampled_from([7, 8]), st.integers(1, 4),
              st.sampled_from([HOTLINE, ALARM, CAMPAIGN])),
    max_size=6)


@given(calls, st.sets(st.integers(1, 9)), st.integers(1, 20), st.integers(0, 12))
def test_no_number_twice_no_limit_passed_nothing_unwanted(
    made: list[tuple[int, list[int], int, int, int]], busy: set[int], cps: int, used: int
) -> None:
    waiting = [
        Waiting(str(place), Wants(
            rank, T0 + timedelta(seconds=since), tuple(Wanted(phone(one).number) for one in phones),
            Limit(hotline, limit) if rank == HOTLINE else None))
        for place, (since, phones, hotline, limit, rank) in enumerate(made)]
    in_use = {phone(number).number for number in busy}
    by = lines(Trunk(MAIN, cps, 10), used={MAIN: used}, headroom=0.2)
    grants = allocate(waiting, by, in_use, {}, lambda _: None, 0).grants
    numbers = [grant.wanted.number for grant in grants]
    assert len(numbers) == len(set(numbers)) <= min(cps, max(0, 10 - used))
    assert not set(numbers) & in_use
    by_id = {one.call_id: one.wants for one in waiting}
    assert all(grant.wanted in by_id[grant.call_id].numbers for grant in grants)
    ranks = [by_id[grant.call_id].rank for grant in grants]
    assert ranks == sorted(ranks)
    legs = Counter(by_id[one.call_id].limit.group for one in grants if by_id[one.call_id].limit)  # type: ignore[union-attr]
    for hotline, count in legs.items():
        limits = [one.wants.limit for one in waiting if one.wants.limit and one.wants.limit.group == hotline]
        assert count <= max(limit.legs for limit in limits)
    if any(rank > HOTLINE for rank in ranks):
        assert used + len(grants) <= 8 + sum(1 for rank in ranks if rank == HOTLINE)


# --- organisations' own trunks


def own(provider_id: int, organisation: int, cps: float = 100, channels: int = 100) -> Trunk:
    return Trunk(f"p{provider_id}", cps, channels, organisation_id=organisation)


def shared(*owned: Trunk, main: Trunk | None = None, used: Mapping[str, int] | None = None) -> Lines:
    main = main or Trunk(MAIN, 100, 100)
    paces = {one.name: Pace(one.cps) for one in (main, *owned)}
    return Lines((main,), paces, used or {}, 0, own_trunks(owned))


def of(organisation: int, name: str, *numbers: str, rank: int = ALARM, skip: int = 0) -> Waiting:
    return Waiting(name, Wants(rank, T0, tuple(Wanted(one, skip=skip) for one in numbers), None, organisation))


def test_everybody_dials_by_his_own_provider_first_and_nobody_by_anothers() -> None:
    by = shared(own(1, 1), own(2, 2))
    found = allocated(of(1, "a", "491"), of(2, "b", "492"), of(3, "c", "493"), of(0, "d", "494"), by=by)
    assert told(found) == [("491", "p1"), ("492", "p2"), ("493", MAIN), ("494", MAIN)]
    assert [one.others for one in found.grants] == [1, 1, 0, 0]


def test_after_the_own_ones_failed_those_of_the_settings_are_taken() -> None:
    by = shared(own(1, 1), own(2, 1))
    for skip, trunk, others in ((0, "p1", 2), (1, "p2", 1), (2, MAIN, 0), (5, MAIN, 0)):
        (grant,) = allocated(of(1, "a", "491", skip=skip), by=by).grants
        assert (grant.trunk, grant.others) == (trunk, others)


def test_a_full_provider_is_passed_over_and_one_whose_pace_says_no_is_waited_for() -> None:
    full = shared(own(1, 1, channels=2), used={"p1": 2})
    assert told(allocated(of(1, "a", "491"), by=full)) == [("491", MAIN)]
    found = allocated(of(1, "a", "491", "492"), by=shared(own(1, 1, cps=1)))
    assert told(found) == [("491", "p1")] and found.again_in_s is not None


def test_who_has_no_trunk_left_holds_nobody_up_who_has() -> None:
    """Whatever their order: of one organisation only its own trunk is open, of another one only the common one."""
    closed_main = Trunk(MAIN, 100, 2)
    for waiting in ([of(1, "a", "491"), of(2, "b", "492")], [of(2, "b", "492"), of(1, "a", "491")]):
        found = allocated(*waiting, by=shared(own(1, 1), main=closed_main, used={MAIN: 2}))
        assert told(found) == [("491", "p1")] and found.blocked == []
        found = allocated(*waiting, by=shared(own(1, 1, channels=1), used={"p1": 1}))
        assert sorted(told(found)) == [("491", MAIN), ("492", MAIN)]


organisations = st.lists(
    st.tuples(st.integers(0, 3), st.lists(st.integers(1, 30), unique=True, max_size=8),
              st.sampled_from([HOTLINE, ALARM, CAMPAIGN])), max_size=6)
providers = st.lists(st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 4), st.integers(0, 3)), max_size=5)


@given(organisations, providers, st.integers(1, 6), st.integers(1, 6))
def test_no_trunk_gets_more_than_it_takes_and_nobody_waits_beside_an_open_one(
    made: list[tuple[int, list[int], int]], owned: list[tuple[int, int, int, int]], cps: int, channels: int,
) -> None:
    main = Trunk(MAIN, cps, channels)
    trunks = [own(place, organisation, legs, room) for place, (organisation, legs, room, _) in enumerate(owned)]
    used = {f"p{place}": count for place, (_, _, _, count) in enumerate(owned)}
    waiting = [of(organisation, str(place), *(f"49{one}" for one in numbers), rank=rank)
               for place, (organisation, numbers, rank) in enumerate(made)]
    found = allocated(*waiting, by=shared(*trunks, main=main, used=used))
    by_id = {one.call_id: one.wants for one in waiting}
    known = {one.name: one for one in (main, *trunks)}
    legs = Counter(grant.trunk for grant in found.grants)
    assert all(known[grant.trunk].organisation_id in (None, by_id[grant.call_id].organisation_id)
               for grant in found.grants)
    assert all(count <= min(known[name].cps, max(0, known[name].channels - used.get(name, 0)))
               for name, count in legs.items())
    rung = {grant.wanted.number for grant in found.grants}
    for one in waiting:
        if one.wants.rank != HOTLINE or all(wanted.number in rung for wanted in one.wants.numbers):
            continue    # the others are spaced evenly: one at a time
        mine = [main, *(trunk for trunk in trunks if trunk.organisation_id == one.wants.organisation_id)]
        assert any(used.get(trunk.name, 0) + legs[trunk.name] >= trunk.channels or legs[trunk.name] >= trunk.cps
                   for trunk in mine)


# --- the pace of one campaign


def called(name: str, number: str, campaign: str = "campaign 1", cps: float = 10) -> Waiting:
    return Waiting(name, Wants(CAMPAIGN, T0, (Wanted(number),), speed=Speed(campaign, cps)))


def test_a_campaign_is_dialled_no_faster_than_its_own_pace_whatever_the_trunk_takes() -> None:
    by, dialled = lines(Trunk(MAIN, 1000, 1000)), []
    for tick in range(300):
        waiting = [called(f"call {n}", f"49{tick}{n}") for n in range(40)]
        found = allocate(waiting, by, (), {}, {}.get, tick / 100)
        by = Lines(by.trunks, found.paces, {})
        dialled += [tick / 100] * len(found.grants)
    assert max(sum(1 for at in dialled if one <= at < one + 1) for one in dialled) == 10
    assert len(dialled) >= 27


def test_a_slow_campaign_keeps_nobody_else_waiting() -> None:
    found = allocated(called("a", "491"), called("b", "492"), called("c", "493", "campaign 2"), alarm("d", "494"),
                      by=lines(Trunk(MAIN, 1000, 1000)))
    assert {one.call_id for one in found.grants} == {"d", "a", "c"}
    assert found.again_in_s is not None and found.again_in_s > 0


def test_a_pace_that_was_changed_counts_for_the_next_call() -> None:
    after = Lines((Trunk(MAIN, 100, 100),), allocated(called("a", "491", cps=1)).paces, {})
    slow = allocate([called("b", "492", cps=1)], after, (), {}, {}.get, 0.5)
    fast = allocate([called("b", "492", cps=100)], after, (), {}, {}.get, 1.1)
    assert (len(slow.grants), len(fast.grants)) == (0, 1)
