"""SQL through every parameter of every list: filters, sorts, pages, cursors, those that a list does not have as well.

Never a 500, never a row more than there would be, and a table that somebody might drop is there with its rows.
"""

import random
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from tests.directory_site import directory_site
from tests.torture.hostile_bodies import QUERIES, none
from tests.torture.hostile_dump import dump
from tests.torture.hostile_estate import Estate, Heard
from tests.torture.hostile_routes import Route, all_routes
from tests.torture.report import Tally

CANARY = "CREATE TABLE hostile_canary AS SELECT generate_series(1, 100) AS id"
TEXTS = (
    "'", '"', "''", "\\'", "1'", "1 OR 1=1", "' OR '1'='1", "' OR 1=1 --", "1; DROP TABLE hostile_canary", "$1", "$$",
    "%", "_", "'; DROP TABLE hostile_canary; --", "1 UNION SELECT id, private_key FROM signing_keys", "*/ OR true /*",
    "/* filters */", "') OR pg_sleep(5) IS NULL --", "1); DELETE FROM contacts; --", "{0}", "{}", "\0", "\x00'",
    "%00", "%27", "\u02bc", "\uff07", "null", "NaN", "-1", "0", "1e9", "9" * 19, "9" * 400, "-" + "9" * 18, "true",
    "[]", "[1]", "1,2", "1 2", "\ud800", "x" * 3000, "infinity", "2026-13-45", "2026-01-01T00:00:00Z'", "name; --",
    "id desc", "(select 1)", "\U0001f525", "\u202e", "MQ", "MScgT1I",
)
EVERYWHERE = ("sort", "order", "orderby", "order_by", "q", "filter", "search", "where", "fields")
OF_ICTCORE = (
    "user_id", "before", "after", "pagesize", "pageindex", "name", "type", "phone", "email", "first_name", "status",
    "contact_id", "group_id", "program_id", "campaign_id", "transmission_id", "account_id", "username", "title",
    "origin", "direction", "service_flag", "host", "active", "description", "recording_id", "provider_id", "role_id",
    "node_id", "is_deleted", "last_name", "subject", "data", "document_id", "template_id", "text_id",)
LONG = pytest.mark.timeout(600)


@pytest.fixture
async def estate(database_url: str) -> AsyncIterator[Estate]:
    async with directory_site(database_url) as site:
        await site.pool.execute(CANARY)
        yield await Estate.built(site.api.session, site.root, site.pool)


def lists() -> list[Route]:
    """ICTCore also starts, stops and clones by GET."""
    return [it for it in all_routes() if it.method == "GET" and not it.is_endless and it.api != "sensaphone-uri"
            and not it.path.endswith(("/start", "/stop", "/clone"))]


def parameters(route: Route) -> list[str]:
    return sorted({*route.query, *EVERYWHERE, *(OF_ICTCORE if route.api == "ictcore" else ())})


@LONG
async def test_no_parameter_of_any_list_is_ever_sql(
        estate: Estate, rng: random.Random, tally: Tally, request: pytest.FixtureRequest) -> None:
    """Short: some parameters with one text each; whole: all with all of them."""
    is_whole = request.config.option.torture
    before = await dump(estate.pool, estate.organisation_id)
    for route in lists():
        honest = QUERIES.get(route.name, none)(estate.own)
        most = _rows(await estate.ask(route, query=honest))
        every = parameters(route)
        for name in every if is_whole else rng.sample(every, 5):
            for text in TEXTS if is_whole else rng.sample(TEXTS, 1):
                began = time.monotonic()
                got = await estate.ask(route, query={**honest, name: text})
                tally.faults += 1
                assert got.status < 500 and time.monotonic() - began < 4, (route.name, name, text, got)
                assert _rows(got) <= most and b"PRIVATE KEY" not in got.body, (route.name, name, text, got)
    assert await estate.pool.fetchval("SELECT count(*) FROM hostile_canary") == 100
    assert await dump(estate.pool, estate.organisation_id) == before


@LONG
async def test_no_part_of_any_path_is_ever_sql(
        estate: Estate, rng: random.Random, tally: Tally, request: pytest.FixtureRequest) -> None:
    """Of what reads, and of what changes: nothing but the thing itself could be meant."""
    before: Mapping[str, Any] = await dump(estate.pool, estate.organisation_id)
    for route in all_routes():
        for name in route.variables:
            if route.is_endless or name in ("acctid", "session", "user_name", "password"):
                continue
            if name in ("name", "destination"):
                continue        # text is taken there: test_hostile_texts.py has it
            for text in TEXTS if request.config.option.torture else rng.sample(TEXTS, 2):
                if text in _ids(estate):
                    continue
                got = await estate.ask(route, path={name: _quoted(text)}, body=estate.body(route))
                tally.faults += 1
                assert got.status < 500 and (got.is_refused or got.status in (400, 404, 405, 409, 412, 414, 422)), (
                    route.name, name, text, got)
    assert await estate.pool.fetchval("SELECT count(*) FROM hostile_canary") == 100
    after = await dump(estate.pool, estate.organisation_id)
    assert {name: rows for name, rows in before.items() if rows != after[name]} == {}


def _ids(estate: Estate) -> set[str]:
    return {str(it) for it in estate.own.values()} | {"-1", "1", "0"}     # -1: the caller's own account


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


def _rows(got: Heard) -> int:
    """How many the answer has; a refusal has none."""
    if got.status != 200 or got.body[:1] not in (b"[", b"{"):
        return 0
    found = got.json
    lists_ = [it for it in found.values() if isinstance(it, list)] if isinstance(found, dict) else [found]
    return max(map(len, lists_), default=0)
