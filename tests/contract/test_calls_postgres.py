"""Live calls in Postgres: what only a real database can fail at."""

import asyncio
import json
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import psutil
import pytest

from engine.ports import FencedOut, StoreFailed
from engine.runtime.folders import Home
from engine.runtime.postgres import Postgres
from engine.store.calls import SAVE_TIMEOUT_S, PostgresCalls
from engine.store.hotlines import SQL as HOTLINES_SQL
from engine.store.migrate import migrate
from engine.vocabulary.commands import Finish
from engine.vocabulary.values import EntryType
from tests.call_stores import PostgresWorld, batch, call, entry, owner, record
from tests.playbook import at

ROWS = 100_000


@pytest.fixture
async def postgres(database_url: str) -> AsyncIterator[PostgresWorld]:
    made = PostgresWorld(database_url)
    yield made
    for engine in made.engines:
        await engine.close()


async def test_a_record_told_twice_stands_once(postgres: PostgresWorld) -> None:
    engine = await owner(postgres)
    await engine.save(batch(call(), rows=[record("leg-1")]))
    await engine.save(batch(call(is_new=False), rows=[record("leg-1")]))
    assert await postgres.rows() == ["leg-1"]


async def test_a_batch_that_fails_in_its_last_row_saves_nothing(postgres: PostgresWorld) -> None:
    engine = await owner(postgres)
    bad = replace(record("leg-1"), direction="sideways")  # type: ignore[arg-type]
    with pytest.raises(StoreFailed):
        await engine.save(batch(call(), rows=[entry(EntryType.BRIDGED), bad]))
    assert await engine.load_calls() == []
    assert await postgres.rows() == []
    await engine.save(batch(call()))


async def test_every_fact_of_a_row_arrives(postgres: PostgresWorld) -> None:
    engine = await owner(postgres)
    await engine.save(batch(call(), rows=[entry(EntryType.BRIDGED, 3), record("leg-1")]))
    [log] = await postgres.execute("SELECT * FROM call_logs")
    [told] = await postgres.execute("SELECT * FROM call_log_entries")
    [leg] = await postgres.execute("SELECT * FROM telephone_records")
    assert (log["organisation_id"], log["hotline_id"], log["start_time"]) == (1, 7, at(1))
    assert (told["call_log_id"], told["at"], told["user_id"], told["phone_id"], told["phone"], told["message"]) == (
        log["id"], at(3), 1, 2, "4930123", "Tür")
    assert (leg["direction"], leg["answer_time"], leg["end_time"], leg["status"], leg["cause"], leg["fallback"]) == (
        "outbound", None, at(9), "busy", 17, True)


async def test_the_heartbeat_leaves_state_and_figures_for_the_api(postgres: PostgresWorld) -> None:
    engine = await owner(postgres)
    beat = batch(call(), beat=True)
    beat.metrics = "ringward_live_calls 1\n"
    await engine.save(beat)
    [row] = await postgres.execute("SELECT state, metrics, pid FROM engines")
    assert (json.loads(row["state"]), row["metrics"], row["pid"]) == ({"switch": True}, beat.metrics, os.getpid())


async def test_engines_of_other_switches_do_not_see_each_other(postgres: PostgresWorld) -> None:
    here = await owner(postgres)
    there = PostgresCalls(postgres.url, "freeswitch")
    postgres.engines.append(there)
    assert await there.take_over(10)
    await here.save(batch(call(1)))
    await there.save(batch(call(2)))
    assert [one.call_id for one in await there.load_calls()] == [call(2).call_id]


