"""Row commands of programs' calls as the argument of `save_batch`."""

import json
from datetime import UTC, datetime

from engine.ports import Batch, SavedCall
from engine.store.program_rows import program_rows
from engine.vocabulary.commands import Finish, RowCommand, WriteOptOut, WriteResult, WriteSpool, WriteTransmission
from engine.vocabulary.program import CallDisposition, SpoolStatus, TransmissionStatus

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def call(call_id: str, flow: str = "program", is_new: bool = False) -> SavedCall:
    return SavedCall(call_id, 1, None, flow, 1, "running", {}, NOW, "", is_new=is_new)


def told(*calls: SavedCall, rows: list[RowCommand]) -> dict[str, list[dict[str, object]]] | None:
    text = program_rows(Batch({one.call_id: one for one in calls}, [("a", row) for row in rows]))
    return None if text is None else dict(json.loads(text))


def test_a_batch_of_other_calls_has_none() -> None:
    assert told(call("a", "hotline", is_new=True), rows=[Finish(NOW, "answered")]) is None
    assert told(rows=[]) is None


def test_a_call_that_begins_is_named() -> None:
    assert told(call("a", is_new=True), call("b"), rows=[]) == {"begun": [{"call_id": "a"}]}


def test_words_about_one_spool_are_one_row_and_nothing_replaces_nothing() -> None:
    found = told(rows=[
        WriteSpool(7, SpoolStatus.STARTED, number="49301", trunk="t", started_at=NOW),
        WriteSpool(8, SpoolStatus.STARTED),
        WriteSpool(7, SpoolStatus.COMPLETED, ended_at=NOW, disposition=CallDisposition.ANSWERED, cause=16)])
    assert found is not None
    first, second = found["spools"]
    assert (first["status"], first["number"], first["trunk"], first["started_at"], first["cause"]) == (
        "completed", "49301", "t", NOW.isoformat(), 16)
    assert (second["spool_id"], second["status"], second["disposition"]) == (8, "started", None)


def test_a_spool_and_a_transmission_of_one_number_are_two_things() -> None:
    found = told(rows=[
        WriteSpool(7, SpoolStatus.FAILED), WriteTransmission(7, TransmissionStatus.PENDING_RETRY, "busy", 60.0)])
    assert found is not None and len(found["spools"]) == len(found["transmissions"]) == 1
    assert found["transmissions"][0]["again_s"] == 60.0


def test_results_and_opt_outs_stay_apart_and_in_order() -> None:
    found = told(rows=[
        WriteResult(NOW, 7, 1, "info", "dtmf", "1"), WriteOptOut(NOW, 1, "49301"),
        WriteResult(NOW, 7, 1, "info", "dtmf", "2"), WriteOptOut(NOW, 1, "49301")])
    assert found is not None
    assert [row["data"] for row in found["results"]] == ["1", "2"] and len(found["opt_outs"]) == 2
    assert [row["ord"] for row in found["results"]] == [0, 2]
