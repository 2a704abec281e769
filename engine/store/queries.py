"""Named queries out of the .sql files beside this module.

A file is a row of blocks, each opened by `-- name: x` and followed by comments that give its reason. Every
store loads its own file once; SQL text is nowhere else. Values go in as parameters only, never by formatting.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

SQL = Path(__file__).parent / "sql"
_NAME = re.compile(r"^--\s*name:\s*([a-z][a-z0-9_]*)\s*$", re.MULTILINE)


@cache
def load(name: str) -> Mapping[str, str]:
    """The queries of `sql/<name>.sql` by their names."""
    return parse((SQL / f"{name}.sql").read_text(encoding="utf-8"))


def parse(text: str) -> Mapping[str, str]:
    """Queries by name. Raises ValueError for a name given twice, an empty block, or SQL outside a block."""
    head, *blocks = _NAME.split(text)
    if _statement(head):
        raise ValueError("SQL before the first `-- name:`")
    queries: dict[str, str] = {}
    for name, sql in zip(blocks[::2], blocks[1::2], strict=True):
        if name in queries:
            raise ValueError(f"query {name!r} is defined twice")
        if not _statement(sql):
            raise ValueError(f"query {name!r} is empty")
        queries[name] = sql.strip()
    return MappingProxyType(queries)


def _statement(sql: str) -> str:
    return "".join(line for line in sql.splitlines() if not line.lstrip().startswith("--")).strip()
