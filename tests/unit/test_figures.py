"""The engine's figures, as prometheus reads them."""

from dataclasses import dataclass, replace
from datetime import datetime

from engine.figures import Figures
from engine.vocabulary.commands import Dial, DialAlarm, Play, WriteAttempt
from engine.vocabulary.events import DigitsEntered, Joined
from engine.vocabulary.values import AlarmAsk, Disposition
from tests.playbook import CALLER, CHANNEL, arrival, at


@dataclass
class Measured:
    began_at: datetime
    accepted_at: datetime | None = None
    has_dialled: bool = False


def measured() -> Measured:
    return Measured(at(0))


DIAL = Dial("leg-1", "49300001", "4930555", 25, "ask", "taken", 3, CHANNEL)


def sample(figures: Figures, name: str) -> float:
    for line in figures.text().splitlines():
        if line.rsplit(" ", 1)[0] == name:
            return float(line.rsplit(" ", 1)[1])
    raise AssertionError(f"{name} not in\n{figures.text()}")


def test_set_up_is_from_the_arrival_to_the_first_dial_and_counts_once_a_call() -> None:
    figures, call = Figures(), measured()
    figures.stepped(call, arrival())
    figures.sent(call, [Play(CALLER, "greeting")], at(0.01))
    figures.sent(call, [DIAL], at(0.04))
    figures.sent(call, [DIAL], at(9))
    assert sample(figures, "ringward_setup_seconds_count") == 1
    assert sample(figures, "ringward_setup_seconds_sum") == 0.04
    assert sample(figures, 'ringward_setup_seconds_bucket{le="0.05"}') == 1


def test_accept_is_from_the_key_to_the_talk() -> None:
    figures, call = Figures(), measured()
    figures.stepped(call, DigitsEntered(at(2), "leg-1", ""))
    figures.stepped(call, DigitsEntered(at(5), "leg-2", "1"))
    figures.stepped(call, DigitsEntered(at(5.1), "leg-1", "1"))
    figures.stepped(call, Joined(at(5.25), CALLER, "leg-2"))
    assert sample(figures, "ringward_accept_seconds_sum") == 0.25


def test_a_join_without_a_key_of_ours_is_not_measured() -> None:
    figures = Figures()
    figures.stepped(measured(), Joined(at(5), CALLER, "leg-1"))
    assert sample(figures, "ringward_accept_seconds_count") == 0


def test_live_calls_by_phase_and_ended_ones_by_outcome() -> None:
    figures = Figures()
    figures.live("hotline", {"waiting": 2})
    figures.live("hotline", {"talking": 1})
    figures.live("alarm", {"ringing": 3})
    figures.lines({"trunk": 5}, 0.004)
    figures.finished("hotline", "answered")
    figures.finished("hotline", "answered")
    figures.finished("alarm", "acknowledged")
    assert sample(figures, 'ringward_live_calls{phase="waiting"}') == 0
    assert sample(figures, 'ringward_live_calls{phase="talking"}') == 1
    assert sample(figures, 'ringward_calls_total{outcome="answered"}') == 2
    assert sample(figures, 'ringward_live_alarms{phase="ringing"}') == 3
    assert sample(figures, 'ringward_alarms_total{outcome="acknowledged"}') == 1
    assert sample(figures, 'ringward_trunk_legs{trunk="trunk"}') == 5
    assert sample(figures, "ringward_ami_lag_seconds") == 0.004


def test_an_alarms_set_up_is_from_its_post_to_its_first_dial() -> None:
    figures, alarm = Figures(), measured()
    ask = AlarmAsk("cache/m", "de", "1", "9")
    figures.sent(alarm, [DialAlarm("leg-1", "4930", "trunk", "4931", 25, ask)], at(0.08))
    assert sample(figures, "ringward_alarm_setup_seconds_sum") == 0.08
    assert sample(figures, "ringward_setup_seconds_count") == 0


def test_attempts_are_counted_by_how_they_ended() -> None:
    figures = Figures()
    rung = WriteAttempt("leg-1", 1, "4930", "trunk", at(0))
    figures.saved(rung)
    figures.saved(replace(rung, disposition=Disposition.MAILBOX))
    assert sample(figures, 'ringward_alarm_attempts_total{disposition="mailbox"}') == 1


def test_each_commit_is_timed_also_when_it_fails() -> None:
    figures = Figures()
    with figures.saving():
        pass
    try:
        with figures.saving():
            raise OSError
    except OSError:
        pass
    assert sample(figures, "ringward_save_seconds_count") == 2
