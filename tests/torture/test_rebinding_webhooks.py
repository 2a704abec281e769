"""The real api in a network where names lead elsewhere at each question and every address of the world answers: what
its sender connects to is what was judged, and nothing inside is ever spoken to.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from api.webhooks.schedule import Schedule
from api.webhooks.sender import Pace
from engine.store.webhooks import Webhook
from tests.acceptance.town import EngineProcess
from tests.receivers import WebhookDesk, webhook_desk
from tests.torture.lonely_net import LonelyNet, Script
from tests.torture.plugin import NotPermitted, not_run
from tests.torture.report import Tally
from tests.torture.test_hostile_webhooks import DISGUISED

OUTSIDE = "8.8.8.8"
# where the name leads at each further try; of several addresses one is enough to be refused
INSIDE: Sequence[Sequence[str]] = (
    ["127.0.0.1"], ["::ffff:127.0.0.1"], ["=2130706433", "127.0.0.1"], [OUTSIDE, "127.0.0.1"], [OUTSIDE, "::1"],
    ["64:ff9b::7f00:1"], ["0.0.0.0"], ["=localhost", "127.1.2.3"], ["169.254.169.254"], ["2002:7f00:1::", OUTSIDE])
TRIES = 1 + len(Schedule().pauses_s)
REFUSED = "is not a public address"
STARTED_WITHIN_S = 40.0
NEXT_WITHIN_S = Pace().lease_s + 15     # a try that could not be written down is made again when its lease is over
TRIED_AND_DUE_AGAIN = """UPDATE webhook_deliveries SET due_at = now()
    WHERE webhook_id = $1 AND tries > $2 AND taken_until IS NULL RETURNING tries, state, last_error"""

pytestmark = pytest.mark.timeout(240)


@dataclass(frozen=True, slots=True)
class Tried:
    """A delivery after one of its tries."""

    tries: int
    state: str
    last_error: str | None


@dataclass
class Street:
    """An organisation's webhooks, the api that sends them, and the network that it lives in."""

    desk: WebhookDesk
    net: LonelyNet
    session: aiohttp.ClientSession
    token: str

    async def saved(self, url: str) -> Webhook:
        """By the API, which looks the name up."""
        body = {"url": url, "types": ["alarm.created"]}
        async with self.session.post("/ringward/v1/webhooks", json=body, headers={"API-TOKEN": self.token}) as got:
            assert got.status == 201, await got.text()
            made = await got.json()
        found = await self.desk.webhooks.webhook(self.desk.organisation_id, made["id"])
        assert found
        return found

    async def given_up(self, webhook: Webhook) -> list[Tried]:
        """What came of each try, until there is none left. The pauses between are cut short, nothing else is. However
        slow the machine is: bounded are the tries, and the wait for the next one."""
        seen: list[Tried] = []
        while not seen or seen[-1].state != "dead":
            assert len(seen) < TRIES, seen
            seen.append(await self._next(webhook, seen[-1].tries if seen else 0))
        return seen

    async def _next(self, webhook: Webhook, after: int) -> Tried:
        """The try after so many, when what came of it is written down; a further one is due from then on."""
        pool = self.desk.world.pool
        async with asyncio.timeout(NEXT_WITHIN_S):
            while (row := await pool.fetchrow(TRIED_AND_DUE_AGAIN, webhook.webhook_id, after)) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        await pool.execute("SELECT pg_notify('ringward_webhook', '')")
        return Tried(**row)


@pytest.fixture
async def open_street(database_url: str, tmp_path: Path) -> AsyncIterator[Callable[[Script], Any]]:
    async with AsyncExitStack() as stack:
        async def make(script: Script) -> Street:
            try:
                net = stack.enter_context(LonelyNet.open(tmp_path, script))
            except NotPermitted as reason:
                not_run(str(reason))
            desk = await stack.enter_async_context(webhook_desk(database_url))
            variables = {**os.environ, "DATABASE_URL": database_url, "RINGWARD_API": net.api,
                         "RINGWARD_HOME": str(tmp_path)}
            api = EngineProcess(variables, tmp_path / "api.log", "api", behind=net.entered)
            api.start()
            stack.callback(lambda: print(api.log_path.read_text()[-3000:]))
            stack.callback(api.close)
            session = await stack.enter_async_context(aiohttp.ClientSession(
                "http://api", connector=aiohttp.UnixConnector(net.way_in, force_close=True)))
            await _served(session)
            return Street(desk, net, session, await desk.world.directory.issue_token(desk.organisation_id, None))
        yield make


