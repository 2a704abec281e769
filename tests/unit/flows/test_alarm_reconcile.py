"""An alarm after a restart or a lost connection: what it missed counts, what was unsaid is said, timers run again."""

from engine import codec
from engine.flows import alarm
from engine.vocabulary.commands import AskAlarm, HangUp, Hold, Play, Render
from engine.vocabulary.events import AcknowledgeOrdered, CalledBack, CancelOrdered, Declined, NoKey
from engine.vocabulary.values import AlarmAsk, Wave
from tests.alarm_playbook import Playbook, at, number, person

CHANNEL = "PJSIP/trunk-00000007"


def timers(book: Playbook) -> dict[str, float]:
    return {one.name.split()[0]: one.after_s for one in alarm.timers(book.state, at(book.seconds))}


def test_a_dial_of_unknown_fate_failed_and_is_dialled_again_in_the_same_round() -> None:
    book = Playbook.of(phones=2, rounds=1).rings(1).passes(5).compares()
    assert book.attempts == {"1": "failed"} and book.wanted == [number(1)]
    wanted = book.recipient(1).next
    assert wanted is not None and wanted.is_repeat


def test_a_phone_whose_dials_are_lost_again_and_again_is_left_for_the_next() -> None:
    book = Playbook.of(phones=2, rounds=1)
    for _ in range(4):
        assert book.wanted == [number(1)]
        book.rings(1).passes(5).compares()
    assert book.wanted == [number(1, 1)]


def test_after_a_restart_of_the_switch_who_listened_is_rung_again() -> None:
    book = Playbook.of(3, needed=3, rounds=1).rings(1, 2, 3).answers("1", "2", "3").passes(5)
    book.tells(NoKey(at(5), "2")).acknowledges("3").compares()
    assert book.attempts == {"1": "failed", "2": "mailbox", "3": "acknowledged"}
    assert book.wanted == [number(1)]


def test_who_declined_is_not_rung_again_when_his_leg_is_lost() -> None:
    book = Playbook.of(2).rings(1).answers("1").tells(Declined(at(3), "1")).passes(5).compares()
    assert book.attempts == {"1": "declined"} and book.wanted == [number(2)]


def test_a_leg_younger_than_the_snapshot_is_not_judged() -> None:
    book = Playbook.of().passes(5).rings(1).passes(0.9).compares()
    assert book.attempts == {"1": None} and book.wanted == []


def test_an_answer_that_nobody_heard_counts() -> None:
    book = Playbook.of(2).rings(1, 2).passes(5).compares(leg1="rw-alarm", leg2="ringing")
    assert [one.live[0].stage for one in book.state.recipients] == ["listening", "ringing"]


def test_timers_that_died_with_the_engine_run_again() -> None:
    book = Playbook.of(2, strategy="waves", waves=(Wave(0, (3,)), Wave(300, ())), needed=1)
    assert timers(book.passes(100)) == {"expire": 1700}
    book = Playbook.of().rings(1).busy("1").passes(20)
    assert timers(book) == {"expire": 1780, "round": 40}
    assert book.passes(40).wanted == [number(1)]
    assert timers(Playbook.silent().passes(5)) == {"begin": 0, "expire": 1795}
    assert timers(book.tells(CancelOrdered(at(60), "x"))) == {}


def test_a_clock_that_jumps_ahead_while_an_engine_lives_expires_nothing() -> None:
    book = Playbook.of().rings(1)
    book.timers = []
    book.seconds = 7200
    assert book.compares(leg1="ringing").passes(1).alarm_states == ["ringing"]


def test_a_wave_whose_timer_died_begins_in_its_time() -> None:
    people = (person(1, groups=(3,)), person(2, groups=(4,)))
    book = Playbook.of(people, strategy="waves", waves=(Wave(0, (3,)), Wave(300, ()))).passes(100)
    assert timers(book) == {"expire": 1700, "wave": 200}
    assert book.passes(200).wanted == [number(1), number(2)]


def test_speech_that_was_not_answered_is_ordered_again() -> None:
    book = Playbook.silent().compares()
    assert [one.key for one in book.last if isinstance(one, Render)] == ["m:de"]
    book.speaks().rings(1).answers("1").acknowledges("1").thanked("1").compares(leg1="rw-alarm")
    assert [one.key for one in book.last if isinstance(one, Render)] == ["c:de:1"]
    assert book.speaks().orders == (Play("1", "s/c:de:1", then="bye"),)


def test_whose_leg_rings_for_nothing_or_who_does_not_know_yet_is_told_again() -> None:
    book = Playbook.of(4).rings(1, 2, 3, 4).answers("1", "2", "3").acknowledges("1").passes(5)
    book.compares(leg1="rw-alarm", leg2="rw-alarm", leg3="rw-play", leg4="ringing")
    assert book.orders == (Play("2", "de/alarm-enough", then="bye"), HangUp("4", 26))


def test_legs_that_ended_while_nobody_looked_end_a_decided_alarm() -> None:
    book = Playbook.of(2).rings(1, 2).answers("1").acknowledges("1").passes(5).compares()
    assert book.attempts == {"1": "acknowledged", "2": "cancelled"} and book.outcome == "acknowledged"


def test_a_call_back_that_was_told_nothing_is_told() -> None:
    book = Playbook.of().tells(CalledBack(at(1), "in", CHANNEL, number(1))).compares(legin="rw-claim")
    assert book.orders == (AskAlarm("in", AlarmAsk("s/m:de", "de", "1", "9")),)
    book = Playbook.silent().tells(CalledBack(at(1), "in", CHANNEL, number(1))).compares(legin="rw-claim")
    assert book.orders == (Hold("in"),)


def test_a_decided_alarm_is_stored_and_goes_on() -> None:
    book = Playbook.of(3, needed=2, phones=2).rings(1, 2, 3).answers("1", "2").acknowledges("1").busy("3")
    book.tells(AcknowledgeOrdered(at(3), 2, "Anna"))
    parts = codec.dump_parts(book.state, codec.NO_PARTS)
    again = codec.load_state("alarm", 1, codec.dump_head(book.state), parts)
    assert again == book.state
    book.state = again
    assert book.tells(CancelOrdered(at(4), "Anna")).hangs_up("1", "2").outcome == "acknowledged"
