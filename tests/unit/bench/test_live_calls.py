"""The percentile of a histogram, as the bench of live calls reads it."""

import pytest

from bench.live_calls import quantile


@pytest.mark.parametrize(("share", "wanted"), [(0.5, 0.001), (0.75, 0.0055), (1.0, 0.01)])
def test_it_is_spread_evenly_within_a_bucket(share: float, wanted: float) -> None:
    assert quantile({0.001: 50, 0.01: 100, float("inf"): 100}, share) == pytest.approx(wanted)


def test_beyond_the_last_limit_it_is_that_limit() -> None:
    assert quantile({0.001: 0, 0.01: 0, float("inf"): 5}, 0.99) == 0.01
