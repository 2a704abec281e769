"""Filters of a list, written as a table: which parameter of a query string narrows which column, by which rule.

    CONTACTS = Filters(contact_id=exact_number("id"), phone=ends_with("phone"), first_name=contains("first_name"))
    rows = await connection.fetch(*CONTACTS.applied(sql["contacts"], [organisation_id], wanted))

The statement holds `/* filters */` behind its WHERE, and ends with its ORDER BY. Columns and rules are this program's
own text; what a client said goes in as parameters only. Unknown and empty parameters are ignored. Every list also has
`user_id` (who made it), `before` and `after` (seconds since 1970), `pagesize` and `pageindex` (the first page is 0).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MARK = "/* filters */"
MOST_ROWS = 5000
_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_LIKE = str.maketrans({it: f"\\{it}" for it in "\\%_"})


@dataclass(frozen=True, slots=True)
class Rule:
    """`condition`: with `{0}` where the parameter's number goes; `read`: the text as a value, None matches nothing."""

    condition: str
    read: Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a client asks for. `seen_by`: the user who sees only what he made; None: who sees everybody's."""

    values: Mapping[str, str] = field(default_factory=dict)
    seen_by: int | None = None


def number(text: str) -> int | None:
    return int(text) if _WHOLE.fullmatch(text) else None


def _flag(text: str) -> bool | None:
    return {"1": True, "true": True, "0": False, "false": False}.get(text.lower())


def _seconds(text: str) -> int | None:
    found = number(text)
    return found if found is not None and abs(found) < 10**11 else None


def exact(column: str) -> Rule:
    return Rule(f"{column} = ${{0}}::text", str)


def exact_number(column: str) -> Rule:
    return Rule(f"{column} = ${{0}}::bigint", number)


def exact_flag(column: str) -> Rule:
    return Rule(f"{column} = ${{0}}::boolean", _flag)


def bit(column: str) -> Rule:
    """Any of the bits."""
    return Rule(f"({column} & ${{0}}::bigint) <> 0", number)


def contains(column: str) -> Rule:
    return Rule(f"{column} ILIKE ${{0}}::text", lambda text: f"%{text.translate(_LIKE)}%")


def prefix(column: str) -> Rule:
    return Rule(f"{column} ILIKE ${{0}}::text", lambda text: f"{text.translate(_LIKE)}%")


def ends_with(column: str) -> Rule:
    return Rule(f"{column} ILIKE ${{0}}::text", lambda text: f"%{text.translate(_LIKE)}")


class Filters:
    """The rules of one entity, beside those of every list. `table` is its name or alias with a dot: `c.`

    `owner`: whose a row is, other than its `created_by`.
    """

    def __init__(self, table: str = "", /, *, owner: Rule | None = None, **rules: Rule) -> None:
        self._owner = owner or exact_number(f"{table}created_by")
        self._rules: dict[str, Rule] = {
            "user_id": self._owner,
            "before": Rule(f"{table}created_at <= to_timestamp(${{0}}::bigint)", _seconds),
            "after": Rule(f"{table}created_at >= to_timestamp(${{0}}::bigint)", _seconds), **rules}

    def applied(self, sql: str, args: Sequence[Any], wanted: Wanted) -> list[Any]:
        """The statement with its conditions, and all its parameters behind it."""
        given = [*args]
        conditions = []
        if wanted.seen_by is not None:
            given.append(wanted.seen_by)
            conditions.append(self._owner.condition.format(len(given)))
        for name, text in wanted.values.items():
            if text == "" or (rule := self._rules.get(name)) is None:
                continue
            given.append(rule.read(text.replace("\0", "")))     # a null is equal to nothing
            conditions.append(rule.condition.format(len(given)))
        size, index = (number(wanted.values.get(name, "")) for name in ("pagesize", "pageindex"))
        limit = min(max(size or MOST_ROWS, 1), MOST_ROWS)
        offset = min(max(index or 0, 0) * limit, 2**62)
        head, mark, tail = sql.partition(MARK)
        assert mark, f"no {MARK} in the statement"      # noqa: S101 - ours
        return [f"{head}{''.join(f' AND {it}' for it in conditions)}{tail} LIMIT {limit} OFFSET {offset}", *given]
