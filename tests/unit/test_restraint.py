"""What limits that hold across restarts go by."""

from engine.policy.throttle import PIN, STORM, Limit
from engine.restraint import Restraint


class Clock:
    """Monotonic seconds that a test sets."""

    def __init__(self) -> None:
        self.at_s = 1000.0

    def __call__(self) -> float:
        return self.at_s


def test_a_number_rests_after_it_was_dialled_too_often() -> None:
    clock = Clock()
    restraint = Restraint((Limit(2, 60), Limit(3, 600)), PIN, clock)
    restraint.dialled("49301")
    assert restraint.rests_s("49301") is None
    clock.at_s += 10
    restraint.dialled("49301")
    clock.at_s += 1
    assert restraint.rests_s("49301") == 49
    clock.at_s += 20
    assert restraint.rests_s("49301") == 29
    clock.at_s += 30
    assert restraint.rests_s("49301") is None
    restraint.dialled("49301")
    clock.at_s += 1
    assert restraint.rests_s("49301") == 600 - 62
    assert restraint.rests_s("49302") is None


def test_what_was_loaded_counts_like_what_was_seen() -> None:
    clock = Clock()
    restraint = Restraint((Limit(2, 60),), Limit(2, 60), clock)
    restraint.dialled("49309")
    restraint.load([("49301", 10), ("49301", 20)], [("49301", 25), ("49301", 24)])
    assert restraint.rests_s("49301") == 40
    tries = []
    for passes_s in (0, 35.5, 0.5):
        clock.at_s += passes_s
        tries.append(restraint.pin_tries("49301"))
    assert tries == [0, 1, 2]
    assert restraint.pin_tries("49302") == 2


def test_numbers_of_long_ago_are_not_kept() -> None:
    clock = Clock()
    restraint = Restraint(STORM, PIN, clock)
    for number in range(100):
        restraint.dialled(f"49{number}")
    clock.at_s += 7200
    restraint.dialled("49301")
    assert len(restraint._dials._of) == 1


def test_a_dial_that_never_rang_does_not_count() -> None:
    clock = Clock()
    restraint = Restraint((Limit(2, 60),), PIN, clock)
    restraint.dialled("49301")
    clock.at_s += 10
    restraint.dialled("49301")
    assert restraint.rests_s("49301") == 50
    restraint.never_rang("49301")
    assert restraint.rests_s("49301") is None
    restraint.never_rang("49302")
    restraint.dialled("49301")
    assert restraint.rests_s("49301") == 50
