"""`/ringward/v1/webhooks` on a real Postgres over real HTTP."""

import asyncio
import base64
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from engine.store.webhooks import MOST_WEBHOOKS
from tests.directory_site import UNKNOWN, Client, DirectorySite, directory_site
from tests.receivers import Receiver

URL = "https://receiver.invalid/hook?token=a%20b"      # never resolved: RFC 6761
HOOK = {"url": URL, "types": ["alarm.created", "call.finished"]}


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[DirectorySite]:
    async with directory_site(database_url) as made:
        yield made


async def deliver(site: DirectorySite, webhook_id: int, *states: str) -> list[int]:
    """Deliveries in these states, oldest first: their ids."""
    return [await site.pool.fetchval(
        "INSERT INTO webhook_deliveries "
        "(organisation_id, webhook_id, message_id, type, body, state, tries, last_error) "
        "VALUES ($1, $2, $3, 'alarm.created', $4, $5, 11, 'answered 500') RETURNING id",
        site.org.id, webhook_id, f"msg_{number}", json.dumps({"type": "alarm.created", "data": {"n": number}}), state)
        for number, state in enumerate(states)]


async def test_a_webhook_is_made_read_changed_and_deleted(site: DirectorySite) -> None:
    answer = await site.api("POST", "/webhooks", {**HOOK, "description": "Leitstelle"})
    assert answer.status == 201
    made = answer.body
    secret = made.pop("secret")
    assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) <= 64
    assert made == {**HOOK, "id": made["id"], "description": "Leitstelle", "isActive": True,
                    "createdAt": made["createdAt"], "secrets": [{"endsWith": secret[-4:], "validUntil": None}]}
    path = f"/webhooks/{made['id']}"
    assert answer.headers["Location"].endswith(path)

    read = await site.api("GET", path)
    assert read.body == made
    assert await site.api.all("/webhooks") == [made]
    changed = await site.api("PUT", path, {**read.body, "types": ["call.finished"] * 2, "isActive": False})
    assert changed.status == 200
    assert changed.body == (await site.api("GET", path)).body == {**made, "types": ["call.finished"], "isActive": False}
    assert (await site.api("DELETE", path)).status == 204
    assert [(await site.api(method, path, HOOK if method == "PUT" else None)).status
            for method in ("GET", "PUT", "DELETE")] == [404, 404, 404]


@pytest.mark.parametrize(("change", "field"), [
    ({"url": "https://127.0.0.1/"}, "url"), ({"url": "https://localhost/"}, "url"), ({"url": "https://[::1]/"}, "url"),
    ({"url": "https://169.254.169.254/latest"}, "url"), ({"url": "https://2130706433/"}, "url"),
    ({"url": "http://8.8.8.8/"}, "url"), ({"url": "ftp://receiver.invalid/"}, "url"), ({"url": "receiver"}, "url"),
    ({"url": "https://u:p@receiver.invalid/"}, "url"), ({"url": "https://receiver.invalid/a b"}, "url"),
    ({"url": ""}, "url"), ({"url": "https://receiver.invalid/" + "a" * 2000}, "url"), ({"url": None}, "url"),
    ({"types": []}, "types"), ({"types": ["alarm.burned"]}, "types[0]"), ({"types": "alarm.created"}, "types"),
    ({"isActive": 1}, "isActive"), ({"description": "x" * 256}, "description"), ({"secret": "mine"}, "secret")])
async def test_what_is_wrong_is_named(site: DirectorySite, change: dict[str, Any], field: str) -> None:
    answer = await site.api("POST", "/webhooks", {**HOOK, **change})
    assert (answer.status, answer.fields) == (400, [field])
    assert await site.api.all("/webhooks") == []


async def test_a_changed_target_is_checked_as_well(site: DirectorySite) -> None:
    path = f"/webhooks/{(await site.api('POST', '/webhooks', HOOK)).body['id']}"
    answer = await site.api("PUT", path, {**HOOK, "url": "https://10.0.0.1/"})
    assert (answer.status, answer.fields) == (400, ["url"])
    assert (await site.api("GET", path)).body["url"] == URL


