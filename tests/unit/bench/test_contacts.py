"""What the bench of long lists makes of its imports."""

from bench.contacts import imports


def test_a_row_of_the_long_list_may_take_a_fifth_longer() -> None:
    rate, cost = imports([30_000, 36_000, 24_000], 25_000)
    assert (rate.figure, rate.held) == (25_000, True)
    assert (cost.figure, cost.minimum, cost.maximum, cost.held) == (1.2, 0.96, 1.44, True)


def test_it_must_be_fast_as_well() -> None:
    rate, cost = imports([10_000], 19_999)
    assert not rate.held and cost.held
