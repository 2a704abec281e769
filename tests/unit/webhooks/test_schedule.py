"""Back-off: the pauses, their jitter, their end."""

from hypothesis import given
from hypothesis import strategies as st

from api.webhooks.schedule import HOUR_S, Schedule

DEFAULT = Schedule()
CHANCE = st.floats(0, 1, exclude_max=True)


def test_the_pauses_grow_and_end_within_a_day() -> None:
    pauses = [DEFAULT.again_after_s(tries, 0) for tries in range(1, 12)]
    assert pauses == [5, 30, 120, 600, 1800, 3600, 7200, 14400, 21600, 36000, None]
    assert 23 * HOUR_S < sum(it for it in pauses if it) < 24 * HOUR_S


@given(st.integers(1, 10), CHANCE)
def test_jitter_only_shortens_and_by_a_fifth_at_most(tries: int, chance: float) -> None:
    pause, longest = DEFAULT.again_after_s(tries, chance), DEFAULT.pauses_s[tries - 1]
    assert pause is not None and 0.8 * longest <= pause <= longest


@given(st.integers(1, 10), CHANCE, st.floats(0, 1e9))
def test_a_receivers_wish_lengthens_a_pause_up_to_an_hour_and_never_shortens_it(
        tries: int, chance: float, wish: float) -> None:
    without, pause = DEFAULT.again_after_s(tries, chance), DEFAULT.again_after_s(tries, chance, wish)
    assert without is not None and pause is not None
    assert pause >= without
    assert pause == without or pause == min(wish, HOUR_S)


@given(st.integers(11, 10**6), CHANCE, st.floats(0, 1e9))
def test_after_the_last_pause_nothing_follows_whatever_is_wished(tries: int, chance: float, wish: float) -> None:
    assert DEFAULT.again_after_s(tries, chance, wish) is None
