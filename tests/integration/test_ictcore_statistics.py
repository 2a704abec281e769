"""`GET /statistics` of the ICTCore API, on a real Postgres over real HTTP. The guide prints its structure alone."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.directory_site import Client
from tests.ictcore_programs import Made, created
from tests.ictcore_site import UNKNOWN, IctcoreSite, ictcore_site, says

FIELDS = {"campaign_total", "campaign_active", "group_total", "contact_total", "transmission_total",
          "transmission_active", "transmission_inbound", "transmission_outbound", "spool_total", "spool_success",
          "spool_failed", "user_total", "account_total"}


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[IctcoreSite]:
    async with ictcore_site(database_url) as made:
        yield made


async def counted(client: Client, **query: Any) -> dict[str, int]:
    """What is not 0."""
    answer = await client("GET", "/statistics", **query)
    assert answer.status == 200 and answer.body.keys() == FIELDS, answer
    return {name: it for name, it in answer.body.items() if it}


async def test_everything_is_counted(site: IctcoreSite) -> None:
    users = len((await site.admin("GET", "/users")).body)
    assert await counted(site.admin) == {"user_total": users}
    made = await Made.all(site, site.admin)
    await made.may_call()
    await created(site.admin, "group_id", "/groups", {"name": "all"})
    for status in ("new", "running", "paused", "running"):
        await site.pool.execute(
            "INSERT INTO campaigns (organisation_id, created_by, program_id, group_id, status) "
            "VALUES ($1, $2, 1, 1, $3)",
            site.directory.org.id, site.admin_id, status)
    ids = [await made.transmission() for _ in range(3)]
    await made.transmission("sendfax", direction="inbound")
    for it in ids:
        assert (await site.admin("POST", f"/transmissions/{it}/send")).status == 200
    for place, status in enumerate(("completed", "failed")):
        await site.pool.execute("UPDATE spools SET status = $2 WHERE transmission_id = $1", ids[place], status)
    everything = {
        "campaign_total": 4, "campaign_active": 2, "group_total": 1, "contact_total": 1, "transmission_total": 4,
        "transmission_active": 3, "transmission_inbound": 1, "transmission_outbound": 3, "spool_total": 3,
        "spool_success": 1, "spool_failed": 1, "user_total": users, "account_total": 3}
    assert await counted(site.admin) == everything
    assert await counted(site.admin, since=int(time.time()) - 60, unknown="x") == everything
    assert await counted(site.admin, user_id=site.admin_id) == {**everything, "user_total": 1}
    assert await counted(site.admin, user_id=UNKNOWN) == {}
    assert await counted(site.admin, **{"from": int(time.time()) + 60}) == {}
    fax = {"transmission_total": 1, "transmission_inbound": 1}
    assert {name: it for name, it in (await counted(site.admin, service_flag=2)).items()
            if name.partition("_")[0] in ("transmission", "spool")} == fax


async def test_who_is_no_admin_counts_his_own(site: IctcoreSite) -> None:
    made = await Made.all(site, site.admin)
    await made.transmission()
    user_id, client = await site.user()
    own = await counted(client)
    assert own == {"user_total": 1} and await counted(client, user_id=user_id) == own
    assert await counted(client, user_id=site.admin_id) == {}
    await created(client, "contact_id", "/contacts", {"phone": "030 55511"})
    assert await counted(client) == {"user_total": 1, "contact_total": 1}
    assert (await counted(site.admin))["contact_total"] == 2


@pytest.mark.parametrize("wrong", [
    {"since": "x"}, {"since": 10**11 + 1}, {"from": "-1"}, {"user_id": "²"}, {"service_flag": 2**63}])
async def test_filters_that_are_no_numbers(site: IctcoreSite, wrong: dict[str, Any]) -> None:
    assert says(await site.admin("GET", "/statistics", **wrong))[0] == 412


async def test_permission_and_other_organisations(site: IctcoreSite) -> None:
    _, client = await site.holding("contact")
    assert says(await client("GET", "/statistics")) == (403, "Permission denied: statistic_read")
    other = await site.other()
    await (await Made.all(other, other.admin)).transmission()
    assert "transmission_total" not in await counted(site.admin)
