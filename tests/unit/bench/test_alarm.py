"""How many calls an alarm makes in any second, wherever that second begins."""

from bench.alarm import CPS, busiest_second


def test_an_even_pace_has_its_own_number_in_the_busiest_second() -> None:
    # eighths are exact in binary: the ninth is a whole second after the first
    assert busiest_second([place / 8 for place in range(100)]) == 8


def test_a_burst_over_the_turn_of_a_second_is_seen() -> None:
    times = [0.9 + place / 1000 for place in range(CPS)] + [1.1 + place / 1000 for place in range(CPS)]
    assert busiest_second(times) == 2 * CPS


def test_a_second_ends_before_the_next_one_begins() -> None:
    assert busiest_second([0.0, 0.5, 1.0]) == 2
    assert busiest_second([0.0, 0.5, 0.999]) == 3


def test_times_need_no_order() -> None:
    assert busiest_second([0.1, 5.0, 5.2, 0.0, 5.4]) == 3
