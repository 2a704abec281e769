"""All rows of one organisation, found by the database's own catalogue: of every table that has its number, and of those
that refer to such a table. A table that comes later is dumped as well.
"""

from collections.abc import Mapping
from typing import Any

COLUMNS = """
SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attname = 'organisation_id'
"""
REFERENCES = """
SELECT t.relname AS name, a.attname AS "column", p.relname AS parent, b.attname AS parent_column
FROM pg_constraint k
JOIN pg_class t ON t.oid = k.conrelid JOIN pg_class p ON p.oid = k.confrelid
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.conkey[1]
JOIN pg_attribute b ON b.attrelid = p.oid AND b.attnum = k.confkey[1]
WHERE k.contype = 'f'
"""
# what every POST of anybody touches
LEFT_OUT = {"sensaphone_sessions"}


async def dump(pool: Any, organisation_id: int) -> Mapping[str, list[str]]:
    """By table; rows as text, sorted."""
    owned = {row["name"] for row in await pool.fetch(COLUMNS)} - LEFT_OUT
    found = {name: await _rows(pool, f"SELECT t FROM {name} t WHERE t.organisation_id = $1", organisation_id)  # noqa: S608
             for name in sorted(owned)}
    found["organisations"] = await _rows(pool, "SELECT t FROM organisations t WHERE t.id = $1", organisation_id)
    for row in await pool.fetch(REFERENCES):
        if row["parent"] in owned and row["name"] not in owned | LEFT_OUT:
            query = (f"SELECT t FROM {row['name']} t JOIN {row['parent']} p ON p.{row['parent_column']} = "  # noqa: S608
                     f"t.{row['column']} WHERE p.organisation_id = $1")
            found[f"{row['name']} by {row['column']}"] = await _rows(pool, query, organisation_id)
    return found


async def _rows(pool: Any, query: str, organisation_id: int) -> list[str]:
    return sorted(str(tuple(row[0].values()) if hasattr(row[0], "values") else row[0])
                  for row in await pool.fetch(query, organisation_id))
