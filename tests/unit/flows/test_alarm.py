"""Alarms as stories: people are rung until enough of them have acknowledged."""

import pytest

from engine.flows import alarm
from engine.vocabulary.commands import DialAlarm, HangUp, Play, SetTimer, WriteRecipient
from engine.vocabulary.events import (
    AcknowledgeOrdered,
    CancelOrdered,
    Declined,
    LegGranted,
    MachineHeard,
    NoKey,
    PhonesTaken,
    TimerFired,
)
from engine.vocabulary.values import AgentPhone, AlarmAsk, Wave
from tests.alarm_playbook import Playbook, at, number, person


def enough(leg: str) -> Play:
    return Play(leg, "de/alarm-enough", then="bye")


def test_one_person_is_rung_acknowledges_and_the_alarm_is_over() -> None:
    book = Playbook.of()
    assert book.wanted == [number(1)]
    ask = AlarmAsk("s/m:de", "de", "1", "9")
    assert book.rings(1).orders == (DialAlarm("1", number(1), "t", "4930555", 25, ask),)
    book.answers("1").acknowledges("1")
    assert book.alarm_states == ["ringing", "acknowledged"]
    assert book.speaks().thanked("1").orders == (Play("1", "s/c:de:1", then="bye"),)
    assert book.outcome is None
    assert book.hangs_up("1").outcome == "acknowledged"
    assert book.states(1) == ["ringing", "acknowledged"]
    assert book.attempts == {"1": "acknowledged"}
    assert book.notes == ["ringing", "dialled", "answered", "acknowledged", "quorumReached", "finished"]


def test_with_the_quorum_ringing_legs_stop_listeners_hear_it_and_the_queue_is_dropped() -> None:
    book = Playbook.of(5, needed=2).rings(1, 2, 3, 4).answers("1", "2", "3").acknowledges("1")
    assert book.orders == () and book.wanted == [number(5)]
    assert book.acknowledges("2").orders == (enough("3"), HangUp("4", 26))
    assert book.wanted == []
    book.hangs_up("1", "2", "3", "4")
    assert book.attempts == {"1": "acknowledged", "2": "acknowledged", "3": "cancelled", "4": "cancelled"}
    assert book.outcome == "acknowledged"
    assert book.states(4) == ["ringing", "unreached"] and book.states(5) == ["unreached"]


def test_of_two_keys_at_once_one_completes_the_quorum_and_both_count() -> None:
    book = Playbook.of(2).rings(1, 2).answers("1", "2").acknowledges("1", "2")
    assert book.alarm_states == ["ringing", "acknowledged"]
    assert book.states(1)[-1] == book.states(2)[-1] == "acknowledged"
    assert book.speaks().thanked("2").orders == ()  # he hears that enough have acknowledged
    assert book.thanked("1").orders == (Play("1", "s/c:de:2", then="bye"),)
    assert book.hangs_up("1", "2").attempts == {"1": "acknowledged", "2": "acknowledged"}


def test_a_grant_that_comes_after_the_quorum_rings_nobody() -> None:
    book = Playbook.of(2).rings(1).answers("1").acknowledges("1")
    before = book.state
    assert book.grants(number(2), "2").state is before and book.last == ()


def test_an_answer_in_the_moment_of_the_quorum_changes_nothing() -> None:
    book = Playbook.of(2).rings(1, 2).answers("1").acknowledges("1").answers("2")
    assert book.orders == ()
    assert book.hangs_up("2", cause=26).attempts["2"] == "cancelled"


@pytest.mark.parametrize(("cause", "sip", "how"), [
    (17, 486, "busy"), (17, 600, "busy"), (21, 603, "busy"), (21, 607, "busy"), (17, 0, "busy"), (21, 0, "busy"),
    (19, 480, "noAnswer"), (18, 408, "failed"), (16, 487, "noAnswer"), (19, 0, "noAnswer"), (127, 0, "noAnswer"),
    (1, 404, "failed"), (21, 403, "failed"), (34, 503, "failed"), (38, 0, "failed"), (1, 0, "failed"),
])
def test_how_a_leg_that_nobody_answered_ended(cause: int, sip: int, how: str) -> None:
    book = Playbook.of().rings(1).hangs_up("1", cause=cause, sip=sip)
    assert book.attempts == {"1": how} and how in book.notes


