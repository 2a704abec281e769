"""Live calls, their rows and the ownership of a switch (`ports.CallStore`), in memory and in Postgres alike."""

import asyncio
import json
import os
import re
import signal
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

import asyncpg
import psutil
import pytest

from engine.ports import Batch, CallStore, FencedOut, SavedCall, StoreFailed
from engine.runtime.folders import Home
from engine.runtime.postgres import Postgres
from engine.store.calls import SAVE_TIMEOUT_S, PostgresCalls
from engine.store.hotlines import SQL as HOTLINES_SQL
from engine.store.memory_calls import MemoryCalls, Shelf
from engine.store.migrate import migrate
from engine.switch.memory import MemorySwitch
from engine.vocabulary.commands import Finish, RowCommand, WriteEntry, WriteRecord
from engine.vocabulary.values import Direction, EntryType, RecordStatus
from tests.desk import SwitchClock
from tests.playbook import at

SWITCH = "asterisk"
ROWS = 100_000


class World(Protocol):
    """A store that several engines use, and what only a test may do to it."""

    def engine(self) -> CallStore: ...
    async def age(self, seconds: float) -> None: ...
    async def dies(self, engine: CallStore) -> None: ...
    async def rows(self) -> list[str]: ...


class MemoryWorld:
    def __init__(self) -> None:
        self._switch = MemorySwitch()
        self._shelf = Shelf(SwitchClock(self._switch))

    def engine(self) -> CallStore:
        return MemoryCalls(self._shelf)

    async def age(self, seconds: float) -> None:
        self._switch.advance(seconds)

    async def dies(self, engine: CallStore) -> None:
        self._shelf.owner_is_dead = True

    async def rows(self) -> list[str]:
        return [_told(row) for _, row in self._shelf.rows]


class PostgresWorld:
    def __init__(self, url: str) -> None:
        self.url = url
        self.engines: list[PostgresCalls] = []

    def engine(self) -> CallStore:
        self.engines.append(PostgresCalls(self.url, SWITCH))
        return self.engines[-1]

    async def age(self, seconds: float) -> None:
        await self.execute("UPDATE engines SET beat_at = beat_at - $1::interval", timedelta(seconds=seconds))

    async def dies(self, engine: CallStore) -> None:
        await engine.close()

    async def rows(self) -> list[str]:
        entries = await self.execute("SELECT type AS told, id FROM call_log_entries ORDER BY id")
        records = await self.execute("SELECT leg AS told, id FROM telephone_records ORDER BY id")
        ended = await self.execute("SELECT outcome AS told FROM call_logs WHERE end_time IS NOT NULL ORDER BY id")
        return [row["told"] for row in (*entries, *records, *ended)]

    async def execute(self, query: str, *values: object) -> Sequence[asyncpg.Record]:
        connection = await asyncpg.connect(self.url, timeout=10, command_timeout=30)
        try:
            return await connection.fetch(query, *values)
        finally:
            await connection.close()


def _told(row: RowCommand) -> str:
    match row:
        case WriteEntry():
            return row.type.value
        case WriteRecord():
            return row.leg
        case Finish():
            return row.outcome


@pytest.fixture(params=["memory", "postgres"])
def url(request: pytest.FixtureRequest) -> str | None:
    return str(request.getfixturevalue("database_url")) if request.param == "postgres" else None


@pytest.fixture
async def world(url: str | None) -> AsyncIterator[World]:
    if url is None:
        yield MemoryWorld()
        return
    made = PostgresWorld(url)
    yield made
    for engine in made.engines:
        await engine.close()


@pytest.fixture
async def postgres(database_url: str) -> AsyncIterator[PostgresWorld]:
    made = PostgresWorld(database_url)
    yield made
    for engine in made.engines:
        await engine.close()


def call(number: int = 1, **changes: Any) -> SavedCall:
    made = SavedCall(
        call_id=str(uuid.UUID(int=number)), organisation_id=1, hotline_id=7, flow="hotline", version=1, phase="waiting",
        state={"legs": [], "text": "ü\\ \u2028 '"}, started_at=at(number), caller_leg=f"1795291439.{number}",
        is_new=True,
    )
    return replace(made, **changes)


def batch(*calls: SavedCall, rows: Sequence[RowCommand] = (), beat: bool = False) -> Batch:
    made = Batch({one.call_id: one for one in calls}, [(calls[0].call_id, row) for row in rows])
    made.heartbeat = {"switch": True} if beat else None
    return made


def entry(kind: EntryType, seconds: float = 0) -> WriteEntry:
    return WriteEntry(at(seconds), kind, user_id=1, phone_id=2, phone="4930123", message="Tür")


def record(leg: str) -> WriteRecord:
    return WriteRecord(
        leg, Direction.OUTBOUND, "4930555", "4930123", at(0), None, at(9), RecordStatus.BUSY, 17, fallback=True)


async def owner(world: World) -> CallStore:
    engine = world.engine()
    assert await engine.take_over(10)
    return engine


# --- who owns the switch -----------------------------------------------------------------------------------------


async def test_a_switch_that_nobody_owns_is_taken(world: World) -> None:
    assert await world.engine().take_over(10)


async def test_a_switch_whose_owner_lives_is_refused(world: World) -> None:
    first = await owner(world)
    second = world.engine()
    assert not await second.take_over(10)
    await first.save(batch(call()))
    assert not await second.take_over(10)


