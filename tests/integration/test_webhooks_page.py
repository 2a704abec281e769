"""docs/webhooks.md tells the truth: its receiver verifies what is sent, its examples look like what happens."""

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.webhooks.signature import new_secret
from engine.runtime.folders import PROJECT
from tests.receivers import TYPES, Receiver, WebhookDesk, webhook_desk

PAGE = (PROJECT / "docs" / "webhooks.md").read_text()
ALARM = ("INSERT INTO alarms (organisation_id, needed, plan, request) VALUES (1, 1, '{}', '{}')",
         "INSERT INTO alarm_recipients (organisation_id, alarm_id, position, name, language, voice, phones) "
         "SELECT 1, 1, n, 'Anna', 'de', 'de', '{+4930555123}' FROM generate_series(0, 1) n",
         "INSERT INTO alarm_attempts (leg, organisation_id, alarm_id, recipient_id, phone, trunk, placed_at) "
         "VALUES ('a', 1, 1, 1, '+4930555123', 'trunk', now())",
         "UPDATE alarm_recipients SET state = 'acknowledged', acknowledged_at = now() WHERE position = 0",
         "UPDATE alarm_recipients SET state = 'declined' WHERE position = 1",
         "UPDATE alarms SET state = 'acknowledged', decided_at = now()",
         "UPDATE alarm_attempts SET ended_at = now(), answered_at = now(), disposition = 'acknowledged', cause = 16",
         "UPDATE alarms SET finished_at = now()")
HOTLINE = ("INSERT INTO telephone_records (leg, call_log_id, organisation_id, hotline_id, direction, from_number, "
           "to_number, start_time, answer_time, end_time, status, cause) "
           "VALUES ('b', 1, 1, 1, 'inbound', '49170123456', '4930123456', now(), now(), now(), 'answered', 16)")


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[WebhookDesk]:
    async with webhook_desk(database_url) as made:
        yield made


async def test_the_receiver_of_the_page_knows_what_is_genuine(desk: WebhookDesk) -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    page: dict[str, Any] = {}
    exec(code, page)  # noqa: S102
    is_genuine = page["is_genuine"]
    async with Receiver() as receiver, desk.sender():
        webhook = await desk.webhook(receiver.url)
        await desk.happened(name="Jürgen")
        [request] = await receiver.has(1)
    secret = webhook.secrets[0].value
    assert is_genuine(request.headers, request.body, secret)
    assert not is_genuine(request.headers, request.body + b" ", secret)
    assert not is_genuine(request.headers, request.body, new_secret())
    assert not is_genuine({**request.headers, "webhook-timestamp": "1614265330"}, request.body, secret)


async def test_its_examples_have_the_members_of_what_is_sent(desk: WebhookDesk) -> None:
    examples = [json.loads(it) for it in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
    shown = {shape(it) for it in examples}
    await desk.webhook("http://127.0.0.1:9/")
    assert desk.organisation_id == 1
    for statement in (*ALARM, HOTLINE):
        await desk.world.pool.execute(statement)
    sent = [json.loads(it["body"]) for it in await desk.world.pool.fetch("SELECT body FROM webhook_deliveries")]
    assert {it["type"] for it in sent} == set(TYPES)
    assert {shape(it) for it in sent} == shown


def shape(message: dict[str, Any]) -> tuple[str, ...]:
    """Its members' names; those of one kind of thing are the same for all its types."""
    kind = message["type"].partition(".")[0]
    return (kind, *message, *sorted(message["data"]))
