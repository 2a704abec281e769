"""What is stored comes back as it was, and what is not understood is refused."""

import json
from dataclasses import replace

import pytest

from engine import codec
from engine.flows import alarm, hotline
from engine.vocabulary.commands import AskAlarm, Bridge, Dial, DialAlarm, HangUp, Hold, Play, Reject, SwitchCommand
from engine.vocabulary.events import Answered, DigitsEntered, FallbackStarted, FallbackStepped, HungUp, Joined
from engine.vocabulary.values import AlarmAsk
from tests.alarm_playbook import Playbook as AlarmBook
from tests.playbook import CALLER, CHANNEL, Playbook, a_hotline, at

ASK = AlarmAsk("cache/m", "de", "1", "9", pin="4711", amd=True)
COMMANDS: list[SwitchCommand] = [
    Play(CALLER, "cache/greeting", not_after=at(1.5)), Play("leg-1", "de/taken", then="bye", cause=26),
    Hold(CALLER, at(3)), Dial("leg-1", "49300001", "4930555", 25, "cache/ask", "de/taken", 3, CHANNEL),
    Bridge(CALLER, CHANNEL, "leg-1", at(2.25)), HangUp("leg-1", 16), Reject(CALLER, 20, at(1.5)),
    DialAlarm("leg-2", "49301", "alpine", "4930555", 25, ASK), AskAlarm("1795291439.1", ASK, at(1.5)),
]


def through_json(stored: object) -> object:
    return json.loads(json.dumps(stored))


def books() -> list[Playbook]:
    talking = Playbook.of().grants(1, 2, 3).tells(
        Answered(at(1), "leg-1"), Answered(at(1), "leg-2"), DigitsEntered(at(2), "leg-1", "1"),
        Joined(at(2.01), CALLER, "leg-1"), HungUp(at(3), "leg-3", 26, 0))
    fallen = Playbook.of().grants(1).tells(
        FallbackStarted(at(12), CALLER, CHANNEL, "4930555", ""),
        FallbackStepped(at(13), CALLER, "ring", "49300001", "local-1", key="fb/1"))
    return [Playbook.of(), talking, fallen, Playbook.of(a_hotline(is_active=False)), Playbook.of(a_hotline(0))]


@pytest.mark.parametrize("book", books(), ids=lambda book: book.phase)
def test_a_state_comes_back_as_it_was(book: Playbook) -> None:
    stored = through_json(codec.dump_head(book.state))
    assert codec.load_state("hotline", hotline.VERSION, stored) == book.state


def test_commands_come_back_as_they_were() -> None:
    assert codec.load_commands(through_json(codec.dump_commands(COMMANDS))) == COMMANDS  # type: ignore[arg-type]


def test_an_outbox_that_was_never_written_is_empty() -> None:
    assert codec.load_commands(()) == [] and codec.load_commands(None) == []  # type: ignore[arg-type]


def test_a_state_of_an_older_code_without_newer_fields_is_read() -> None:
    book = Playbook.of()
    stored = codec.dump_head(book.state)
    for newer in ("apologised", "fallback_legs", "rows_told"):
        del stored[newer]
    assert codec.load_state("hotline", 1, stored) == replace(book.state)


@pytest.mark.parametrize(("flow", "version"), [("hotline", 0), ("hotline", 99), ("campaign", 1)])
def test_an_unknown_flow_or_version_is_refused(flow: str, version: int) -> None:
    with pytest.raises(codec.UnknownState):
        codec.load_state(flow, version, codec.dump_head(Playbook.of().state))


def test_a_broken_state_is_refused() -> None:
    with pytest.raises(ValueError, match="phase"):
        codec.load_state("hotline", 1, {"leg": "1.1"})


# --- states of several parts


def alarm_book() -> AlarmBook:
    return AlarmBook.of(3, needed=2).rings(1, 2)


def test_an_alarm_comes_back_from_its_head_and_parts() -> None:
    state = alarm_book().state
    head, parts = through_json(codec.dump_head(state)), codec.dump_parts(state, codec.NO_PARTS)
    assert sorted(parts) == [0, 1, 2, 3] and set(parts[0]) == {"plan"}
    assert not {"plan", "recipients"} & set(head)  # type: ignore[call-overload]
    read = {place: through_json(part) for place, part in parts.items()}
    assert codec.load_state("alarm", alarm.VERSION, head, read) == state


def test_only_parts_that_changed_since_they_were_saved_are_saved_again() -> None:
    book = alarm_book()
    saved = codec.parts_of(book.state)
    assert codec.dump_parts(book.state, saved) == {}
    book.tells(Answered(book.state.plan.created_at, "2"))
    assert list(codec.dump_parts(book.state, saved)) == [2]


def test_an_alarm_of_which_a_part_is_missing_is_refused() -> None:
    state = alarm_book().state
    head, parts = codec.dump_head(state), codec.dump_parts(state, codec.NO_PARTS)
    del parts[2]
    with pytest.raises(codec.UnknownState):
        codec.load_state("alarm", alarm.VERSION, head, parts)
    with pytest.raises(KeyError):
        codec.load_state("alarm", alarm.VERSION, head, {})


def test_a_hotlines_call_is_of_one_piece() -> None:
    state = Playbook.of().state
    assert codec.dump_parts(state, codec.NO_PARTS) == {} and codec.parts_of(state) == codec.NO_PARTS
