"""The First Responder API on a real Postgres over real HTTP: what the directory in memory cannot show."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.api_client import ADDRESS, Client, Site, served
from tests.directories import NOON, world


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[Site]:
    async with world(database_url) as w, served(w) as made:
        yield made


async def test_a_client_sets_up_a_hotline_as_the_documentation_tells(site: Site) -> None:
    """Address, phones and hotline through the public API alone, then everything is read back and removed."""
    d = site.world.directory
    org = (await d.create_organisation("Rettung")).organisation_id
    users = [(await d.create_user(org, f"r{n}")).user_id for n in range(2)]
    api = site.api.organisation(await d.issue_token(org, None))
    people = [site.api.personal(await d.issue_token(org, user)) for user in users]

    assert (await api("GET", f"/sip-customer/{org}")).body == {"exists": False}
    assert (await api("POST", "/sip-customer", {**ADDRESS, "organizationID": org})).body == {"exists": True}
    phones = [(await person("POST", "/agents", site.phone_body(user))).body
              for user, person in zip(users, people, strict=True)]
    made = await api("POST", "/hotlines", site.hotline_body(organizationID=org, agents=users))
    assert made.body["status"] == "created"
    path = f"/hotlines/{made.body['id']}"

    assert (await api("GET", path)).body == made.body
    assert (await people[0]("GET", "/agents", owner_id=users[0])).body == [phones[0]]
    assert (await api("GET", "/hotlines", organization_id=org)).body == {"hotlines": [made.body], "totalHotlines": 1}
    hotline = await site.world.hotlines.by_number(made.body["number"][1:])
    assert hotline and [phone.number for phone in hotline.phones] == ["4924155660"]
    assert (await people[1]("DELETE", f"/agents/{phones[1]['id']}")).status == 200
    assert (await api("DELETE", path)).status == 200
    assert (await api("GET", path)).status == 404


async def test_the_status_follows_the_engine(site: Site) -> None:
    made = (await site.api("POST", "/hotlines", site.hotline_body())).body
    path = f"/hotlines/{made['id']}"
    statuses = [made["status"]]
    unready = await site.world.hotlines.unready()
    statuses.append((await site.api("GET", path)).body["status"])
    for hotline in unready:
        await site.world.hotlines.mark_ready(hotline, "cache/a", "cache/b", None)
    statuses.append((await site.api("GET", path)).body["status"])
    for change in ({"ttsInbound": "Neu"}, {"isActive": False}, {"isActive": True}):
        statuses.append((await site.api("PUT", path, {**made, **change})).body["status"])
    [hotline] = await site.world.hotlines.unready()
    await site.world.hotlines.mark_ready(hotline, None, None, "no voice")
    statuses.append((await site.api("GET", path)).body["status"])
    assert statuses == ["created", "starting", "active", "starting", "paused", "starting", "error"]


async def test_hotlines_made_at_once_share_the_pool_without_loss(site: Site) -> None:
    got = await asyncio.gather(*[site.api("POST", "/hotlines", site.hotline_body()) for _ in range(12)])
    made = [it.body for it in got if it.status == 200]
    assert len(made) == len({it["number"] for it in made}) == 3
    assert all("no number left" in it.says for it in got if it.status != 200)
    listed = await site.api("GET", "/hotlines", organization_id=site.org.id)
    assert listed.body["totalHotlines"] == 3


async def test_changes_at_once_leave_one_of_them_whole(site: Site) -> None:
    made = (await site.api("POST", "/hotlines", site.hotline_body())).body
    path = f"/hotlines/{made['id']}"
    bodies = [{**made, "name": f"n{n}", "channelsInbound": n + 1, "agents": [site.org.users[n % 3]]} for n in range(9)]
    got = await asyncio.gather(*[site.api("PUT", path, body) for body in bodies])
    assert [it.status for it in got] == [200] * 9
    assert (await site.api("GET", path)).body in bodies


async def test_any_text_that_is_accepted_is_kept(site: Site) -> None:
    text = "Grüße 你好 \U0010ffff \ufeff '\"\\ %s $1 -- \u2028"
    made = await site.api("POST", "/hotlines", site.hotline_body(name=text, ttsInbound=text + "\n\t"))
    assert made.status == 200
    got = (await site.api("GET", f"/hotlines/{made.body['id']}")).body
    assert (got["name"], got["ttsInbound"]) == (text, text + "\n\t")
    for bad in ("\u0000", "\ud800", "\u0085"):
        assert (await site.api("POST", "/hotlines", site.hotline_body(name=f"a{bad}"))).status == 400


async def test_the_largest_ids_are_not_found_or_forbidden_but_no_error(site: Site) -> None:
    most = 2**63 - 1
    for got, status in [
        (await site.api("GET", f"/hotlines/{most}"), 404), (await site.api("GET", f"/hotlines/{-most - 1}/logs"), 404),
        (await site.api("GET", f"/sip-customer/{most}"), 404), (await site.api("DELETE", f"/agents/{most}"), 404),
        (await site.api("GET", "/agents", owner_id=most, organization_id=site.org.id), 403),
        (await site.api("GET", "/hotlines", organization_id=most), 403),
        (await site.api("POST", "/hotlines", site.hotline_body(agents=[most])), 400),
        (await site.api("GET", "/hotlines", organization_id=site.org.id, offset=most), 200),
    ]:
        assert got.status == status


Request = tuple[str, str, Any, dict[str, int]]


async def _every_operation(site: Site) -> list[tuple[str, Request]]:
    """One good request of each operation of an organisation that has one of everything, deletes last."""
    user = site.org.users[0]
    await site.world.directory.set_allow_admins(site.org.id, user, True)
    hotline = await site.org.hotline()
    log_id = await site.world.write_log(hotline, NOON, entries=1)
    await site.world.write_record(hotline, log_id, NOON, 3)
    phone, path = await site.org.phone(user, "+4924155660"), f"/hotlines/{hotline.hotline_id}"
    of_org = {"organization_id": site.org.id}
    return [
        ("query", ("GET", "/agents", None, {"owner_id": user, **of_org})),
        ("query", ("POST", "/agents", site.phone_body(user), of_org)),
        ("path", ("PUT", f"/agents/{phone}", site.phone_body(user), of_org)),
        ("query", ("GET", "/hotlines", None, of_org)),
        ("query", ("POST", "/hotlines", site.hotline_body(), {})),
        ("path", ("GET", path, None, {})),
        ("path", ("PUT", path, site.hotline_body(), {})),
        ("path", ("GET", f"{path}/logs", None, {})),
        ("path", ("GET", f"{path}/logs/{log_id}", None, {})),
        ("path", ("GET", f"{path}/records", None, {})),
        ("query", ("POST", "/sip-customer", {**ADDRESS, "organizationID": site.org.id}, {})),
        ("path", ("GET", f"/sip-customer/{site.org.id}", None, {})),
        ("path", ("DELETE", f"/agents/{phone}", None, {})),
        ("path", ("DELETE", path, None, {})),
    ]


async def test_every_operation_with_another_organisations_ids_is_refused_and_changes_nothing(site: Site) -> None:
    other = await site.other()
    operations = await _every_operation(other)
    assert len(operations) == 14
    _, admin = await site.user(is_admin=True)
    before = [await _everything(site) for _ in range(2)]
    for client in (site.api, admin):
        for place, (method, path, body, query) in operations:
            got = await client(method, path, body, **query)
            assert got.status == (404 if place == "path" else 403), (method, path, got)
            assert got.says
    assert [await _everything(site) for _ in range(2)] == before
    for _, (method, path, body, query) in operations:
        assert (await other.api(method, path, body, **query)).status == 200, (method, path)


async def _everything(site: Site) -> list[Any]:
    tables = ("phones", "hotlines", "hotline_agents", "numbers", "sip_customers", "call_logs", "telephone_records")
    return [await site.world.pool.fetch(f"SELECT t::text FROM {table} t ORDER BY 1") for table in tables]  # noqa: S608


async def test_the_process_serves_until_sigterm_and_logs_no_secrets(site: Site, database_url: str) -> None:
    code = ("import asyncio; from api.app import run; from engine.settings import Settings; import sys; "
            "asyncio.run(run(Settings(api='127.0.0.1:0', database_url=sys.argv[1])))")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, database_url, stderr=asyncio.subprocess.PIPE)
    assert process.stderr
    try:
        async with asyncio.timeout(30):
            line = ""
            while "api.listening" not in line:
                line = (await process.stderr.readline()).decode()
            url = "http://" + json.loads(line)["address"][0]
            here = Client(site.api.session, url + "/api/v1/first-responder", site.api.headers)
            assert (await here("GET", "/hotlines", organization_id=site.org.id)).status == 200
            assert (await here("POST", "/agents", site.phone_body(site.org.users[0]))).status == 403
            process.terminate()
            rest = (await process.stderr.read()).decode()
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert '"route":"/api/v1/first-responder/hotlines"' in rest
    assert site.api.headers["API-TOKEN"] not in rest and "24155660" not in rest and database_url not in rest
