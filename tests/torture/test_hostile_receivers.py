"""Receivers of webhooks that never answer, drip, redirect without end, or send megabytes: they cost nobody anything but
themselves. The real api's memory, the delay of a polite receiver, and of alarms, by the phones."""

import time

import psutil
import pytest

from tests.receivers import TYPES, Receiver
from tests.torture.faults_of_receivers import LOOPBACK, MEGABYTE, hostilities
from tests.torture.report import Tally
from tests.torture.world import World

pytestmark = pytest.mark.timeout(150)

MAY_GROW = 24 * MEGABYTE        # of the api, whatever all receivers send
DELIVERED_WITHIN_S = 5.0        # to a polite receiver, on a busy machine


async def test_receivers_that_never_answer_drip_redirect_or_send_too_much(open_world, tally: Tally) -> None:
    world: World = await open_world(webhook_allow=LOOPBACK)
    people = await world.alarmed(12)
    for n in people:
        world.phone(n).behaviour = world.phone(n).behaviour.with_(press="1")
    async with Receiver() as polite, Receiver() as elsewhere:
        hostile = [Receiver(behave) for behave in hostilities(elsewhere.url).values()]
        try:
            for receiver in hostile:
                await receiver.__aenter__()
            for receiver in (*hostile, polite):
                await world.muster.post("/webhooks", {"url": receiver.url, "types": list(TYPES)})
            before = psutil.Process(world.muster.api.pid).memory_info().rss
            rang_s, grew = [], 0
            for n in people:
                began = time.monotonic()
                await world.muster.post("/alarms", {
                    "organizationID": world.town.organisation_id, "message": {"de": "Brand in Halle 3."},
                    "recipients": [{"userID": world.users[n]}], "acknowledge": {"needed": 1}, "ringTimeoutS": 6})
                tally.faults += len(hostile)
                tally.calls += 1
                await world.phone(n).rung(timeout_s=15)
                rang_s.append(world.phone(n).call.invited_at - began)
                grew = max(grew, psutil.Process(world.muster.api.pid).memory_info().rss - before)
            told: dict[int, float] = {}

            async def all_told() -> bool:
                ended = [r for r in polite.requests if r.message_id and b'"alarm.finished"' in r.body]
                return len({r.message_id for r in ended}) >= len(people)
            await world.town.until(all_told, f"the polite receiver was told everything: {told}", 30)
            rows = await world.fetch(
                "SELECT extract(epoch FROM d.delivered_at - d.created_at)::float8 AS late_s FROM webhook_deliveries d "
                "JOIN webhooks w ON w.id = d.webhook_id WHERE w.url = $1 "
                "AND d.state = 'delivered'", polite.url)
            late_s = sorted(row["late_s"] for row in rows)
            grew = max(grew, psutil.Process(world.muster.api.pid).memory_info().rss - before)
            print(f"alarms rang after {min(rang_s):.3f} to {max(rang_s):.3f} s; the polite receiver was told after "
                  f"{late_s[0]:.3f} to {late_s[-1]:.3f} s, {len(late_s)} times; the api grew by {grew >> 10} kB")
            assert late_s[-1] < DELIVERED_WITHIN_S
            assert sorted(rang_s)[len(rang_s) // 2] < 2.0
            assert grew < MAY_GROW
            assert not elsewhere.requests, "a redirect was followed"
            assert all(receiver.requests for receiver in hostile), "one was never asked"
        finally:
            for receiver in hostile:
                await receiver.__aexit__(None, None, None)