async def test_when_the_owners_process_is_gone_its_switch_is_taken_at_once(world: World) -> None:
    first = await owner(world)
    await world.dies(first)
    second = world.engine()
    async with asyncio.timeout(5):
        while not await second.take_over(10):  # noqa: ASYNC110 -- the server tells nobody that a client is gone
            await asyncio.sleep(0.01)


async def test_an_owner_that_stopped_beating_is_replaced_and_saves_nothing_any_more(world: World) -> None:
    first = await owner(world)
    await first.save(batch(call(1), rows=[entry(EntryType.CALLER_CONNECTED)]))
    await world.age(9)
    assert not await world.engine().take_over(10)
    await world.age(2)
    second = await owner(world)
    late = batch(call(2), rows=[entry(EntryType.BRIDGED)], beat=True)
    with pytest.raises(FencedOut):
        await first.save(late)
    assert [one.call_id for one in await second.load_calls()] == [call(1).call_id]
    assert await world.rows() == ["callerConnected"]
    await second.save(batch(call(3)))


async def test_a_heartbeat_keeps_the_owner(world: World) -> None:
    first = await owner(world)
    await world.age(9)
    await first.save(batch(call(1), beat=True))
    await world.age(9)
    assert not await world.engine().take_over(10)


# --- what is saved -----------------------------------------------------------------------------------------------


async def test_a_call_comes_back_as_it_was_saved(world: World) -> None:
    engine = await owner(world)
    saved = call(outbox=[["Play", {"leg": "1.2", "not_after": None}]])
    await engine.save(batch(saved))
    [loaded] = await engine.load_calls()
    assert replace(loaded, is_new=True) == saved


async def test_rows_come_in_the_order_they_were_written_together_with_the_state(world: World) -> None:
    engine = await owner(world)
    kinds = [EntryType.CALLER_CONNECTED, EntryType.AGENT_CALLED, EntryType.AGENT_CALLED, EntryType.BRIDGED]
    await engine.save(batch(call(), rows=[*map(entry, kinds), record("leg-2"), record("leg-1")]))
    assert await world.rows() == [*(kind.value for kind in kinds), "leg-2", "leg-1"]


async def test_calls_are_loaded_oldest_first(world: World) -> None:
    engine = await owner(world)
    await engine.save(batch(call(3), call(1)))
    await engine.save(batch(call(2)))
    assert [one.call_id for one in await engine.load_calls()] == [call(n).call_id for n in (1, 2, 3)]


async def test_saving_a_call_again_replaces_state_and_outbox(world: World) -> None:
    engine = await owner(world)
    await engine.save(batch(call(outbox=[["HangUp", {}]])))
    await engine.save(batch(call(is_new=False, phase="talking", state={"winner": "leg-1"})))
    [loaded] = await engine.load_calls()
    assert (loaded.phase, loaded.state, list(loaded.outbox)) == ("talking", {"winner": "leg-1"}, [])


async def test_a_finished_call_is_gone_and_its_log_says_how(world: World) -> None:
    engine = await owner(world)
    await engine.save(batch(call()))
    await engine.save(batch(call(is_new=False), rows=[entry(EntryType.CALL_ENDED), Finish(at(9), "answered")]))
    assert await engine.load_calls() == []
    assert await world.rows() == ["callEnded", "answered"]


async def test_a_call_that_begins_and_ends_in_one_batch_leaves_its_log(world: World) -> None:
    engine = await owner(world)
    await engine.save(batch(call(), rows=[entry(EntryType.CALLER_CONNECTED), Finish(at(0.1), "callerHangup")]))
    assert await engine.load_calls() == []
    assert await world.rows() == ["callerConnected", "callerHangup"]
    assert await engine.call_of_leg(call().caller_leg) == call().call_id


async def test_a_failed_call_keeps_its_row_and_is_not_loaded(world: World) -> None:
    engine = await owner(world)
    await engine.save(batch(call(1), call(2)))
    await engine.save(batch(call(1, is_new=False, phase="failed")))
    assert [one.call_id for one in await engine.load_calls()] == [call(2).call_id]
    assert await engine.call_of_leg(call(1).caller_leg) == call(1).call_id


async def test_the_newest_call_of_a_leg_is_found_whether_it_lives_or_not(world: World) -> None:
    engine = await owner(world)
    assert await engine.call_of_leg("1795291439.1") is None
    await engine.save(batch(call(1)))
    await engine.save(batch(call(1, is_new=False), rows=[Finish(at(9), "answered")]))
    assert await engine.call_of_leg("1795291439.1") == call(1).call_id
    await engine.save(batch(call(2, caller_leg="1795291439.1")))
    assert await engine.call_of_leg("1795291439.1") == call(2).call_id


async def test_questions_may_be_asked_while_a_save_is_in_flight(world: World) -> None:
    engine = await owner(world)
    await engine.save(batch(call(1)))
    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(engine.call_of_leg(call(1).caller_leg)) for _ in range(5)]
        for number in range(2, 7):
            tasks.create_task(engine.save(batch(call(number))))
    assert {one.result() for one in asked} == {call(1).call_id}
    assert len(await engine.load_calls()) == 6


# --- Postgres alone ----------------------------------------------------------------------------------------------


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
    await postgres.age(11)
    await owner(postgres)
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
                   "UPDATE call_logs", "DELETE FROM calls", "FROM calls c JOIN call_logs", "UPDATE engines"):
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
