"""Migrations on a real Postgres: once, in turns, and never over a changed history."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from engine.ports import StoreFailed
from engine.store.migrate import MIGRATIONS, MigrationRefused, migrate, read
from engine.store.pool import connect, create_pool


@pytest.fixture
async def empty(postgres_url: str) -> AsyncIterator[str]:
    """A database without anything."""
    name = f"rw_empty_{secrets.token_hex(6)}"
    admin = await asyncpg.connect(postgres_url, timeout=10)
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        yield urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_one.sql").write_text("CREATE TABLE one (id int);")
    (tmp_path / "0002_two.sql").write_text("CREATE TABLE two (id int); INSERT INTO two VALUES (7);")
    return tmp_path


async def test_ours_are_applied_once_by_whoever_comes_first(empty: str) -> None:
    everything = [migration.number for migration in read(MIGRATIONS)]
    done = await asyncio.gather(*[migrate(empty) for _ in range(4)])
    assert sorted(done) == sorted([everything, [], [], []])
    assert await migrate(empty) == []


async def test_a_new_one_is_applied_alone(empty: str, folder: Path) -> None:
    assert await migrate(empty, folder) == [1, 2]
    (folder / "0003_three.sql").write_text("CREATE TABLE three (id int);")
    assert await migrate(empty, folder) == [3]


@pytest.mark.parametrize(("file", "text", "says"), [
    ("0001_one.sql", "CREATE TABLE one (id bigint);", "was changed"),
    ("0001_one.sql", None, "missing"),
    ("0004_four.sql", "SELECT 1", "missing"),
    ("0002_again.sql", "SELECT 1", "double"),
    ("three.sql", "SELECT 1", "name"),
])
async def test_a_changed_history_is_refused(
        empty: str, folder: Path, file: str, text: str | None, says: str) -> None:
    await migrate(empty, folder)
    if text is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(text)
    with pytest.raises(MigrationRefused, match=says):
        await migrate(empty, folder)


async def test_an_older_ringward_refuses_a_newer_database(empty: str, folder: Path) -> None:
    await migrate(empty, folder)
    (folder / "0002_two.sql").unlink()
    with pytest.raises(MigrationRefused, match="older"):
        await migrate(empty, folder)


async def test_a_failing_migration_leaves_nothing_of_itself(empty: str, folder: Path) -> None:
    (folder / "0002_two.sql").write_text("CREATE TABLE two (id int); SELECT 1 / 0;")
    with pytest.raises(StoreFailed, match="DivisionByZero"):
        await migrate(empty, folder)
    (folder / "0002_two.sql").write_text("CREATE TABLE two (id int);")
    assert await migrate(empty, folder) == [2]


async def test_connections_have_time_limits_and_keep_durability(database_url: str) -> None:
    pool = await create_pool(database_url)
    try:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await pool.fetchval(f"SHOW {setting}") == "on"
        assert await pool.fetchval("SHOW timezone") == "UTC"
        with pytest.raises(TimeoutError):
            await pool.fetchval("SELECT pg_sleep(30)", timeout=0.05)
    finally:
        await pool.close()


async def test_a_database_that_is_not_there_fails_quickly() -> None:
    with pytest.raises(StoreFailed):
        await connect("postgresql://nobody@127.0.0.1:1/none", connect_timeout_s=1)
