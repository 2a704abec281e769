"""Migrated databases for tests. Making one costs a quarter of a second, emptying a used one some milliseconds.

A database is used again only while it is as it was made: whatever a test changed beside rows (a table, a function, a
setting, statistics for the planner) has it dropped. Rows that a migration inserted, and where its sequences stood, are
kept in the schema `pristine`, and put back.
"""

import asyncio
import secrets
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from engine.store.migrate import migrate

BIG = 1 << 20  # bytes of a table from which deleting its rows is dearer than a new file

# everything that is not a row: definitions by their number and the latest of them, settings, statistics
MADE = """
SELECT concat_ws(' ',
    (SELECT concat(count(*), '-', max(oid)) FROM pg_class WHERE oid >= 16384),
    (SELECT concat(count(*), '-', max(oid), '-', sum(hashtext(prosrc))) FROM pg_proc WHERE oid >= 16384),
    (SELECT concat(count(*), '-', max(oid), '-', string_agg(tgenabled::text, '' ORDER BY oid))
     FROM pg_trigger WHERE oid >= 16384),
    (SELECT concat(count(*), '-', max(oid)) FROM pg_constraint WHERE oid >= 16384),
    (SELECT count(*) FROM pg_attribute WHERE attrelid >= 16384),
    (SELECT sum(hashtext(coalesce(reloptions::text, ''))) FROM pg_class WHERE oid >= 16384),
    (SELECT string_agg(checksum, ' ' ORDER BY number) FROM migrations),
    (SELECT count(*) FROM pg_statistic WHERE starelid >= 16384),
    (SELECT count(*) FROM pg_db_role_setting AS s JOIN pg_database AS d ON d.oid = s.setdatabase
     WHERE d.datname = current_database()))
"""

ALONE = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""

KEEP = """
CREATE SCHEMA pristine;
CREATE TABLE pristine.stood AS
    SELECT format('%I.%I', schemaname, sequencename) AS name, last_value FROM pg_sequences WHERE last_value IS NOT NULL;
DO $$
DECLARE
    it record;
BEGIN
    FOR it IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
              AND relname <> 'migrations' AND pg_relation_size(oid) > 0 LOOP
        EXECUTE format('CREATE TABLE pristine.%1$I AS TABLE public.%1$I', it.relname);
    END LOOP;
END $$
"""

# triggers and foreign keys rest meanwhile
EMPTY = f"""
DO $$
DECLARE
    it record;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR it IN SELECT oid::regclass AS name, pg_relation_size(oid) AS size FROM pg_class
              WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'migrations' LOOP
        CONTINUE WHEN it.size = 0;
        IF it.size > {BIG} THEN
            EXECUTE format('TRUNCATE %s CASCADE', it.name);
        ELSE
            EXECUTE format('DELETE FROM %s', it.name);
        END IF;
    END LOOP;
    FOR it IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'pristine'::regnamespace
              AND relname <> 'stood' LOOP
        EXECUTE format('INSERT INTO public.%1$I OVERRIDING SYSTEM VALUE TABLE pristine.%1$I', it.relname);
    END LOOP;
    FOR it IN SELECT format('%I.%I', schemaname, sequencename) AS name, start_value, stood.last_value
              FROM pg_sequences AS s LEFT JOIN pristine.stood ON stood.name = format('%I.%I', schemaname, sequencename)
              WHERE s.last_value IS NOT NULL LOOP
        PERFORM setval(it.name::regclass, coalesce(it.last_value, it.start_value), it.last_value IS NOT NULL);
    END LOOP;
END $$
"""  # noqa: S608


def beside(url: str, name: str) -> str:
    """The address of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


class CleanDatabases:
    """`take` and `give_back`, for one test at a time; `drop_all` at the end."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._template = f"rw_template_{secrets.token_hex(4)}"
        self._clean: list[str] = []
        self._made: set[str] = set()
        self._as_made = ""
        _execute(server, f"CREATE DATABASE {self._template}")
        asyncio.run(migrate(beside(server, self._template)))
        _execute(beside(server, self._template), KEEP)

    def take(self) -> str:
        """The address of an empty database with all migrations."""
        if self._clean:
            return beside(self._server, self._clean.pop())
        name = f"rw_test_{secrets.token_hex(6)}"
        _execute(self._server, f"CREATE DATABASE {name} TEMPLATE {self._template}")
        self._made.add(name)
        if not self._as_made:
            self._as_made = asyncio.run(_value(beside(self._server, name), MADE))
        return beside(self._server, name)

    def give_back(self, url: str) -> None:
        name = urlsplit(url).path[1:]
        if asyncio.run(_emptied(url, self._as_made)):
            self._clean.append(name)
        else:
            self._drop(name)

    def drop_all(self) -> None:
        for name in [*self._made]:
            self._drop(name)
        _execute(self._server, f"DROP DATABASE {self._template} WITH (FORCE)")

    def _drop(self, name: str) -> None:
        _execute(self._server, f"DROP DATABASE {name} WITH (FORCE)")
        self._made.discard(name)


async def _emptied(url: str, as_made: str) -> bool:
    """False if it cannot be used again, or is not there any more."""
    try:
        connection = await asyncpg.connect(url, timeout=10, command_timeout=30)
    except (OSError, asyncpg.PostgresError):
        return False
    try:
        await connection.execute(ALONE)
        if await connection.fetchval(MADE) != as_made:
            return False
        await connection.execute(EMPTY)
    finally:
        await connection.close()
    return True


async def _value(url: str, query: str) -> str:
    connection = await asyncpg.connect(url, timeout=10, command_timeout=30)
    try:
        return str(await connection.fetchval(query) or "")
    finally:
        await connection.close()


def _execute(url: str, statement: str) -> None:
    asyncio.run(_executed(url, statement))


async def _executed(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url, timeout=10, command_timeout=30)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