async def test_only_admins_have_to_do_with_webhooks(site: DirectorySite) -> None:
    webhook_id = (await site.api("POST", "/webhooks", HOOK)).body["id"]
    [delivery] = await deliver(site, webhook_id, "dead")
    _, person = await site.somebody()
    _, admin = await site.somebody(is_admin=True)
    for method, path, body in every_operation(webhook_id, delivery):
        assert (await person(method, path, body)).status == 403, (method, path)
    for method, path, body in every_operation(webhook_id, delivery):
        assert (await admin(method, path, body)).status < 300, (method, path)


async def test_another_organisations_webhooks_do_not_exist(site: DirectorySite) -> None:
    webhook_id = (await site.api("POST", "/webhooks", HOOK)).body["id"]
    [delivery] = await deliver(site, webhook_id, "dead")
    other = await site.other()
    own = (await other.api("POST", "/webhooks", HOOK)).body["id"]
    before = [await site.pool.fetch(f"SELECT t::text FROM {table} t ORDER BY id")  # noqa: S608
              for table in ("webhooks", "webhook_deliveries")]
    for method, path, body in every_operation(webhook_id, delivery)[2:]:
        assert (await other.api(method, path, body)).status == 404, (method, path)
    assert (await other.api("POST", f"/webhooks/{own}/deliveries/{delivery}/replay")).status == 404
    assert [it["id"] for it in await other.api.all("/webhooks")] == [own]
    assert [await site.pool.fetch(f"SELECT t::text FROM {table} t ORDER BY id")  # noqa: S608
            for table in ("webhooks", "webhook_deliveries")] == before


def every_operation(webhook_id: int, delivery: int) -> list[tuple[str, str, Any]]:
    path = f"/webhooks/{webhook_id}"
    return [
        ("GET", "/webhooks", None), ("POST", "/webhooks", HOOK), ("GET", path, None), ("PUT", path, HOOK),
        ("POST", f"{path}/rotate-secret", {}), ("GET", f"{path}/deliveries", None),
        ("POST", f"{path}/deliveries/{delivery}/replay", None), ("POST", f"{path}/replay-dead", None),
        ("DELETE", path, None)]


async def test_an_organisation_has_a_limited_number_of_webhooks(site: DirectorySite) -> None:
    for _ in range(MOST_WEBHOOKS):
        assert (await site.api("POST", "/webhooks", HOOK)).status == 201
    assert (await site.api("POST", "/webhooks", HOOK)).status == 409
    assert (await (await site.other()).api("POST", "/webhooks", HOOK)).status == 201
    assert len(await site.api.all("/webhooks", limit=7)) == MOST_WEBHOOKS


async def test_a_secret_is_told_once_and_rotated_with_an_overlap(site: DirectorySite) -> None:
    made = (await site.api("POST", "/webhooks", HOOK)).body
    path = f"/webhooks/{made['id']}"
    rotated = await site.api("POST", f"{path}/rotate-secret", {"overlapS": 3600})
    assert rotated.status == 200 and rotated.body["secret"] != made["secret"]
    new, old = rotated.body["secrets"]
    assert new == {"endsWith": rotated.body["secret"][-4:], "validUntil": None}
    assert old["endsWith"] == made["secret"][-4:] and old["validUntil"]
    for answer in (await site.api("GET", path), await site.api("GET", "/webhooks"), await site.api("PUT", path, HOOK)):
        assert "whsec_" not in json.dumps(answer.body)

    at_once = await site.api("POST", f"{path}/rotate-secret", {"overlapS": 0})
    assert [it["endsWith"] for it in at_once.body["secrets"]] == [at_once.body["secret"][-4:]]
    for _ in range(9):
        last = await site.api("POST", f"{path}/rotate-secret", {})
    assert len(last.body["secrets"]) == 5
    for overlap in (-1, 30 * 86400 + 1, "1", None):
        assert (await site.api("POST", f"{path}/rotate-secret", {"overlapS": overlap})).fields == ["overlapS"]


