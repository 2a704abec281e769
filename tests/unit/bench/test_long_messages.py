"""How many calls live at once, and what is judged by it."""

from bench.load_phones import Journal
from bench.long_messages import fewest_live, judged
from bench.windows import Window


def call(begin: float, end: float) -> Journal:
    return Journal("4915120000000", begin, end, 0.0, "", 1200, 1200, 0, 0.02)


def test_live_calls_are_the_fewest_of_all_moments() -> None:
    calls = [call(0, 24), call(1, 25), call(2, 26)]
    assert fewest_live(calls, Window(2.0, 20.0, {})) == 3
    assert fewest_live(calls, Window(2.0, 25.0, {})) == 2
    assert fewest_live(calls, Window(0.5, 20.0, {})) == 1


def test_more_than_26_calls_a_second_and_more_than_600_at_once_are_needed() -> None:
    for rate, held in ((28, True), (24, False)):
        calls = [call(at / rate, at / rate + 24.1) for at in range(60 * rate)]
        results = judged(calls, [], [Window(30.0, 38.0, {"engine": 0.8})])
        assert [result.held for result in results[:2]] == [held, held]
        assert results[2].held


def test_calls_that_were_not_right_do_not_count_and_are_told() -> None:
    [rate, live, wrong, _] = judged([], [call(0, 31)], [Window(30.0, 38.0, {"engine": 0.8})])
    assert (rate.figure, live.figure, wrong.figure) == (0, 0, 1)
    assert not (rate.held or live.held or wrong.held)
