"""How long a heartbeat has been the same, for who watches it."""

from engine.store.pulse import Pulse


def test_what_is_seen_for_the_first_time_has_not_been_silent() -> None:
    assert Pulse().silent_s("a", 1000) == 0


def test_silence_lasts_until_the_next_beat_whichever_that_is() -> None:
    pulse = Pulse()
    assert [pulse.silent_s(beat, at_s) for beat, at_s in (("b", 1), ("b", 9), ("a", 10), ("a", 12))] == [0, 8, 0, 2]


def test_what_nobody_could_look_at_was_no_silence() -> None:
    pulse = Pulse()
    pulse.silent_s("a", 1)
    pulse.forget()
    assert pulse.silent_s("a", 20) == 0
    assert pulse.silent_s("a", 21) == 1
