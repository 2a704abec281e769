"""Row commands as the JSON arguments of `save_batch`. Used by `calls.py`, `program_rows.py` and `alarm_rows.py`.

Hundreds are written in a second: fields as they are, nothing copied.
"""

from dataclasses import fields
from typing import Any, get_args

import orjson

from engine.vocabulary.commands import RowCommand

_NAMES = {kind: tuple(field.name for field in fields(kind)) for kind in get_args(RowCommand)}


def columns(row: RowCommand) -> dict[str, Any]:
    """Its fields by name."""
    return {name: getattr(row, name) for name in _NAMES[type(row)]}


def dumped(value: Any) -> str:
    """JSON of plain values, times and enumerations."""
    return orjson.dumps(value, default=str).decode()
