"""Row commands as the argument of `save_batch`."""

import json
from datetime import UTC, datetime

from engine.ports import Batch, SavedCall
from engine.store.alarm_rows import alarm_rows
from engine.vocabulary.commands import Finish, RowCommand, WriteAttempt, WriteNote, WriteRecipient
from engine.vocabulary.values import Disposition, RecipientState

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def call(call_id: str, hotline_id: int | None = None, is_new: bool = False, phase: str = "ringing") -> SavedCall:
    return SavedCall(call_id, 1, hotline_id, "hotline" if hotline_id else "alarm", 1, phase, {}, NOW, "", is_new=is_new)


def told(*calls: SavedCall, rows: list[tuple[str, RowCommand]]) -> dict[str, list[dict[str, object]]] | None:
    text = alarm_rows(Batch({one.call_id: one for one in calls}, rows))
    return None if text is None else dict(json.loads(text))


def test_a_batch_of_hotline_calls_has_none() -> None:
    assert told(call("a", hotline_id=7, is_new=True), rows=[("a", Finish(NOW, "answered"))]) is None
    assert told(rows=[]) is None


def test_an_alarm_that_begins_or_ends_is_named() -> None:
    found = told(call("a", is_new=True), call("b"), call("c", hotline_id=7), rows=[
        ("b", Finish(NOW, "failed")), ("c", Finish(NOW, "answered"))])
    assert found == {"begun": [{"call_id": "a"}], "ended": [{"call_id": "b", "at": NOW.isoformat()}]}


def test_a_call_that_failed_has_ended_at_no_time() -> None:
    assert told(call("a", phase="failed"), rows=[]) == {"ended": [{"call_id": "a", "at": None}]}


def test_words_about_one_leg_or_one_recipient_are_one_row_and_notes_stay_apart() -> None:
    acknowledged = RecipientState.ACKNOWLEDGED
    found = told(call("a"), rows=[
        ("a", WriteAttempt("leg-1", 5, "49301", "trunk", NOW)), ("a", WriteNote(NOW, "dialled")),
        ("a", WriteAttempt("leg-2", 6, "49302", "trunk", NOW)),
        ("a", WriteRecipient(5, acknowledged, NOW)), ("a", WriteRecipient(5, acknowledged)),
        ("a", WriteNote(NOW, "dialled")),
        ("a", WriteAttempt("leg-1", 5, "49301", "trunk", NOW, ended_at=NOW, disposition=Disposition.BUSY, cause=17)),
        ("a", WriteAttempt("leg-1", 5, "49301", "trunk", NOW))])
    assert found is not None
    assert [(row["leg"], row["disposition"], row["cause"]) for row in found["attempts"]] == [
        ("leg-1", "busy", 17), ("leg-2", None, None)]
    assert [(row["recipient_id"], row["acknowledged_at"]) for row in found["recipients"]] == [(5, NOW.isoformat())]
    assert len(found["notes"]) == 2
