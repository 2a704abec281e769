"""The engine's figures, as prometheus reads them."""

from dataclasses import dataclass
from datetime import datetime

from engine.figures import Figures
from engine.flows.hotline_state import State
from engine.vocabulary.commands import Dial, Play
from engine.vocabulary.events import DigitsEntered, Joined
from tests.playbook import CALLER, CHANNEL, Playbook, arrival, at


@dataclass
class Measured:
    state: State
    accepted_at: datetime | None = None
    has_dialled: bool = False


def measured() -> Measured:
    return Measured(Playbook.of().state)


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
    figures.live({"waiting": 2}, 0.003)
    figures.live({"talking": 1}, 0.004)
    figures.finished("answered")
    figures.finished("answered")
    assert sample(figures, 'ringward_live_calls{phase="waiting"}') == 0
    assert sample(figures, 'ringward_live_calls{phase="talking"}') == 1
    assert sample(figures, 'ringward_calls_total{outcome="answered"}') == 2
    assert sample(figures, "ringward_ami_lag_seconds") == 0.004


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
