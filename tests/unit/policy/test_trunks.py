"""By which trunk a number is dialled, and by which next."""

from engine.policy.trunks import MAIN, Trunk, failover_order, own_trunks, trunk_of

MAIN_ONE = Trunk(MAIN, 50, 100)
ALPINE = Trunk("alpine", 20, 50, ("43", "41"))
VIENNA = Trunk("vienna", 20, 50, ("431",))
SPARE = Trunk("spare", 20, 50)


def order(number: str, *trunks: Trunk) -> list[str]:
    return [trunk.name for trunk in failover_order(trunks, number)]


def test_the_longest_prefix_comes_first_and_trunks_for_everything_last_in_their_order() -> None:
    assert order("43123", MAIN_ONE, ALPINE, VIENNA, SPARE) == ["vienna", "alpine", MAIN, "spare"]
    assert order("43999", MAIN_ONE, ALPINE, VIENNA, SPARE) == ["alpine", MAIN, "spare"]
    assert order("4930", MAIN_ONE, ALPINE, VIENNA, SPARE) == [MAIN, "spare"]


def test_a_number_that_no_trunk_names_goes_by_the_first() -> None:
    assert order("4930", ALPINE, VIENNA) == ["alpine"]
    assert order("4930", ALPINE) == ["alpine"]


def test_hotlines_may_fill_a_trunk_and_others_leave_head_room() -> None:
    assert MAIN_ONE.room(0, 0.2) == 100 and MAIN_ONE.room(1, 0.2) == MAIN_ONE.room(2, 0.2) == 80


def test_a_channels_name_says_its_trunk() -> None:
    assert trunk_of("PJSIP/trunk-0000002a") == "trunk" and trunk_of("PJSIP/the-alps.5f0c11aa-0000002a") == "the-alps"
    assert trunk_of("") == ""


def test_head_room_leaves_others_one_leg_at_least() -> None:
    assert Trunk(MAIN, 1, 2).room(1, 0.9) == 1 and Trunk(MAIN, 1, 10).room(1, 0.7) == 3


# --- organisations' own


def own(provider_id: int, organisation: int = 1, weight: int = 10) -> Trunk:
    return Trunk(f"p{provider_id}", 20, 50, organisation_id=organisation, weight=weight)


def test_own_trunks_by_organisation_the_lighter_first_and_of_equal_weight_the_older() -> None:
    found = own_trunks([own(2), own(9, weight=3), own(10), own(3, organisation=2), own(11, weight=-1)])
    assert {org: [one.name for one in trunks] for org, trunks in found.items()} == {
        1: ["p11", "p9", "p2", "p10"], 2: ["p3"]}


def test_an_organisations_own_come_before_those_of_the_settings_whatever_the_number() -> None:
    for trunks, number, then in (
        ([MAIN_ONE], "4930", [MAIN]), ([MAIN_ONE, ALPINE], "43999", ["alpine", MAIN]), ([ALPINE], "4930", ["alpine"]),
    ):
        found = failover_order(trunks, number, [own(2), own(1)])
        assert [one.name for one in found] == ["p2", "p1", *then]