async def test_durability_is_never_turned_off(postgres: PostgresWorld) -> None:
    engine = await owner(postgres)
    await engine.save(batch(call()))
    settings = "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes')"
    connection = postgres.engines[0]._connection
    assert connection is not None
    assert dict(await connection.fetch(settings)) == {
        "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


async def test_after_a_lost_connection_the_engine_owns_the_switch_as_before(postgres: PostgresWorld) -> None:
    engine = await owner(postgres)
    await postgres.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()")
    with suppress(StoreFailed):  # a moment later the loss is noticed before the save, and nothing fails
        await engine.save(batch(call(1)))
    await engine.save(batch(call(1), beat=True))
    assert [one.call_id for one in await engine.load_calls()] == [call(1).call_id]
    assert not await postgres.engine().take_over(10)


async def test_an_engine_that_was_replaced_while_it_had_no_connection_is_fenced_out(postgres: PostgresWorld) -> None:
    first = await owner(postgres)
    await first.close()
    assert await postgres.engine().take_over(0)
    with pytest.raises(FencedOut):
        await first.load_calls()


async def test_the_owner_gets_its_lock_back_once_the_server_has_dropped_the_former_connection(
    postgres: PostgresWorld,
) -> None:
    engine = await owner(postgres)
    former = postgres.engines[0]._connection
    postgres.engines[0]._connection = None  # as after a timeout, while the server has not noticed yet
    await engine.save(batch(call(), beat=True))
    assert former is not None
    former.terminate()
    async with asyncio.timeout(5):
        while not postgres.engines[0]._owns_lock:
            await engine.save(batch(call(is_new=False), beat=True))
    assert not await postgres.engine().take_over(10)


async def test_no_plan_reads_a_big_table_from_end_to_end(postgres: PostgresWorld) -> None:
    began = time.monotonic()
    for statement in FILL:
        await postgres.execute(statement.format(rows=ROWS))
    filled_s = time.monotonic() - began
    engine = await owner(postgres)
    connection = postgres.engines[0]._connection
    assert connection is not None
    plans: list[str] = []
    connection.add_log_listener(lambda _, message: plans.append(message.message))
    for setting in ("log_min_duration = 0", "log_nested_statements = on"):
        await connection.execute(f"LOAD 'auto_explain'; SET auto_explain.{setting}")
    await connection.execute("SET client_min_messages = log")
    everything = [entry(EntryType.BRIDGED), record("leg-1")]
    for number in range(1, 8):  # the sixth execution may change to a generic plan
        await engine.save(batch(call(number), rows=everything, beat=True))
        await engine.save(batch(call(number, is_new=False), rows=everything))
        await engine.load_calls()
        await engine.call_of_leg("1795291439.77777")
        await engine.save(batch(call(number, is_new=False), rows=[*everything, Finish(at(9), "answered")]))
    told = "\n".join(plans)
    for wanted in ("INSERT INTO calls", "INSERT INTO call_log_entries", "INSERT INTO telephone_records",
                   "UPDATE call_logs", "DELETE FROM calls", "FROM calls c LEFT JOIN call_logs", "UPDATE engines"):
        assert wanted in told, wanted
    big = "|".join(("calls", "call_logs", "call_log_entries", "telephone_records"))
    assert not re.search(rf"Seq Scan on ({big})", told), told
    assert filled_s < 20


async def test_a_hotline_is_looked_up_without_reading_a_table_from_end_to_end(postgres: PostgresWorld) -> None:
    for statement in FILL_DIRECTORY:
        await postgres.execute(statement.format(rows=ROWS // 2))
    plan = await postgres.execute("EXPLAIN " + HOTLINES_SQL["by_number"].replace("$1", "'+4930007777'"))
    text = "\n".join(row[0] for row in plan)
    assert not re.search(r"Seq Scan on (hotlines|hotline_agents|phones)", text), text


FILL = (
    "INSERT INTO call_logs (call_id, organisation_id, hotline_id, caller_leg, start_time) "
    "SELECT lpad(n::text, 32, '0')::uuid, 1, n % 100, '1795291439.' || n, now() "
    "FROM generate_series(1000, {rows}) n",
    "INSERT INTO calls (id, switch, organisation_id, hotline_id, flow, version, phase, state, started_at) "
    "SELECT call_id, 'other', 1, 1, 'hotline', 1, 'waiting', '{{}}', now() FROM call_logs",
    "INSERT INTO call_log_entries (call_log_id, organisation_id, at, type) "
    "SELECT id, 1, now(), 'bridged' FROM call_logs",
    "INSERT INTO telephone_records (leg, call_log_id, organisation_id, hotline_id, direction, from_number, to_number, "
    "start_time, end_time, status, cause) "
    "SELECT 'leg', id, 1, 1, 'inbound', '1', '2', now(), now(), 'busy', 17 FROM call_logs",
    "ANALYZE calls, call_logs, call_log_entries, telephone_records",
)
FILL_DIRECTORY = (
    "INSERT INTO organisations (name) VALUES ('one')",
    "ALTER TABLE hotlines DISABLE TRIGGER USER",
    "INSERT INTO users (organisation_id, name) SELECT 1, 'user ' || n FROM generate_series(1, {rows}) n",
    "INSERT INTO phones (organisation_id, user_id, name, number) SELECT 1, id, '', '+49301' || id FROM users",
    "INSERT INTO hotlines (organisation_id, name, number, is_active, channels_inbound, channels_outbound, tts_inbound, "
    "tts_outbound) SELECT 1, '', '+493000' || n, true, 1, 1, '', '' FROM generate_series(1, {rows}) n",
    "INSERT INTO hotline_agents (hotline_id, position, user_id) SELECT h.id, 0, h.id FROM hotlines h",
    "ANALYZE hotlines, phones, hotline_agents, users, organisations",
)


# --- a database that stops ---------------------------------------------------------------------------------------


@pytest.fixture
def private_postgres(home: Home) -> Iterator[Postgres]:
    server = Postgres.start(home)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def stopped(server: Postgres) -> Iterator[None]:
    """The server and all its backends hang."""
    postmaster = psutil.Process(server.pid)
    processes = [postmaster, *postmaster.children(recursive=True)]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in reversed(processes):
            process.send_signal(signal.SIGCONT)


async def test_a_database_that_hangs_fails_in_time_and_works_again_when_it_does(private_postgres: Postgres) -> None:
    await migrate(private_postgres.url)
    world = PostgresWorld(private_postgres.url)
    engine = await owner(world)
    await engine.save(batch(call(1)))
    began = time.monotonic()
    with stopped(private_postgres):
        with pytest.raises(StoreFailed):
            await engine.save(batch(call(2), rows=[entry(EntryType.CALLER_CONNECTED)]))
        assert time.monotonic() - began < SAVE_TIMEOUT_S + 1
        with pytest.raises(StoreFailed):
            await engine.load_calls()
        assert time.monotonic() - began < 2 * SAVE_TIMEOUT_S + 2
    async with asyncio.timeout(15):
        while True:
            try:
                loaded = await engine.load_calls()
                break
            except StoreFailed:
                await asyncio.sleep(0.05)
    # the save whose fate was unknown is decided before the first answer: all of it, or nothing for ever
    rows = await world.rows()
    assert rows == ["callerConnected"] * (len(loaded) - 1)
    await engine.save(batch(call(3)))
    assert await world.rows() == rows
    assert len(await engine.load_calls()) == len(loaded) + 1
    await engine.close()
