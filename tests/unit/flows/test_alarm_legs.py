"""Legs of an alarm: trunks, the storm throttle, pins, notes of keys that come late, and people who call back."""

from engine.vocabulary.commands import AskAlarm, DialAlarm, HangUp, Hold, Play, WriteAttempt, WritePinFailure
from engine.vocabulary.events import CalledBack, Declined, DialDelayed, DialRefused, NoKey, PinWrong, Rendered
from engine.vocabulary.values import AlarmAsk, Direction
from tests.alarm_playbook import Playbook, at, number, person

CHANNEL = "PJSIP/trunk-00000007"
ASK = AlarmAsk("s/m:de", "de", "1", "9")


def calls_back(book: Playbook, which: int, leg: str = "in", phone: int = 0, pin_tries: int = 3) -> Playbook:
    return book.tells(CalledBack(at(book.seconds), leg, CHANNEL, number(which, phone), pin_tries))


# --- trunks ------------------------------------------------------------------------------------------------------


def test_trunk_trouble_is_tried_again_by_the_next_trunk_at_once() -> None:
    book = Playbook.of(rounds=1).rings(1, trunk="a", others=1).hangs_up("1", cause=34, sip=503)
    wanted = book.recipient(1).next
    assert wanted is not None and (wanted.skip, wanted.is_repeat) == (1, False)
    book.rings(1, trunk="b").tells(DialRefused(at(2), "1b"))
    assert book.attempts == {"1": "failed", "1b": "failed"}
    assert book.outcome == "failed"  # there was no other trunk: the phone had its turn


def test_trunk_trouble_uses_up_no_round() -> None:
    book = Playbook.of(rounds=2).rings(1, trunk="a", others=1).hangs_up("1", cause=38).rings(1, trunk="b")
    assert book.busy("1b").recipient(1).round == 2
    wanted = book.passes(60).recipient(1).next
    assert wanted is not None and (wanted.skip, wanted.is_repeat) == (0, True)


def test_a_trunk_that_failed_and_is_granted_again_is_passed_over() -> None:
    book = Playbook.of(rounds=1).rings(1, trunk="b", others=1).hangs_up("1", cause=42)
    assert book.grants(number(1), "x", trunk="b", others=1).orders == ()
    wanted = book.recipient(1).next
    assert wanted is not None and wanted.skip == 2
    assert book.grants(number(1), "x", trunk="b").outcome == "failed"


def test_what_was_rung_before_is_a_repeat() -> None:
    book = Playbook.of(phones=2).rings(1).busy("1")
    assert [one.next.is_repeat for one in book.state.recipients if one.next] == [False]
    book.rings(1).busy("1b").passes(60)
    assert [one.next.is_repeat for one in book.state.recipients if one.next] == [True]


# --- the storm throttle, and pins --------------------------------------------------------------------------------


def test_a_number_that_must_rest_is_rung_after_that() -> None:
    book = Playbook.of(2).rings(1).busy("1").passes(60)
    book.tells(DialDelayed(at(60), number(1), at(400)))
    assert book.wanted == [number(2)] and book.noted("delayed")[0].number == number(1)
    assert book.passes(339).wanted == [number(2)]
    assert book.passes(1).wanted == [number(1), number(2)]
    assert book.recipient(1).round == 2


def test_timers_of_pauses_that_overlap_wake_everybody_in_time() -> None:
    book = Playbook.of(3).rings(1, 2, 3).busy("1").passes(10).busy("2").passes(10).busy("3")
    assert book.passes(40).wanted == [number(1)]
    assert book.passes(10).wanted == [number(1), number(2)]
    assert book.passes(10).wanted == [number(1), number(2), number(3)]


def test_a_wrong_pin_is_counted_and_written() -> None:
    book = Playbook.of(pin="4711").rings(1).answers("1")
    for second in (1, 2, 3, 3):
        book.tells(PinWrong(at(second), "1"))
    failures = [one for one in book.all if isinstance(one, WritePinFailure)]
    assert [(one.number, one.at) for one in failures] == [(number(1), at(1)), (number(1), at(2)), (number(1), at(3))]
    assert book.notes.count("pinWrong") == 3


def test_a_pin_that_is_refused_refuses_the_pin_and_not_the_alarm() -> None:
    book = Playbook.of(pin="4711").rings(1, pin_tries=1)
    assert book.orders[0].ask.pin_tries == 1 and "pinRefused" not in book.notes  # type: ignore[union-attr]
    book = Playbook.of(pin="4711").rings(1, pin_tries=0)
    assert book.orders[0] == DialAlarm(
        "1", number(1), "t", "4930555", 25, AlarmAsk("s/m:de", "de", "1", "9", "4711", pin_tries=0))
    assert "pinRefused" in book.notes
    assert "pinRefused" not in Playbook.of().rings(1, pin_tries=0).notes  # there is no pin


# --- keys that were heard late -----------------------------------------------------------------------------------


def test_a_key_whose_leg_has_ended_counts_and_corrects_the_attempt() -> None:
    book = Playbook.of(2, needed=2).rings(1).hangs_up("1").acknowledges("1")
    assert book.attempts == {"1": "acknowledged"} and book.states(1)[-1] == "acknowledged"
    assert book.wanted == [number(2)]


