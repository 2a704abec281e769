"""Row commands of programs' calls as the argument `p_program` of `save_batch` (migration 0015). Called by `calls.py`.

As in `alarm_rows.py` several words about one spool, or one transmission, in a batch are one row here, in which a later
value replaces an earlier one and nothing (None) replaces nothing.
"""

from collections.abc import Mapping
from typing import Any

from engine.ports import Batch
from engine.store.row_json import columns, dumped
from engine.vocabulary.commands import RowCommand, WriteOptOut, WriteResult, WriteSpool, WriteTransmission

FLOW = "program"
KINDS: Mapping[type[RowCommand], str] = {
    WriteSpool: "spools", WriteTransmission: "transmissions", WriteResult: "results", WriteOptOut: "opt_outs",
}
MERGED_BY = {"spools": "spool_id", "transmissions": "transmission_id"}


def program_rows(batch: Batch) -> str | None:
    """None for a batch that has nothing to do with programs."""
    found: dict[str, list[dict[str, Any]]] = {}
    if begun := [{"call_id": one.call_id} for one in batch.calls.values() if one.is_new and one.flow == FLOW]:
        found["begun"] = begun
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    for ord_, (_, row) in enumerate(batch.rows):
        if (kind := KINDS.get(type(row))) is None:
            continue
        said = {"ord": ord_, **columns(row)}
        key = (kind, said[MERGED_BY[kind]] if kind in MERGED_BY else -ord_)
        if (known := rows.get(key)) is None:
            rows[key] = said
            found.setdefault(kind, []).append(said)
        else:
            known.update({name: value for name, value in said.items() if value is not None})
    return dumped(found) if found else None
