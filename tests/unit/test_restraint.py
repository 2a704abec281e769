"""What limits that hold across restarts go by."""

from datetime import timedelta

from engine.policy.throttle import Limit
from engine.restraint import Restraint
from tests.playbook import T0, at


def test_a_number_rests_after_it_was_dialled_too_often() -> None:
    restraint = Restraint((Limit(2, 60), Limit(3, 600)))
    restraint.dialled("49301", at(0))
    assert restraint.rests_until("49301", at(1)) is None
    restraint.dialled("49301", at(10))
    assert restraint.rests_until("49301", at(11)) == at(60)
    assert restraint.rests_until("49301", at(61)) is None
    restraint.dialled("49301", at(61))
    assert restraint.rests_until("49301", at(62)) == at(600)
    assert restraint.rests_until("49302", at(62)) is None


def test_what_was_loaded_counts_like_what_was_seen() -> None:
    restraint = Restraint((Limit(2, 60),), Limit(2, 60))
    restraint.dialled("49309", at(0))
    restraint.load([("49301", at(20)), ("49301", at(10))], [("49301", at(5)), ("49301", at(6))])
    assert restraint.rests_until("49301", at(30)) == at(70)
    assert [restraint.pin_tries("49301", at(second)) for second in (30, 65.5, 66)] == [0, 1, 2]
    assert restraint.pin_tries("49302", at(30)) == 2


def test_numbers_of_long_ago_are_not_kept() -> None:
    restraint = Restraint()
    for number in range(100):
        restraint.dialled(f"49{number}", T0)
    restraint.dialled("49301", T0 + timedelta(hours=2))
    assert len(restraint._dials._of) == 1


def test_a_dial_that_never_rang_does_not_count() -> None:
    restraint = Restraint((Limit(2, 60),))
    for second in (0, 10):
        restraint.dialled("49301", at(second))
    assert restraint.rests_until("49301", at(11)) == at(60)
    restraint.never_rang("49301")
    assert restraint.rests_until("49301", at(11)) is None
    restraint.never_rang("49302")
    restraint.dialled("49301", at(12))
    assert restraint.rests_until("49301", at(13)) == at(60)
