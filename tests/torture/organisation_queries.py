"""The law that every query carries the organisation, asked of the queries themselves.

They are found, not listed: what compares a row's organisation with a parameter. `asked_by_others` is for tests
that make honest use of the API: the moment before such a query is asked, it is asked with the same parameters in the
name of an organisation that owns nothing (and what it did is rolled back). It has to get nothing: this holds for the
query alone, whatever is looked up before it. Then once more with its organisation left out: now it has to get
something, or else the first answer proves nothing.
"""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import asyncpg
import pytest

from engine.store import queries
from engine.store.filters import MARK

OWN = re.compile(r"(?<!SET )\b(?:\w+\.)?organisation_id = \$(\d+)")
# dialled and settled by the engine, which takes the organisation from the campaign's own row
ENGINES = frozenset({"campaign_claims"})
# a row of the caller's own, which counts what there is: for the limit of each organisation
COUNTING = frozenset({"webhooks.create"})
# turned round: they give what is not there
UNKNOWN = frozenset({"directory.missing_users", "dnc.unknown", "programs.unknown", "transmissions.silent_recordings"})
# what answers nothing whatever it did: how many there are afterwards tells
EFFECTS = dict.fromkeys(("campaigns.fail_pending", "group_removal.fail_waiting"),
                        "SELECT count(*) FROM transmissions WHERE status = 'failed'")
REFERRED_TO = (asyncpg.ForeignKeyViolationError, asyncpg.RestrictViolationError)
_COUNTS = re.compile(r"\b(count|sum|exists|coalesce)\s*\(", re.IGNORECASE)      # a row also of nothing
ENOUGH = 3      # times that a query is asked twice


def found() -> dict[str, str]:
    """SQL by `file.query`."""
    files = sorted(path.stem for path in queries.SQL.glob("*.sql") if path.stem not in ENGINES)
    return {f"{file}.{name}": sql for file in files for name, sql in queries.load(file).items()
            if OWN.search(sql) and f"{file}.{name}" not in COUNTING}


def without_organisation(sql: str) -> str:
    """The query as it is, for everybody's rows: each comparison with the caller's organisation is made true."""
    return OWN.sub(lambda own: f"({own[0]}) IS NOT NULL", sql)


@dataclass
class Heard:
    """`others`: what gave or did something for a foreign organisation; `noticed`: what would have, with its
    organisation left out."""

    nobody: int | None = None       # the organisation that owns nothing; from then on everything is asked twice
    noticed: set[str] = field(default_factory=set)
    times: Counter[str] = field(default_factory=Counter)
    others: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=lambda: {sql: name for name, sql in found().items()})

    def name(self, sql: str) -> str | None:
        """A list's statement has its filters where the mark was."""
        return self.names.get(sql) or next(
            (name for own, name in self.names.items() if MARK in own and sql.startswith(own.partition(MARK)[0])), None)


@contextmanager
def asked_by_others(patch: pytest.MonkeyPatch) -> Iterator[Heard]:
    """On every pool that is opened within."""
    heard = Heard()
    with patch.context() as patched:
        patched.setattr(asyncpg, "create_pool", partial(asyncpg.create_pool, connection_class=_asking(heard)))
        yield heard


def _asking(heard: Heard) -> type["asyncpg.Connection[Any]"]:
    class Asking(asyncpg.Connection):       # type: ignore[type-arg, misc]
        async def fetch(self, query: str, *args: Any, **more: Any) -> Any:
            await asked_twice(self, heard, query, args)
            return await super().fetch(query, *args, **more)

        async def fetchrow(self, query: str, *args: Any, **more: Any) -> Any:
            await asked_twice(self, heard, query, args)
            return await super().fetchrow(query, *args, **more)

        async def fetchval(self, query: str, *args: Any, **more: Any) -> Any:
            await asked_twice(self, heard, query, args)
            return await super().fetchval(query, *args, **more)

        async def execute(self, query: str, *args: Any, **more: Any) -> Any:
            await asked_twice(self, heard, query, args)
            return await super().execute(query, *args, **more)
    return Asking


async def asked_twice(connection: Any, heard: Heard, query: str, args: tuple[Any, ...]) -> None:
    name = heard.name(query)
    if name is None or heard.nobody is None or (name in heard.noticed and heard.times[name] >= ENOUGH):
        return
    places = {int(found[1]) - 1 for found in OWN.finditer(query)}
    if any(args[place] is None for place in places):
        return      # a system's token: everybody's
    heard.times[name] += 1
    turned = name in UNKNOWN
    if turned and [] in args:
        return
    foreign = [heard.nobody if place in places else it for place, it in enumerate(args)]
    effect = EFFECTS.get(name)
    answer = await _gives(connection, query, foreign, effect)
    if bool(answer) is not turned:
        heard.others[name] = answer or "all of it is there"
    if bool(await _gives(connection, without_organisation(query), foreign, effect)) is not turned:
        heard.noticed.add(name)


async def _gives(connection: Any, query: str, args: Any, effect: str | None = None) -> str:
    """What it answers or does, in words; empty for nothing. It is undone. `effect` counts what is told by no answer."""
    undone = connection.transaction()
    await undone.start()
    try:
        before = await _counted(connection, effect)
        statement = await connection.prepare(query)
        rows = await statement.fetch(*args)
        changed = await _counted(connection, effect) - before
    except REFERRED_TO as error:        # a row is removed that others refer to: it was found
        return str(error) if query.lstrip().startswith("DELETE") else ""
    except asyncpg.PostgresError:
        return ""
    finally:
        await undone.rollback()
    if effect is not None:
        return f"{changed} changed" if changed else ""
    done = re.fullmatch(r"(?:UPDATE|DELETE|INSERT 0) ([1-9]\d*)", statement.get_statusmsg())
    told = any(map(_is_something, rows)) if _COUNTS.search(query) else bool(rows)
    if done is not None or told:
        return f"{statement.get_statusmsg()}: {[tuple(row) for row in rows[:2]]}"
    return ""


async def _counted(connection: Any, effect: str | None) -> int:
    return int(await (await connection.prepare(effect)).fetchval()) if effect else 0


def _is_something(value: Any) -> bool:
    if isinstance(value, tuple | list | asyncpg.Record):
        return any(map(_is_something, value))
    return value not in (None, 0, False, "", "[]", "{}")