async def _served(session: aiohttp.ClientSession) -> None:
    async with asyncio.timeout(STARTED_WITHIN_S):
        while True:
            try:
                async with session.get("/healthz") as got:
                    if got.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)


async def test_a_name_that_is_outside_when_it_is_saved_and_inside_at_the_next_question(
        open_street: Callable, tally: Tally) -> None:
    """Looked up once to be saved and once a try: a second look-up at the connection would lead inside. The first try
    reaches the address outside that it was answered; every other ends as a refusal, the last one for good."""
    assert len(INSIDE) == TRIES - 1
    street: Street = await open_street({"rebinds.example": [[OUTSIDE], [OUTSIDE], *INSIDE]})
    webhook = await street.saved(f"https://rebinds.example:{street.net.port}/hook")
    await street.desk.happened()
    tries = await street.given_up(webhook)
    assert street.net.asked("rebinds.example") == [[OUTSIDE], [OUTSIDE], *INSIDE]
    assert set(street.net.reached()) == {OUTSIDE}, "something inside was spoken to"
    assert tries[0].last_error and REFUSED not in tries[0].last_error, "it was judged to be outside, and tried"
    assert [it.tries for it in tries] == list(range(1, TRIES + 1)) and tries[-1].state == "dead"
    for step, failed in zip(INSIDE, tries[1:], strict=True):
        assert REFUSED in (failed.last_error or ""), (step, failed)
    tally.faults += TRIES


@pytest.mark.full
async def test_names_that_change_at_every_single_question(open_street: Callable, tally: Tally) -> None:
    """Outside, inside, outside … : whichever look-up of a try is the one that counts, some name lies to it."""
    names = [f"n{n}.example" for n in range(len(INSIDE))]
    street: Street = await open_street({
        name: [[OUTSIDE], *([inside, [OUTSIDE]] if n % 2 else [[OUTSIDE], inside]) * TRIES]
        for n, (name, inside) in enumerate(zip(names, INSIDE, strict=True))})
    webhooks = [await street.saved(f"https://{name}:{street.net.port}/") for name in names]
    await street.desk.happened()
    for n, tries in enumerate(await asyncio.gather(*map(street.given_up, webhooks))):
        refused = [REFUSED in (it.last_error or "") for it in tries]
        assert any(refused) and not all(refused), (names[n], tries)     # a resolver that asks again turns them round
        assert len(street.net.asked(names[n])) >= 1 + len(tries) and tries[-1].tries == TRIES
    assert set(street.net.reached()) == {OUTSIDE}, "something inside was spoken to"
    tally.faults += TRIES * len(names)


async def test_an_address_in_disguise_that_got_into_a_row_is_not_connected_to(
        open_street: Callable, tally: Tally) -> None:
    """Decimal, octal, mapped …: refused when it is saved (test_hostile_webhooks.py), and by the sender for itself."""
    street: Street = await open_street({})
    changed = "UPDATE webhooks SET url = $2 WHERE id = $1"
    for some in (DISGUISED[:14], DISGUISED[14:]):
        webhooks = [await street.desk.webhook(f"https://{OUTSIDE}/") for _ in some]
        for n, (webhook, host) in enumerate(zip(webhooks, some, strict=True)):
            url = f"{'https' if n % 2 else 'http'}://{host}:{street.net.port}/"
            await street.desk.world.pool.execute(changed, webhook.webhook_id, url)
        await street.desk.happened()
        for webhook, host in zip(webhooks, some, strict=True):
            failed = await street.desk.tried(webhook)
            assert failed.last_status is None and failed.last_error, (host, failed)
        await street.desk.world.pool.execute("DELETE FROM webhooks")
        tally.faults += len(some)
    assert street.net.reached() == []
