"""The guard as a table: what may be reached, what not, and that nothing gets round it."""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import ip_network

import pytest
from aiohttp import ClientConnectionError, ClientSession, InvalidURL

from api.webhooks.guard import Guard, Refused, SystemLookup

PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.32.0.1", "2606:4700::1111",
          "2a00:1450:4001:80b::200e", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
CLOSED = {
    "loopback": ["127.0.0.1", "127.255.255.254", "::1"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12:3456::1"],
    "link local": ["169.254.0.1", "fe80::1", "fe80::1%eth0"],
    "metadata": ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192"],
    "carrier-grade NAT": ["100.64.0.0", "100.127.255.255"],
    "unspecified": ["0.0.0.0", "0.1.2.3", "::"],
    "multicast": ["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"],
    "reserved": ["240.0.0.1", "255.255.255.255", "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1",
                 "2001:db8::1", "3fff::1", "100::1", "4000::1", "5f00::1", "fec0::1"],
    "mapped": ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:7f00:1"],
    "compatible": ["::127.0.0.1", "::8.8.8.8"],
    "6to4": ["2002:7f00:1::", "2002:a00:1::1", "2002:808:808::1", "192.88.99.1"],
    "NAT64": ["64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::8.8.8.8"],
    "Teredo": ["2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"],
    "translated": ["::ffff:0:127.0.0.1"],
}


def answering(*answers: Sequence[str]) -> "Names":
    return Names(list(answers))


class Names:
    """A name server of our choice: the next answer for each question, the last one for ever."""

    def __init__(self, answers: list[Sequence[str]]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def literal(address: str) -> str:
    return f"https://[{address}]/" if ":" in address else f"https://{address}/"


@pytest.mark.parametrize("address", PUBLIC)
async def test_public_addresses_may_be_reached(address: str) -> None:
    await Guard(lookup=answering([address])).check("https://receiver.example/hook")
    await Guard().check(literal(address))


@pytest.mark.parametrize("address", [it for group in CLOSED.values() for it in group])
async def test_what_is_not_public_may_not(address: str) -> None:
    with pytest.raises(Refused, match="is not a public address"):
        await Guard(lookup=answering([address])).check("https://receiver.example/hook")
    if "%" not in address:
        with pytest.raises(Refused, match="is not a public address"):
            await Guard().check(literal(address))


async def test_one_closed_address_among_several_is_enough() -> None:
    with pytest.raises(Refused, match=r"10\.0\.0\.1"):
        await Guard(lookup=answering(["8.8.8.8", "10.0.0.1"])).check("https://receiver.example/")


@pytest.mark.parametrize("host", [
    "2130706433", "0177.0.0.1", "0x7f000001", "0x7f.0.0.1", "127.1", "127.0.1", "017700000001", "127.0.0.1.", "0",
    "134744072", "08.8.8.8", "8.8.8.8.", "1.2.3.4.5", "256.1.1.1", "a.0x7f", "①②⑦.⓪.⓪.①"])
async def test_addresses_in_disguise_are_refused(host: str) -> None:
    with pytest.raises(Refused, match=r"four decimal numbers|not a public address|not a URL"):
        await Guard(lookup=answering(["8.8.8.8"])).check(f"https://{host}/")


@pytest.mark.parametrize(("url", "why"), [
    ("ftp://receiver.example/", "must begin"), ("file:///etc/passwd", "must begin"),
    ("gopher://receiver.example:70/", "must begin"), ("//receiver.example/", "must begin"), ("/hook", "must begin"),
    ("receiver.example", "must begin"), ("", "must begin"), ("https:///hook", "not a URL|must begin"),
    ("https://", "not a URL|must begin"), ("javascript:alert(1)", "must begin"),
    ("https://u:p@receiver.example/", "user name"), ("https://u@receiver.example/", "user name"),
    ("https://8.8.8.8@10.0.0.1/", "user name"), ("https://receiver.example/#part", "fragment"),
    ("https://receiver.example:0/", "port"), ("https://receiver.example:99999/", "not a URL"),
    ("https://receiver.example:x/", "not a URL"), ("https://[::1/", "not a URL"),
    ("https://xn--/", "not a URL"), ("https://a.xn--.example/", "not a URL"), ("https://ⓛ[ⓛ9]@", "not a URL"),
    ("http://receiver.example/", "use https"), ("http://8.8.8.8/", "use https")])
async def test_what_is_no_target_is_refused_with_a_reason(url: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        await Guard(lookup=answering(["8.8.8.8"])).check(url)


@pytest.mark.parametrize("url", [
    "https://receiver.example", "https://receiver.example:8443/a/b?c=d&e=%20f", "HTTPS://Receiver.Example/",
    "https://empfänger.example/", "https://8.8.8.8:444/", "https://[2606:4700::1111]/"])
async def test_ordinary_targets_pass(url: str) -> None:
    await Guard(lookup=answering(["8.8.8.8"])).check(url)


@pytest.mark.parametrize(("allow", "url", "passes"), [
    ("127.0.0.0/8", "http://127.0.0.1:8000/", True), ("127.0.0.0/8", "https://127.9.9.9/", True),
    ("127.0.0.0/8", "http://[::ffff:127.0.0.1]/", True), ("127.0.0.0/8", "http://[::1]/", False),
    ("127.0.0.0/8", "http://10.0.0.1/", False), ("10.1.0.0/16", "http://10.1.2.3/", True),
    ("10.1.0.0/16", "http://10.2.2.3/", False), ("fd00::/8", "http://[fd00::1]/", True),
    ("fd00::/8", "http://[fc00::1]/", False), ("8.8.8.8/32", "http://8.8.8.8/", True),
    ("::/0", "http://[::1]/", True), ("0.0.0.0/0", "http://[::1]/", False)])
async def test_the_networks_that_are_opened_are_open_and_no_others(allow: str, url: str, passes: bool) -> None:
    guard = Guard([ip_network(allow)])
    if passes:
        await guard.check(url)
    else:
        with pytest.raises(Refused):
            await guard.check(url)


async def test_a_name_that_cannot_be_resolved_yet_is_no_reason_to_refuse() -> None:
    async def unknown(host: str) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    await Guard(lookup=unknown).check("https://receiver.example/")
    await Guard(lookup=answering([])).check("https://receiver.example/")


async def test_the_systems_names_are_judged_by_their_addresses() -> None:
    guard = Guard()
    for name in ("localhost", "LOCALHOST"):
        with pytest.raises(Refused, match="not a public address"):
            await guard.check(f"https://{name}/")


async def test_a_name_is_asked_for_once_however_many_wait() -> None:
    lookup = SystemLookup()
    found = await asyncio.gather(*[lookup("localhost") for _ in range(20)])
    assert all(set(it) <= {"127.0.0.1", "::1"} and it for it in found)


class Listener:
    """Something inside that must not be reached; counts who did."""

    def __init__(self) -> None:
        self.reached = 0

    async def __aenter__(self) -> "Listener":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reached += 1
        await reader.readline()
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()


async def post(guard: Guard, url: str) -> int:
    async with ClientSession(connector=guard.gate(url.partition(":")[0]).connector()) as session, \
            session.post(url, data=b"{}") as response:
        return response.status


async def test_a_name_that_leads_elsewhere_at_the_second_question_is_not_followed() -> None:
    """DNS rebinding: public when the webhook was made, inside at the try."""
    names = answering(["8.8.8.8"], ["127.0.0.1"])
    guard = Guard(lookup=names)
    async with Listener() as inside:
        url = f"https://rebind.example:{inside.port}/"
        await guard.check(url)
        with pytest.raises(ClientConnectionError, match=r"127\.0\.0\.1 is not a public address"):
            await post(guard, url)
        assert inside.reached == 0
    assert names.asked == ["rebind.example"] * 2


async def test_a_try_resolves_once_and_connects_to_what_was_judged() -> None:
    names = answering(["127.0.0.1"], ["10.255.255.1"])
    guard = Guard([ip_network("127.0.0.0/8")], lookup=names)
    async with Listener() as inside:
        assert await post(guard, f"http://rebind.example:{inside.port}/") == 204
        assert inside.reached == 1
    assert names.asked == ["rebind.example"]


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]", "2130706433", "127.1", "0x7f000001", "0"])
async def test_addresses_in_a_url_do_not_get_round_the_socket(host: str) -> None:
    """Whatever the HTTP client makes of them: it asks no resolver for an address."""
    async with Listener() as inside:
        with pytest.raises((ClientConnectionError, InvalidURL)):
            await post(Guard(), f"https://{host}:{inside.port}/")
        assert inside.reached == 0
