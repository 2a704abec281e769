"""Filters of a list: what a query string makes of a statement."""

from typing import Any

import pytest

from engine.store.filters import MOST_ROWS, Filters, Wanted, bit, contains, ends_with, exact, exact_flag, exact_number
from engine.store.filters import prefix as begins_with

FILTERS = Filters("c.", contact_id=exact_number("c.id"), email=exact("c.email"), phone=ends_with("c.phone"),
                  name=contains("c.name"), title=begins_with("c.title"), flag=bit("c.flag"), active=exact_flag("c.on"))
SQL = "SELECT FROM c WHERE c.organisation_id = $1 /* filters */ ORDER BY c.id"


def applied(seen_by: int | None = None, **values: str) -> tuple[str, list[Any]]:
    """The conditions, and the parameters behind the first."""
    sql, _, *args = FILTERS.applied(SQL, [7], Wanted(values, seen_by))
    return sql.partition("$1 ")[2].partition(" ORDER")[0].removeprefix(" AND ").strip(), args


@pytest.mark.parametrize("values, condition, args", [
    ({"contact_id": "5"}, "c.id = $2::bigint", [5]), ({"contact_id": "x"}, "c.id = $2::bigint", [None]),
    ({"contact_id": "9" * 30}, "c.id = $2::bigint", [None]), ({"email": "a@b"}, "c.email = $2::text", ["a@b"]),
    ({"phone": "123"}, "c.phone ILIKE $2::text", ["%123"]), ({"name": "nn"}, "c.name ILIKE $2::text", ["%nn%"]),
    ({"name": "5%_\\"}, "c.name ILIKE $2::text", ["%5\\%\\_\\\\%"]), ({"title": "a"}, "c.title ILIKE $2::text", ["a%"]),
    ({"flag": "2"}, "(c.flag & $2::bigint) <> 0", [2]), ({"active": "1"}, "c.on = $2::boolean", [True]),
    ({"active": "x"}, "c.on = $2::boolean", [None]), ({"user_id": "3"}, "c.created_by = $2::bigint", [3]),
    ({"before": "10"}, "c.created_at <= to_timestamp($2::bigint)", [10]),
    ({"after": "9" * 15}, "c.created_at >= to_timestamp($2::bigint)", [None]),
    ({"unknown": "1"}, "", []), ({"email": ""}, "", []), ({}, "", []), ({"email": "a\0"}, "c.email = $2::text", ["a"]),
])
def test_rules(values: dict[str, str], condition: str, args: list[Any]) -> None:
    assert applied(**values) == (condition, args)


def test_who_sees_his_own_cannot_ask_for_more() -> None:
    condition, args = applied(seen_by=1, user_id="2", name="a")
    assert condition == "c.created_by = $2::bigint AND c.created_by = $3::bigint AND c.name ILIKE $4::text"
    assert args == [1, 2, "%a%"]


@pytest.mark.parametrize("values, tail", [
    ({}, f"LIMIT {MOST_ROWS} OFFSET 0"), ({"pagesize": "10"}, "LIMIT 10 OFFSET 0"),
    ({"pagesize": "10", "pageindex": "3"}, "LIMIT 10 OFFSET 30"), ({"pagesize": "-1"}, "LIMIT 1 OFFSET 0"),
    ({"pagesize": "1; DROP", "pageindex": "x"}, f"LIMIT {MOST_ROWS} OFFSET 0"),
    ({"pagesize": "9" * 18}, f"LIMIT {MOST_ROWS} OFFSET 0"),
])
def test_pages(values: dict[str, str], tail: str) -> None:
    assert FILTERS.applied(SQL, [7], Wanted(values))[0].endswith(f"ORDER BY c.id {tail}")
