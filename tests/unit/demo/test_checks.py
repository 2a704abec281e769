import pytest

from engine.demo.checks import Check, Checks


def test_a_check_that_was_not_reached_has_failed():
    checks = Checks(("first", "second"))
    checks.judge("first", True, "in time")
    assert list(checks) == [Check("first", True, "in time"), Check("second", False, "not reached")]
    assert [check.name for check in checks.failed] == ["second"]


def test_a_check_that_nobody_announced_is_a_mistake():
    with pytest.raises(KeyError):
        Checks(("first",)).judge("other", True)
