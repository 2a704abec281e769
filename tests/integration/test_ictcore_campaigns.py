"""Campaigns of the ICTCore API, on a real Postgres over real HTTP. Named by the sections of its guide."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.directory_site import Client
from tests.ictcore_site import UNKNOWN, IctcoreSite, ictcore_site, says


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[IctcoreSite]:
    async with ictcore_site(database_url) as made:
        org = made.directory.org.id
        await made.pool.execute("INSERT INTO numbers (number, organisation_id) VALUES ('+4930100', $1)", org)
        yield made


async def program(site: IctcoreSite, type_: str = "voicemessage", user_id: int | None = None) -> int:
    program_id: int = await site.pool.fetchval(
        "INSERT INTO programs (organisation_id, created_by, name, type) VALUES ($1, $2, 'p', $3) RETURNING id",
        site.directory.org.id, user_id or site.admin_id, type_)
    return program_id


async def group(client: Client, contacts: int = 0) -> int:
    group_id = (await client("POST", "/groups", {"name": "Nord"})).body["group_id"]
    rows = "".join(f"030{n}\n" for n in range(1000, 1000 + contacts))
    if rows:
        answer = await client("POST", f"/groups/{group_id}/csv", data=rows.encode(),
                              headers={"Content-Type": "text/csv"})
        assert answer.status == 200, answer
    return int(group_id)


async def campaign(site: IctcoreSite, contacts: int = 0, type_: str = "voicemessage", **fields: Any) -> int:
    answer = await site.admin("POST", "/campaigns", {
        "program_id": await program(site, type_), "group_id": await group(site.admin, contacts), **fields})
    assert answer.status == 200 and answer.body.keys() == {"campaign_id"}, answer
    return int(answer.body["campaign_id"])


async def read(site: IctcoreSite, campaign_id: int) -> dict[str, Any]:
    answer = await site.admin("GET", f"/campaigns/{campaign_id}")
    assert answer.status == 200, answer
    return dict(answer.body)


# --- Campaign collection [/campaigns]

async def test_create_new_campaign(site: IctcoreSite) -> None:
    campaign_id = await campaign(site, contacts=2)
    made = await read(site, campaign_id)
    account = (await site.admin("GET", "/accounts")).body
    assert made == {
        "campaign_id": campaign_id, "name": "", "program_id": made["program_id"], "program_type": "voicemessage",
        "group_id": made["group_id"], "cpm": 2, "try_allowed": 1,
        "account_id": account[0]["account_id"] if account else None, "source": "", "status": "new",
        "contact_total": 0, "contact_done": 0, "pid": 0, "last_run": None, "created_by": site.admin_id}


async def test_what_is_wrong_with_a_campaign_is_412_and_what_is_not_there_404(site: IctcoreSite) -> None:
    right = {"program_id": await program(site), "group_id": await group(site.admin)}
    for change, code, names in (
            ({"program_id": None}, 412, "program_id"), ({"group_id": None}, 412, "group_id"), ({"cpm": 0}, 412, "cpm"),
            ({"cpm": "many"}, 412, "cpm"), ({"try_allowed": 0}, 412, "try_allowed"),
            ({"try_allowed": 101}, 412, "try_allowed"), ({"program_id": "x"}, 412, "program_id"),
            ({"program_id": UNKNOWN}, 404, "Program"), ({"group_id": UNKNOWN}, 404, "Group"),
            ({"account_id": UNKNOWN}, 404, "Account")):
        status, message = says(await site.admin("POST", "/campaigns", {**right, **change}))
        assert status == code and names in message, (change, message)
    assert (await site.admin("GET", "/campaigns")).body == []


async def test_numbers_may_come_as_text_and_a_status_is_not_set(site: IctcoreSite) -> None:
    campaign_id = await campaign(site, cpm="30", try_allowed="3", status="running", contact_total=9)
    made = await read(site, campaign_id)
    assert (made["cpm"], made["try_allowed"], made["status"], made["contact_total"]) == (30, 3, "new", 0)


async def test_a_create_that_is_sent_again_makes_nothing_new(site: IctcoreSite) -> None:
    body = {"program_id": await program(site), "group_id": await group(site.admin)}
    answers = [await site.admin("POST", "/campaigns", body, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert answers[0].body == answers[1].body and answers[1].headers["Idempotent-Replayed"] == "true"
    assert len((await site.admin("GET", "/campaigns")).body) == 1


async def test_get_all_campaign_with_filters(site: IctcoreSite) -> None:
    first, second = await campaign(site), await campaign(site, contacts=1)
    await site.admin("PUT", f"/campaigns/{second}/start")
    row = await read(site, first)
    for query, found in (
            ({}, [first, second]), ({"campaign_id": second}, [second]), ({"status": "read"}, [second]),
            ({"group_id": row["group_id"]}, [first]), ({"program_id": row["program_id"]}, [first]),
            ({"user_id": UNKNOWN}, []), ({"pagesize": 1, "pageindex": 1}, [second]),
            ({"colour": "red"}, [first, second])):
        answer = await site.admin("GET", "/campaigns", **query)
        assert [it["campaign_id"] for it in answer.body] == found, query


# --- Single Campaign Action [/campaigns/{campaign_id}]

async def test_what_was_read_can_be_sent_back(site: IctcoreSite) -> None:
    before = await read(site, await campaign(site, contacts=1))
    for _ in range(2):
        again = await site.admin("PUT", f"/campaigns/{before['campaign_id']}", before)
        assert (again.status, again.body) == (200, before), again
        await site.admin("PUT", f"/campaigns/{before['campaign_id']}/start")
        before = await read(site, before["campaign_id"])


async def test_update_campaign(site: IctcoreSite) -> None:
    campaign_id = await campaign(site, contacts=1)
    changed = await site.admin("PUT", f"/campaigns/{campaign_id}", {"cpm": 60, "name": "Umfrage"})
    assert changed.status == 200 and (changed.body["cpm"], changed.body["name"]) == (60, "Umfrage")
    assert await read(site, campaign_id) == changed.body
    await site.admin("PUT", f"/campaigns/{campaign_id}/start")
    again = await site.admin("PUT", f"/campaigns/{campaign_id}", {**changed.body, "cpm": 90})
    assert (again.status, again.body["cpm"], again.body["status"]) == (200, 90, "ready")
    other = await program(site)
    code, message = says(await site.admin("PUT", f"/campaigns/{campaign_id}", {"program_id": other}))
    assert code == 423 and "program" in message
    assert says(await site.admin("PUT", f"/campaigns/{campaign_id}", {"group_id": UNKNOWN}))[0] == 404


async def test_delete_campaign(site: IctcoreSite) -> None:
    campaign_id = await campaign(site, contacts=1)
    await site.admin("PUT", f"/campaigns/{campaign_id}/start")
    await site.admin("POST", f"/campaigns/{campaign_id}/stop/schedule", {"delay": 600})
    gone = await site.admin("DELETE", f"/campaigns/{campaign_id}")
    assert (gone.status, gone.body) == (200, None)
    for method in ("GET", "PUT", "DELETE"):
        assert says(await site.admin(method, f"/campaigns/{campaign_id}"))[0] == 404
    assert await site.pool.fetchval("SELECT count(*) FROM schedules") == 0


# --- Campaign Start, Campaign Stop

@pytest.mark.parametrize("method", ["PUT", "GET"])
async def test_campaign_start_and_stop(site: IctcoreSite, method: str) -> None:
    campaign_id = await campaign(site, contacts=3)
    started = await site.admin(method, f"/campaigns/{campaign_id}/start")
    assert (started.status, started.body) == (200, True)
    row = await read(site, campaign_id)
    assert (row["status"], row["contact_total"], row["contact_done"]) == ("ready", 3, 0)
    assert row["last_run"] > 0
    stopped = await site.admin(method, f"/campaigns/{campaign_id}/stop")
    assert (stopped.body, (await read(site, campaign_id))["status"]) == (True, "paused")
    assert (await site.admin(method, f"/campaigns/{campaign_id}/start")).body is True
    assert (await read(site, campaign_id))["status"] == "running"


async def test_what_cannot_start_is_423(site: IctcoreSite) -> None:
    campaign_id = await campaign(site)
    assert says(await site.admin("PUT", f"/campaigns/{campaign_id}/stop"))[0] == 423
    for status in ("ready", "running", "completed", "broken"):
        await site.pool.execute("UPDATE campaigns SET status = $1", status)
        code, message = says(await site.admin("PUT", f"/campaigns/{campaign_id}/start"))
        assert (code, message) == (423, f"Campaign not ready: it is {status} already")


async def test_without_a_caller_id_nothing_starts(site: IctcoreSite) -> None:
    campaign_id = await campaign(site, contacts=1)
    await site.pool.execute("UPDATE numbers SET organisation_id = NULL")
    code, message = says(await site.admin("PUT", f"/campaigns/{campaign_id}/start"))
    assert code == 423 and "number" in message


async def test_fax_mail_and_text_messages_are_not_sent_yet(site: IctcoreSite) -> None:
    for type_ in ("sendfax", "sendsms", "sendemail"):
        code, message = says(await site.admin("PUT", f"/campaigns/{await campaign(site, type_=type_)}/start"))
        assert code == 501 and type_ in message


async def test_of_starts_at_the_same_time_one_succeeds(site: IctcoreSite) -> None:
    campaign_id = await campaign(site, contacts=1)
    answers = await asyncio.gather(*(site.admin("PUT", f"/campaigns/{campaign_id}/start") for _ in range(5)))
    assert sorted(it.status for it in answers) == [200, 423, 423, 423, 423]


async def test_contacts_that_wait_are_not_done(site: IctcoreSite) -> None:
    campaign_id = await campaign(site, contacts=5)
    await site.admin("PUT", f"/campaigns/{campaign_id}/start")
    await site.pool.execute(
        "INSERT INTO transmissions (organisation_id, contact_id, program_id, campaign_id, status) "
        "SELECT $1, n, 1, $2, status "
        "FROM unnest('{pending,processing,completed}'::text[]) WITH ORDINALITY x(status, n)",
        site.directory.org.id, campaign_id)
    await site.pool.execute("UPDATE campaigns SET transmissions = 3")
    row = await read(site, campaign_id)
    assert (row["contact_total"], row["contact_done"]) == (5, 2)


# --- who sees it

async def test_users_see_their_own(site: IctcoreSite) -> None:
    campaign_id = await campaign(site, contacts=1)
    user_id, client = await site.user()
    assert (await client("GET", "/campaigns")).body == []
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("PUT", "/start"), ("GET", "/stop"),
                         ("POST", "/start/schedule"), ("POST", "/schedule"), ("GET", "/schedule")):
        assert says(await client(method, f"/campaigns/{campaign_id}{path}"))[0] == 404, (method, path)
    mine = {"program_id": await program(site, user_id=user_id), "group_id": await group(client)}
    for change in ({"program_id": (await read(site, campaign_id))["program_id"]},
                   {"group_id": (await read(site, campaign_id))["group_id"]}):
        assert says(await client("POST", "/campaigns", {**mine, **change}))[0] == 404
    assert (await client("POST", "/campaigns", mine)).status == 200
    other = await site.other()
    assert says(await other.admin("GET", f"/campaigns/{campaign_id}"))[0] == 404


async def test_who_has_no_permission_is_refused(site: IctcoreSite) -> None:
    campaign_id = await campaign(site)
    _, client = await site.holding("campaign_read", "campaign_admin", "schedule_create")
    assert (await client("GET", f"/campaigns/{campaign_id}")).status == 200
    for method, path in (("POST", "/campaigns"), ("GET", "/campaigns"), ("PUT", f"/campaigns/{campaign_id}"),
                         ("DELETE", f"/campaigns/{campaign_id}"), ("PUT", f"/campaigns/{campaign_id}/start"),
                         ("GET", f"/campaigns/{campaign_id}/stop"), ("POST", f"/campaigns/{campaign_id}/stop/schedule"),
                         ("DELETE", f"/campaigns/{campaign_id}/schedule")):
        assert says(await client(method, path))[0] == 403, (method, path)
