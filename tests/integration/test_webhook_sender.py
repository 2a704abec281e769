"""The sender on a real Postgres against real receivers: what each kind of receiver does to its own deliveries, and
that it does nothing to those of the others."""

import asyncio
import json
import shutil
import socket
import ssl
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError

from api.webhooks.signature import new_secret
from engine.store import queries
from engine.store.webhooks import PostgresDeliveries
from tests.receivers import Receiver, Request, WebhookDesk, answering, dripping, never, webhook_desk

SQL = queries.load("webhooks")


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[WebhookDesk]:
    async with webhook_desk(database_url) as made:
        yield made


async def test_what_happens_is_posted_signed_to_those_who_want_that_type(desk: WebhookDesk) -> None:
    async with Receiver() as receiver, Receiver() as other, desk.sender() as figures:
        webhook = await desk.webhook(receiver.url)
        await desk.webhook(other.url, types=["call.finished"])
        await desk.happened("alarm.created", alarmID=7, name="Jürgen")
        [request] = await receiver.has(1)
        [delivery] = await desk.until(webhook, "delivered")
    said = request.verified(webhook.secrets[0].value)
    assert (said["type"], said["data"]) == ("alarm.created", {"alarmID": 7, "name": "Jürgen"})
    assert datetime.fromisoformat(said["timestamp"]).tzinfo
    assert request.path == "/hook" and request.headers["content-type"] == "application/json"
    assert (delivery.message_id, delivery.tries, delivery.last_status) == (request.message_id, 1, 204)
    assert delivery.delivered_at and delivery.body.encode() == request.body
    assert other.requests == []
    assert figures.get_sample_value("ringward_webhook_tries_total", {"outcome": "delivered"}) == 1


async def test_a_failed_try_is_repeated_with_the_same_id_and_a_new_time(desk: WebhookDesk) -> None:
    async with Receiver(answering(500, 429, 204)) as receiver, desk.sender() as figures:
        webhook = await desk.webhook(receiver.url)
        await desk.happened()
        requests = await receiver.has(3)
        [delivery] = await desk.until(webhook, "delivered")
    assert len({it.message_id for it in requests}) == 1
    assert all(it.verified(webhook.secrets[0].value) for it in requests)
    assert (delivery.tries, delivery.last_error) == (3, None)
    assert figures.get_sample_value("ringward_webhook_tries_total", {"outcome": "again"}) == 2


async def test_after_the_last_try_it_is_dead_and_can_be_sent_again(desk: WebhookDesk) -> None:
    async with Receiver(answering(500)) as receiver, desk.sender():
        webhook = await desk.webhook(receiver.url)
        for number in range(3):
            await desk.happened(number=number)
        dead = await desk.until(webhook, "dead", "dead", "dead")
        assert [(it.tries, it.last_status, it.last_error) for it in dead] == [(3, 500, "answered 500")] * 3
        assert len(receiver.requests) == 9

        receiver.behave = answering(200)
        again = await desk.webhooks.replay(desk.organisation_id, webhook.webhook_id, dead[1].delivery_id)
        assert again and (again.state, again.tries) == ("pending", 0)
        await desk.until(webhook, "dead", "delivered", "dead")
        assert await desk.webhooks.replay_dead(desk.organisation_id, webhook.webhook_id) == 2
        await desk.until(webhook, *["delivered"] * 3)
    assert receiver.requests[9].message_id == dead[1].message_id
    assert {it.message_id for it in receiver.requests[9:]} == {it.message_id for it in dead}


async def test_a_receiver_that_never_answers_delays_no_other(desk: WebhookDesk) -> None:
    async with Receiver(never) as silent, Receiver() as well, desk.sender(timeout_s=5, at_once_each=2):
        dead, live = await desk.webhook(silent.url), await desk.webhook(well.url)
        began = time.monotonic()
        for number in range(20):
            await desk.happened(number=number)
        await desk.until(live, *["delivered"] * 20)
        assert time.monotonic() - began < 4
        assert len(silent.requests) == 2
        assert {it.state for it in await desk.deliveries(dead)} == {"pending"}


async def test_no_answer_in_time_is_a_failed_try(desk: WebhookDesk) -> None:
    async with Receiver(never) as silent, desk.sender(timeout_s=0.2, pauses_s=[]):
        webhook = await desk.webhook(silent.url)
        await desk.happened()
        [delivery] = await desk.until(webhook, "dead")
    assert (delivery.last_status, delivery.last_error) == (None, "no answer within 0.2 s")


async def test_a_receiver_that_drips_its_answer_is_given_up_in_time(desk: WebhookDesk) -> None:
    async with Receiver(dripping(b"HTTP/1.1 200 OK\r\n\r\n", 0.1)) as receiver, \
            desk.sender(timeout_s=0.5, pauses_s=[]):
        webhook = await desk.webhook(receiver.url)
        began = time.monotonic()
        await desk.happened()
        [delivery] = await desk.until(webhook, "dead")
    assert delivery.last_error == "no answer within 0.5 s"
    assert time.monotonic() - began < 2