async def test_deliveries_are_listed_newest_first_by_state_and_in_pages(site: DirectorySite) -> None:
    webhook_id = (await site.api("POST", "/webhooks", HOOK)).body["id"]
    ids = await deliver(site, webhook_id, "dead", "pending", "delivered", "dead", "pending")
    path = f"/webhooks/{webhook_id}/deliveries"
    listed = await site.api.all(path, limit=2)
    assert [it["id"] for it in listed] == ids[::-1]
    assert [it["id"] for it in await site.api.all(path, limit=1, state="dead")] == [ids[3], ids[0]]
    dead = listed[-1]
    assert dead == {
        "id": ids[0], "messageID": "msg_0", "type": "alarm.created", "state": "dead", "tries": 11, "dueAt": None,
        "createdAt": dead["createdAt"], "deliveredAt": None, "lastStatus": None, "lastError": "answered 500",
        "body": {"type": "alarm.created", "data": {"n": 0}}}
    assert listed[0]["dueAt"]
    for query in ({"state": "burned"}, {"cursor": "x"}, {"limit": 101}):
        assert (await site.api("GET", path, **query)).fields == list(query)
    assert (await site.api("GET", f"/webhooks/{UNKNOWN}/deliveries")).status == 404


async def test_deliveries_are_replayed_one_or_all_that_are_dead(site: DirectorySite) -> None:
    webhook_id = (await site.api("POST", "/webhooks", HOOK)).body["id"]
    path = f"/webhooks/{webhook_id}"
    ids = await deliver(site, webhook_id, "dead", "delivered", "dead", "dead")
    for number in (0, 1):
        answer = await site.api("POST", f"{path}/deliveries/{ids[number]}/replay")
        assert (answer.status, answer.body["state"], answer.body["tries"]) == (200, "pending", 0)
        assert answer.body["messageID"] == f"msg_{number}"
    assert (await site.api("POST", f"{path}/deliveries/{UNKNOWN}/replay")).status == 404
    assert (await site.api("POST", f"{path}/replay-dead")).body == {"replayed": 2}
    assert (await site.api("POST", f"{path}/replay-dead")).body == {"replayed": 0}
    assert {it["state"] for it in await site.api.all(f"{path}/deliveries")} == {"pending"}

    await site.api("PUT", path, {**HOOK, "isActive": False})
    for again in (f"{path}/deliveries/{ids[0]}/replay", f"{path}/replay-dead"):
        assert (await site.api("POST", again)).status == 409


async def rounds() -> AsyncIterator[None]:
    """For what another process does; whoever goes round has a time limit."""
    while True:
        yield
        await asyncio.sleep(0.01)


async def test_the_api_process_delivers_what_happens_and_logs_no_secrets(
        site: DirectorySite, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGWARD_WEBHOOK_ALLOW", "10.0.0.0/8, 127.0.0.1")
    code = ("import asyncio; from api.app import run; from engine.settings import Settings; import sys; "
            "asyncio.run(run(Settings(api='127.0.0.1:0', database_url=sys.argv[1])))")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, database_url, stderr=asyncio.subprocess.PIPE)
    assert process.stderr
    try:
        async with asyncio.timeout(30), Receiver() as receiver:
            line = ""
            while "api.listening" not in line:
                line = (await process.stderr.readline()).decode()
            root = "http://" + json.loads(line)["address"][0]
            api = Client(site.api.session, root + "/ringward/v1", site.api.headers)
            made = (await api("POST", "/webhooks", {**HOOK, "url": receiver.url + "?token=hush"})).body
            await site.pool.execute("INSERT INTO events (organisation_id, at, type, data) "
                                    "VALUES ($1, now(), 'alarm.created', '{\"alarmID\": 1}')", site.org.id)
            [request] = await receiver.has(1)
            assert request.verified(made["secret"])["data"] == {"alarmID": 1}
            path = f"/webhooks/{made['id']}/deliveries"
            async for _ in rounds():
                if await api.all(path, state="delivered"):
                    break
            text = (await Client(api.session, root, {})("GET", "/metrics")).body.decode()
            process.terminate()
            logged = (await process.stderr.read()).decode()
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    assert {it.labels["outcome"]: it.value for it in samples if it.name == "ringward_webhook_tries_total"} == {
        "delivered": 1, "again": 0, "dead": 0}
    assert '"event":"webhook.tried"' in logged
    assert made["secret"].removeprefix("whsec_") not in logged and "hush" not in logged
