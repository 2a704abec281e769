"""Row commands as JSON: fields as they are, times that Postgres reads."""

import json
from datetime import UTC, datetime

from engine.store.row_json import columns, dumped
from engine.vocabulary.commands import WriteResult, WriteSpool
from engine.vocabulary.program import CallDisposition, SpoolStatus

AT = datetime(2026, 3, 1, 12, 30, 0, 250_000, UTC)


def test_a_row_is_its_fields_by_name() -> None:
    assert columns(WriteResult(AT, 7, 1, "info", "dtmf", "5")) == {
        "at": AT, "spool_id": 7, "application_id": 1, "type": "info", "name": "dtmf", "data": "5"}


def test_times_and_enumerations_are_told_as_postgres_reads_them() -> None:
    told = json.loads(dumped([columns(WriteSpool(
        7, SpoolStatus.COMPLETED, ended_at=AT, disposition=CallDisposition.ANSWERED))]))
    assert datetime.fromisoformat(told[0]["ended_at"]) == AT
    assert (told[0]["status"], told[0]["disposition"], told[0]["number"]) == ("completed", "answered", None)