def test_a_mailbox_silence_and_an_early_end_are_no_acknowledgement() -> None:
    book = Playbook.of(4).rings(1, 2, 3, 4).answers("1", "2", "3", "4")
    book.tells(NoKey(at(30), "1"), MachineHeard(at(30), "2")).hangs_up("1", "2", "3").hangs_up("4", cause=44)
    assert book.attempts == {"1": "mailbox", "2": "mailbox", "3": "answered", "4": "failed"}
    assert [book.states(one)[-1] for one in (1, 2, 3, 4)] == ["pending"] * 4


def test_a_machine_that_presses_the_key_was_a_person() -> None:
    book = Playbook.of(2, needed=2).rings(1).answers("1").tells(MachineHeard(at(3), "1")).acknowledges("1")
    assert book.states(1)[-1] == "acknowledged"


def test_declined_is_final() -> None:
    book = Playbook.of(2, phones=2).rings(1).answers("1").tells(Declined(at(3), "1")).hangs_up("1").passes(300)
    assert book.attempts == {"1": "declined"}
    assert book.states(1) == ["ringing", "declined"]
    assert not {number(1), number(1, 1)} & set(book.wanted)


def test_the_next_phone_follows_at_once_and_the_next_round_after_a_pause() -> None:
    book = Playbook.of(phones=2, rounds=2).rings(1).busy("1")
    assert book.wanted == [number(1, 1)]
    book.rings(1).hangs_up("1b", cause=19, sip=480)
    assert book.wanted == [] and book.passes(59).wanted == []
    assert book.passes(1).wanted == [number(1)]
    assert book.noted("roundStarted")[0].message == "2"
    book.rings(1).busy("1c").rings(1).busy("1d")
    assert book.states(1)[-1] == "unreached"
    assert book.outcome == "failed" and book.notes[-3:] == ["busy", "unreached", "finished"]


def test_a_clock_that_jumps_back_makes_no_pause_longer() -> None:
    book = Playbook.of(2, needed=2).rings(1, 2).busy("1").passes(10).busy("2")
    (_, _, first), *_ = (timer for timer in book.timers if timer[2].startswith("round"))
    book.tells(TimerFired(at(-3600), first))
    assert book.wanted == [number(1)]
    assert [one.after_s for one in book.last if isinstance(one, SetTimer)] == [10.0]


def test_a_phone_whose_end_is_not_to_be_retried_is_not_rung_in_later_rounds() -> None:
    book = Playbook.of(phones=2, rounds=2, retry_on=("noAnswer",)).rings(1).busy("1").rings(1)
    book.hangs_up("1b", cause=19).passes(60)
    assert book.wanted == [number(1, 1)]


def test_without_any_phone_to_retry_a_person_is_unreached_before_the_rounds_are_over() -> None:
    assert Playbook.of(retry_on=()).rings(1).busy("1").outcome == "failed"


def test_roles_are_needed_on_top() -> None:
    people = (person(1), person(2), person(3, role="driver"))
    book = Playbook.of(people, needed=2, by_role=(("driver", 1),)).rings(1, 2, 3).answers("1", "2", "3")
    book.acknowledges("1", "2")
    assert book.alarm_states == ["ringing"]
    assert book.acknowledges("3").alarm_states[-1] == "acknowledged"


def test_when_the_quorum_is_out_of_reach_everybody_is_rung_all_the_same() -> None:
    book = Playbook.of(2, needed=5).rings(1, 2).answers("1").acknowledges("1").busy("2").passes(60)
    assert book.wanted == [number(2)]
    book.rings(2).answers("2b").acknowledges("2b")
    assert book.alarm_states == ["ringing", "failed"]
    assert book.speaks().thanked("2b").orders == (Play("2b", "s/c:de:2", then="bye"),)


def test_who_has_no_phone_is_unreached_and_nobody_to_ring_is_a_failure() -> None:
    book = Playbook.of((person(1, 0), person(2)))
    assert book.states(1) == ["unreached"] and book.wanted == [number(2)]
    book = Playbook.silent((person(1, 0),))
    assert book.outcome is None
    assert book.passes(0).outcome == "failed"


# --- sequential --------------------------------------------------------------------------------------------------


