"""Numbered SQL migrations: `migrations/0001_foundation.sql`, `0002_….sql`, each in a transaction of its own.

Called by `ringward migrate`, `ringward up` and the tests. The table `migrations` keeps number, name and
SHA-256 of what was applied; a file that was changed afterwards is refused, because then nobody knows what the
database holds. An advisory lock lets two starting processes take turns.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from engine.store.pool import connect, store_errors
from engine.vocabulary.values import RingwardError

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x52494E47          # "RING": any number, the same in every process
LOCK_TIMEOUT_S = 60.0
STATEMENT_TIMEOUT_S = 600.0
_FILE = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")

_TABLE = """
CREATE TABLE IF NOT EXISTS migrations (
    number     integer PRIMARY KEY,
    name       text NOT NULL,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)"""


class MigrationRefused(RingwardError):
    """The migrations on disk do not continue what was applied to this database."""


@dataclass(frozen=True, slots=True)
class Migration:
    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


async def migrate(database_url: str, folder: Path = MIGRATIONS) -> list[int]:
    """Bring the database up to date; the numbers applied now. Raises MigrationRefused, StoreFailed."""
    migrations = read(folder)
    connection = await connect(database_url, command_timeout_s=STATEMENT_TIMEOUT_S)
    try:
        async with store_errors():
            await connection.execute("SELECT pg_advisory_lock($1)", LOCK, timeout=LOCK_TIMEOUT_S)
            await connection.execute(_TABLE)
            applied = await connection.fetch("SELECT number, name, checksum FROM migrations")
            pending = _pending(migrations, applied)
            for migration in pending:
                await _apply(connection, migration)
            return [migration.number for migration in pending]
    finally:
        await connection.close(timeout=5)     # the lock goes with the session


async def pending_migrations(database_url: str, folder: Path = MIGRATIONS) -> int:
    """How many are not applied yet; changes nothing. Raises MigrationRefused, StoreFailed."""
    connection = await connect(database_url)
    try:
        async with store_errors():
            is_new = await connection.fetchval("SELECT to_regclass('migrations') IS NULL")
            applied = [] if is_new else await connection.fetch("SELECT number, name, checksum FROM migrations")
            return len(_pending(read(folder), applied))
    finally:
        connection.terminate()


def read(folder: Path = MIGRATIONS) -> list[Migration]:
    """The migrations of a folder in order. Raises MigrationRefused for a bad name, a gap or a double."""
    found = []
    for path in sorted(folder.glob("*.sql")):
        match = _FILE.match(path.name)
        if match is None:
            raise MigrationRefused(f"{path.name}: the name must look like 0001_what_it_does.sql")
        found.append(Migration(int(match[1]), match[2], path.read_text(encoding="utf-8")))
    for expected, migration in enumerate(found, start=1):
        if migration.number != expected:
            raise MigrationRefused(f"migration {expected:04} is missing, or {migration.number:04} is double")
    return found


def _pending(migrations: Sequence[Migration], applied: Sequence["asyncpg.Record"]) -> list[Migration]:
    by_number = {migration.number: migration for migration in migrations}
    for row in applied:
        migration = by_number.pop(row["number"], None)
        if migration is None:
            raise MigrationRefused(f"the database has migration {row['number']:04} {row['name']}, which this "
                                   "Ringward does not know: it is older than the database")
        if migration.checksum != row["checksum"]:
            raise MigrationRefused(f"migration {migration.number:04} {migration.name} was changed after it "
                                   "was applied: put it back and write a new one")
    done = max((row["number"] for row in applied), default=0)
    if by_number and min(by_number) < done:
        raise MigrationRefused(f"migration {min(by_number):04} is new, but {done:04} was already applied")
    return list(by_number.values())


async def _apply(connection: "asyncpg.Connection[Any]", migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(migration.sql)
        await connection.execute("INSERT INTO migrations (number, name, checksum) VALUES ($1, $2, $3)",
                                 migration.number, migration.name, migration.checksum)
