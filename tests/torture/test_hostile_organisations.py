"""Every route of every API with a second organisation's ids: in the path, in the body, in the query. Nothing is told,
and of the victim's rows, all of them, none is another one afterwards.
"""

import asyncio
import io
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.directory_site import directory_site
from tests.torture.hostile_bodies import BODIES, QUERIES, none
from tests.torture.hostile_dump import dump
from tests.torture.hostile_estate import ROOTS, Estate, Heard, kind_of
from tests.torture.hostile_routes import Route, all_routes
from tests.torture.report import Tally

NOBODYS = {"permission", "new", "username", "password", "acctid", "session", "colour"}     # of all, or of the caller
# a body's reference that is never looked at: what a GET answered can be PUT back
# (or of a program of another type)
UNREAD = {("ictcore POST /authenticate", "user"), ("ictcore PUT /programs/{program_id}/transmissions", "program"),
          *((f"ictcore {name}", kind) for name in ("POST /programs", "PUT /programs/{program_id}")
            for kind in ("recording", "document", "template", "text", "account", "did", "extension"))}


@pytest.fixture
async def both(database_url: str) -> AsyncIterator[tuple[Estate, Estate]]:
    """The one who asks, and the one whose ids he knows."""
    async with directory_site(database_url) as site:
        made = [await Estate.built(site.api.session, site.root, site.pool) for _ in range(2)]
        yield made[0], made[1]


async def test_no_route_tells_or_changes_anything_of_another_organisation(
        both: tuple[Estate, Estate], tally: Tally) -> None:
    thief, victim = both
    before = await dump(victim.pool, victim.organisation_id)
    assert sum(map(len, before.values())) > 40
    told, tried = {}, 0
    for route in all_routes():
        for what, ids, path, body in _attempts(route, thief, victim):
            if route.api.startswith("sensaphone"):
                await thief.log_in()
            got = await thief.ask(route, own=ids, path=path, body=body)
            tried += 1
            if not _is_nothing(got, victim) or (what != "none" and not _is_refusal(got)):
                told[f"{route.name} with its {what}"] = (got.status, got.body[:150])
    tally.faults += tried
    after = await dump(victim.pool, victim.organisation_id)
    assert {name: sorted(set(rows) ^ set(after[name])) for name, rows in before.items() if rows != after[name]} == {}
    assert not told, "\n".join(f"{name}: {it}" for name, it in told.items())


def _attempts(route: Route, thief: Estate, victim: Estate) -> Iterator[tuple[str, dict[str, Any], dict[str, str], Any]]:
    """What is the victim's; the ids of the path, what stands there instead, the body."""
    parts = route.path.strip("/").split("/")
    kinds = [kind_of(route, at) for at, part in enumerate(parts) if part.startswith("{")]
    theirs = [kind for kind in dict.fromkeys(kinds) if kind in victim.own and kind not in NOBODYS]
    for kind in theirs:
        yield kind, {**thief.own, kind: victim.own[kind]}, {}, thief.body(route)
    if len(theirs) > 1:
        yield "ids", victim.own, {}, thief.body(route)
    if "acctid" in kinds:
        yield "acctid", thief.own, {"acctid": str(victim.organisation_id)}, None
    if route.name in BODIES:
        own = {**thief.own, "new": "n"}
        honest = BODIES[route.name](own)
        for kind, theirs_ in victim.own.items():
            if kind in NOBODYS or (route.name, kind) in UNREAD:
                continue
            if BODIES[route.name]({**own, kind: -7}) != honest:
                yield f"{kind} in the body", thief.own, {}, thief.body(route, {**thief.own, kind: theirs_})
    if not theirs:
        yield "none", thief.own, {}, thief.body(route)


def _is_refusal(got: Heard) -> bool:
    return got.is_refused or got.status in (400, 409, 412, 422)


def _is_nothing(got: Heard, victim: Estate) -> bool:
    """Neither a name of the victim's nor its number: each of them has its organisation's id in it."""
    marks = (f"new-{victim.organisation_id}-", str(victim.own["username"]), str(victim.own["number"]))
    return not any(it.encode() in got.body for it in marks)


async def test_parameters_of_lists_lead_to_no_row_of_another_organisation(
        both: tuple[Estate, Estate], rng: random.Random, request: pytest.FixtureRequest) -> None:
    thief, victim = both
    theirs = sorted({str(it) for it in victim.own.values()})
    for route in all_routes():
        if route.method != "GET" or route.is_endless or route.variables:
            continue
        for name in {*route.query, *FILTERS.get(route.api, ())} - {"limit", "offset", "cursor"}:
            for value in theirs if request.config.option.torture else rng.sample(theirs, 2):
                got = await thief.ask(route, query={**QUERIES.get(route.name, none)(thief.own), name: value})
                assert got.status < 500 and _is_nothing(got, victim), (route.name, name, value, got)


FILTERS = {"ictcore": ("user_id", "contact_id", "group_id", "program_id", "campaign_id", "transmission_id")}


async def test_a_stream_of_events_and_webhooks_tell_of_the_own_organisation_alone(both: tuple[Estate, Estate]) -> None:
    thief, victim = both
    url = f"{thief.root}{ROOTS['ringward']}/events"
    post = Route("ringward", "POST", "/alarms")
    async with thief.session.get(url, headers=thief.headers["ringward"]) as stream:
        assert stream.status == 200
        for one in (victim, thief):
            assert (await one.ask(post, body=one.body(post))).status == 201
        heard = io.BytesIO()
        async with asyncio.timeout(10):
            while b"alarm.created" not in heard.getvalue():
                heard.write(await stream.content.readany())
    latest = await victim.pool.fetchval("SELECT max(id) FROM alarms WHERE organisation_id = $1", thief.organisation_id)
    assert heard.getvalue().count(b"event: alarm.created") == 1 and str(latest).encode() in heard.getvalue()
    foreign = await victim.pool.fetchval(
        "SELECT count(*) FROM webhook_deliveries d JOIN webhooks w ON w.id = d.webhook_id "
        "WHERE d.organisation_id <> w.organisation_id")
    assert foreign == 0
