"""A webhook's receiver as a way inside: names that lead elsewhere at the next question, addresses in every disguise,
redirects. The resolver is the test's own; inside there is a server that must never be spoken to.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from tests.directory_site import DirectorySite, directory_site
from tests.receivers import Receiver, WebhookDesk, answering, webhook_desk
from tests.torture.report import Tally

# what must not be reached, as an address of a name, or written in a URL
INSIDE = (
    "127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.100.100.200", "0.0.0.0",
    "255.255.255.255", "224.0.0.1", "168.63.129.16", "::", "::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1", "fd00::1", "fec0::1", "ff02::1", "::127.0.0.1", "2001::1",
    "fd00:ec2::254",
)
MOST = 20       # webhooks of an organisation
DISGUISED = (
    "2130706433", "0x7f000001", "017700000001", "0177.0.0.1", "127.1", "127.0.1", "0x7f.1", "0", "127.0.0.1.",
    "[::]", "[::1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "169.254.169.254",
    "2852039166", "0xa9fea9fe", "[fe80::1%25lo]", "localhost", "LOCALHOST", "%31%32%37.0.0.1",
    "①②⑦.⓪.⓪.①", "127。0。0。1", "user@127.0.0.1", "8.8.8.8@127.0.0.1", "127.0.0.1#@8.8.8.8", "127.0.0.1:80\\@8.8.8.8",
)


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[WebhookDesk]:
    async with webhook_desk(database_url) as made:
        yield made


@pytest.fixture
async def site(database_url: str) -> AsyncIterator[DirectorySite]:
    async with directory_site(database_url) as made:
        yield made


async def test_a_target_inside_is_refused_however_it_is_written(site: DirectorySite, tally: Tally) -> None:
    for host in (*DISGUISED, *(f"[{it}]" if ":" in it else it for it in INSIDE)):
        for scheme in ("http", "https"):
            got = await site.api("POST", "/webhooks", {"url": f"{scheme}://{host}/", "types": ["alarm.created"]})
            tally.faults += 1
            assert got.status == 400 and got.fields == ["url"], (host, got)
    for url in ("file:///etc/passwd", "gopher://127.0.0.1:5038/_Action", "ftp://127.0.0.1/", "javascript:x",
                "//127.0.0.1/", "http:127.0.0.1", "https://", "https:///x",
                "dict://127.0.0.1:11211/", "https://x\r\nHost: y/", "https://\0/"):
        assert (await site.api("POST", "/webhooks", {"url": url, "types": ["alarm.created"]})).status == 400, url
    assert await site.pool.fetchval("SELECT count(*) FROM webhooks") == 0


async def test_names_that_lead_inside_when_it_is_sent_reach_nobody(desk: WebhookDesk, tally: Tally) -> None:
    """The first answer is a public address, so the webhook could be made; the next ones lead inside (rebinding)."""
    async with Receiver() as inside:
        asked: list[str] = []

        async def rebinds(host: str) -> Sequence[str]:
            asked.append(host)
            return [INSIDE[int(host.partition(".")[0][1:])]]

        for some in (range(MOST), range(MOST, len(INSIDE))):
            made = [await desk.webhook(f"https://n{n}.example:{inside.port}/") for n in some]
            async with desk.sender(lookup=rebinds, allow=[]):
                await desk.happened()
                for webhook in made:
                    failed = await desk.tried(webhook)
                    assert "is not a public address" in (failed.last_error or ""), (webhook.data.url, failed)
            tally.faults += len(made)
            await desk.world.pool.execute("DELETE FROM webhooks")
        assert len(set(asked)) == len(INSIDE) and inside.requests == []


async def test_a_receiver_that_redirects_inside_moves_nobody(desk: WebhookDesk, tally: Tally) -> None:
    async with Receiver() as inside:
        for status in (301, 302, 303, 307, 308, 300, 305):
            for location in (inside.url, f"//127.0.0.1:{inside.port}/", "/again", "file:///etc/passwd"):
                async with Receiver(answering(status, Location=location, Refresh=f"0; url={inside.url}")) as outside:
                    webhook = await desk.webhook(outside.url)
                    async with desk.sender(pauses_s=()):
                        await desk.happened(types=status)
                        await asyncio.wait_for(desk.tried(webhook), 10)
                    assert {it.path for it in outside.requests} == {"/hook"}
                    await desk.world.pool.execute("DELETE FROM webhooks")
                tally.faults += 1
        assert inside.requests == []
