"""Whose ringing a caller of the hotline has caused, and which calls count for the campaign beside it."""

import pytest

from bench.campaign_system import Prompt
from bench.flat_out import MOST_GAP_S, Reached, campaigns_own, reach_s
from bench.load_phones import Journal

AGENTS = {"4917100000001", "4917100000002"}
FIRST, SECOND = sorted(AGENTS)
CALL = Reached(0, invited_at=20.0, ended_at=21.0)
PROMPT = Prompt("sound", frames=50, audible=50)


def call(ended_at: float, gap_s: float = 0.02) -> Journal:
    return Journal("4915120000007", ended_at - 1.1, ended_at, ended_at - 0.05, "7", 50, 50, 0, gap_s)


def test_reach_is_the_time_until_the_first_agent_is_called() -> None:
    assert reach_s(AGENTS, CALL, [(SECOND, 20.05), (FIRST, 20.03)]) == pytest.approx(0.03)


def test_agents_of_another_hotline_do_not_count() -> None:
    assert reach_s(AGENTS, CALL, [("4917100000009", 20.01), (FIRST, 20.04)]) == pytest.approx(0.04)


def test_what_rang_for_the_call_before_or_after_does_not_count() -> None:
    assert reach_s(AGENTS, CALL, [(FIRST, 19.5), (FIRST, 20.06), (FIRST, 21.5)]) == pytest.approx(0.06)


def test_a_call_for_which_nobody_rang_has_no_reach() -> None:
    with pytest.raises(ValueError):
        reach_s(AGENTS, CALL, [(FIRST, 19.9), (SECOND, 21.1)])


def test_the_campaigns_calls_are_those_that_ended_while_the_hotline_was_measured() -> None:
    calls = [call(9.9), call(10.0), call(11.0), call(11.9), call(12.0)]
    assert campaigns_own(calls, PROMPT, 10.0, 12.0) == {"rate": 1.5, "right": 1.0}


def test_a_call_with_a_gap_counts_in_the_pace_and_is_not_right() -> None:
    calls = [call(10.5, MOST_GAP_S), call(11.0, MOST_GAP_S + 0.01)]
    assert campaigns_own(calls, PROMPT, 10.0, 12.0) == {"rate": 1.0, "right": 0.5}


def test_a_campaign_that_did_nothing_has_nothing_right() -> None:
    assert campaigns_own([], PROMPT, 10.0, 12.0) == {"rate": 0.0, "right": 0.0}
