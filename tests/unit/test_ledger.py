"""What is in use follows from the calls' states; free phones go to whom they are due."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from engine.flows import hotline
from engine.flows.flow import Apart, Leg, Owner
from engine.ledger import Ledger
from engine.policy.capacity import GROUP_S
from engine.policy.routing import ALARM, CAMPAIGN, Allocation, Wanted, Wants
from engine.policy.throttle import Limit
from engine.policy.trunks import MAIN, Trunk
from engine.restraint import Restraint
from engine.vocabulary.events import HungUp
from tests.playbook import CALLER, T0, Playbook, a_hotline, at, phone


def ledger(cps: float = 100, channels: int = 100, restraint: Restraint | None = None, headroom: float = 0) -> Ledger:
    return Ledger([Trunk(MAIN, cps, channels)], restraint or Restraint(), headroom)


def note(noted: Ledger, call_id: str, book: Playbook, **changes: Any) -> None:
    noted.note(call_id, hotline, replace(book.state, **changes))


def grant(noted: Ledger, now_s: float = 0, only_hotlines: bool = False) -> Allocation:
    return noted.grant(T0, now_s, only_hotlines)


@dataclass(frozen=True)
class Crowd:
    """A state of many pieces: legs by piece, and what is wanted."""

    many: tuple[tuple[Leg, ...], ...] = ()
    wanted: tuple[Wanted, ...] = ()
    rank: int = ALARM


class CrowdFlow:
    """engine.flows.flow.Flow for it. Counts the pieces that it was asked about."""

    NAME, VERSION, APART = "crowd", 1, Apart((), "many")

    def __init__(self) -> None:
        self.asked = 0

    def owner(self, state: Crowd) -> Owner:
        return Owner(1)

    def legs(self, piece: tuple[Leg, ...]) -> tuple[Leg, ...]:
        self.asked += 1
        return piece

    def wants(self, state: Crowd) -> Wants | None:
        return Wants(state.rank, T0, state.wanted) if state.wanted else None


def test_legs_are_known_by_their_ids_and_gone_with_the_call() -> None:
    book, noted = Playbook.of().grants(1, 2), ledger()
    note(noted, "call", book)
    assert noted.legs() == {CALLER, "leg-1", "leg-2"} and noted.used() == {MAIN: 3}
    assert noted.call_of("leg-2") == "call"
    note(noted, "call", book.tells(HungUp(at(1), "leg-2", 17, 486)))
    assert noted.call_of("leg-2") is None
    noted.drop("call")
    assert noted.legs() == set() and not noted.is_wanted and not any(noted.used().values())


def test_of_many_pieces_only_those_are_looked_at_that_are_new() -> None:
    flow, noted = CrowdFlow(), ledger()
    crowd = Crowd(tuple((Leg(f"leg-{place}", f"49{place}"),) for place in range(1000)))
    noted.note("crowd", flow, crowd)  # type: ignore[arg-type]
    assert flow.asked == 1000
    noted.note("crowd", flow, replace(crowd, many=((), *crowd.many[1:])))  # type: ignore[arg-type]
    assert flow.asked == 1001
    assert noted.call_of("leg-0") is None and noted.call_of("leg-999") == "crowd" and len(noted.legs()) == 999


def test_a_number_passes_from_one_leg_of_a_call_to_the_next() -> None:
    flow, noted = CrowdFlow(), ledger()
    noted.note("crowd", flow, Crowd(((Leg("leg-1", "49301"),),)))  # type: ignore[arg-type]
    noted.note("crowd", flow, Crowd(((Leg("leg-2", "49301"),),), (Wanted("49301"),)))  # type: ignore[arg-type]
    assert grant(noted).grants == [] and noted.legs() == {"leg-2"}
    noted.note("crowd", flow, Crowd(((),), (Wanted("49301"),)))  # type: ignore[arg-type]
    assert [one.wanted.number for one in grant(noted).grants] == ["49301"]


def test_a_phone_that_one_call_rings_is_not_granted_to_another() -> None:
    noted = ledger()
    first, second = Playbook.of(), Playbook.of()
    note(noted, "first", first.grants(1, 2))
    note(noted, "second", second, leg="1795291439.33478")
    granted = grant(noted)
    assert [(one.call_id, one.wanted.phone) for one in granted.grants] == [("first", phone(3))]
    assert granted.again_in_s is None and granted.blocked == ["second"], "it waits for a phone, not for the budget"


def test_who_can_get_nothing_is_told_once_and_asked_again_when_a_leg_ends() -> None:
    noted = ledger()
    note(noted, "first", Playbook.of(a_hotline(1)).grants(1))
    note(noted, "second", Playbook.of(a_hotline(1)), leg="1795291439.33478")
    assert [grant(noted).blocked for _ in range(3)] == [["second"], [], []]
    noted.drop("first")
    assert [one.call_id for one in grant(noted).grants] == ["second"]


def test_a_hotline_at_its_limit_is_asked_again_when_one_of_its_legs_ends() -> None:
    noted = ledger()
    book = Playbook.of(a_hotline(2, channels_outbound=1)).grants(1)
    note(noted, "call", book)
    assert [grant(noted).blocked for _ in range(2)] == [["call"], []]
    note(noted, "call", book.tells(HungUp(at(1), "leg-1", 17, 486)))
    assert [one.wanted.phone for one in grant(noted).grants] == [phone(2)]


def test_outbound_channels_are_counted_over_all_callers_of_a_hotline() -> None:
    noted = ledger()
    note(noted, "first", Playbook.of(a_hotline(3, channels_outbound=2)).grants(1))
    assert [one.wanted.phone for one in grant(noted).grants] == [phone(2)]


def test_the_trunks_budget_says_when_to_look_again() -> None:
    noted = ledger(cps=2)
    note(noted, "call", Playbook.of())
    granted = grant(noted)
    assert len(granted.grants) == 2
    assert granted.again_in_s == 1.05


def test_what_was_granted_counts_from_when_it_was_sent() -> None:
    noted = ledger(cps=2)
    note(noted, "call", Playbook.of())
    assert len(grant(noted).grants) == 2
    noted.carried_out(now_s=2.0)
    assert grant(noted, now_s=3.0).grants == [] and len(grant(noted, now_s=3.06).grants) == 2


def test_a_full_trunk_grants_nothing_until_a_leg_ends() -> None:
    noted = ledger(channels=1)
    note(noted, "call", Playbook.of())
    granted = grant(noted)
    assert granted.grants == [] and granted.blocked == [] and granted.again_in_s is None


def test_a_dial_that_is_sent_once_more_counts_like_any_other() -> None:
    noted = ledger(cps=1)
    assert noted.takes("a trunk that is no more", 1, now_s=0)
    assert not noted.takes(MAIN, 0, now_s=1)
    assert noted.takes(MAIN, 0, now_s=1.06)


def test_alarms_wait_while_nobody_knows_what_lives_on_the_switch_and_hotlines_do_not() -> None:
    noted = ledger()
    note(noted, "caller", Playbook.of(a_hotline(1)))
    noted.note("alarm", CrowdFlow(), Crowd((), (Wanted("49301"),)))  # type: ignore[arg-type]
    assert [one.call_id for one in grant(noted, only_hotlines=True).grants] == ["caller"]
    assert "alarm" in [one.call_id for one in grant(noted, now_s=0.1).grants]


def test_a_delay_is_told_once_and_again_when_it_becomes_longer() -> None:
    passed_s = 0.0
    restraint = Restraint(clock_s=lambda: passed_s)
    restraint.load([("49301", 60 * minute) for minute in (2, 4, 6)], ())
    noted = ledger(restraint=restraint)
    noted.note("alarm", CrowdFlow(), Crowd((), (Wanted("49301", is_repeat=True),)))  # type: ignore[arg-type]
    first = noted.grant(T0, 0)
    assert [(one.call_id, one.number, one.until) for one in first.delays] == [
        ("alarm", "49301", T0 + timedelta(minutes=9))]
    assert first.grants == [] and first.again_in_s == 9 * 60
    passed_s = 1.0
    assert noted.grant(T0 + timedelta(seconds=1.2), 1).delays == []     # two clocks never agree to the microsecond
    passed_s = 541.0
    restraint.dialled("49301")
    later = noted.grant(T0 + timedelta(minutes=9, seconds=1), 2)
    assert [one.until for one in later.delays] == [T0 + timedelta(minutes=11)]


@pytest.mark.parametrize("by_s", [3600, -3600])
def test_a_number_rests_as_long_when_the_switchs_clock_jumps_and_the_new_end_is_told(by_s: float) -> None:
    restraint = Restraint(clock_s=lambda: 0.0)
    restraint.load([("49301", 60 * minute) for minute in (2, 4, 6)], ())
    noted = ledger(restraint=restraint)
    noted.note("alarm", CrowdFlow(), Crowd((), (Wanted("49301", is_repeat=True),)))  # type: ignore[arg-type]
    noted.grant(T0, 0)
    jumped = T0 + timedelta(seconds=by_s)
    found = noted.grant(jumped, 1)
    assert (found.grants, [one.until for one in found.delays]) == ([], [jumped + timedelta(minutes=9)])
    assert found.again_in_s == 9 * 60


def test_alarms_take_turns() -> None:
    noted = ledger(cps=20)
    for name in ("large", "small"):
        numbers = tuple(Wanted(f"49{name}{place}") for place in range(5))
        noted.note(name, CrowdFlow(), Crowd((), numbers))  # type: ignore[arg-type]
    served: list[str] = []
    for place in range(4):
        served += [one.call_id for one in grant(noted, now_s=place * 0.0525).grants]
    assert served == ["large", "small", "large", "small"]


def test_what_an_engine_before_dialled_counts_for_the_pace() -> None:
    noted = ledger(cps=2)
    note(noted, "call", Playbook.of())
    noted.begin_after([0.5, 300], now_s=10)
    assert len(grant(noted, now_s=10).grants) == 1


def test_a_rest_that_is_as_good_as_over_is_waited_for_without_a_word() -> None:
    restraint = Restraint((Limit(1, 60),), clock_s=lambda: 0.0)
    restraint.load([("49301", 59.99), ("49302", 50)], ())
    noted = ledger(restraint=restraint)
    noted.note("crowd", CrowdFlow(), Crowd((), (Wanted("49301", True), Wanted("49302", True))))  # type: ignore[arg-type]
    found = grant(noted)
    assert [delay.number for delay in found.delays] == ["49302"] and found.grants == []
    assert found.again_in_s is not None and abs(found.again_in_s - 0.01) < 0.001


# --- organisations' own trunks


def provider(name: str = "p7", organisation: int = 1, cps: float = 100, channels: int = 100) -> Trunk:
    return Trunk(name, cps, channels, organisation_id=organisation)


def granted_to(noted: Ledger, now_s: float = 0) -> list[str]:
    return [one.trunk for one in grant(noted, now_s).grants]


def test_a_provider_counts_from_when_it_is_put_until_it_is_gone() -> None:
    noted = ledger()
    note(noted, "call", Playbook.of(a_hotline(1)))
    noted.put_providers([provider(), provider("p8", organisation=2)], 0)
    assert granted_to(noted) == ["p7"]
    noted.put_providers([], 1)
    assert granted_to(noted, 5) == [MAIN]


def test_a_leg_of_a_removed_provider_counts_until_it_ends() -> None:
    noted, flow = ledger(), CrowdFlow()
    noted.put_providers([provider(channels=1)], 0)
    noted.note("crowd", flow, Crowd(((Leg("leg-1", "49301", "p7"),),)))  # type: ignore[arg-type]
    noted.put_providers([], 1)
    assert noted.used() == {"p7": 1}
    noted.put_providers([provider(channels=1)], 2)
    note(noted, "call", Playbook.of(a_hotline(1)))
    assert granted_to(noted, 5)[:1] == [MAIN], "it came back, and its one channel is in use"
    noted.note("crowd", flow, Crowd(((),)))  # type: ignore[arg-type]
    assert noted.used()["p7"] == 0 and granted_to(noted, 10) == ["p7"]


def test_a_leg_of_a_provider_that_nobody_has_put_yet_ends_where_it_began() -> None:
    noted, flow = ledger(), CrowdFlow()
    noted.note("crowd", flow, Crowd(((Leg("leg-1", "49301", "p7"),),)))  # type: ignore[arg-type]
    noted.put_providers([provider()], 0)
    noted.drop("crowd")
    assert not any(noted.used().values())


def test_neither_removal_nor_change_nor_a_former_engine_lets_a_provider_dial_faster() -> None:
    noted = ledger()
    noted.put_providers([provider(cps=1)], 0)
    note(noted, "call", Playbook.of(a_hotline(1)))
    assert granted_to(noted) == ["p7"]
    noted.put_providers([], 0.1)
    noted.put_providers([provider(cps=1)], 0.2)
    assert granted_to(noted, 0.3) == [] and granted_to(noted, 1.2) == ["p7"]
    later = ledger()
    later.begin_after([0.5], 10)
    later.put_providers([provider(cps=1)], 10.1)
    note(later, "call", Playbook.of(a_hotline(1)))
    assert granted_to(later, 10.2) == [] and granted_to(later, 10.7) == ["p7"]


def test_who_waits_for_a_pace_alone_is_looked_at_when_it_allows_more_or_somebody_else_comes() -> None:
    noted, flow = ledger(cps=10), CrowdFlow()
    for place in range(3):
        noted.note(f"call-{place}", flow, Crowd((), (Wanted(f"4930{place}"),)))
    (first,) = grant(noted).grants
    noted.note(first.call_id, flow, Crowd(((Leg("a", first.wanted.number),),)))
    (waits_s,) = {grant(noted).again_in_s, grant(noted, 0.0).again_in_s}
    assert waits_s is not None and 0 < waits_s < 0.2
    noted.drop(first.call_id)
    early = grant(noted, waits_s / 2)
    assert early.grants == [] and early.again_in_s == waits_s / 2
    assert len(grant(noted, waits_s + 0.001).grants) == 1
    hotline_call = Playbook.of()
    note(noted, "caller", hotline_call)
    assert [one.call_id for one in grant(noted, waits_s + 0.002).grants][:1] == ["caller"]


def test_campaigns_are_granted_in_groups_unless_somebody_else_waits() -> None:
    noted, flow = ledger(cps=100), CrowdFlow()

    def wants(call_id: str, rank: int, numbers: int) -> None:
        wanted = tuple(Wanted(f"49{rank}{place}") for place in range(numbers))
        noted.note(call_id, flow, Crowd((), wanted, rank))  # type: ignore[arg-type]

    wants("campaign", CAMPAIGN, 100)
    assert grant(noted).grants
    wants("campaign", CAMPAIGN, 100)
    assert grant(noted, 0.001).again_in_s == GROUP_S - 0.001
    assert grant(noted, 0.001 + GROUP_S * 0.9).grants == [], "some would be due"
    assert len(grant(noted, 0.0011 + GROUP_S).grants) >= 2
    wants("alarm", ALARM, 2)
    (again_in_s,) = {grant(noted, 0.0012 + GROUP_S).again_in_s}
    assert again_in_s is not None and again_in_s < GROUP_S
