import io

from rich.console import Console

from engine.demo.meter import Meter, finished, words

PROGRESS = {"live": 42, "callsPerSecond": 14.76, "answerRate": 0.6125, "transmissions": {
    "made": 160, "pending": 0, "retry": 7, "processing": 42, "completed": 95, "failed": 12, "invalid": 4}}


def test_who_is_not_called_any_more_is_finished() -> None:
    assert finished(PROGRESS) == 111


def test_before_the_first_call_has_ended_there_is_no_rate_of_answers() -> None:
    assert words(PROGRESS) == "42 live, 14.8 calls/s, 61% answered"
    assert words({**PROGRESS, "answerRate": None}) == "42 live, 14.8 calls/s"


def test_a_pipe_gets_the_last_line_alone() -> None:
    pipe = io.StringIO()
    with Meter(Console(file=pipe, width=100), 7, 200) as meter:
        meter.tell({**PROGRESS, "live": 3})
        meter.tell(PROGRESS)
    assert pipe.getvalue().split()[:2] == ["campaign", "7"]
    assert pipe.getvalue().split()[-6:] == ["111/200", "42", "live,", "14.8", "calls/s,", "61%", "answered"][-6:]
    assert "3 live" not in pipe.getvalue().replace("42 live", "")
