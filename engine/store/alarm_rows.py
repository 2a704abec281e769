"""Row commands of alarms as the argument `p_alarm` of `save_batch` (migration 0005). Called by `calls.py` alone.

One statement can touch a row once: several words about one leg or one recipient in a batch are one row here, in which a
later value replaces an earlier one and nothing (None) replaces nothing.
"""

from collections.abc import Mapping
from typing import Any

from engine.ports import Batch
from engine.store.row_json import columns, dumped
from engine.vocabulary.commands import (
    Finish,
    RowCommand,
    WriteAlarm,
    WriteAttempt,
    WriteNote,
    WritePinFailure,
    WriteRecipient,
)

KINDS: Mapping[type[RowCommand], str] = {
    WriteAlarm: "states", WriteRecipient: "recipients", WriteAttempt: "attempts", WriteNote: "notes",
    WritePinFailure: "pins",
}
FLOW = "alarm"
MERGED_BY = {"recipients": "recipient_id", "attempts": "leg"}


def alarm_rows(batch: Batch) -> str | None:
    """None for a batch that has nothing to do with alarms."""
    alarms = {call_id: call for call_id, call in batch.calls.items() if call.flow == FLOW}
    found: dict[str, list[dict[str, Any]]] = {}
    if begun := [{"call_id": call_id} for call_id, one in alarms.items() if one.is_new]:
        found["begun"] = begun
    if failed := [{"call_id": call_id, "at": None} for call_id, one in alarms.items() if one.phase == "failed"]:
        found["ended"] = failed
    rows: dict[tuple[object, ...], dict[str, Any]] = {}
    for ord_, (call_id, row) in enumerate(batch.rows):
        if isinstance(row, Finish):
            if call_id in alarms or call_id not in batch.calls:
                found.setdefault("ended", []).append({"call_id": call_id, "at": row.at})
            continue
        if (kind := KINDS.get(type(row))) is None:
            continue
        said = {"ord": ord_, "call_id": call_id, **columns(row)}
        key = (kind, said[MERGED_BY[kind]]) if kind in MERGED_BY else (kind, ord_)
        if (known := rows.get(key)) is None:
            rows[key] = said
            found.setdefault(kind, []).append(said)
        else:
            known.update({name: value for name, value in said.items() if value is not None and name != "ord"})
    return dumped(found) if found else None
