"""`ringward call tail`: the timeline of calls as they happen, out of the call log."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any

import asyncpg
import typer

from engine.cli.terminal import DEFAULT_HOME, Home, Json, database_of, errors, say
from engine.ports import StoreFailed
from engine.store import queries
from engine.store.pool import connect, store_errors

app = typer.Typer()
SQL = queries.load("supervisor")
POLL_S = 0.2
RETRY_S = 1.0
LOOK_BACK = 100     # entries: ids are given before they are committed


@app.callback()
def group() -> None:
    """A group, though of one command."""


@app.command()
def tail(
    home: Home = DEFAULT_HOME, as_json: Json = False,
    last: Annotated[int, typer.Option(min=0, max=400, help="Begin with this many entries that happened already.")] = 0,
) -> None:
    """Follow all calls, one line a step, until Ctrl-C. With --json one object a line."""
    with errors(as_json):
        asyncio.run(_tail(home, as_json, last))


async def _tail(home: Path, as_json: bool, last: int) -> None:
    async with aclosing(entries(database_of(home), last)) as found:
        async for entry in found:
            print(json.dumps(_fields(entry)) if as_json else _line(entry), flush=True)


async def entries(database_url: str, last: int = 0) -> "AsyncGenerator[asyncpg.Record, None]":
    """Call log entries as they are committed, each once. A lost database is tried again."""
    floor: int | None = None
    high, shown = 0, set[int]()
    while True:
        try:
            connection = await connect(database_url)
            try:
                async with store_errors():
                    if floor is None:
                        floor = high = max(await connection.fetchval(SQL["last_entry"]) - last, 0)
                    while True:
                        for row in await connection.fetch(SQL["entries_after"], max(high - LOOK_BACK, floor)):
                            if row["id"] not in shown:
                                shown.add(row["id"])
                                yield row
                            high = max(high, row["id"])
                        shown = {entry for entry in shown if entry > high - 2 * LOOK_BACK}
                        await asyncio.sleep(POLL_S)
            finally:
                connection.terminate()
        except StoreFailed as error:
            if floor is None:
                raise
            say(f"the database does not answer ({error}); trying again")
            await asyncio.sleep(RETRY_S)


def _fields(row: "asyncpg.Record") -> dict[str, Any]:
    return {"time": row["at"].isoformat(), "callLogID": row["call_log_id"], "hotlineID": row["hotline_id"],
            "type": row["type"], "phone": row["phone"], "message": row["message"]}


def _line(row: "asyncpg.Record") -> str:
    return (f"{row['at'].astimezone():%H:%M:%S.%f}"[:-3] + f"  call {row['call_log_id']}  {row['hotline']}  "
            f"+{row['since_start_s']:.3f} s  {row['type']:<18} {row['phone'] or ''} {row['message']}").rstrip()