def test_a_key_of_an_earlier_leg_stops_the_one_that_rings_now() -> None:
    book = Playbook.of(2, phones=2, needed=2).rings(1).hangs_up("1").rings(1).acknowledges("1")
    assert book.orders == (HangUp("1b", 26),)
    book = Playbook.of(2, phones=2, needed=2).rings(1).hangs_up("1").rings(1).answers("1b").acknowledges("1")
    assert book.orders == (Play("1b", "de/alarm-noted", then="bye"),)


def test_a_key_of_an_earlier_leg_completes_the_quorum() -> None:
    book = Playbook.of(2).rings(1).hangs_up("1").rings(2).acknowledges("1")
    assert book.alarm_states[-1] == "acknowledged" and book.orders == (HangUp("2", 26),)


def test_a_key_whose_answer_nobody_heard_counts() -> None:
    book = Playbook.of().rings(1).acknowledges("1").hangs_up("1")
    assert book.attempts == {"1": "acknowledged"} and "answered" in book.notes


def test_a_key_of_a_leg_that_was_cancelled_counts() -> None:
    book = Playbook.of(2).rings(1, 2).answers("1", "2").acknowledges("1", "2").hangs_up("1", "2")
    assert book.attempts == {"1": "acknowledged", "2": "acknowledged"}


# --- calling back ------------------------------------------------------------------------------------------------


def test_who_calls_back_hears_the_alarm_and_may_acknowledge() -> None:
    book = Playbook.of().rings(1).hangs_up("1", cause=19)
    assert calls_back(book, 1).orders == (AskAlarm("in", ASK),)
    assert book.wanted == []
    book.passes(100)
    assert book.wanted == []
    book.acknowledges("in").speaks().thanked("in").hangs_up("in")
    assert book.outcome == "acknowledged" and book.attempts == {"1": "noAnswer", "in": "acknowledged"}
    inbound = [row for row in book.all if isinstance(row, WriteAttempt) and row.leg == "in"]
    assert {row.direction for row in inbound} == {Direction.INBOUND}


def test_what_rings_him_meanwhile_stops_and_that_phone_has_had_its_turn() -> None:
    book = calls_back(Playbook.of(phones=2).rings(1), 1)
    assert book.orders == (HangUp("1", 26), AskAlarm("in", ASK))
    book.tells(NoKey(at(30), "in")).hangs_up("in")
    assert book.wanted == []  # the leg that was hung up lives as long as the switch says so
    assert book.hangs_up("1").wanted == [number(1, 1)]
    assert book.attempts == {"1": "cancelled", "in": "mailbox"}


def test_who_calls_back_from_two_phones_has_one_live_leg() -> None:
    book = calls_back(calls_back(Playbook.of(phones=2), 1, "in"), 1, "in2", phone=1)
    assert book.orders == (HangUp("in", 16), AskAlarm("in2", ASK))


def test_who_was_not_reached_may_still_call_back() -> None:
    book = Playbook.of(2, rounds=1).rings(1).busy("1")
    assert calls_back(book, 1).orders == (AskAlarm("in", ASK),)
    assert book.hangs_up("in").states(1) == ["ringing", "unreached", "ringing", "unreached"]


def test_who_calls_back_before_his_message_is_spoken_waits_for_it() -> None:
    book = Playbook.silent()
    assert calls_back(book, 1).orders == (Hold("in"),)
    assert book.tells(Rendered(at(1), "m:de", "s/m:de")).orders == (AskAlarm("in", ASK),)


def test_who_calls_back_and_is_not_rung_any_more_hears_why() -> None:
    book = Playbook.of(3, needed=2).rings(1, 2).answers("1", "2").acknowledges("1").tells(Declined(at(3), "2"))
    assert calls_back(book, 1).orders == (Play("in", "de/alarm-noted", then="bye"),)
    assert calls_back(book, 2).orders == (Play("in", "de/alarm-declined", then="bye"),)
    assert calls_back(book, 9).orders == (Play("in", "de/alarm-none", then="bye"),)
    book.rings(3).answers("3").acknowledges("3")
    book = Playbook.of(3).rings(1).answers("1").acknowledges("1")
    assert calls_back(book, 2).orders == (Play("in", "de/alarm-enough", then="bye"),)
    assert calls_back(Playbook.of(2, expires_s=9).rings(1).passes(9), 2).orders == (
        Play("in", "de/alarm-none", then="bye"),)


def test_a_refused_pin_is_refused_to_who_calls_back() -> None:
    book = calls_back(Playbook.of(pin="4711"), 1, pin_tries=0)
    assert book.orders == (AskAlarm("in", AlarmAsk("s/m:de", "de", "1", "9", "4711", pin_tries=0)),)


def test_an_inbound_leg_keeps_no_number_busy() -> None:
    from engine.flows import alarm

    book = calls_back(Playbook.of(2).rings(2), 1)
    assert [leg.number for one in book.state.recipients for leg in alarm.legs(one)] == ["", number(2)]
    at = book.state.began_at
    assert alarm.wants_to_ring(book.state, "2", at) and not alarm.wants_to_ring(book.state, "in", at)


def test_a_person_has_his_own_language_and_voice() -> None:
    book = Playbook.of((person(1), person(2, language="en", voice="en"))).rings(1, 2).answers("1", "2")
    dials = {one.leg: (one.ask.message, one.ask.voice) for one in book.all if isinstance(one, DialAlarm)}
    assert dials == {"1": ("s/m:de", "de"), "2": ("s/m:en", "en")}
    assert book.acknowledges("1").orders == (Play("2", "en/alarm-enough", then="bye"),)