def test_sequential_rings_one_after_the_other() -> None:
    book = Playbook.of(3, phones=2, strategy="sequential")
    assert book.wanted == [number(1)]
    assert book.rings(1).wanted == []
    assert book.busy("1").wanted == [number(1, 1)]
    assert book.rings(1).busy("1b").wanted == [number(2)]
    book.rings(2).answers("2").acknowledges("2").hangs_up("2")
    assert book.dialled == [number(1), number(1, 1), number(2)]
    assert book.outcome == "acknowledged"


def test_sequential_rings_as_many_at_once_as_are_still_needed() -> None:
    book = Playbook.of(4, needed=2, strategy="sequential")
    assert book.wanted == [number(1), number(2)]
    book.rings(1, 2).answers("1").acknowledges("1")
    assert book.wanted == []
    assert book.busy("2").wanted == [number(3)]


def test_sequential_rings_nobody_twice_before_everybody_was_rung() -> None:
    book = Playbook.of(2, strategy="sequential").rings(1).busy("1").passes(60)
    assert book.wanted == [number(2)]
    assert book.rings(2).busy("2").wanted == [number(1)]


def test_sequential_does_not_wait_for_who_rests() -> None:
    people = (person(1), person(2, role="driver"), person(3))
    book = Playbook.of(people, needed=2, by_role=(("driver", 1),), strategy="sequential")
    assert book.wanted == [number(1), number(2)]
    book.rings(1, 2).answers("1").acknowledges("1")
    assert book.wanted == []
    assert book.busy("2").wanted == []  # who is no driver would not help; the driver pauses
    assert book.passes(60).wanted == [number(2)]


def test_sequential_out_of_reach_goes_on_with_everybody() -> None:
    book = Playbook.of(3, needed=4, strategy="sequential")
    assert book.wanted == [number(1), number(2), number(3)]


# --- waves -------------------------------------------------------------------------------------------------------


WAVES = (Wave(0, (3,)), Wave(120, ()))


def test_the_second_wave_begins_at_its_time() -> None:
    people = (person(1, groups=(3,)), person(2))
    book = Playbook.of(people, strategy="waves", waves=WAVES)
    assert book.wanted == [number(1)] and book.passes(119).wanted == [number(1)]
    assert book.passes(1).wanted == [number(1), number(2)]
    assert [note.message for note in book.noted("waveStarted")] == ["1", "2"]


def test_the_next_wave_begins_early_when_those_before_can_no_longer_suffice() -> None:
    people = (person(1, groups=(3,)), person(2, groups=(3,)), person(3))
    book = Playbook.of(people, needed=2, strategy="waves", waves=WAVES).rings(1, 2).answers("1", "2")
    book.acknowledges("1").tells(Declined(at(9), "2"))
    assert book.wanted == [number(3)]
    book.passes(200)
    assert len(book.noted("waveStarted")) == 2


def test_whom_no_wave_names_is_in_a_last_one() -> None:
    people = (person(1, groups=(3,)), person(2, groups=(4,)), person(3))
    waves = (Wave(0, (3,)), Wave(60, (4,)))
    book = Playbook.of(people, strategy="waves", waves=waves, rounds=1).rings(1).busy("1")
    assert book.wanted == [number(2)]
    assert book.passes(60).rings(2).busy("2").wanted == [number(3)]
    assert book.rings(3).busy("3").outcome == "failed"


def test_a_first_wave_with_a_time_waits_for_it() -> None:
    book = Playbook.of(2, strategy="waves", waves=(Wave(10, ()),))
    assert book.wanted == []
    assert book.passes(10).wanted == [number(1), number(2)]


# --- ordered by people, and by time ------------------------------------------------------------------------------


def test_cancelled_while_it_rings() -> None:
    book = Playbook.of(3).rings(1, 2).answers("1").tells(CancelOrdered(at(5), "Anna"))
    assert book.orders == (Play("1", "de/alarm-cancelled", then="bye"), HangUp("2", 26))
    assert book.noted("cancelOrdered")[0].message == "Anna" and book.wanted == []
    assert book.hangs_up("1", "2").outcome == "cancelled"
    assert book.attempts == {"1": "cancelled", "2": "cancelled"}


def test_cancelled_before_anything_was_said() -> None:
    assert Playbook.silent().tells(CancelOrdered(at(0.1), "Anna")).outcome == "cancelled"


