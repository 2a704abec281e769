"""A lease is renewed for those of whom it is known that they still wait."""

from datetime import UTC, datetime

from engine.switch.asterisk.renewals import Renewals
from engine.vocabulary.events import FallbackStarted, HungUp, Joined

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CALLER, OTHER, AGENT = "1795291439.7", "1795291439.8", "0dd068ac-0000-0000-0000-000000000000"


def asked(*legs: str) -> Renewals:
    renewals = Renewals(within_s=1.0)
    assert renewals.ask(5, legs, 10, now_s=100.0) == "renew:5"
    return renewals


def test_it_goes_out_with_the_answer_and_once() -> None:
    renewals = asked(CALLER, OTHER)
    assert renewals.answered("5", 100.2) == ([CALLER, OTHER], 10)
    assert renewals.answered("5", 100.3) == ((), 0)


def test_an_answer_that_took_too_long_renews_nothing() -> None:
    assert asked(CALLER).answered("5", 101.0) == ((), 0)


def test_not_for_a_caller_whom_the_dialplan_joined_to_an_agent_before_the_answer() -> None:
    renewals = asked(CALLER, OTHER)
    renewals.told(Joined(NOW, AGENT, CALLER))
    assert renewals.answered("5", 100.2) == ([OTHER], 10)


def test_not_for_one_of_whom_that_was_told_before_the_question() -> None:
    renewals = Renewals(within_s=1.0)
    renewals.told(Joined(NOW, AGENT, CALLER))
    renewals.ask(5, [CALLER], 10, now_s=100.0)
    assert renewals.answered("5", 100.2) == ([], 10)


def test_not_for_one_in_the_fallback_until_an_order_takes_him_out_of_it() -> None:
    renewals = asked(CALLER)
    renewals.told(FallbackStarted(NOW, CALLER, "PJSIP/trunk-1", "4930", "4917"))
    assert renewals.answered("5", 100.2) == ([], 10)
    renewals.ordered(CALLER)
    renewals.ask(6, [CALLER], 10, now_s=101.0)
    assert renewals.answered("6", 101.2) == ([CALLER], 10)


def test_not_for_one_to_whom_an_order_goes_out_meanwhile() -> None:
    renewals = asked(CALLER)
    renewals.ordered(CALLER)
    assert renewals.answered("5", 100.2) == ([], 10)


def test_nothing_is_kept_of_calls_that_are_over() -> None:
    renewals = Renewals(within_s=1.0)
    renewals.told(Joined(NOW, AGENT, CALLER))
    for leg in (AGENT, CALLER):
        renewals.told(HungUp(NOW, leg, 16, 0))
    assert not renewals._moved


def test_questions_that_nobody_answers_are_forgotten() -> None:
    renewals = asked(CALLER)
    renewals.ask(6, [OTHER], 10, now_s=102.0)
    assert list(renewals._asked) == ["6"]
