"""What is in use follows from the calls' states; free phones go to whom they are due."""

from dataclasses import replace

from engine.ledger import Ledger
from engine.vocabulary.events import HungUp
from tests.playbook import CALLER, Playbook, a_hotline, at, phone


def ledger(cps: float = 100, channels: int = 100) -> Ledger:
    return Ledger(cps, channels, now_s=0)


def test_legs_are_known_by_their_ids_and_gone_with_the_call() -> None:
    book, noted = Playbook.of().grants(1, 2), ledger()
    noted.note("call", book.state)
    assert noted.legs() == {CALLER, "leg-1", "leg-2"}
    assert noted.call_of("leg-2") == "call"
    noted.note("call", book.tells(HungUp(at(1), "leg-2", 17, 486)).state)
    assert noted.call_of("leg-2") is None
    noted.drop("call")
    assert noted.legs() == set() and not noted.is_wanted


def test_a_phone_that_one_call_rings_is_not_granted_to_another() -> None:
    noted = ledger()
    first, second = Playbook.of(), Playbook.of()
    noted.note("first", first.grants(1, 2).state)
    noted.note("second", replace(second.state, leg="1795291439.33478"))
    granted = noted.grant(now_s=0)
    assert [(one.call_id, one.phone) for one in granted.grants] == [("first", phone(3))]
    assert granted.again_in_s is None, "the second call waits for a phone, not for the budget"


def test_outbound_channels_are_counted_over_all_callers_of_a_hotline() -> None:
    noted = ledger()
    noted.note("first", Playbook.of(a_hotline(3, channels_outbound=2)).grants(1).state)
    assert [one.phone for one in noted.grant(now_s=0).grants] == [phone(2)]


def test_the_trunks_budget_says_when_to_look_again() -> None:
    noted = ledger(cps=2)
    noted.note("call", Playbook.of().state)
    granted = noted.grant(now_s=0)
    assert len(granted.grants) == 2
    assert granted.again_in_s == 0.5


def test_a_full_trunk_grants_nothing() -> None:
    noted = ledger(channels=1)
    noted.note("call", Playbook.of().state)
    granted = noted.grant(now_s=0)
    assert granted.grants == [] and granted.again_in_s is not None
