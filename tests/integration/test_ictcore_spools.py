"""The reports of ICTCore's guide on transmissions and their attempts, on a real Postgres over real HTTP.

The rows are written as the engine writes them.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.ictcore_programs import Made
from tests.ictcore_site import UNKNOWN, IctcoreSite, ictcore_site, says

AT = 1_518_705_479      # as in the guide


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[IctcoreSite]:
    async with ictcore_site(database_url) as made:
        yield made


@pytest.fixture
async def made(site: IctcoreSite) -> Made:
    return await Made.all(site, site.admin)


async def spool(made: Made, transmission_id: int, status: str = "queued", *times: int | None, **more: Any) -> int:
    """`times` of start, connect and end: seconds behind AT."""
    start, connect, end = (
        None if it is None else datetime.fromtimestamp(AT + it, UTC) for it in (*times, None, None, None)[:3])
    found: int = await made.site.pool.fetchval(
        """INSERT INTO spools (organisation_id, transmission_id, account_id, status, response, amount, time_spool,
                               time_start, time_connect, time_end, trunk)
           VALUES ($1, $2, $3, $4, $5, $6, to_timestamp($7), $8, $9, $10, $11) RETURNING id""",
        made.site.directory.org.id, transmission_id, made.values["account_id"], status, more.get("response", ""),
        more.get("amount", 0), AT, start, connect, end, more.get("trunk", "trunk"))
    return found


async def result(made: Made, spool_id: int, step: int, type_: str, name: str, data: str) -> int:
    found: int = await made.site.pool.fetchval(
        """INSERT INTO results (organisation_id, spool_id, application_id, type, name, data, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, to_timestamp($7)) RETURNING id""",
        made.site.directory.org.id, spool_id, step, type_, name, data, AT)
    return found


# --- Get Transmission Status Report [/transmissions/{transmission_id}/status]

@pytest.mark.parametrize("status", ["pending", "pending_retry", "processing", "completed", "failed", "invalid"])
async def test_transmission_status(made: Made, status: str) -> None:
    transmission_id = await made.transmission()
    await made.site.pool.execute("UPDATE transmissions SET status = $1", status)
    assert (await made.client("GET", f"/transmissions/{transmission_id}/status")).body == {"status": status}


# --- Get Transmission detail Report [/transmissions/{transmission_id}/detail]

@pytest.mark.parametrize("name", ["detail", "logs", "spools"])
async def test_transmission_detail(made: Made, name: str) -> None:
    transmission_id = await made.transmission()
    path = f"/transmissions/{transmission_id}/{name}"
    assert (await made.client("GET", path)).body == []
    one = await spool(made, transmission_id, "failed", 1, None, 9, response="busy")
    two = await spool(made, transmission_id, "completed", 20, 25, 31, response="normal clearing", amount=6, trunk="p7")
    three = await spool(made, transmission_id)
    same = {"transmission_id": transmission_id, "time_spool": AT, "service_flag": 1, "provider_id": None,
            "node_id": 1, "account_id": made.values["account_id"]}
    told = (await made.client("GET", path)).body
    assert all(len(it.pop("call_id")) == 36 for it in told)
    assert told == [
        {**same, "spool_id": one, "time_start": AT + 1, "time_connect": None, "time_end": AT + 9, "status": "failed",
         "response": "busy", "amount": 0},
        {**same, "spool_id": two, "time_start": AT + 20, "time_connect": AT + 25, "time_end": AT + 31,
         "status": "completed", "response": "normal clearing", "amount": 6, "provider_id": 7},
        {**same, "spool_id": three, "time_start": None, "time_connect": None, "time_end": None, "status": "queued",
         "response": "", "amount": 0}]


# --- Get Transmission result Report, Get Spool result [/…/result]

@pytest.mark.parametrize("name", ["result", "results"])
async def test_results_of_a_spool_and_of_the_last_attempt(made: Made, name: str) -> None:
    transmission_id = await made.transmission()
    path = f"/transmissions/{transmission_id}/{name}"
    assert (await made.client("GET", path)).body == []
    first, last = await spool(made, transmission_id), await spool(made, transmission_id)
    await result(made, first, 1, "application", "say", "error")
    a = await result(made, last, 1, "application", "input", "success")
    b = await result(made, last, 1, "info", "age", "22")
    rows = [{"spool_result_id": it, "spool_id": last, "application_id": 1, "type": type_, "name": name_, "data": data,
             "date_created": AT}
            for it, type_, name_, data in ((a, "application", "input", "success"), (b, "info", "age", "22"))]
    assert (await made.client("GET", path)).body == rows
    assert (await made.client("GET", f"/spools/{last}/{name}")).body == rows
    assert [it["data"] for it in (await made.client("GET", f"/spools/{first}/{name}")).body] == ["error"]
    for query, ids in (({"name": "age"}, [b]), ({"type": "application"}, [a]), ({"application_id": 2}, []),
                       ({"application_id": 1}, [a, b]), ({"data": "CCESS"}, [a]), ({"spool_result_id": b}, [b]),
                       ({"spool_id": first}, []), ({"after": AT}, [a, b]), ({"before": AT - 1}, [])):
        for it in (path, f"/spools/{last}/{name}"):
            told = (await made.client("GET", f"{it}?{urlencode(query)}")).body
            assert [row["spool_result_id"] for row in told] == ids, query


# --- Get Spool result status [/spools/{spool_id}/status]

@pytest.mark.parametrize(("status", "told"), [
    ("queued", "initiated"), ("started", "initiated"), ("connected", "initiated"), ("completed", "completed"),
    ("failed", "failed"), ("invalid", "failed")])
async def test_spool_status(made: Made, status: str, told: str) -> None:
    spool_id = await spool(made, await made.transmission(), status)
    assert (await made.client("GET", f"/spools/{spool_id}/status")).body == {"status": told}


async def test_spools_that_are_not_there(made: Made) -> None:
    for path in ("status", "result", "results"):
        assert says(await made.client("GET", f"/spools/{UNKNOWN}/{path}")) == (404, "Spool not found")
    assert says(await made.client("GET", "/spools/x/status"))[0] == 404


# --- who may

async def test_who_is_no_admin_sees_the_attempts_of_his_own(made: Made) -> None:
    user_id, client = await made.site.user()
    transmission_id = await made.transmission()
    spool_id = await spool(made, transmission_id)
    for path in ("status", "result"):
        assert says(await client("GET", f"/spools/{spool_id}/{path}"))[0] == 404
    await made.site.pool.execute("UPDATE transmissions SET created_by = $1", user_id)
    for path in ("status", "result"):
        assert (await client("GET", f"/spools/{spool_id}/{path}")).status == 200
    await made.client("DELETE", f"/transmissions/{transmission_id}")
    for path in ("status", "result"):       # of what is gone only who sees everybody's
        assert says(await client("GET", f"/spools/{spool_id}/{path}"))[0] == 404
        assert (await made.client("GET", f"/spools/{spool_id}/{path}")).status == 200


@pytest.mark.parametrize(("permission", "path"), [("spool_read", "status"), ("result_read", "result")])
async def test_permissions(site: IctcoreSite, permission: str, path: str) -> None:
    _, client = await site.holding("transmission")
    assert says(await client("GET", f"/spools/1/{path}")) == (403, f"Permission denied: {permission}")


async def test_ids_of_another_organisation_do_not_exist(made: Made) -> None:
    other = await made.site.other()
    theirs = await Made.all(other, other.admin)
    spool_id = await spool(theirs, await theirs.transmission())
    for path in ("status", "result"):
        assert says(await made.client("GET", f"/spools/{spool_id}/{path}"))[0] == 404
