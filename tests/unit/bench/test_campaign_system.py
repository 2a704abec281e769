"""Which call of a bench is a right one."""

from typing import Any

import pytest

from bench.campaign_system import Prompt, is_right
from bench.load_phones import Journal

PROMPT = Prompt("sound", frames=50, audible=50)
GOOD = Journal("4915120000007", 10.0, 11.13, 11.1, "7", 50, 50, 0, 0.025)


def right(**changes: Any) -> bool:
    return is_right(GOOD._replace(**changes), PROMPT, 0.12)


def test_a_call_that_heard_all_pressed_its_key_and_was_hung_up_then_is_right() -> None:
    assert right()


@pytest.mark.parametrize("changes", [
    {"packets": 49}, {"audible": 40}, {"lost": 1}, {"longest_gap_s": 0.2},
    {"pressed_at": 0.0, "key": ""}, {"ended_at": 11.05},
], ids=["cut short", "partly silent", "a packet lost", "a gap", "no key", "hung up before the key was out"])
def test_a_call_with_a_fault_is_not(changes: dict[str, Any]) -> None:
    assert not right(**changes)


def test_where_no_key_is_asked_for_none_is_needed() -> None:
    assert is_right(GOOD._replace(pressed_at=0.0, key=""), PROMPT, 0.12, presses=False)