def test_expired_ringing_phones_stop_and_listeners_hear_it_to_the_end() -> None:
    book = Playbook.of(2, needed=2, expires_s=100, ring_timeout_s=60).rings(1, 2).answers("1").passes(100)
    assert book.orders == (HangUp("2", 26),) and "expired" in book.notes
    book.acknowledges("1")
    assert book.states(1)[-1] == "acknowledged" and book.alarm_states == ["ringing", "expired"]
    assert book.hangs_up("1", "2").outcome == "expired"


def test_an_alarm_that_begins_after_its_time_rings_nobody() -> None:
    assert Playbook.silent(expires_s=0).passes(0).outcome == "expired"


def test_an_operator_acknowledges_while_the_person_listens() -> None:
    book = Playbook.of(2, needed=2).rings(1).answers("1").tells(AcknowledgeOrdered(at(4), 1, "Anna"))
    assert book.orders == (Play("1", "de/alarm-noted", then="bye"),)
    assert book.hangs_up("1").attempts == {"1": "cancelled"}
    assert book.states(1) == ["ringing", "acknowledged"] and book.noted("operatorAcknowledged")[0].message == "Anna"


def test_an_operator_acknowledges_for_who_is_being_rung_or_waits() -> None:
    book = Playbook.of(3, needed=3).rings(1).tells(AcknowledgeOrdered(at(4), 1, "Anna"))
    assert book.orders == (HangUp("1", 26),)
    assert book.tells(AcknowledgeOrdered(at(4), 2, "Anna")).orders == () and book.wanted == [number(3)]
    assert book.tells(AcknowledgeOrdered(at(4), 3, "Anna")).alarm_states[-1] == "acknowledged"


def test_a_key_after_the_operator_is_no_second_person() -> None:
    book = Playbook.of(2, needed=2).rings(1).answers("1").tells(AcknowledgeOrdered(at(4), 1, "Anna")).acknowledges("1")
    assert book.alarm_states == ["ringing"] and book.states(1).count("acknowledged") == 1
    assert book.hangs_up("1").attempts == {"1": "acknowledged"}


def test_an_alarm_that_a_defect_ends_leaves_nobody_and_no_leg_open() -> None:
    book = Playbook.of(3, needed=3).rings(1, 2).answers("1").acknowledges("1")
    book.all += alarm.failed(book.state, at(9))
    assert book.alarm_states[-1] == "failed" and book.notes[-1] == "finished"
    assert book.attempts == {"1": "acknowledged", "2": "failed"}
    assert [book.states(one)[-1] for one in (1, 2, 3)] == ["acknowledged", "unreached", "unreached"]
    book = Playbook.of(2).rings(1, 2).answers("1").acknowledges("1")
    book.all += alarm.failed(book.state, at(9))
    assert book.alarm_states == ["ringing", "acknowledged"]


# --- told twice, or about nothing --------------------------------------------------------------------------------


def test_what_is_told_twice_changes_nothing() -> None:
    book = Playbook.of(2, needed=2, phones=2, rounds=2).rings(1, 2).answers("1", "2")
    for tell in (
        lambda: book.answers("1"), lambda: book.acknowledges("1"), lambda: book.thanked("1"),
        lambda: book.hangs_up("1"), lambda: book.tells(NoKey(at(1), "2")), lambda: book.hangs_up("2"),
        lambda: book.tells(CancelOrdered(at(2), "Anna")), lambda: book.tells(AcknowledgeOrdered(at(2), 2, "Anna")),
    ):
        tell()
        before = book.state
        tell()
        assert book.state is before and book.last == ()


def test_what_does_not_fit_changes_nothing() -> None:
    book = Playbook.of()
    before = book.state
    strange = LegGranted(at(1), "x", AgentPhone(1, 1, number(1)))
    book.tells(strange, PhonesTaken(at(1)), TimerFired(at(1), "wave 2"), AcknowledgeOrdered(at(1), 77, "Anna"))
    book.hangs_up("x").answers("x").acknowledges("x").grants("4977", "x")
    assert book.state is before and not [one for one in book.last if not isinstance(one, SetTimer)]


def test_a_step_leaves_everybody_else_the_same_object() -> None:
    book = Playbook.of(3).rings(2)
    before = book.state.recipients
    after = book.answers("2").state.recipients
    assert [one is other for one, other in zip(before, after, strict=True)] == [True, False, True]
    assert not [row for row in book.last if isinstance(row, WriteRecipient)]