async def test_a_body_that_drips_after_its_status_changes_nothing(desk: WebhookDesk) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        await dripping(b"x" * 100, 0.2)(request, writer)
    async with Receiver(behave) as receiver, desk.sender():
        webhook = await desk.webhook(receiver.url)
        await desk.happened()
        [delivery] = await desk.until(webhook, "delivered")
    assert delivery.last_status == 200


async def test_ten_megabytes_of_answer_are_not_read(desk: WebhookDesk) -> None:
    taken = 0

    async def behave(_: Request, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\nContent-Encoding: gzip\r\n\r\n")
        writer.transport.set_write_buffer_limits(0)
        for _n in range(1024):
            writer.write(b"\x1f" * 10240)
            await writer.drain()
            taken += 10240
    async with Receiver(behave) as receiver, desk.sender():
        webhook = await desk.webhook(receiver.url)
        await desk.happened()
        await desk.until(webhook, "delivered")
    assert taken < 10_485_760


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_are_not_followed(desk: WebhookDesk, status: int) -> None:
    async with Receiver() as inside, Receiver(answering(status, Location=inside.url)) as receiver, \
            desk.sender(pauses_s=[]):
        webhook = await desk.webhook(receiver.url)
        await desk.happened()
        [delivery] = await desk.until(webhook, "dead")
    assert (delivery.last_status, delivery.last_error) == (status, f"answered {status}")
    assert inside.requests == []


async def test_no_proxy_of_the_environment_is_asked(desk: WebhookDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Receiver() as proxy, Receiver() as receiver, desk.sender():
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        webhook = await desk.webhook(receiver.url)
        await desk.happened()
        await desk.until(webhook, "delivered")
    assert proxy.requests == []


async def test_a_name_that_leads_inside_at_the_try_is_refused_and_one_that_changes_later_is_pinned(
        desk: WebhookDesk) -> None:
    asked: list[str] = []

    async def lookup(host: str) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 or host == "closed.example" else ["10.255.255.1"]

    async with Receiver() as receiver:
        by_name = receiver.url.replace("127.0.0.1", "rebind.example")
        async with desk.sender(lookup=lookup):
            webhook = await desk.webhook(by_name)
            await desk.happened()
            await desk.until(webhook, "delivered")
        assert asked == ["rebind.example"] and len(receiver.requests) == 1
        async with desk.sender(lookup=lookup, allow=[], pauses_s=[]):
            closed = await desk.webhook(receiver.url.replace("http://127.0.0.1", "https://closed.example"))
            await desk.webhooks.delete(desk.organisation_id, webhook.webhook_id)
            await desk.happened()
            [delivery] = await desk.until(closed, "dead")
    assert delivery.last_error == "127.0.0.1 is not a public address, nor in the networks of RINGWARD_WEBHOOK_ALLOW"
    assert len(receiver.requests) == 1


async def test_what_cannot_be_reached_says_why(desk: WebhookDesk) -> None:
    async def talk_plainly(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async def unknown(host: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async with Receiver() as receiver:
        port = receiver.port
    async with await asyncio.start_server(talk_plainly, "127.0.0.1", 0) as plain, \
            desk.sender(pauses_s=[], lookup=unknown):
        plain_port = plain.sockets[0].getsockname()[1]
        webhooks = [await desk.webhook(url) for url in (
            f"http://127.0.0.1:{port}/", f"https://127.0.0.1:{plain_port}/", "https://receiver.example/token")]
        await desk.happened()
        errors = [(await desk.until(webhook, "dead"))[0].last_error for webhook in webhooks]
    assert errors[0] == "Connection refused"
    assert (errors[1] or "").startswith("TLS: ")
    assert errors[2] == "Name or service not known"


@pytest.mark.skipif(not shutil.which("openssl"), reason="nothing to make a certificate with")
async def test_a_certificate_that_nobody_vouches_for_is_refused(desk: WebhookDesk, tmp_path: Path) -> None:
    making = await asyncio.create_subprocess_exec(
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
        "key", "-out", "cert", "-subj", "/CN=receiver.example", cwd=tmp_path, stderr=asyncio.subprocess.DEVNULL)
    assert await making.wait() == 0
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")

    async def here(host: str) -> list[str]:
        return ["127.0.0.1"]

    async with Receiver(tls=context) as receiver, desk.sender(pauses_s=[], lookup=here):
        webhook = await desk.webhook(f"https://receiver.example:{receiver.port}/")
        await desk.happened()
        [delivery] = await desk.until(webhook, "dead")
    assert (delivery.last_error or "").startswith("certificate: ") and receiver.requests == []


async def test_410_is_dead_at_once_and_switches_the_webhook_off(desk: WebhookDesk) -> None:
    async with Receiver(answering(410)) as receiver, desk.sender():
        webhook = await desk.webhook(receiver.url)
        await desk.happened()
        [delivery] = await desk.until(webhook, "dead")
        assert (delivery.tries, delivery.last_status) == (1, 410)
        stored = await desk.webhooks.webhook(desk.organisation_id, webhook.webhook_id)
        assert stored and not stored.data.is_active
        await desk.happened()
        assert len(await desk.deliveries(webhook)) == 1


async def test_what_falls_due_while_the_webhook_is_switched_off_is_dead(desk: WebhookDesk) -> None:
    async with Receiver() as receiver:
        webhook = await desk.webhook(receiver.url)
        await desk.happened()
        await desk.world.pool.execute("UPDATE webhooks SET is_active = false")
        async with desk.sender():
            [delivery] = await desk.until(webhook, "dead")
    assert delivery.last_error == "the webhook is switched off" and receiver.requests == []


async def test_a_receivers_wish_for_time_is_heard(desk: WebhookDesk) -> None:
    async with Receiver(answering(503, Retry_After="100")) as receiver, desk.sender():
        webhook = await desk.webhook(receiver.url)
        began = datetime.now(UTC)
        await desk.happened()
        delivery = await desk.tried(webhook)
    assert delivery.due_at - began > timedelta(seconds=99)


async def put_back(desk: WebhookDesk, is_known: bool = True) -> None:
    """The clock, by an hour: to it everything that was is yet to come. `is_known`: a sender lives that knows what it
    has in hand by until when, which no clock changes."""
    await desk.world.pool.execute(
        "UPDATE webhook_deliveries SET created_at = created_at + interval '1 hour', "
        "due_at = due_at + interval '1 hour', waits_since = waits_since + interval '1 hour', "
        "taken_until = CASE WHEN $1 THEN taken_until ELSE taken_until + interval '1 hour' END", is_known)


async def test_a_clock_that_is_put_back_makes_the_next_try_no_later(desk: WebhookDesk) -> None:
    async with Receiver(answering(503, 204, **{"Retry-After": "2"})) as receiver:
        webhook = await desk.webhook(receiver.url)
        async with desk.sender():
            await desk.happened()
            await desk.tried(webhook)
            await put_back(desk)
            began = time.monotonic()
            [delivery] = await desk.until(webhook, "delivered")
    assert delivery.tries == 2 and 1.5 < time.monotonic() - began < 5


async def test_what_has_happened_is_told_at_once_though_the_clock_was_put_back_before_the_first_try(
        desk: WebhookDesk) -> None:
    async with Receiver() as receiver:
        webhook = await desk.webhook(receiver.url)
        await desk.happened()
        await put_back(desk)
        async with desk.sender():
            [delivery] = await desk.until(webhook, "delivered")
    assert delivery.tries == 1


async def test_what_is_in_hand_when_the_clock_is_put_back_is_sent_once_and_noted(desk: WebhookDesk) -> None:
    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        await put_back(desk)
        await asyncio.sleep(0.5)    # rounds of the sender, which polls every 0.05 s
        await answering(204)(request, writer)
    async with Receiver(behave) as receiver, desk.sender(timeout_s=3):
        webhook = await desk.webhook(receiver.url)
        await desk.happened()
        [delivery] = await desk.until(webhook, "delivered")
    assert (len(receiver.requests), delivery.tries) == (1, 1)


async def test_what_a_sender_that_died_had_in_hand_is_free_when_its_lease_is_over_though_the_clock_was_put_back(
        desk: WebhookDesk) -> None:
    async with Receiver() as receiver:
        webhook = await desk.webhook(receiver.url)
        await desk.happened()
        deliveries = PostgresDeliveries(desk.database_url, desk.world.pool)
        assert len(await deliveries.claim(10, 10, {}, 1)) == 1
        await put_back(desk, is_known=False)
        async with desk.sender(lease_s=1):
            [delivery] = await desk.until(webhook, "delivered")
    assert (len(receiver.requests), delivery.tries) == (1, 2)


async def test_while_secrets_overlap_a_receiver_with_either_is_content(desk: WebhookDesk) -> None:
    async with Receiver() as receiver, desk.sender():
        webhook = await desk.webhook(receiver.url)
        old, new, last = webhook.secrets[0].value, new_secret(), new_secret()
        await desk.webhooks.rotate(desk.organisation_id, webhook.webhook_id, new, timedelta(hours=1))
        await desk.happened()
        [first] = await receiver.has(1)
        await desk.webhooks.rotate(desk.organisation_id, webhook.webhook_id, last, timedelta(0))
        await desk.happened()
        second = (await receiver.has(2))[1]
    assert first.verified(old) == first.verified(new)
    assert second.verified(last)
    for former in (old, new):
        with pytest.raises(WebhookVerificationError):
            second.verified(former)


async def test_two_senders_share_the_work_and_send_each_once(desk: WebhookDesk) -> None:
    async with Receiver() as receiver, desk.sender(), desk.sender():
        webhooks = [await desk.webhook(receiver.url) for _ in range(3)]
        async with asyncio.TaskGroup() as tasks:
            for number in range(40):
                tasks.create_task(desk.happened(number=number))
        for webhook in webhooks:
            await desk.until(webhook, *["delivered"] * 40)
        # answered is not yet all: a second sending would come a moment later, in the next rounds of both
        await asyncio.sleep(0.2)
    assert len(receiver.requests) == 120
    assert len({it.message_id for it in receiver.requests}) == 40


async def test_a_sender_killed_between_answer_and_note_leaves_it_to_the_next_with_the_same_id(
        desk: WebhookDesk) -> None:
    """The row is locked by us, so that the answer cannot be written down; then SIGKILL."""
    code = ("import asyncio, sys\n"
            "from tests.receivers import webhook_desk, WebhookDesk\n"
            "async def main():\n"
            "    desk = WebhookDesk(None, sys.argv[1], 0, None)\n"
            "    async with desk.sender(lease_s=2):\n"
            "        await asyncio.Event().wait()\n"
            "asyncio.run(main())\n")
    answered = asyncio.Event()

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        await locked.wait()
        await answering(204)(request, writer)
        answered.set()

    locked = asyncio.Event()
    async with Receiver(behave) as receiver:
        webhook = await desk.webhook(receiver.url)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, desk.database_url, stderr=asyncio.subprocess.DEVNULL)
        try:
            await desk.happened()
            await receiver.has(1)
            async with desk.world.pool.acquire() as connection, connection.transaction():
                await connection.execute("SELECT FROM webhook_deliveries FOR UPDATE")
                locked.set()
                await answered.wait()
                process.kill()
                await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        async with desk.sender():
            [delivery] = await desk.until(webhook, "delivered")
    first, second = receiver.requests
    assert first.message_id == second.message_id == delivery.message_id
    assert first.body == second.body and delivery.tries == 2


async def test_a_sender_that_is_stopped_finishes_what_it_has_in_hand(desk: WebhookDesk) -> None:
    stopping = asyncio.Event()

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        await stopping.wait()
        await answering(204)(request, writer)
    async with Receiver(behave) as receiver:
        webhook = await desk.webhook(receiver.url)
        async with desk.sender():
            await desk.happened()
            await receiver.has(1)
            asyncio.get_running_loop().call_later(0.1, stopping.set)
        [delivery] = await desk.deliveries(webhook)
    assert (delivery.state, len(receiver.requests)) == ("delivered", 1)


async def test_a_database_that_is_away_for_a_moment_costs_no_second_sending(desk: WebhookDesk) -> None:
    """Its connections are cut between the answer and the note: the note is written on a new one."""
    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        await desk.world.pool.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()")
        await answering(204)(request, writer)
    async with Receiver(behave) as receiver, desk.sender():
        webhook = await desk.webhook(receiver.url)
        await desk.happened()
        [delivery] = await desk.until(webhook, "delivered")
    assert len(receiver.requests) == 1 and delivery.tries == 1


async def test_a_backlog_of_one_webhook_is_stepped_over(desk: WebhookDesk) -> None:
    """Of 20,000 that are due and 20,000 that are not, a claim reads what it takes."""
    webhooks = [await desk.webhook("http://127.0.0.1:9/") for _ in range(3)]
    await desk.world.pool.execute("""
        INSERT INTO webhook_deliveries (organisation_id, webhook_id, message_id, type, body, due_at)
        SELECT 1, n % 2 + 1, 'm', 't', '{}', now() + (n % 2) * interval '1 hour' FROM generate_series(1, 40000) n;
        ANALYZE webhook_deliveries""")
    assert [it.webhook_id for it in webhooks] == [1, 2, 3]
    plan = await desk.world.pool.fetchval(
        f"EXPLAIN (ANALYZE, FORMAT JSON) {SQL['claim']}", 256, 4, [1], [1], timedelta(seconds=30))
    nodes = list(_nodes(json.loads(plan)[0]["Plan"]))
    read = [it for it in nodes if it.get("Relation Name") == "webhook_deliveries" and "Scan" in it["Node Type"]]
    assert read and all("Index Name" in it or it["Node Type"] == "Bitmap Heap Scan" for it in read), read
    assert sum(it["Actual Rows"] * it["Actual Loops"] for it in read) < 50, read


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from _nodes(part)
